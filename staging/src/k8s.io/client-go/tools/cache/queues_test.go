package cache_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
	clocktesting "k8s.io/utils/clock/testing"
)

// pop returns what comes out of a queue until there is nothing left.
func pop(t *testing.T, q cache.Queue) (popped []string) {
	t.Helper()
	q.Close()
	for {
		_, err := q.Pop(func(obj any, isInInitialList bool) error {
			var text strings.Builder
			if isInInitialList {
				text.WriteString("listed ")
			}
			if deltas, ok := obj.(cache.Deltas); ok {
				for i, delta := range deltas {
					if i > 0 {
						text.WriteString(", ")
					}
					fmt.Fprintf(&text, "%s %s", delta.Type, at(delta.Object))
				}
			} else {
				text.WriteString(at(obj))
			}
			popped = append(popped, text.String())
			return nil
		})
		if errors.Is(err, cache.ErrFIFOClosed) {
			return popped
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func podAt(name string, version int) *corev1.Pod { return newPod("", name, fmt.Sprint(version)) }

func TestWhatComesOutOfAFIFO(t *testing.T) {
	for _, test := range []struct {
		name string
		do   func(q *cache.FIFO)
		want []string
	}{
		{"each once, as it is last", func(q *cache.FIFO) {
			q.Add(podAt("a", 1))
			q.Add(podAt("b", 2))
			q.Update(podAt("a", 3))
		}, []string{"a@3", "b@2"}},
		{"not what is deleted", func(q *cache.FIFO) {
			q.Add(podAt("a", 1))
			q.Add(podAt("b", 2))
			q.Delete(podAt("a", 3))
		}, []string{"b@2"}},
		{"what replaces", func(q *cache.FIFO) {
			q.Replace([]any{podAt("a", 1), podAt("b", 2)}, "2")
			q.Add(podAt("c", 3))
		}, []string{"listed a@1", "listed b@2", "c@3"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			q := cache.NewFIFO(cache.MetaNamespaceKeyFunc)
			test.do(q)
			if got := pop(t, q); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if !q.HasSynced() || !q.IsClosed() {
				t.Error("it has not synced, or is not closed")
			}
		})
	}
}

func TestWhatComesOutOfADeltaFIFO(t *testing.T) {
	known := cache.NewStore(cache.MetaNamespaceKeyFunc)
	known.Add(podAt("known", 1))
	for _, test := range []struct {
		name string
		do   func(q *cache.DeltaFIFO)
		want []string
	}{
		{"all that happened to each", func(q *cache.DeltaFIFO) {
			q.Add(podAt("a", 1))
			q.Add(podAt("b", 2))
			q.Update(podAt("a", 3))
			q.Delete(podAt("a", 4))
		}, []string{"Added a@1, Updated a@3, Deleted a@4", "Added b@2"}},
		{"one end of each", func(q *cache.DeltaFIFO) {
			q.Delete(podAt("known", 2))
			q.Delete(podAt("known", 2))
			q.Delete(podAt("unknown", 2))
		}, []string{"Deleted known@2"}},
		{"the end that was seen", func(q *cache.DeltaFIFO) {
			q.Replace(nil, "2")
			q.Delete(podAt("known", 3))
		}, []string{"listed Deleted known@3"}},
		{"a list, and what is not in it", func(q *cache.DeltaFIFO) {
			q.Add(podAt("queued", 2))
			q.Replace([]any{podAt("a", 3)}, "3")
		}, []string{"Added queued@2, Deleted tombstone of queued@2", "Replaced a@3", "Deleted tombstone of known@1"}},
		{"a first list", func(q *cache.DeltaFIFO) {
			q.Replace([]any{podAt("a", 3), podAt("known", 1)}, "3")
			q.Add(podAt("b", 4))
		}, []string{"listed Replaced a@3", "listed Replaced known@1", "Added b@4"}},
		{"a resync of what is not queued", func(q *cache.DeltaFIFO) {
			q.Add(podAt("a", 2))
			q.Resync()
			q.Resync()
		}, []string{"Added a@2", "Sync known@1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			q := cache.NewDeltaFIFOWithOptions(cache.DeltaFIFOOptions{KnownObjects: known, EmitDeltaTypeReplaced: true})
			test.do(q)
			if got := pop(t, q); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestADeltaFIFOKnowsTheKeysOfWhatComesOut(t *testing.T) {
	q := cache.NewDeltaFIFO(cache.MetaNamespaceKeyFunc, nil)
	for _, obj := range []any{podAt("a", 1), cache.DeletedFinalStateUnknown{Key: "a"}, cache.Deltas{{Type: cache.Added, Object: podAt("a", 1)}}} {
		if key, err := q.KeyOf(obj); key != "a" || err != nil {
			t.Errorf("key of %v is %q, %v", obj, key, err)
		}
	}
	if _, err := q.KeyOf(cache.Deltas{}); !errors.Is(err, cache.ErrZeroLengthDeltasObject) {
		t.Errorf("without deltas: %v", err)
	}
}

func TestTheLeastComesOutOfAHeapFirst(t *testing.T) {
	type entry struct {
		name string
		n    int
	}
	h := cache.NewHeap(func(obj any) (string, error) { return obj.(entry).name, nil },
		func(a, b any) bool { return a.(entry).n < b.(entry).n })
	var all []any
	for i := range 50 {
		all = append(all, entry{fmt.Sprint(i), (i * 37) % 50})
	}
	h.BulkAdd(all)
	h.Add(entry{"0", 1000})
	h.AddIfNotPresent(entry{"1", 2000})
	h.Delete(entry{name: "2"})
	if err := h.Delete(entry{name: "2"}); err == nil {
		t.Error("it was deleted twice")
	}
	if obj, exists, err := h.GetByKey("0"); !exists || err != nil || obj.(entry).n != 1000 {
		t.Errorf("got %v, %t, %v", obj, exists, err)
	}
	last := -1
	for range len(h.List()) {
		obj, err := h.Pop()
		if err != nil || obj.(entry).n < last {
			t.Fatalf("%v came out after %d: %v", obj, last, err)
		}
		last = obj.(entry).n
	}
	if last != 1000 {
		t.Errorf("%d came out last", last)
	}
	var waiting sync.WaitGroup
	waiting.Go(func() {
		if _, err := h.Pop(); err == nil {
			t.Error("something came out of a heap that is closed")
		}
	})
	h.Close()
	waiting.Wait()
	if err := h.Add(entry{}); err == nil || !h.IsClosed() {
		t.Error("something was added to a heap that is closed")
	}
}

func TestObjectsExpire(t *testing.T) {
	clock := clocktesting.NewFakeClock(time.Now())
	removed := make(chan string, 10)
	store := cache.NewFakeExpirationStore(cache.MetaNamespaceKeyFunc, removed, &cache.TTLPolicy{TTL: time.Minute, Clock: clock}, clock)
	store.Add(podAt("a", 1))
	clock.Step(40 * time.Second)
	store.Add(podAt("b", 2))
	if n := len(store.List()); n != 2 {
		t.Errorf("there are %d", n)
	}
	clock.Step(40 * time.Second)
	if _, exists, _ := store.GetByKey("a"); exists || <-removed != "a" {
		t.Error("one did not expire")
	}
	if list := store.List(); len(list) != 1 || at(list[0]) != "b@2" {
		t.Errorf("there are %v", list)
	}
	store.Update(podAt("b", 3))
	clock.Step(40 * time.Second)
	if _, exists, _ := store.Get(podAt("b", 0)); !exists {
		t.Error("one that was put again expired")
	}
	never := &cache.FakeExpirationPolicy{NeverExpire: sets.New("b"), RetrieveKeyFunc: func(obj any) (string, error) {
		return cache.MetaNamespaceKeyFunc(obj.(*cache.TimestampedEntry).Obj)
	}}
	store = cache.NewExpirationStore(cache.MetaNamespaceKeyFunc, never)
	store.Replace([]any{podAt("a", 1), podAt("b", 2)}, "2")
	if list := store.List(); len(list) != 1 || at(list[0]) != "b@2" || store.LastStoreSyncResourceVersion() != "2" {
		t.Errorf("there are %v", list)
	}
}

func TestAnUndeltaStoreTellsAll(t *testing.T) {
	var told []int
	store := cache.NewUndeltaStore(func(all []any) { told = append(told, len(all)) }, cache.MetaNamespaceKeyFunc)
	store.Add(podAt("a", 1))
	store.Add(podAt("b", 2))
	store.Update(podAt("a", 3))
	store.Delete(podAt("a", 4))
	store.Replace([]any{podAt("c", 5)}, "5")
	if want := []int{1, 2, 2, 1, 1}; !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
}

func TestAMutationCacheReturnsTheNewerObject(t *testing.T) {
	for _, includeAdds := range []bool{false, true} {
		store := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{"all": func(any) ([]string, error) { return []string{"x"}, nil }})
		store.Add(podAt("a", 10))
		mutations := cache.NewIntegerResourceVersionMutationCache(klog.Background(), store, store, time.Hour, includeAdds)
		get := func(name string) string {
			obj, exists, err := mutations.GetByKey(name)
			if err != nil || !exists {
				return fmt.Sprint(exists, err)
			}
			return at(obj)
		}
		mutations.Mutation(podAt("a", 12))
		mutations.Mutation(podAt("a", 11)) // late
		mutations.Mutation(podAt("new", 13))
		if got := get("a"); got != "a@12" {
			t.Errorf("got %s", got)
		}
		all, err := mutations.ByIndex("all", "x")
		if err != nil || (len(all) == 2) != includeAdds || (get("new") == "new@13") != includeAdds {
			t.Errorf("with adds %t: got %v, %v, %s", includeAdds, all, err, get("new"))
		}
		store.Update(podAt("a", 13))
		if got := get("a"); got != "a@13" {
			t.Errorf("got %s", got)
		}
	}
}
