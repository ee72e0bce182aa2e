package informer_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/informer"
)

func add(t *testing.T, i *informer.Informer[*corev1.Pod], handler informer.Handler[*corev1.Pod]) *informer.Registration[*corev1.Pod] {
	t.Helper()
	r, err := i.AddHandler(handler)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestStoreAndHandlersFollowTheServer(t *testing.T) {
	server := newServer("a", "b")
	pods := informer.New[*corev1.Pod](server, informer.Options[*corev1.Pod]{})
	handler := newRecorder(t)
	registration := add(t, pods, handler)
	run(t, pods)
	if !cache.WaitFor(t.Context(), "", registration.HasSyncedChecker()) || !registration.HasSynced() {
		t.Fatal("the handler has not synced")
	}
	handler.expect("add a", "add b")
	server.set("c")
	server.set("a")
	server.remove("b")
	handler.expect("add c", "update a", "delete b")
	if got, want := handler.versions(), server.versions(); !maps.Equal(got, want) {
		t.Errorf("the handler knows %v, the server has %v", got, want)
	}
	for name, version := range server.versions() {
		if pod, found := pods.Store().Get(cache.NewObjectName("default", name)); !found || pod.ResourceVersion != version {
			t.Errorf("in the store: %v", pod)
		}
	}
	if pods.Store().Len() != 2 || len(pods.Store().List()) != 2 {
		t.Errorf("in the store: %v", pods.Store().List())
	}
}

func TestAListMakesUpForWhatNoWatchTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer("kept", "changed", "gone")
		pods := informer.New[*corev1.Pod](server, informer.Options[*corev1.Pod]{})
		handler := newRecorder(t)
		add(t, pods, handler)
		run(t, pods)
		handler.expect("add changed", "add gone", "add kept")
		before, _ := pods.Store().Get(cache.NewObjectName("default", "kept"))
		time.Sleep(time.Minute) // a watch that ends at once means something else
		server.cut(func() {
			server.set("changed")
			server.remove("gone")
			server.set("new")
		})
		handler.expect("update changed", "add new", "delete gone")
		synctest.Wait()
		if got, want := handler.versions(), server.versions(); !maps.Equal(got, want) {
			t.Errorf("the handler knows %v, the server has %v", got, want)
		}
		if after, _ := pods.Store().Get(cache.NewObjectName("default", "kept")); after != before {
			t.Error("what has not changed is in memory twice")
		}
		if len(handler.told) > 0 {
			t.Errorf("told %q, too", <-handler.told)
		}
	})
}

func TestAHandlerThatIsAddedLateIsToldOfWhatIsThere(t *testing.T) {
	server := newServer("a")
	pods := informer.New[*corev1.Pod](server, informer.Options[*corev1.Pod]{})
	run(t, pods)
	handler := newRecorder(t)
	registration := add(t, pods, handler)
	server.set("b")
	handler.expect("add a", "add b")
	if !registration.HasSynced() {
		t.Error("it has not synced")
	}
}

func TestARemovedHandlerIsNotToldAnyMore(t *testing.T) {
	server := newServer("a")
	pods := informer.New[*corev1.Pod](server, informer.Options[*corev1.Pod]{})
	run(t, pods)
	removed, other := newRecorder(t), newRecorder(t)
	registration := add(t, pods, removed)
	add(t, pods, other)
	removed.expect("add a")
	other.expect("add a")
	registration.Remove()
	server.set("b")
	other.expect("add b")
	if len(removed.told) > 0 || registration.Backlog() != 0 {
		t.Errorf("%d told, %d wait", len(removed.told), registration.Backlog())
	}
}

func TestNoHandlerIsAddedToAnInformerThatHasStopped(t *testing.T) {
	pods := informer.New[*corev1.Pod](newServer(), informer.Options[*corev1.Pod]{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	pods.Run(ctx)
	if _, err := pods.AddHandler(newRecorder(t)); !errors.Is(err, informer.ErrStopped) {
		t.Errorf("got %v", err)
	}
}

func TestASlowHandlerHoldsUpNobodyAndItsBacklogIsBounded(t *testing.T) {
	const objects, rounds = 50, 400
	server := newServer()
	for i := range objects {
		server.set(strconv.Itoa(i))
	}
	pods := informer.New[*corev1.Pod](server, informer.Options[*corev1.Pod]{})
	slow, fast := newRecorder(t), newRecorder(t)
	var hold sync.Mutex
	hold.Lock()
	registration := add(t, pods, informer.HandlerFuncs[*corev1.Pod]{
		Add: func(pod *corev1.Pod, initial bool) {
			hold.Lock()
			defer hold.Unlock()
			slow.OnAdd(pod, initial)
		},
		Update: slow.OnUpdate,
		Delete: slow.OnDelete,
	})
	add(t, pods, fast)
	run(t, pods)
	for range objects {
		<-fast.told
	}
	most := 0
	for round := range rounds {
		for i := range objects {
			name := strconv.Itoa(i)
			if (round+i)%10 == 0 {
				server.remove(name)
				server.set(name)
				<-fast.told
			} else {
				server.set(name)
			}
			<-fast.told
		}
		most = max(most, registration.Backlog())
	}
	if limit := 1024 + 3*objects; most > limit {
		t.Errorf("up to %d changes waited, want no more than %d", most, limit)
	}
	hold.Unlock()
	for !maps.Equal(slow.versions(), server.versions()) {
		<-slow.told
	}
	if got, want := fast.versions(), server.versions(); !maps.Equal(got, want) {
		t.Errorf("the other handler knows %v, the server has %v", got, want)
	}
}

func TestATransformDecidesWhatIsKept(t *testing.T) {
	server := newServer("a", "bad")
	pods := informer.New[*corev1.Pod](server, informer.Options[*corev1.Pod]{
		Transform: func(pod *corev1.Pod) (*corev1.Pod, error) {
			if pod.Name == "bad" {
				return nil, errors.New("no")
			}
			pod.Labels = nil
			return pod, nil
		},
		TweakListOptions: func(options *metav1.ListOptions) { options.LabelSelector = "app" },
	})
	handler := newRecorder(t)
	add(t, pods, handler)
	run(t, pods)
	handler.expect("add a")
	server.remove("bad")
	server.set("a")
	handler.expect("update a")
	if all := pods.Store().List(); len(all) != 1 || all[0].Labels != nil {
		t.Errorf("in the store: %v", all)
	}
	if server.lists[0].LabelSelector != "app" {
		t.Errorf("listed with %v", server.lists[0])
	}
}

func TestHandlersOfNames(t *testing.T) {
	server := newServer()
	pods := informer.New[*corev1.Pod](server, informer.Options[*corev1.Pod]{})
	names, owners := make(chan cache.ObjectName, 10), make(chan cache.ObjectName, 10)
	add(t, pods, informer.Names[*corev1.Pod](func(name cache.ObjectName) { names <- name }))
	add(t, pods, informer.Owners(func(pod *corev1.Pod) []cache.ObjectName {
		return []cache.ObjectName{cache.NewObjectName("owner", pod.ResourceVersion), cache.NewObjectName("", "all")}
	}, func(name cache.ObjectName) { owners <- name }))
	run(t, pods)
	server.set("a")
	server.set("a")
	for range 2 {
		if got := <-names; got != cache.NewObjectName("default", "a") {
			t.Errorf("got %v", got)
		}
	}
	for _, want := range []string{"owner/1", "all", "owner/1", "all", "owner/2"} {
		if got := <-owners; got.String() != want {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}

var _ corelisters.PodNamespaceLister = informer.Lister[*corev1.Pod]{}

func TestListersFindByNamespaceAndLabels(t *testing.T) {
	pod := func(namespace, name, app string) *corev1.Pod {
		return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{"app": app}}}
	}
	byNamespace := map[string]informer.IndexFunc[*corev1.Pod]{cache.NamespaceIndex: informer.ByNamespace[*corev1.Pod]}
	for name, indexes := range map[string]map[string]informer.IndexFunc[*corev1.Pod]{"with an index": byNamespace, "without one": nil} {
		t.Run(name, func(t *testing.T) {
			lister := informer.NewLister(informer.NewStore(indexes, pod("a", "one", "web"), pod("a", "two", "db"), pod("b", "one", "web")))
			web := labels.SelectorFromSet(labels.Set{"app": "web"})
			for _, c := range []struct {
				namespace string
				selector  labels.Selector
				want      []string
			}{
				{"", nil, []string{"a/one", "a/two", "b/one"}},
				{"", web, []string{"a/one", "b/one"}},
				{"a", labels.Everything(), []string{"a/one", "a/two"}},
				{"a", web, []string{"a/one"}},
				{"c", nil, nil},
			} {
				found, err := lister.In(c.namespace).List(c.selector)
				var got []string
				for _, pod := range found {
					got = append(got, cache.MetaObjectToName(pod).String())
				}
				slices.Sort(got)
				if err != nil || !slices.Equal(got, c.want) {
					t.Errorf("namespace %q, selector %v: %v, %v; want %v", c.namespace, c.selector, got, err, c.want)
				}
			}
			if _, err := lister.In("b").Get("two"); !apierrors.IsNotFound(err) || err.Error() != `pod "two" not found` {
				t.Errorf("got the error %v", err)
			}
			if got, err := lister.In("b").Get("one"); err != nil || got.Namespace != "b" {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

func TestIndexesFollowTheirObjects(t *testing.T) {
	server := newServer("a")
	pods := informer.New[*corev1.Pod](server, informer.Options[*corev1.Pod]{
		Indexes: map[string]informer.IndexFunc[*corev1.Pod]{
			"version": func(pod *corev1.Pod) []string { return []string{pod.Labels["version"]} },
		},
	})
	handler := newRecorder(t)
	add(t, pods, handler)
	run(t, pods)
	at := func(version string) int { return len(pods.Store().ByIndex("version", version)) }
	handler.expect("add a")
	if at("1") != 1 || at("2") != 0 {
		t.Errorf("%d at version 1, %d at version 2", at("1"), at("2"))
	}
	server.set("a")
	handler.expect("update a")
	if at("1") != 0 || at("2") != 1 {
		t.Errorf("%d at version 1, %d at version 2", at("1"), at("2"))
	}
	server.remove("a")
	handler.expect("delete a")
	if at("2") != 0 {
		t.Errorf("%d at version 2", at("2"))
	}
}
