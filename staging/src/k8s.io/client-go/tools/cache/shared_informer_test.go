package cache_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/cache"
)

// run starts an informer, and has the test wait for its end.
func run(t *testing.T, informer cache.SharedInformer) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		informer.RunWithContext(ctx)
	}()
	return func() {
		cancel()
		<-done
	}
}

func add(t *testing.T, informer cache.SharedInformer, handler cache.ResourceEventHandler) cache.ResourceEventHandlerRegistration {
	t.Helper()
	registration, err := informer.AddEventHandler(handler)
	if err != nil {
		t.Fatal(err)
	}
	return registration
}

func TestAllHandlersOfASharedInformerAreToldOfEveryChange(t *testing.T) {
	inEveryMode(t, func(t *testing.T) {
		s := newSource("a", "b")
		informer := cache.NewSharedInformer(s, &corev1.Pod{}, time.Hour)
		first, second, never := &recorder{}, &recorder{}, &recorder{}
		add(t, informer, first)
		add(t, informer, second)
		if _, err := informer.AddEventHandlerWithResyncPeriod(never, 0); err != nil {
			t.Fatal(err)
		}
		if informer.HasSynced() {
			t.Error("synced before it runs")
		}
		stop := run(t, informer)
		defer stop()
		for _, step := range []struct {
			name     string
			do       func()
			want     []string
			resynced bool
		}{
			{"the list", func() {}, []string{"listed a@1", "listed b@2"}, false},
			{"changes", func() {
				s.set("a")
				s.set("c")
				s.delete("b")
			}, []string{"added c@4", "deleted b@5", "updated a@1 to a@3"}, false},
			{"changes that nobody watched", func() {
				time.Sleep(time.Minute)
				expired := apierrors.NewResourceExpired("x").Status()
				s.endWatches(&expired)
				s.delete("a")
				s.set("d")
				s.forget()
				time.Sleep(10 * time.Minute)
			}, []string{"added d@7", "deleted tombstone of a@3"}, false},
			{"a resync", func() { time.Sleep(time.Hour) }, []string{"updated c@4 to c@4", "updated d@7 to d@7"}, true},
		} {
			step.do()
			synctest.Wait()
			for i, told := range []*recorder{first, second, never} {
				want := step.want
				if step.resynced && told == never {
					want = nil
				}
				if got := told.take(); !slices.Equal(got, want) {
					t.Errorf("after %s handler %d was told %q, want %q", step.name, i, got, want)
				}
			}
		}
	})
}

func TestAHandlerThatIsAddedLateIsToldOfWhatIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource("a", "b")
		informer := cache.NewSharedInformer(s, &corev1.Pod{}, 0)
		stop := run(t, informer)
		defer stop()
		synctest.Wait()
		s.set("a")
		synctest.Wait()
		late := &recorder{}
		registration := add(t, informer, late)
		if !cache.WaitFor(t.Context(), "", registration.HasSyncedChecker()) {
			t.Fatal("it never synced")
		}
		s.delete("b")
		synctest.Wait()
		if got, want := late.take(), []string{"deleted b@4", "listed a@3", "listed b@2"}; !slices.Equal(got, want) {
			t.Errorf("it was told %q, want %q", got, want)
		}
	})
}

func TestARemovedHandlerIsNotCalledAnyMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource("a")
		informer := cache.NewSharedInformer(s, &corev1.Pod{}, 0)
		removed, stays := &recorder{}, &recorder{}
		registration := add(t, informer, removed)
		add(t, informer, stays)
		stop := run(t, informer)
		defer stop()
		synctest.Wait()
		for range 2 {
			if err := informer.RemoveEventHandler(registration); err != nil {
				t.Fatal(err)
			}
		}
		s.set("a")
		synctest.Wait()
		if got, want := removed.take(), []string{"listed a@1"}; !slices.Equal(got, want) {
			t.Errorf("it was told %q, want %q", got, want)
		}
		if got, want := stays.take(), []string{"listed a@1", "updated a@1 to a@2"}; !slices.Equal(got, want) {
			t.Errorf("the other was told %q, want %q", got, want)
		}
	})
}

func TestNothingIsAddedToAnInformerThatHasStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		informer := cache.NewSharedIndexInformer(newSource(), &corev1.Pod{}, 0, nil)
		run(t, informer)()
		if !informer.IsStopped() {
			t.Error("it does not say that it has stopped")
		}
		if _, err := informer.AddEventHandler(&recorder{}); err == nil {
			t.Error("a handler was added")
		}
		if err := informer.AddIndexers(cache.Indexers{"x": cache.MetaNamespaceIndexFunc}); err == nil {
			t.Error("an index was added")
		}
		if err := informer.SetTransform(nil); err == nil {
			t.Error("a transform was set")
		}
	})
}

// A follower is a handler that has what it was told is there, and finds fault with
// what cannot follow from that.
type follower struct {
	shut chan struct{} // it does not return until that is closed; unless it is nil

	mu     sync.Mutex
	has    map[string]string
	faults []string
}

func (f *follower) change(what string, old, obj any) {
	if f.shut != nil {
		<-f.shut
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if tombstone, ok := obj.(cache.DeletedFinalStateUnknown); ok {
		obj = tombstone.Obj
	}
	name := obj.(*corev1.Pod).Name
	before, known := f.has[name]
	if known != (what != "add") || old != nil && at(old) != before {
		f.faults = append(f.faults, fmt.Sprintf("%s of %s, when it knew %q", what, at(obj), before))
	}
	if f.has == nil {
		f.has = map[string]string{}
	}
	f.has[name] = at(obj)
	if what == "delete" {
		delete(f.has, name)
	}
}

func (f *follower) OnAdd(obj any, _ bool) { f.change("add", nil, obj) }
func (f *follower) OnUpdate(old, obj any) { f.change("update", old, obj) }
func (f *follower) OnDelete(obj any)      { f.change("delete", nil, obj) }

// check compares with what is in a store.
func (f *follower) check(t *testing.T, store cache.Store) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	want := map[string]string{}
	for _, obj := range store.List() {
		want[obj.(*corev1.Pod).Name] = at(obj)
	}
	if !maps.Equal(f.has, want) {
		t.Errorf("the handler has %v, the store has %v", f.has, want)
	}
	for _, fault := range f.faults {
		t.Error(fault)
	}
}

func TestASlowHandlerSlowsNobodyAndItsBacklogIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource("a", "b", "c")
		informer := cache.NewSharedInformer(s, &corev1.Pod{}, 0)
		slow := &follower{shut: make(chan struct{})}
		registration, err := informer.AddEventHandlerWithOptions(slow, cache.HandlerOptions{MaxBacklog: 10})
		if err != nil {
			t.Fatal(err)
		}
		fast := make([]follower, 99)
		for i := range fast {
			add(t, informer, &fast[i])
		}
		stop := run(t, informer)
		defer stop()
		if !cache.WaitFor(t.Context(), "", informer.HasSyncedChecker()) {
			t.Fatal("it never synced")
		}
		for range 3000 {
			s.set("a")
		}
		s.delete("b")
		for i := range 500 {
			name := fmt.Sprint("short-lived-", i)
			s.set(name)
			s.delete(name)
		}
		s.set("b")
		for i := range fast {
			for caught := false; !caught; time.Sleep(time.Millisecond) {
				fast[i].mu.Lock()
				caught = fast[i].has["b"] == "b@4005"
				fast[i].mu.Unlock()
			}
			fast[i].check(t, informer.GetStore())
		}
		if n := registration.(cache.HandlerBacklog).Backlog(); n > 300 {
			t.Errorf("%d notifications wait", n)
		}
		if registration.HasSynced() {
			t.Error("it is said to have been told of the list")
		}
		close(slow.shut)
		if !cache.WaitFor(t.Context(), "", registration.HasSyncedChecker()) {
			t.Fatal("it never synced")
		}
		for registration.(cache.HandlerBacklog).Backlog() > 0 {
			time.Sleep(time.Millisecond)
		}
		stop()
		slow.check(t, informer.GetStore())
	})
}
