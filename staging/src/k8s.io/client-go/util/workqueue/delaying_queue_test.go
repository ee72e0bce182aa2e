package workqueue_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	testingclock "k8s.io/utils/clock/testing"
)

// The tests here that use synctest also fail if a goroutine is left when they
// end.

func TestDelayedItemComesWhenDueAndNotBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := workqueue.NewTypedDelayingQueue[string]()
		q.AddAfter("a", time.Second)
		time.Sleep(time.Second - 1)
		synctest.Wait()
		wantItems(t, take(t, q))
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		wantItems(t, take(t, q), "a")
	})
}

func TestDelayedAdditions(t *testing.T) {
	type addition struct {
		item  string
		after time.Duration // seconds
	}
	for name, c := range map[string]struct {
		add  []addition
		want []string
	}{
		"come in the order they are due":          {[]addition{{"c", 3}, {"a", 1}, {"b", 2}}, []string{"a", "b", "c"}},
		"keep the order of calls for equal times": {[]addition{{"b", 1}, {"a", 1}, {"c", 1}}, []string{"b", "a", "c"}},
		"come at once if not positive":            {[]addition{{"b", 1}, {"a", 0}, {"c", -1}}, []string{"a", "c", "b"}},
		"move to an earlier time":                 {[]addition{{"a", 3}, {"b", 2}, {"a", 1}}, []string{"a", "b"}},
		"do not move to a later time":             {[]addition{{"a", 1}, {"b", 2}, {"a", 3}}, []string{"a", "b"}},
		"lose their place among equals only by moving": {
			[]addition{{"a", 2}, {"b", 1}, {"c", 1}, {"b", 1}, {"a", 1}}, []string{"b", "c", "a"}},
		"stay though the item came at once": {[]addition{{"a", 1}, {"a", 0}}, []string{"a", "a"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := workqueue.NewTypedDelayingQueue[string]()
				var got []string
				for _, a := range c.add {
					q.AddAfter(a.item, a.after*time.Second)
				}
				for range 5 {
					got = append(got, take(t, q)...)
					time.Sleep(time.Second)
					synctest.Wait()
				}
				wantItems(t, got, c.want...)
			})
		})
	}
}

func TestDelayedOrderAgreesWithASort(t *testing.T) {
	type call struct {
		item int
		due  time.Duration
	}
	for seed := range uint64(30) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 0))
			q := workqueue.NewTypedDelayingQueue[int]()
			start := time.Now()
			pending := map[int]call{} // by item, the calls that count
			var order []call          // of the calls, for equal times
			for range 200 {
				if random.IntN(10) == 0 { // time goes by, but nothing is due yet
					time.Sleep(time.Millisecond)
				}
				after := time.Second + time.Duration(random.IntN(50))*time.Millisecond
				c := call{random.IntN(60), time.Since(start) + after}
				q.AddAfter(c.item, after)
				if old, ok := pending[c.item]; ok {
					if old.due <= c.due {
						continue
					}
					order = slices.DeleteFunc(order, func(o call) bool { return o == old })
				}
				pending[c.item] = c
				order = append(order, c)
			}
			slices.SortStableFunc(order, func(a, b call) int { return int(a.due - b.due) })
			for i, want := range order {
				item, _ := q.Get()
				if at := time.Since(start); item != want.item || at != want.due {
					t.Fatalf("seed %d: item %d was %d at %v, want %d at %v", seed, i, item, at, want.item, want.due)
				}
				q.Done(item)
			}
		})
	}
}

func TestShuttingDownDropsWhatIsNotDue(t *testing.T) {
	for name, shutDown := range map[string]func(workqueue.TypedDelayingInterface[string]){
		"ShutDown":          workqueue.TypedDelayingInterface[string].ShutDown,
		"ShutDownWithDrain": workqueue.TypedDelayingInterface[string].ShutDownWithDrain,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := workqueue.NewTypedDelayingQueue[string]()
				q.AddAfter("a", time.Hour)
				synctest.Wait()
				began := time.Now()
				shutDown(q)
				shutDown(q)
				q.AddAfter("b", time.Second)
				q.AddAfter("c", 0)
				synctest.Wait()
				if waited := time.Since(began); waited != 0 {
					t.Errorf("shutting down took %v", waited)
				}
				time.Sleep(2 * time.Hour)
				if item, shutdown := q.Get(); !shutdown {
					t.Errorf("got %q after shutdown", item)
				}
			})
		})
	}
}

func TestIdleDelayingQueueRunsNoGoroutine(t *testing.T) {
	// A goroutine that was left would fail the test: nothing shuts down.
	synctest.Test(t, func(t *testing.T) {
		q := workqueue.NewTypedDelayingQueue[string]()
		for range 3 {
			q.AddAfter("a", time.Second)
			q.AddAfter("b", 2*time.Second)
			time.Sleep(3 * time.Second)
			synctest.Wait()
			wantItems(t, take(t, q), "a", "b")
		}
	})
}

func TestShuttingDownEndsTheGoroutineThatWaits(t *testing.T) {
	// Nothing moves this clock, so a goroutine that is left waits forever,
	// which synctest takes for a deadlock.
	for name, shutDown := range map[string]func(workqueue.TypedDelayingInterface[string]){
		"ShutDown":          workqueue.TypedDelayingInterface[string].ShutDown,
		"ShutDownWithDrain": workqueue.TypedDelayingInterface[string].ShutDownWithDrain,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				clock := testingclock.NewFakeClock(time.Unix(0, 0))
				q := workqueue.NewTypedDelayingQueueWithConfig(workqueue.TypedDelayingQueueConfig[string]{
					Name:            "q",
					MetricsProvider: &board{},
					Clock:           clock,
				})
				q.AddAfter("a", time.Hour)
				synctest.Wait()
				shutDown(q)
			})
		})
	}
}

// A slippingClock is moved just before each timer is set.
type slippingClock struct {
	*testingclock.FakeClock
}

func (c slippingClock) NewTimer(d time.Duration) clock.Timer {
	c.Step(time.Minute)
	return c.FakeClock.NewTimer(d)
}

func TestClockMayMoveWhileTheTimerIsSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := workqueue.NewTypedDelayingQueueWithConfig(workqueue.TypedDelayingQueueConfig[string]{
			Clock: slippingClock{testingclock.NewFakeClock(time.Unix(0, 0))},
		})
		defer q.ShutDown()
		q.AddAfter("a", time.Minute)
		synctest.Wait()
		wantItems(t, take(t, q), "a")
	})
}

func TestFakeClockMovesDelayedItems(t *testing.T) {
	clock := testingclock.NewFakeClock(time.Unix(0, 0))
	q := workqueue.NewTypedDelayingQueueWithConfig(workqueue.TypedDelayingQueueConfig[int]{Clock: clock})
	defer q.ShutDown()
	// The clock is moved at once, with no wait for the queue to set a timer.
	for i := range 2000 {
		q.AddAfter(i, time.Minute)
		clock.Step(time.Minute)
		if item, _ := q.Get(); item != i {
			t.Fatalf("got %d, want %d", item, i)
		}
		q.Done(i)
	}
}

func TestDueItemsGoToTheQueueThatWasGiven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := workqueue.NewTyped[string]()
		q := workqueue.NewTypedDelayingQueueWithConfig(workqueue.TypedDelayingQueueConfig[string]{Queue: inner})
		q.AddAfter("b", time.Second)
		q.AddAfter("a", 0)
		time.Sleep(time.Second)
		synctest.Wait()
		wantItems(t, take(t, inner), "a", "b")
		q.ShutDown()
		if !inner.ShuttingDown() {
			t.Error("the queue behind was not shut down")
		}
	})
}

func TestDelayingQueueNoticesThatItsQueueWasShutDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := workqueue.NewTyped[string]()
		q := workqueue.NewTypedDelayingQueueWithConfig(workqueue.TypedDelayingQueueConfig[string]{Queue: inner})
		q.AddAfter("a", time.Second)
		inner.ShutDown()
		if !q.ShuttingDown() {
			t.Error("not shutting down")
		}
		q.AddAfter("b", time.Second)
		time.Sleep(time.Second)
		synctest.Wait()
		wantItems(t, take(t, q))
	})
}

func BenchmarkAddAfter(b *testing.B) {
	q := workqueue.NewTypedDelayingQueue[int]()
	defer q.ShutDown()
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i++
		q.AddAfter(i, time.Hour+time.Duration(i*7919%1000)*time.Millisecond)
	}
}
