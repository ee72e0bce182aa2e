package e2e

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// A witness keeps what an informer has told, and what was wrong with it.
type witness struct {
	mu     sync.Mutex
	has    map[string]any // objects as last told, by name
	told   int
	faults []string
}

func newWitness() *witness { return &witness{has: map[string]any{}} }

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
// what is gone. The version of what is gone may be that of its end.
func (w *witness) take(old, obj any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told++
	name, version := identify(obj)
	if obj == nil {
		name, version = identify(old)
	}
	_, known := identify(w.has[name])
	switch {
	case name == "":
		w.fault("something without a name: %v", obj)
	case old == nil && known != "":
		w.fault("%s is new at version %s, known was %s", name, version, known)
	case old != nil && known == "":
		w.fault("%s, which is not known, changes to version %s", name, version)
	case older(version, known):
		w.fault("%s goes back from version %s to %s", name, known, version)
	}
	if old != nil && obj != nil {
		if _, from := identify(old); from != known {
			w.fault("%s changes from version %s, known was %s", name, from, known)
		}
	}
	if obj == nil {
		delete(w.has, name)
	} else {
		w.has[name] = obj
	}
}

func (w *witness) fault(format string, args ...any) {
	w.faults = append(w.faults, fmt.Sprintf(format, args...))
}

// older compares versions, as any two of one store can be.
func older(a, b string) bool {
	x, _ := strconv.ParseUint(a, 10, 64)
	y, _ := strconv.ParseUint(b, 10, 64)
	return x < y
}

func (w *witness) OnAdd(obj any, _ bool) { w.take(nil, obj) }
func (w *witness) OnUpdate(old, obj any) { w.take(old, obj) }
func (w *witness) OnDelete(last any)     { w.take(last, nil) }

// objects returns what is there according to what was told, or an error if that made
// no sense.
func (w *witness) objects() (all []any, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.faults) > 0 {
		return nil, fmt.Errorf("%d faults, the first: %s", len(w.faults), w.faults[0])
	}
	for _, obj := range w.has {
		all = append(all, obj)
	}
	return all, nil
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

// listing is an informer that lists in place of streaming. List may change what is
// asked for.
func listing(cs kubernetes.Interface, ns string, list func(ctx context.Context, o metav1.ListOptions) (*corev1.ConfigMapList, error)) cache.SharedIndexInformer {
	maps := cs.CoreV1().ConfigMaps(ns)
	if list == nil {
		list = maps.List
	}
	return cache.NewSharedIndexInformer(cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
		ListWithContextFunc:  func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) { return list(ctx, o) },
		WatchFuncWithContext: maps.Watch,
	}, noStreams{}), &corev1.ConfigMap{}, 0, nil)
}

// witnessShared has an informer be witnessed.
func witnessShared(t *testing.T, kind string, i cache.SharedIndexInformer) witnessed {
	t.Helper()
	w := newWitness()
	if _, err := i.AddEventHandler(w); err != nil {
		t.Fatal(err)
	}
	return witnessed{w, kind, i.GetStore().List, i.RunWithContext}
}

// witnessedInformers returns informers of the config maps in a namespace: of a factory,
// of a dynamic and of a metadata one, one that lists in place of streaming, and a typed
// one, where there are such. They share a pool of connections.
func witnessedInformers(t *testing.T, config *rest.Config, client *http.Client, ns string) []witnessed {
	t.Helper()
	cs, err := kubernetes.NewForConfigAndClient(config, client)
	if err != nil {
		t.Fatal(err)
	}
	dynamicClient, err := dynamic.NewForConfigAndClient(config, client)
	if err != nil {
		t.Fatal(err)
	}
	metadataClient, err := metadata.NewForConfigAndClient(config, client)
	if err != nil {
		t.Fatal(err)
	}
	resource := corev1.SchemeGroupVersion.WithResource("configmaps")
	all := []witnessed{
		witnessShared(t, "streamed", informers.NewSharedInformerFactoryWithOptions(cs, 0, informers.WithNamespace(ns)).Core().V1().ConfigMaps().Informer()),
		witnessShared(t, "dynamic", dynamicinformer.NewFilteredDynamicSharedInformerFactory(dynamicClient, 0, ns, nil).ForResource(resource).Informer()),
		witnessShared(t, "metadata", metadatainformer.NewFilteredSharedInformerFactory(metadataClient, 0, ns, nil).ForResource(resource).Informer()),
		witnessShared(t, "listed", listing(cs, ns, nil)),
	}
	for _, witness := range ourInformers {
		all = append(all, witness(t, cs, ns))
	}
	return all
}

// ourInformers are of packages that the published module does not have.
var ourInformers []func(t *testing.T, cs kubernetes.Interface, ns string) witnessed

// agree returns an error if an informer's store, or what it told, is not what a fresh
// list says, object by object.
func agree(all []witnessed, list *corev1.ConfigMapList) error {
	want := make(map[string]*corev1.ConfigMap, len(list.Items))
	for i := range list.Items {
		want[list.Items[i].Name] = &list.Items[i]
	}
	for _, one := range all {
		if err := sameObjects(one.list(), want); err != nil {
			return fmt.Errorf("the store of the %s informer: %w", one.kind, err)
		}
		told, err := one.objects()
		if err == nil {
			err = sameObjects(told, want)
		}
		if err != nil {
			return fmt.Errorf("what the %s informer told: %w", one.kind, err)
		}
	}
	return nil
}

func sameObjects(got []any, want map[string]*corev1.ConfigMap) error {
	var wrong []string
	seen := map[string]bool{}
	for _, obj := range got {
		name, version := identify(obj)
		switch server := want[name]; {
		case seen[name]:
			wrong = append(wrong, name+" is there twice")
		case server == nil:
			wrong = append(wrong, fmt.Sprintf("%s at version %s, and the server has none", name, version))
		case server.ResourceVersion != version:
			wrong = append(wrong, fmt.Sprintf("%s at version %s, and the server has %s", name, version, server.ResourceVersion))
		default:
			if err := sameContent(obj, server); err != nil {
				wrong = append(wrong, err.Error())
			}
		}
		seen[name] = true
	}
	for name := range want {
		if !seen[name] {
			wrong = append(wrong, fmt.Sprintf("no %s, and the server has version %s", name, want[name].ResourceVersion))
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("%d of %d are wrong:\n%s", len(wrong), len(want), strings.Join(wrong[:min(5, len(wrong))], "\n"))
	}
	return nil
}

// sameContent compares all that the kind of informer has of an object.
func sameContent(obj any, server *corev1.ConfigMap) error {
	got := &corev1.ConfigMap{}
	want := &corev1.ConfigMap{ObjectMeta: server.ObjectMeta, Data: server.Data, BinaryData: server.BinaryData, Immutable: server.Immutable}
	switch obj := obj.(type) {
	case *corev1.ConfigMap:
		*got = *obj
		got.TypeMeta = metav1.TypeMeta{}
	case *unstructured.Unstructured:
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, got); err != nil {
			return err
		}
		got.TypeMeta = metav1.TypeMeta{}
	case *metav1.PartialObjectMetadata:
		got.ObjectMeta = obj.ObjectMeta
		want = &corev1.ConfigMap{ObjectMeta: server.ObjectMeta}
	default:
		return fmt.Errorf("%T in place of a config map", obj)
	}
	if !equality.Semantic.DeepEqual(got, want) {
		return fmt.Errorf("%s is\n%v\nand on the server\n%v", server.Name, got, want)
	}
	return nil
}

// A watched namespace has informers that run, and says whether they are right.
type watched struct {
	t      *testing.T
	server kubernetes.Interface // without anything in between
	ns     string
	all    []witnessed
	stop   func() // and waits
}

// settleWithin is long: those that were refused often come back after a pause of up to
// a minute.
const settleWithin = 5 * time.Minute

// follow runs informers until stop is called, or the test ends.
func follow(t *testing.T, server kubernetes.Interface, ns string, all []witnessed) *watched {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for _, one := range all {
		running.Go(func() { one.run(ctx) })
	}
	stop := func() { cancel(); running.Wait() }
	t.Cleanup(stop)
	return &watched{t, server, ns, all, stop}
}

// settled waits until the informers' stores, and what they told, are what the server
// has.
func (w *watched) settled() {
	w.t.Helper()
	eventuallyWithin(w.t, settleWithin, "informers that have what the server has", func(ctx context.Context) error {
		for _, one := range w.all {
			if _, err := one.objects(); err != nil {
				w.t.Fatalf("what the %s informer told: %v", one.kind, err) // nothing mends that
			}
		}
		list, err := w.server.CoreV1().ConfigMaps(w.ns).List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		return agree(w.all, list)
	})
}
