package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/informer"
	"k8s.io/publisher/hack/e2e/controlplane"
	"k8s.io/publisher/hack/e2e/faults"
)

// A witness keeps what an informer has told, and what was wrong with it.
type witness struct {
	mu     sync.Mutex
	has    map[string]string // resource versions by name
	told   int
	faults []string
}

func identify(obj any) (name, version string) {
	if gone, ok := obj.(cache.DeletedFinalStateUnknown); ok {
		obj = gone.Obj
	}
	m, err := meta.Accessor(obj)
	if err != nil {
		return "", ""
	}
	return m.GetName(), m.GetResourceVersion()
}

// take notes a change from old, which is nil for what is new, to obj, which is nil for
// what is gone.
func (w *witness) take(old, obj any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told++
	if old != nil {
		name, version := identify(old)
		if known := w.has[name]; known != version && (obj != nil || known == "") {
			w.faults = append(w.faults, fmt.Sprintf("%s changes from version %s, known was %q", name, version, known))
		}
		delete(w.has, name)
	}
	if obj != nil {
		name, version := identify(obj)
		if known := w.has[name]; known != "" {
			w.faults = append(w.faults, fmt.Sprintf("%s is new at version %s, known was %s", name, version, known))
		}
		w.has[name] = version
	}
}

func (w *witness) OnAdd(obj any, _ bool) { w.take(nil, obj) }
func (w *witness) OnUpdate(old, obj any) { w.take(old, obj) }
func (w *witness) OnDelete(last any)     { w.take(last, nil) }

// equals returns an error if it was not told of just these objects.
func (w *witness) equals(want map[string]string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.faults) > 0 {
		return fmt.Errorf("%d faults, the first: %s", len(w.faults), w.faults[0])
	}
	return sameVersions("was told of", w.has, want)
}

func sameVersions(what string, got, want map[string]string) error {
	for name, version := range want {
		if got[name] != version {
			return fmt.Errorf("%s %s at version %q, and the server has %s", what, name, got[name], version)
		}
	}
	for name, version := range got {
		if want[name] == "" {
			return fmt.Errorf("%s %s at version %s, and the server has none", what, name, version)
		}
	}
	return nil
}

// A witnessed informer is one of the several kinds.
type witnessed struct {
	*witness
	kind string
	list func() []any
	run  func(ctx context.Context)
}

// noStreams is a client whose lists are not streamed.
type noStreams struct{}

func (noStreams) IsWatchListSemanticsUnSupported() bool { return true }

// witnessedInformers returns informers of the config maps in a namespace: of a factory,
// of a dynamic factory, one that lists in place of streaming, and a typed one.
func witnessedInformers(t *testing.T, config *rest.Config, ns string) []witnessed {
	t.Helper()
	cs := clientset(t, config)
	dynamicClient, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	shared := func(kind string, i cache.SharedIndexInformer) witnessed {
		w := &witness{has: map[string]string{}}
		if _, err := i.AddEventHandler(w); err != nil {
			t.Fatal(err)
		}
		return witnessed{w, kind, i.GetStore().List, i.RunWithContext}
	}
	maps := cs.CoreV1().ConfigMaps(ns)
	lists := cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
		ListWithContextFunc:  func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) { return maps.List(ctx, o) },
		WatchFuncWithContext: maps.Watch,
	}, noStreams{})
	typed := informer.New(maps, informer.Options[*corev1.ConfigMap]{})
	w := &witness{has: map[string]string{}}
	if _, err := typed.AddHandler(informer.HandlerFuncs[*corev1.ConfigMap]{
		Add:    func(obj *corev1.ConfigMap, _ bool) { w.take(nil, obj) },
		Update: func(old, obj *corev1.ConfigMap) { w.take(old, obj) },
		Delete: func(last *corev1.ConfigMap) { w.take(last, nil) },
	}); err != nil {
		t.Fatal(err)
	}
	return []witnessed{
		shared("streamed", informers.NewSharedInformerFactoryWithOptions(cs, 0, informers.WithNamespace(ns)).Core().V1().ConfigMaps().Informer()),
		shared("dynamic", dynamicinformer.NewFilteredDynamicSharedInformerFactory(dynamicClient, 0, ns, nil).
			ForResource(corev1.SchemeGroupVersion.WithResource("configmaps")).Informer()),
		shared("listed", cache.NewSharedIndexInformer(lists, &corev1.ConfigMap{}, 0, nil)),
		{w, "typed", func() (all []any) {
			for _, obj := range typed.Store().List() {
				all = append(all, obj)
			}
			return all
		}, typed.Run},
	}
}

// agree returns an error if an informer's store or what it told is not what a fresh
// list says.
func agree(all []witnessed, list *corev1.ConfigMapList) error {
	want := map[string]string{}
	content := map[string]*corev1.ConfigMap{}
	for i := range list.Items {
		want[list.Items[i].Name] = list.Items[i].ResourceVersion
		content[list.Items[i].Name] = &list.Items[i]
	}
	for _, one := range all {
		stored := map[string]string{}
		for _, obj := range one.list() {
			name, version := identify(obj)
			stored[name] = version
			if m, ok := obj.(*corev1.ConfigMap); ok && content[name] != nil && version == want[name] && !equality.Semantic.DeepEqual(m, content[name]) {
				return fmt.Errorf("%s: %s is\n%v\nand on the server\n%v", one.kind, name, m, content[name])
			}
		}
		if err := sameVersions("stored is", stored, want); err != nil {
			return fmt.Errorf("%s: %w", one.kind, err)
		}
		if err := one.equals(want); err != nil {
			return fmt.Errorf("%s: %w", one.kind, err)
		}
	}
	return nil
}

// churn creates, updates and deletes config maps until the context ends, and returns how
// many times. A server that is away is asked again.
func churn(ctx context.Context, cs kubernetes.Interface, ns string, seed uint64) (changes int) {
	random := rand.New(rand.NewPCG(seed, 0))
	maps := cs.CoreV1().ConfigMaps(ns)
	for ctx.Err() == nil {
		name := fmt.Sprintf("churn-%d", random.IntN(300))
		var err error
		switch random.IntN(4) {
		case 0:
			err = maps.Delete(ctx, name, metav1.DeleteOptions{})
		default:
			data := map[string]string{"number": fmt.Sprint(random.Uint64()), "common": "the same in all of them"}
			m := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"app": "churn"}}, Data: data}
			if _, err = maps.Update(ctx, m, metav1.UpdateOptions{}); err != nil {
				_, err = maps.Create(ctx, m, metav1.CreateOptions{})
			}
		}
		if err == nil {
			changes++
		}
		time.Sleep(time.Duration(random.IntN(20)) * time.Millisecond)
	}
	return changes
}

// trouble is what happens to the server and to the informers' connections.
func trouble(ctx context.Context, t *testing.T, cp *controlplane.ControlPlane, proxy *faults.TCP, random *rand.Rand) (what string) {
	t.Helper()
	must := func(err error) {
		if err != nil && ctx.Err() == nil {
			t.Error(err)
		}
	}
	switch random.IntN(6) {
	case 0:
		cp.KillAPIServer()
		must(cp.StartAPIServer(context.WithoutCancel(ctx)))
		return "server killed and restarted"
	case 1: // what was missed is forgotten
		proxy.Refuse(true)
		proxy.ResetAll()
		time.Sleep(500 * time.Millisecond)
		must(cp.Compact(context.WithoutCancel(ctx)))
		cp.KillAPIServer()
		must(cp.StartAPIServer(context.WithoutCancel(ctx)))
		proxy.Refuse(false)
		return "database compacted"
	case 2:
		proxy.ResetAll()
		return "connections reset"
	case 3:
		proxy.CutAfter(int64(random.IntN(50_000)))
		proxy.ResetAll()
		time.Sleep(time.Second)
		proxy.CutAfter(-1)
		return "connections cut off"
	case 4:
		proxy.Stall(true)
		time.Sleep(time.Second)
		proxy.Stall(false)
		return "server hangs"
	default:
		proxy.SetLatency(20 * time.Millisecond)
		time.Sleep(time.Second)
		proxy.SetLatency(0)
		return "server is slow"
	}
}

// TestInformersAgreeWithTheServerAfterChurnAndTrouble for as long as SOAK says, or half a
// minute.
func TestInformersAgreeWithTheServerAfterChurnAndTrouble(t *testing.T) {
	duration := 30 * time.Second
	if text := os.Getenv("SOAK"); text != "" {
		var err error
		if duration, err = time.ParseDuration(text); err != nil {
			t.Fatalf("SOAK: %v", err)
		}
	}
	cp := newCluster(t)
	before := goleak.IgnoreCurrent()
	direct := configFrom(t, cp.AdminKubeconfig)
	proxy, config := throughTCP(t, cp.URL, configFrom(t, cp.AdminKubeconfig))
	config.QPS = -1
	all := witnessedInformers(t, config, "default")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var running sync.WaitGroup
	for _, one := range all {
		running.Go(func() { one.run(ctx) })
	}

	churning, calm := context.WithTimeout(ctx, duration)
	defer calm()
	var workers sync.WaitGroup
	var changes atomic.Int64
	for seed := range uint64(4) {
		cs := clientset(t, direct)
		workers.Go(func() { changes.Add(int64(churn(churning, cs, "default", seed))) })
	}
	random := rand.New(rand.NewPCG(1, 1))
	troubles := map[string]int{}
	for churning.Err() == nil {
		troubles[trouble(churning, t, cp, proxy, random)]++
		select {
		case <-time.After(2 * time.Second):
		case <-churning.Done():
		}
	}
	workers.Wait()

	quiet := time.Now()
	server := clientset(t, direct).CoreV1().ConfigMaps("default")
	// Those that were refused for long come back after a pause of up to a minute.
	eventuallyWithin(t, 5*time.Minute, "informers that have what the server has", func(ctx context.Context) error {
		list, err := server.List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		return agree(all, list)
	})
	t.Logf("they agree after %v", time.Since(quiet))
	for _, one := range all {
		t.Logf("%s informer: told %d times", one.kind, one.told)
	}
	kinds := []string{}
	for kind, n := range troubles {
		kinds = append(kinds, fmt.Sprintf("%s %d×", kind, n))
	}
	slices.Sort(kinds)
	t.Logf("%d changes in %v; %v", changes.Load(), duration, kinds)

	stop()
	running.Wait()
	proxy.Close()
	servers := goleak.IgnoreAnyFunction("k8s.io/publisher/hack/e2e/controlplane.startProcess.func1")
	eventually(t, "the end of all goroutines", func(context.Context) error {
		for _, config := range []*rest.Config{direct, config} { // their clients share connections
			client, err := rest.HTTPClientFor(config)
			if err != nil {
				return err
			}
			utilnet.CloseIdleConnectionsFor(client.Transport)
		}
		return goleak.Find(before, servers)
	})
}
