package workqueue_test

import (
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/util/workqueue"
)

// get fails the test where there is nothing to get, rather than wait.
func get[T comparable](t *testing.T, q workqueue.TypedInterface[T]) T {
	t.Helper()
	if q.Len() == 0 {
		t.Fatal("nothing is in line")
	}
	item, shutdown := q.Get()
	if shutdown {
		t.Fatal("shut down while something is in line")
	}
	return item
}

// take hands out all that is in line, and finishes it.
func take[T comparable](t *testing.T, q workqueue.TypedInterface[T]) []T {
	t.Helper()
	var items []T
	for q.Len() > 0 {
		items = append(items, get(t, q))
		q.Done(items[len(items)-1])
	}
	return items
}

func wantItems[T comparable](t *testing.T, got []T, want ...T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestItemsComeOutInTheOrderTheyWentIn(t *testing.T) {
	q := workqueue.NewTyped[int]()
	for _, item := range []int{3, 1, 2, 3, 1} {
		q.Add(item)
	}
	wantItems(t, take(t, q), 3, 1, 2)
}

func TestItemAddedWhileHeldGoesBackInLineOnce(t *testing.T) {
	q := workqueue.NewTyped[string]()
	q.Add("a")
	a := get(t, q)
	q.Add("b")
	q.Add("a")
	q.Add("a")
	if q.Len() != 1 {
		t.Errorf("%d items in line, want b only while a is held", q.Len())
	}
	q.Done(a)
	wantItems(t, take(t, q), "b", "a")
}

func TestDoneLeavesAnItemThatNobodyHolds(t *testing.T) {
	q := workqueue.NewTyped[string]()
	q.Done("unknown")
	q.Add("a")
	q.Done("a")
	q.Done("a")
	wantItems(t, take(t, q), "a")
	q.Done("a")
	if q.Len() != 0 {
		t.Error("an item that was done is in line")
	}
}

func TestGetWaitsForAnItem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := workqueue.NewTyped[string]()
		var got atomic.Value
		go func() {
			item, _ := q.Get()
			got.Store(item)
		}()
		synctest.Wait()
		if got.Load() != nil {
			t.Fatalf("got %v from an empty queue", got.Load())
		}
		q.Add("a")
		synctest.Wait()
		if got.Load() != "a" {
			t.Errorf("got %v, want a", got.Load())
		}
	})
}

func TestShutDownReleasesEveryWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := workqueue.NewTyped[string]()
		var released atomic.Int32
		for range 5 {
			go func() {
				if item, shutdown := q.Get(); shutdown && item == "" {
					released.Add(1)
				}
			}()
		}
		synctest.Wait()
		q.ShutDown()
		synctest.Wait()
		if released.Load() != 5 {
			t.Errorf("%d of 5 workers were told to stop", released.Load())
		}
	})
}

func TestShutDownHandsOutWhatIsInLineAndRefusesMore(t *testing.T) {
	q := workqueue.NewTyped[string]()
	q.Add("a")
	held := get(t, q)
	q.Add("a")
	q.Add("b")
	if q.ShuttingDown() {
		t.Error("shutting down before it was asked to")
	}
	q.ShutDown()
	q.ShutDown()
	if !q.ShuttingDown() {
		t.Error("not shutting down")
	}
	q.Add("c")
	q.Done(held) // it was added again before the shutdown, and that counts
	wantItems(t, take(t, q), "b", "a")
	if item, shutdown := q.Get(); !shutdown || item != "" {
		t.Errorf("got %q, %v after the last item", item, shutdown)
	}
}

func TestDrain(t *testing.T) {
	// Each step of a case is done when all goroutines are at rest; then
	// drained says whether ShutDownWithDrain has returned.
	type step struct {
		name    string
		do      func(q *workqueue.Typed[string])
		drained bool
	}
	getOne := func(q *workqueue.Typed[string]) { q.Get() }
	done := func(item string) func(*workqueue.Typed[string]) {
		return func(q *workqueue.Typed[string]) { q.Done(item) }
	}
	for name, c := range map[string]struct {
		before func(q *workqueue.Typed[string])
		steps  []step
	}{
		"returns at once where there is nothing": {
			before: func(q *workqueue.Typed[string]) {},
			steps:  []step{{"start", func(*workqueue.Typed[string]) {}, true}},
		},
		"waits for what is held": {
			before: func(q *workqueue.Typed[string]) { q.Add("a"); q.Get() },
			steps: []step{
				{"refused addition", func(q *workqueue.Typed[string]) { q.Add("a"); q.Add("b") }, false},
				{"done", done("a"), true},
			},
		},
		"waits for what is in line": {
			before: func(q *workqueue.Typed[string]) { q.Add("a"); q.Add("b") },
			steps: []step{
				{"get", getOne, false},
				{"done", done("a"), false},
				{"get", getOne, false},
				{"done", done("b"), true},
			},
		},
		"waits for what was added while held": {
			before: func(q *workqueue.Typed[string]) { q.Add("a"); q.Get(); q.Add("a") },
			steps: []step{
				{"done", done("a"), false},
				{"get", getOne, false},
				{"done", done("a"), true},
			},
		},
		"ends when ShutDown is called": {
			before: func(q *workqueue.Typed[string]) { q.Add("a"); q.Add("b"); q.Get() },
			steps: []step{
				{"nothing", func(*workqueue.Typed[string]) {}, false},
				{"shutdown", (*workqueue.Typed[string]).ShutDown, true},
			},
		},
		"waits even after an earlier ShutDown": {
			before: func(q *workqueue.Typed[string]) { q.Add("a"); q.Get(); q.ShutDown() },
			steps: []step{
				{"nothing", func(*workqueue.Typed[string]) {}, false},
				{"done", done("a"), true},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := workqueue.NewTyped[string]()
				c.before(q)
				var drained atomic.Int32
				for range 2 { // two may wait for the same drain
					go func() {
						q.ShutDownWithDrain()
						drained.Add(1)
					}()
				}
				for _, s := range c.steps {
					synctest.Wait()
					s.do(q)
					synctest.Wait()
					if got := drained.Load() == 2; got != s.drained {
						t.Fatalf("after %s: drained is %v, want %v", s.name, got, s.drained)
					}
				}
			})
		})
	}
}

// A recorder is a Queue that takes down what is asked of it.
type recorder struct {
	workqueue.Queue[string]
	calls []string
}

func (r *recorder) Touch(item string) {
	r.calls = append(r.calls, "touch "+item)
	r.Queue.Touch(item)
}

func (r *recorder) Push(item string) {
	r.calls = append(r.calls, "push "+item)
	r.Queue.Push(item)
}

func (r *recorder) Pop() string {
	item := r.Queue.Pop()
	r.calls = append(r.calls, "pop "+item)
	return item
}

func TestOwnQueueIsToldOfAdditionsInLineOnly(t *testing.T) {
	r := &recorder{Queue: workqueue.DefaultQueue[string]()}
	q := workqueue.NewTypedWithConfig(workqueue.TypedQueueConfig[string]{Queue: r})
	q.Add("a")
	q.Add("a") // in line: touch
	a, _ := q.Get()
	q.Add("a") // held: neither
	q.Add("a")
	q.Done(a) // due again: push
	q.Add("a")
	q.Get()
	q.ShutDown()
	q.Add("a")
	wantItems(t, r.calls, "push a", "touch a", "pop a", "push a", "touch a", "pop a")
}

func TestItemsAreCollectableOnceDone(t *testing.T) {
	q := workqueue.NewTyped[*[64]byte]()
	var collected atomic.Int32
	const items = 3
	for range items {
		item := new([64]byte)
		runtime.AddCleanup(item, func(struct{}) { collected.Add(1) }, struct{}{})
		q.Add(item)
	}
	for range items {
		item, _ := q.Get()
		q.Done(item)
	}
	for range 500 {
		if collected.Load() == items {
			break
		}
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
	if collected.Load() != items {
		t.Errorf("%d of %d items were collected", collected.Load(), items)
	}
	runtime.KeepAlive(q)
}

func TestSteadyStateDoesNotAllocate(t *testing.T) {
	q := workqueue.NewTyped[string]()
	keys := make([]string, 100)
	for i := range keys {
		keys[i] = fmt.Sprint("default/", i)
	}
	got := testing.AllocsPerRun(100, func() {
		for _, key := range keys {
			q.Add(key)
		}
		for range keys {
			key, _ := q.Get()
			q.Add(key)
			q.Done(key)
		}
		for range keys {
			key, _ := q.Get()
			q.Done(key)
		}
	})
	if got != 0 {
		t.Errorf("%v allocations per round, want none", got)
	}
}

func BenchmarkAddGetDone(b *testing.B) {
	for _, n := range []int{1, 100, 10000} {
		b.Run(fmt.Sprint(n, "InLine"), func(b *testing.B) {
			q := workqueue.NewTyped[int]()
			for item := range n {
				q.Add(item)
			}
			b.ReportAllocs()
			for b.Loop() {
				item, _ := q.Get()
				q.Add(item)
				q.Done(item)
			}
		})
	}
}
