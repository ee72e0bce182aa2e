package e2e

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/pager"
	toolswatch "k8s.io/client-go/tools/watch"
)

// TestServerIsKilledAndRestarted: clients say that it is gone, watches end, and
// what is built on them goes on by itself when it is back, with nothing missed.
func TestServerIsKilledAndRestarted(t *testing.T) {
	cp := newCluster(t)
	before := goleak.IgnoreCurrent()
	config := configFrom(t, cp.AdminKubeconfig)
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	cs, err := kubernetes.NewForConfigAndClient(config, client)
	if err != nil {
		t.Fatal(err)
	}
	maps := cs.CoreV1().ConfigMaps("default")
	ctx, cancel := context.WithCancel(deadline(t))
	defer cancel()
	create := func(name string) {
		t.Helper()
		if _, err := maps.Create(ctx, configMap(name), metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	create("before")

	seen := make(chan string, 100)
	_, stopped := inform(ctx, t, maps, cache.ResourceEventHandlerFuncs{
		AddFunc:    func(obj any) { seen <- "+" + obj.(*corev1.ConfigMap).Name },
		DeleteFunc: func(obj any) { seen <- "-" + nameOf(obj) },
	})
	awaitSeen(t, seen, "+before")

	list, err := maps.List(ctx, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	plain, err := maps.Watch(ctx, metav1.ListOptions{ResourceVersion: list.ResourceVersion})
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Stop()
	retrying, err := toolswatch.NewRetryWatcherWithContext(ctx, list.ResourceVersion, &cache.ListWatch{WatchFuncWithContext: maps.Watch})
	if err != nil {
		t.Fatal(err)
	}
	create("meanwhile")
	awaitSeen(t, seen, "+meanwhile")
	if event := next(t, retrying); nameOf(event.Object) != "meanwhile" {
		t.Errorf("the retrying watch saw %s %s", event.Type, nameOf(event.Object))
	}

	cp.KillAPIServer()
	for event := range plain.ResultChan() {
		if event.Type != watch.Added && event.Type != watch.Error {
			t.Errorf("%s from a watch of a server that was killed", event.Type)
		}
	}
	if _, err := maps.List(ctx, metav1.ListOptions{}); !utilnet.IsConnectionRefused(err) {
		t.Errorf("list: %v, want an error that is a refused connection", err)
	}
	if err := cp.StartAPIServer(ctx); err != nil {
		t.Fatal(err)
	}
	if err := maps.Delete(ctx, "before", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	create("after")
	awaitSeen(t, seen, "-before")
	awaitSeen(t, seen, "+after")
	for {
		event := next(t, retrying)
		if event.Type == watch.Error {
			if err := apierrors.FromObject(event.Object); !apierrors.IsResourceExpired(err) && !apierrors.IsGone(err) {
				t.Errorf("the retrying watch: %v", err)
			}
			break // the server forgot what came before it started; it says so
		}
		if nameOf(event.Object) == "after" {
			break
		}
	}

	cancel()
	<-stopped
	<-retrying.Done()
	plain.Stop()
	mustLeaveNothing(t, before, client)
}

// mustLeaveNothing waits until the connections of clients are closed, which they are
// when they are idle, and nothing runs that did not before.
func mustLeaveNothing(t *testing.T, before goleak.Option, clients ...*http.Client) {
	t.Helper()
	servers := goleak.IgnoreAnyFunction("k8s.io/publisher/hack/e2e/controlplane.startProcess.func1")
	eventually(t, "the end of all goroutines", func(context.Context) error {
		for _, client := range clients {
			utilnet.CloseIdleConnectionsFor(client.Transport)
		}
		return goleak.Find(before, servers)
	})
}

// poolOf is a client with a pool of connections of its own, which a test can close.
func poolOf(t *testing.T, config *rest.Config) (*kubernetes.Clientset, *http.Client) {
	t.Helper()
	config.Dial = (&net.Dialer{}).DialContext // what has a dialer shares no pool
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	cs, err := kubernetes.NewForConfigAndClient(config, client)
	if err != nil {
		t.Fatal(err)
	}
	return cs, client
}

func nameOf(obj any) string {
	if gone, ok := obj.(cache.DeletedFinalStateUnknown); ok {
		obj = gone.Obj
	}
	if m, ok := obj.(*corev1.ConfigMap); ok {
		return m.Name
	}
	return ""
}

// awaitSeen reads what an informer told until it told want.
func awaitSeen(t *testing.T, seen <-chan string, want string) {
	t.Helper()
	var all []string
	for {
		select {
		case got := <-seen:
			if all = append(all, got); got == want {
				return
			}
		case <-deadline(t).Done():
			t.Fatalf("saw %q, and not %q", all, want)
		}
	}
}

// TestContinueTokenExpires when the store forgets the version that the list began
// at: the error tells so, and a pager lists everything anew.
func TestContinueTokenExpires(t *testing.T) {
	// Lists are read from the store itself, as the versions that a server's own memory
	// holds do not end with it.
	cp := newCluster(t, "--feature-gates=ListFromCacheSnapshot=false")
	config := configFrom(t, cp.AdminKubeconfig)
	maps := clientset(t, config).CoreV1().ConfigMaps("default")
	ctx := deadline(t)
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		if _, err := maps.Create(ctx, configMap(name), metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	compact := func() {
		t.Helper()
		// The version of the list is forgotten only once it is not the newest.
		if _, err := maps.Patch(ctx, "a", "application/merge-patch+json", []byte(`{"metadata":{"labels":{"n":"`+strings.Repeat("x", int(number()%50)+1)+`"}}}`), metav1.PatchOptions{}); err != nil {
			t.Fatal(err)
		}
		if err := cp.Compact(ctx); err != nil {
			t.Fatal(err)
		}
	}
	first, err := maps.List(ctx, metav1.ListOptions{Limit: 2})
	if err != nil {
		t.Fatal(err)
	}
	compact()
	_, err = maps.List(ctx, metav1.ListOptions{Limit: 2, Continue: first.Continue})
	if !apierrors.IsResourceExpired(err) {
		t.Fatalf("%v, want an Expired error", err)
	}
	// The error carries a token with which the rest can be had from the newest version.
	status := err.(apierrors.APIStatus).Status()
	rest, err := maps.List(ctx, metav1.ListOptions{Limit: 10, Continue: status.Continue})
	if err != nil || status.Continue == "" || len(rest.Items) < 3 {
		t.Errorf("the rest: %v, %v", rest, err)
	}

	pages := 0
	lister := pager.New(func(ctx context.Context, opts metav1.ListOptions) (runtime.Object, error) {
		if pages++; pages == 2 {
			compact()
		}
		return maps.List(ctx, opts)
	})
	lister.PageSize = 2
	obj, _, err := lister.List(ctx, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	all, err := maps.List(ctx, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := obj.(*corev1.ConfigMapList); len(got.Items) != len(all.Items) {
		t.Errorf("the pager listed %d of %d", len(got.Items), len(all.Items))
	}
	var names []string
	err = lister.EachListItem(ctx, metav1.ListOptions{}, func(obj runtime.Object) error {
		names = append(names, nameOf(obj))
		if len(names) == 3 {
			return errors.ErrUnsupported
		}
		return nil
	})
	if !errors.Is(err, errors.ErrUnsupported) || len(names) != 3 {
		t.Errorf("EachListItem: %v after %q", err, names)
	}

	// So does an informer, which is meant to list in pages and from the database.
	cs, expired := clientset(t, config), 0
	w := follow(t, cs, "default", []witnessed{witnessShared(t, "paging", listing(cs, "default", func(ctx context.Context, o metav1.ListOptions) (*corev1.ConfigMapList, error) {
		if o.Limit > 0 {
			o.Limit, o.ResourceVersion = 2, ""
		}
		if o.Continue != "" && expired == 0 {
			compact()
		}
		list, err := maps.List(ctx, o)
		if apierrors.IsResourceExpired(err) {
			expired++
		}
		return list, err
	}))})
	w.settled()
	w.stop()
	if expired != 1 {
		t.Errorf("%d pages were refused to the informer as expired, want 1", expired)
	}
}
