package e2e

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	typedcore "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/tools/cache"
	toolswatch "k8s.io/client-go/tools/watch"
)

// next is the watch's next event; the end of the watch fails the test.
func next(t *testing.T, w watch.Interface) watch.Event {
	t.Helper()
	select {
	case event, ok := <-w.ResultChan():
		if !ok {
			t.Fatal("the watch has ended")
		}
		return event
	case <-deadline(t).Done():
		t.Fatal("the watch says nothing")
	}
	panic("unreachable")
}

// TestWatchIsToldHowFarItIs where nothing happens that it is for,
// before the server ends it.
func TestWatchIsToldHowFarItIs(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	maps := clientset(t, adminConfig(t)).CoreV1().ConfigMaps(ns)
	list, err := maps.List(deadline(t), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	seconds := int64(8)
	w, err := maps.Watch(deadline(t), metav1.ListOptions{ResourceVersion: list.ResourceVersion, AllowWatchBookmarks: true, TimeoutSeconds: &seconds})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	// Something happens elsewhere, so that there is something to tell.
	other := namespace(t)
	if _, err := clientset(t, adminConfig(t)).CoreV1().ConfigMaps(other).Create(deadline(t), configMap("elsewhere"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	bookmarks := 0
	for event := range w.ResultChan() {
		if event.Type != watch.Bookmark {
			t.Fatalf("got %s, want bookmarks alone", event.Type)
		}
		bookmark, ok := event.Object.(*corev1.ConfigMap)
		if !ok || bookmark.ResourceVersion == "" || bookmark.Name != "" {
			t.Errorf("bookmark %T %v", event.Object, event.Object)
		}
		bookmarks++
	}
	if bookmarks == 0 {
		t.Error("the watch ended without a bookmark")
	}
}

// TestWatchFromAForgottenVersionIsExpired: the error tells that the list must be
// read again.
func TestWatchFromAForgottenVersionIsExpired(t *testing.T) {
	t.Parallel()
	// What the server remembers of a resource begins when it first serves it.
	w, err := dynamicClient(t).Resource(newCRD(t)).Watch(deadline(t), metav1.ListOptions{ResourceVersion: "1"})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	event := next(t, w)
	if event.Type != watch.Error {
		t.Fatalf("got %s, want an error", event.Type)
	}
	if err := apierrors.FromObject(event.Object); !apierrors.IsResourceExpired(err) && !apierrors.IsGone(err) {
		t.Errorf("%v, want an Expired error", err)
	}
	if _, ok := <-w.ResultChan(); ok {
		t.Error("the watch goes on after its error")
	}
}

// TestStreamedList: a watch that begins with what is there, and says where that
// ends.
func TestStreamedList(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	names := newConfigMaps(t, ns, 10)
	yes := true
	opts := metav1.ListOptions{SendInitialEvents: &yes, ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan, AllowWatchBookmarks: true}
	gvr := corev1.SchemeGroupVersion.WithResource("configmaps")
	metadataClient, err := metadata.NewForConfig(adminConfig(t))
	if err != nil {
		t.Fatal(err)
	}
	protobuf := adminConfig(t)
	protobuf.ContentType = "application/vnd.kubernetes.protobuf"
	for name, start := range map[string]func(context.Context, metav1.ListOptions) (watch.Interface, error){
		"typed":          clientset(t, adminConfig(t)).CoreV1().ConfigMaps(ns).Watch,
		"typed protobuf": clientset(t, protobuf).CoreV1().ConfigMaps(ns).Watch,
		"dynamic":        dynamicClient(t).Resource(gvr).Namespace(ns).Watch,
		"metadata":       metadataClient.Resource(gvr).Namespace(ns).Watch,
	} {
		w, err := start(deadline(t), opts)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		seen := map[string]bool{}
		for {
			event := next(t, w)
			accessor, err := meta.Accessor(event.Object)
			if err != nil {
				t.Fatalf("%s: %s with %T: %v", name, event.Type, event.Object, err)
			}
			if event.Type == watch.Bookmark {
				if accessor.GetAnnotations()[metav1.InitialEventsAnnotationKey] != "true" {
					t.Errorf("%s: a bookmark with annotations %v", name, accessor.GetAnnotations())
				}
				break
			}
			if event.Type != watch.Added {
				t.Errorf("%s: %s before the list's end", name, event.Type)
			}
			seen[accessor.GetName()] = true
		}
		for _, n := range names {
			if !seen[n] {
				t.Errorf("%s: %s is missing", name, n)
			}
		}
		w.Stop()
	}
}

// inform runs an informer until ctx ends, and returns when it has synced. The
// channel is closed when it has stopped.
func inform(ctx context.Context, t *testing.T, maps typedcore.ConfigMapInterface, handler cache.ResourceEventHandler) (cache.Store, <-chan struct{}) {
	t.Helper()
	store, controller := cache.NewInformerWithOptions(cache.InformerOptions{
		ListerWatcher: &cache.ListWatch{
			ListWithContextFunc:  func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) { return maps.List(ctx, o) },
			WatchFuncWithContext: maps.Watch,
		},
		ObjectType: &corev1.ConfigMap{},
		Handler:    handler,
	})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		controller.RunWithContext(ctx)
	}()
	if !cache.WaitForCacheSync(ctx.Done(), controller.HasSynced) {
		t.Fatal("the informer does not sync")
	}
	return store, stopped
}

// TestInformer follows what happens, through a streamed list by default.
func TestInformer(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	names := newConfigMaps(t, ns, 10)
	config := adminConfig(t)
	maps := clientset(t, config).CoreV1().ConfigMaps(ns)
	sent := recordRequests(config)
	informed := clientset(t, config).CoreV1().ConfigMaps(ns)
	events := make(chan string, 100)
	ctx, cancel := context.WithCancel(deadline(t))
	store, stopped := inform(ctx, t, informed, cache.ResourceEventHandlerDetailedFuncs{
		AddFunc: func(obj any, initial bool) {
			if !initial {
				events <- "add " + obj.(*corev1.ConfigMap).Name
			}
		},
		UpdateFunc: func(_, obj any) { events <- "update " + obj.(*corev1.ConfigMap).Data["key"] },
		DeleteFunc: func(obj any) { events <- "delete " + obj.(*corev1.ConfigMap).Name },
	})
	defer func() { cancel(); <-stopped }()
	if sent.sent().URL.Query().Get("sendInitialEvents") != "true" {
		t.Errorf("the informer lists by ?%s, want a streamed list", sent.sent().URL.RawQuery)
	}
	if n := len(store.List()); n < len(names) {
		t.Errorf("%d objects after the sync, want %d", n, len(names))
	}
	if got, found, err := store.GetByKey(ns + "/" + names[0]); err != nil || !found || got.(*corev1.ConfigMap).Data["key"] != names[0] {
		t.Errorf("%v, %v", got, err)
	}

	created, err := maps.Create(ctx, configMap("later"), metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	created.Data["key"] = "changed"
	if _, err := maps.Update(ctx, created, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := maps.Delete(ctx, "later", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"add later", "update changed", "delete later"} {
		select {
		case got := <-events:
			if got != want {
				t.Errorf("event %q, want %q", got, want)
			}
		case <-ctx.Done():
			t.Fatalf("no event %q", want)
		}
	}
}

// TestUntil waits for a condition on an object that is made meanwhile.
func TestUntil(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	maps := clientset(t, adminConfig(t)).CoreV1().ConfigMaps(ns)
	list, err := maps.List(deadline(t), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	created := make(chan error, 1)
	go func() {
		_, err := maps.Create(t.Context(), configMap("awaited"), metav1.CreateOptions{})
		created <- err
	}()
	lw := &cache.ListWatch{
		ListWithContextFunc:  func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) { return maps.List(ctx, o) },
		WatchFuncWithContext: maps.Watch,
	}
	is := func(event watch.Event) (bool, error) {
		m, ok := event.Object.(*corev1.ConfigMap)
		return ok && m.Name == "awaited", nil
	}
	if event, err := toolswatch.Until(deadline(t), list.ResourceVersion, lw, is); err != nil || event.Type != watch.Added {
		t.Errorf("Until: %v, %v", event, err)
	}
	if _, err := toolswatch.UntilWithSync(deadline(t), lw, &corev1.ConfigMap{}, nil, is); err != nil {
		t.Errorf("UntilWithSync: %v", err)
	}
	if err := <-created; err != nil {
		t.Error(err)
	}
}
