package cache_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/features"
	featurestesting "k8s.io/client-go/features/testing"
	"k8s.io/client-go/tools/cache"
)

// A recorder is a handler that writes down what it is told.
type recorder struct {
	mu   sync.Mutex
	told []string
}

func (r *recorder) tell(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told = append(r.told, fmt.Sprintf(format, args...))
}

// take returns what was told since the last time, in alphabetical order.
func (r *recorder) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	told := r.told
	r.told = nil
	slices.Sort(told)
	return told
}

func at(obj any) string {
	if tombstone, ok := obj.(cache.DeletedFinalStateUnknown); ok {
		return "tombstone of " + at(tombstone.Obj)
	}
	pod := obj.(*corev1.Pod)
	return pod.Name + "@" + pod.ResourceVersion
}

func (r *recorder) OnAdd(obj any, initial bool) {
	if initial {
		r.tell("listed %s", at(obj))
	} else {
		r.tell("added %s", at(obj))
	}
}
func (r *recorder) OnUpdate(old, obj any) { r.tell("updated %s to %s", at(old), at(obj)) }
func (r *recorder) OnDelete(obj any)      { r.tell("deleted %s", at(obj)) }

// inEveryMode runs a test with each of the queues that features choose from.
func inEveryMode(t *testing.T, test func(t *testing.T)) {
	for _, atomic := range []bool{false, true} {
		for _, unlocked := range []bool{false, true} {
			for _, batches := range []bool{false, true} {
				for _, streams := range []bool{false, true} {
					if unlocked && !atomic {
						continue
					}
					t.Run(fmt.Sprintf("atomic=%t,unlocked=%t,batches=%t,streams=%t", atomic, unlocked, batches, streams), func(t *testing.T) {
						featurestesting.SetFeatureDuringTest(t, features.AtomicFIFO, atomic)
						featurestesting.SetFeatureDuringTest(t, features.UnlockWhileProcessingFIFO, unlocked)
						featurestesting.SetFeatureDuringTest(t, features.InOrderInformersBatchProcess, batches)
						featurestesting.SetFeatureDuringTest(t, features.WatchListClient, streams)
						synctest.Test(t, test)
					})
				}
			}
		}
	}
}

func TestHandlerIsToldOfEveryChange(t *testing.T) {
	inEveryMode(t, func(t *testing.T) {
		s, told := newSource("a", "b"), &recorder{}
		store, controller := cache.NewInformerWithOptions(cache.InformerOptions{
			ListerWatcher: s, ObjectType: &corev1.Pod{}, Handler: told, ResyncPeriod: time.Hour,
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			controller.RunWithContext(ctx)
		}()
		for _, step := range []struct {
			name string
			do   func()
			want []string
		}{
			{"the list", func() {}, []string{"listed a@1", "listed b@2"}},
			{"changes", func() {
				s.set("a")
				s.set("c")
				s.delete("b")
			}, []string{"added c@4", "deleted b@5", "updated a@1 to a@3"}},
			{"changes that nobody watched", func() {
				time.Sleep(time.Minute)
				expired := apierrors.NewResourceExpired("x").Status()
				s.endWatches(&expired)
				s.delete("a")
				s.set("d")
				s.forget()
				time.Sleep(10 * time.Minute)
			}, []string{"added d@7", "deleted tombstone of a@3", "updated c@4 to c@4"}},
			{"a resync", func() { time.Sleep(time.Hour) }, []string{"updated c@4 to c@4", "updated d@7 to d@7"}},
		} {
			step.do()
			synctest.Wait()
			if got := told.take(); !slices.Equal(got, step.want) {
				t.Errorf("after %s the handler was told %q, want %q", step.name, got, step.want)
			}
			if !controller.HasSynced() {
				t.Errorf("after %s it has not synced", step.name)
			}
		}
		wantPods(t, store, "c@4", "d@7")
		if v := store.LastStoreSyncResourceVersion(); v != "7" {
			t.Errorf("the version of the store is %s", v)
		}
		cancel()
		<-done
	})
}

func TestTransformedObjectsAreAllThatIsSeen(t *testing.T) {
	inEveryMode(t, func(t *testing.T) {
		s, told := newSource("a"), &recorder{}
		store, controller := cache.NewTransformingIndexerInformer(s, &corev1.Pod{}, 0, told, cache.Indexers{"letters": byLetters},
			func(obj any) (any, error) {
				return newPod("ns", obj.(*corev1.Pod).Name, "0"), nil
			})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go controller.Run(ctx.Done())
		synctest.Wait()
		s.set("a")
		synctest.Wait()
		if got := told.take(); !slices.Equal(got, []string{"listed a@0", "updated a@0 to a@0"}) {
			t.Errorf("the handler was told %q", got)
		}
		if found, err := store.ByIndex("letters", "a"); len(found) != 1 || err != nil {
			t.Errorf("found %v, %v", found, err)
		}
	})
}

func TestBookmarksMoveTheVersionOfTheStore(t *testing.T) {
	featurestesting.SetFeatureDuringTest(t, features.AtomicFIFO, true)
	synctest.Test(t, func(t *testing.T) {
		s := newSource("a")
		store, controller := cache.NewInformer(s, &corev1.Pod{}, 0, cache.ResourceEventHandlerFuncs{})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go controller.RunWithContext(ctx)
		synctest.Wait()
		s.bookmark()
		synctest.Wait()
		if v := store.LastStoreSyncResourceVersion(); v != "2" {
			t.Errorf("the version of the store is %s", v)
		}
	})
}

func TestPanickingHandlerDoesNotEndTheController(t *testing.T) {
	surviveCrashes(t)
	synctest.Test(t, func(t *testing.T) {
		s := newSource("a")
		var added []string
		_, controller := cache.NewInformer(s, &corev1.Pod{}, 0, cache.ResourceEventHandlerFuncs{AddFunc: func(obj any) {
			if at(obj) == "boom@2" {
				panic("boom")
			}
			added = append(added, at(obj))
		}})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go controller.RunWithContext(ctx)
		synctest.Wait()
		s.set("boom")
		time.Sleep(time.Minute)
		s.set("b")
		time.Sleep(time.Minute)
		synctest.Wait()
		if !slices.Equal(added, []string{"a@1", "b@3"}) {
			t.Errorf("added %q", added)
		}
	})
}

func TestFilterTurnsUpdatesIntoAdditionsAndDeletions(t *testing.T) {
	told := &recorder{}
	filter := cache.FilteringResourceEventHandler{
		FilterFunc: func(obj any) bool { return obj.(*corev1.Pod).ResourceVersion != "1" },
		Handler:    told,
	}
	out, in, in2 := pod("a", "1"), pod("a", "2"), pod("a", "3")
	filter.OnAdd(out, true)
	filter.OnUpdate(out, out)
	filter.OnDelete(out)
	if got := told.take(); len(got) > 0 {
		t.Errorf("told %q", got)
	}
	filter.OnAdd(in, true)
	filter.OnUpdate(out, in)
	filter.OnUpdate(in, in2)
	filter.OnUpdate(in2, out)
	filter.OnDelete(in)
	want := []string{"added a@2", "deleted a@2", "deleted a@3", "listed a@2", "updated a@2 to a@3"}
	if got := told.take(); !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
}

func TestHandlerFunctionsMayBeMissing(t *testing.T) {
	var calls []string
	none, all := cache.ResourceEventHandlerFuncs{}, cache.ResourceEventHandlerDetailedFuncs{
		AddFunc:    func(_ any, initial bool) { calls = append(calls, fmt.Sprint("add ", initial)) },
		UpdateFunc: func(_, _ any) { calls = append(calls, "update") },
		DeleteFunc: func(any) { calls = append(calls, "delete") },
	}
	for _, handler := range []cache.ResourceEventHandler{none, cache.ResourceEventHandlerDetailedFuncs{}, all} {
		handler.OnAdd(nil, true)
		handler.OnUpdate(nil, nil)
		handler.OnDelete(nil)
	}
	if !slices.Equal(calls, []string{"add true", "update", "delete"}) {
		t.Errorf("called %q", calls)
	}
}

func TestInformerNameHasMetricsOncePerResource(t *testing.T) {
	defer cache.ResetInformerNamesForTesting()
	name, err := cache.NewInformerName("program")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cache.NewInformerName("program"); err == nil {
		t.Error("the name was given twice")
	}
	pods := schema.GroupVersionResource{Version: "v1", Resource: "pods"}
	first, second := name.WithResource(pods), name.WithResource(pods)
	if !first.Reserved() || second.Reserved() || (cache.InformerNameAndResource{}).Reserved() {
		t.Errorf("reserved: %t, then %t", first.Reserved(), second.Reserved())
	}
	name.Release()
	if first.Reserved() {
		t.Error("still reserved after the release")
	}
	if _, err := cache.NewInformerName("program"); err != nil {
		t.Errorf("the name cannot be had again: %v", err)
	}
}

// A gauge, and a provider of gauges by name.
type gauge struct{ value float64 }

func (g *gauge) Set(v float64)   { g.value = v }
func (g *gauge) Observe(float64) { g.value++ }

type gauges struct{ queued, latency, version gauge }

func (g *gauges) NewQueuedItemMetric(cache.InformerNameAndResource) cache.GaugeMetric {
	return &g.queued
}
func (g *gauges) NewProcessingLatencyMetric(cache.InformerNameAndResource) cache.HistogramMetric {
	return &g.latency
}
func (g *gauges) NewStoreResourceVersionMetric(cache.InformerNameAndResource) cache.GaugeMetric {
	return &g.version
}

func TestInformerKeepsMetrics(t *testing.T) {
	defer cache.ResetInformerNamesForTesting()
	name, _ := cache.NewInformerName("metrics")
	metrics := &gauges{}
	synctest.Test(t, func(t *testing.T) {
		s := newSource("a", "b")
		_, controller := cache.NewInformerWithOptions(cache.InformerOptions{
			ListerWatcher: s, ObjectType: &corev1.Pod{},
			Identifier:              name.WithResource(schema.GroupVersionResource{Version: "v1", Resource: "pods"}),
			InformerMetricsProvider: metrics,
		})
		ctx, cancel := context.WithCancel(t.Context())
		go controller.RunWithContext(ctx)
		synctest.Wait()
		cancel()
		synctest.Wait()
	})
	if metrics.version.value != 2 || metrics.queued.value != 0 || metrics.latency.value == 0 {
		t.Errorf("metrics are %+v", metrics)
	}
}

func TestRetryDeadline(t *testing.T) {
	temporary := errors.New("temporary")
	synctest.Test(t, func(t *testing.T) {
		retry := cache.NewRetryWithDeadline(time.Minute, 10*time.Minute, func(err error) bool { return err == temporary }, realClock)
		for i, step := range []struct {
			wait time.Duration
			err  error
			want bool
		}{
			{0, nil, false},
			{0, temporary, true},
			{time.Minute, temporary, true},
			{time.Second, temporary, false},
			{time.Second, errors.New("other"), false},
			{0, temporary, false},
			{2 * time.Minute, temporary, false},
			{10 * time.Minute, temporary, true},
		} {
			time.Sleep(step.wait)
			retry.After(step.err)
			if got := retry.ShouldRetry(); got != step.want {
				t.Errorf("step %d: %t, want %t", i, got, step.want)
			}
		}
	})
}
