package cache_test

import (
	"context"
	"errors"
	"net"
	"os"
	goruntime "runtime"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/features"
	featurestesting "k8s.io/client-go/features/testing"
	"k8s.io/client-go/tools/cache"
)

// followed runs a reflector from s in a bubble. The script is run when the first
// list is in the store.
func followed(t *testing.T, s *source, options cache.ReflectorOptions, script func(store cache.Store, r *cache.Reflector)) {
	synctest.Test(t, func(t *testing.T) {
		store := cache.NewStore(cache.MetaNamespaceKeyFunc)
		r := cache.NewReflectorWithOptions(s, &corev1.Pod{}, store, options)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			r.RunWithContext(ctx)
		}()
		synctest.Wait()
		script(store, r)
		cancel()
		<-done
	})
}

// wantPods wants a store to have these pods, each at its version.
func wantPods(t *testing.T, store cache.Store, want ...string) {
	t.Helper()
	var got []string
	for _, obj := range store.List() {
		pod := obj.(*corev1.Pod)
		got = append(got, pod.Name+"@"+pod.ResourceVersion)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the store has %q, want %q", got, want)
	}
}

func wantRequests(t *testing.T, s *source, want ...string) {
	t.Helper()
	if got := s.asked(); !slices.Equal(got, want) {
		t.Errorf("the requests are %q, want %q", got, want)
	}
}

func withoutStreams(t *testing.T) {
	featurestesting.SetFeatureDuringTest(t, features.WatchListClient, false)
}

func withStreams(t *testing.T) {
	featurestesting.SetFeatureDuringTest(t, features.WatchListClient, true)
}

func TestStoreFollowsListAndWatch(t *testing.T) {
	withoutStreams(t)
	s := newSource("a", "b")
	followed(t, s, cache.ReflectorOptions{}, func(store cache.Store, r *cache.Reflector) {
		wantPods(t, store, "a@1", "b@2")
		wantRequests(t, s, "list 0", "watch 2")
		s.set("a")
		s.set("c")
		s.delete("b")
		synctest.Wait()
		wantPods(t, store, "a@3", "c@4")
		if r.LastSyncResourceVersion() != "5" {
			t.Errorf("the version is %s", r.LastSyncResourceVersion())
		}
	})
}

func TestStoreFollowsStreamWithoutAList(t *testing.T) {
	withStreams(t)
	s := newSource("a", "b")
	followed(t, s, cache.ReflectorOptions{}, func(store cache.Store, r *cache.Reflector) {
		wantPods(t, store, "a@1", "b@2")
		s.set("c")
		synctest.Wait()
		wantPods(t, store, "a@1", "b@2", "c@3")
		wantRequests(t, s, "stream ")
	})
}

func TestStreamThatIsCutOffBeginsAgain(t *testing.T) {
	withStreams(t)
	s := newSource("a")
	s.fail(&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)})
	followed(t, s, cache.ReflectorOptions{}, func(store cache.Store, r *cache.Reflector) {
		wantPods(t, store)
		time.Sleep(time.Minute)
		synctest.Wait()
		wantPods(t, store, "a@1")
		wantRequests(t, s, "stream ", "stream ")
	})
}

func TestServerWithoutStreamsGetsAList(t *testing.T) {
	withStreams(t)
	s := newSource("a")
	s.noStreams = true
	followed(t, s, cache.ReflectorOptions{}, func(store cache.Store, r *cache.Reflector) {
		wantPods(t, store, "a@1")
		wantRequests(t, s, "stream ", "list 0", "watch 1")
	})
}

func TestClientWithoutStreamsIsNotAskedForOne(t *testing.T) {
	withStreams(t)
	s := newSource("a")
	lw := cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{ListFunc: s.List, WatchFunc: s.Watch}, noStreams{})
	synctest.Test(t, func(t *testing.T) {
		store := cache.NewStore(cache.MetaNamespaceKeyFunc)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go cache.NewReflector(lw, &corev1.Pod{}, store, 0).RunWithContext(ctx)
		synctest.Wait()
		wantRequests(t, s, "list 0", "watch 1")
	})
}

type noStreams struct{}

func (noStreams) IsWatchListSemanticsUnSupported() bool { return true }

func TestWatchThatEndsGoesOnWithoutAList(t *testing.T) {
	withoutStreams(t)
	s := newSource("a")
	followed(t, s, cache.ReflectorOptions{}, func(store cache.Store, r *cache.Reflector) {
		s.asked()
		s.set("b")
		s.bookmark()
		time.Sleep(time.Minute)
		synctest.Wait()
		s.endWatches(nil)
		s.set("c") // while nobody watches
		time.Sleep(time.Minute)
		synctest.Wait()
		wantPods(t, store, "a@1", "b@2", "c@4")
		wantRequests(t, s, "watch 3")
	})
}

func TestExpiredVersionIsListedAnew(t *testing.T) {
	withoutStreams(t)
	s := newSource("a", "b")
	followed(t, s, cache.ReflectorOptions{}, func(store cache.Store, r *cache.Reflector) {
		s.asked()
		time.Sleep(time.Minute)
		status := apierrors.NewResourceExpired("compacted").Status()
		s.endWatches(&status)
		s.delete("a")
		s.set("c")
		s.forget()
		time.Sleep(time.Hour)
		synctest.Wait()
		wantPods(t, store, "b@2", "c@4")
		wantRequests(t, s, "list 2", "list ", "watch 4")
	})
}

func TestRestartingServerIsNotListed(t *testing.T) {
	withoutStreams(t)
	refused := &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	s := newSource("a")
	followed(t, s, cache.ReflectorOptions{}, func(store cache.Store, r *cache.Reflector) {
		s.asked()
		time.Sleep(time.Minute)
		s.fail(refused, refused, apierrors.NewTooManyRequests("busy", 5))
		s.endWatches(nil)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		wantRequests(t, s, "watch 1", "watch 1", "watch 1", "watch 1")
	})
}

func TestServersRetryAfterIsHonoured(t *testing.T) {
	withoutStreams(t)
	s := newSource("a")
	followed(t, s, cache.ReflectorOptions{}, func(store cache.Store, r *cache.Reflector) {
		time.Sleep(time.Minute)
		s.asked()
		s.fail(apierrors.NewTooManyRequests("busy", 500))
		s.endWatches(nil)
		time.Sleep(499 * time.Second)
		synctest.Wait()
		wantRequests(t, s, "watch 1")
		time.Sleep(2 * time.Second)
		synctest.Wait()
		wantRequests(t, s, "watch 1")
	})
}

func TestVeryShortWatchesAreNotRepeatedAtOnce(t *testing.T) {
	withoutStreams(t)
	s := newSource("a")
	followed(t, s, cache.ReflectorOptions{}, func(store cache.Store, r *cache.Reflector) {
		s.asked()
		for range 5 {
			s.endWatches(nil)
			synctest.Wait()
		}
		wantRequests(t, s)
		time.Sleep(time.Minute)
		synctest.Wait()
		wantRequests(t, s, "watch 1")
	})
}

func TestInternalErrorsAreRetriedForAsLongAsAskedFor(t *testing.T) {
	withoutStreams(t)
	status := apierrors.NewInternalError(errors.New("etcd")).Status()
	s := newSource("a")
	synctest.Test(t, func(t *testing.T) {
		r := cache.NewReflector(s, &corev1.Pod{}, cache.NewStore(cache.MetaNamespaceKeyFunc), 0)
		r.MaxInternalErrorRetryDuration = time.Minute
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go r.RunWithContext(ctx)
		synctest.Wait()
		s.asked()
		s.endWatches(&status)
		synctest.Wait()
		time.Sleep(30 * time.Second)
		s.endWatches(&status)
		synctest.Wait()
		wantRequests(t, s, "watch 1", "watch 1")
		time.Sleep(40 * time.Second)
		s.endWatches(&status)
		time.Sleep(time.Minute)
		synctest.Wait()
		wantRequests(t, s, "list 1", "watch 1")
	})
}

func TestErrorsBackOffAndAreHandled(t *testing.T) {
	withoutStreams(t)
	s := newSource("a")
	for range 3 {
		s.fail(apierrors.NewForbidden(corev1.Resource("pods"), "", errors.New("no")))
	}
	var errs []error
	synctest.Test(t, func(t *testing.T) {
		config := &cache.Config{
			Queue:         cache.NewRealFIFOWithOptions(cache.RealFIFOOptions{AtomicEvents: true}),
			ListerWatcher: s,
			Process:       func(any, bool) error { return nil },
			ObjectType:    &corev1.Pod{},
			WatchErrorHandlerWithContext: func(_ context.Context, r *cache.Reflector, err error) {
				errs = append(errs, err)
			},
		}
		c := cache.New(config)
		ctx, cancel := context.WithCancel(t.Context())
		go c.RunWithContext(ctx)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if !c.HasSynced() || c.LastSyncResourceVersion() != "1" {
			t.Errorf("synced: %t, version %q", c.HasSynced(), c.LastSyncResourceVersion())
		}
		cancel()
		synctest.Wait()
	})
	if len(errs) != 3 || !apierrors.IsForbidden(errs[0]) {
		t.Errorf("handled %v, want three errors that are still told apart", errs)
	}
}

func TestOwnBackoffIsUsed(t *testing.T) {
	withoutStreams(t)
	s := newSource("a")
	s.fail(errors.New("1"), errors.New("2"))
	reported := utilruntime.ErrorHandlers
	utilruntime.ErrorHandlers = nil
	defer func() { utilruntime.ErrorHandlers = reported }()
	followed(t, s, cache.ReflectorOptions{Backoff: &wait.Backoff{Duration: time.Hour, Steps: 1}}, func(store cache.Store, r *cache.Reflector) {
		time.Sleep(time.Hour - 1)
		synctest.Wait()
		wantRequests(t, s, "list 0")
		time.Sleep(time.Hour + 1)
		synctest.Wait()
		wantRequests(t, s, "list 0", "list 0", "watch 1")
	})
}

// A syncs store counts resyncs.
type syncs struct {
	cache.Store
	n   int
	err error
}

func (s *syncs) Resync() error {
	s.n++
	return s.err
}

func TestStoreIsResyncedWhenItShouldBe(t *testing.T) {
	withoutStreams(t)
	s := newSource("a")
	synctest.Test(t, func(t *testing.T) {
		store := &syncs{Store: cache.NewStore(cache.MetaNamespaceKeyFunc)}
		r := cache.NewReflector(s, &corev1.Pod{}, store, time.Minute)
		asked := 0
		r.ShouldResync = func() bool {
			asked++
			return asked%2 == 0
		}
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute+time.Second)
		defer cancel()
		r.RunWithContext(ctx)
		if asked != 4 || store.n != 2 {
			t.Errorf("asked %d times, resynced %d times", asked, store.n)
		}
	})
}

func TestFailedResyncEndsTheWatch(t *testing.T) {
	withoutStreams(t)
	s := newSource("a")
	broken := errors.New("broken")
	synctest.Test(t, func(t *testing.T) {
		store := &syncs{Store: cache.NewStore(cache.MetaNamespaceKeyFunc), err: broken}
		err := cache.NewReflector(s, &corev1.Pod{}, store, time.Minute).ListAndWatchWithContext(t.Context())
		if err != nil {
			t.Errorf("got error %v", err)
		}
		if store.n != 1 {
			t.Errorf("resynced %d times", store.n)
		}
	})
}

func TestObjectsOfOtherTypesArePassedOver(t *testing.T) {
	withoutStreams(t)
	handlers := utilruntime.ErrorHandlers
	defer func() { utilruntime.ErrorHandlers = handlers }()
	reported := 0
	utilruntime.ErrorHandlers = []utilruntime.ErrorHandler{func(context.Context, error, string, ...any) { reported++ }}

	synctest.Test(t, func(t *testing.T) {
		events := watch.NewFakeWithChanSize(10, false)
		events.Add(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "s"}})
		events.Add(newPod("ns", "p", "7"))
		lw := &cache.ListWatch{
			ListFunc:  func(metav1.ListOptions) (runtime.Object, error) { return &corev1.PodList{}, nil },
			WatchFunc: func(metav1.ListOptions) (watch.Interface, error) { return events, nil },
		}
		store := cache.NewStore(cache.MetaNamespaceKeyFunc)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go cache.NewReflector(lw, &corev1.Pod{}, store, 0).RunWithContext(ctx)
		synctest.Wait()
		wantPods(t, store, "p@7")
		if reported != 1 {
			t.Errorf("%d errors reported", reported)
		}
	})
}

func TestListIsReadInPagesWhereItIsAskedFor(t *testing.T) {
	withoutStreams(t)
	for name, c := range map[string]struct {
		size  int64
		whole bool
		want  []int64
	}{
		"by default as the pager does": {want: []int64{500}},
		"of a size":                    {size: 2, want: []int64{2, 2}},
		"all at once":                  {whole: true, want: []int64{0}},
	} {
		t.Run(name, func(t *testing.T) {
			var limits []int64
			lw := &cache.ListWatch{
				DisableChunking: c.whole,
				ListFunc: func(options metav1.ListOptions) (runtime.Object, error) {
					limits = append(limits, options.Limit)
					list := &corev1.PodList{ListMeta: metav1.ListMeta{ResourceVersion: "3"}, Items: []corev1.Pod{*newPod("ns", "a"+options.Continue, "1")}}
					if options.Limit == 2 && options.Continue == "" {
						list.Continue = "next"
					}
					return list, nil
				},
				WatchFunc: func(metav1.ListOptions) (watch.Interface, error) { return nil, errors.New("that is all") },
			}
			store := cache.NewStore(cache.MetaNamespaceKeyFunc)
			r := cache.NewReflector(lw, &corev1.Pod{}, store, 0)
			r.WatchListPageSize = c.size
			if err := r.ListAndWatch(t.Context().Done()); err == nil || err.Error() != "that is all" {
				t.Errorf("got error %v", err)
			}
			if !slices.Equal(limits, c.want) || len(store.List()) != len(c.want) {
				t.Errorf("limits %v, %d objects", limits, len(store.List()))
			}
		})
	}
}

func TestObjectInTheStoreDoesNotKeepItsList(t *testing.T) {
	withoutStreams(t)
	var list weak.Pointer[corev1.Pod]
	lw := &cache.ListWatch{
		ListFunc: func(metav1.ListOptions) (runtime.Object, error) {
			items := make([]corev1.Pod, 1000)
			for i := range items {
				items[i] = *newPod("ns", string(rune('a'+i)), "1")
			}
			list = weak.Make(&items[0])
			return &corev1.PodList{Items: items}, nil
		},
		WatchFunc: func(metav1.ListOptions) (watch.Interface, error) { return nil, errors.New("that is all") },
	}
	store := cache.NewStore(cache.MetaNamespaceKeyFunc)
	_ = cache.NewReflector(lw, &corev1.Pod{}, store, 0).ListAndWatch(t.Context().Done())
	for range 3 {
		goruntime.GC()
	}
	if list.Value() != nil {
		t.Error("the array of the list is still there")
	}
	if n := len(store.List()); n != 1000 {
		t.Errorf("the store has %d objects", n)
	}
}

func TestReflectorSaysWhatItIsFor(t *testing.T) {
	u := &unstructured.Unstructured{}
	u.SetAPIVersion("stable.example.com/v1")
	u.SetKind("CronTab")
	store := cache.NewStore(cache.MetaNamespaceKeyFunc)
	for want, expected := range map[string]any{
		"<unspecified>":                       nil,
		"*v1.Pod":                             &corev1.Pod{},
		"stable.example.com/v1, Kind=CronTab": u,
		"*unstructured.Unstructured":          &unstructured.Unstructured{},
	} {
		r := cache.NewReflector(newSource(), expected, store, 0)
		if r.TypeDescription() != want {
			t.Errorf("%T is described as %q, want %q", expected, r.TypeDescription(), want)
		}
	}
	if name := cache.NewNamedReflector("me", newSource(), nil, store, 0).Name(); name != "me" {
		t.Errorf("the name is %q", name)
	}
}

func TestNamespaceKeyedIndexerIsIndexedByNamespace(t *testing.T) {
	withoutStreams(t)
	indexer, r := cache.NewNamespaceKeyedIndexerAndReflector(newSource("a", "b"), &corev1.Pod{}, 0)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		r.RunWithContext(ctx)
	})
	pods, err := indexer.ByIndex(cache.NamespaceIndex, "ns")
	if err != nil || len(pods) != 2 {
		t.Errorf("%d pods, %v", len(pods), err)
	}
	if _, err := meta.Accessor(pods[0]); err != nil {
		t.Error(err)
	}
}
