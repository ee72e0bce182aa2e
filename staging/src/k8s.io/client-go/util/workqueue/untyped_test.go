package workqueue_test

import (
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
)

// The old names are the same things under other names: it is enough that each
// of them leads to a queue or a limiter that works.

func TestOldNamesOfQueues(t *testing.T) {
	limiter := func() workqueue.RateLimiter {
		return workqueue.NewItemFastSlowRateLimiter(time.Second, time.Minute, 3)
	}
	for name, make := range map[string]func() workqueue.Interface{
		"New":              func() workqueue.Interface { return workqueue.New() },
		"NewNamed":         func() workqueue.Interface { return workqueue.NewNamed("") },
		"NewWithConfig":    func() workqueue.Interface { return workqueue.NewWithConfig(workqueue.QueueConfig{}) },
		"NewDelayingQueue": func() workqueue.Interface { return workqueue.NewDelayingQueue() },
		"NewDelayingQueueWithConfig": func() workqueue.Interface {
			return workqueue.NewDelayingQueueWithConfig(workqueue.DelayingQueueConfig{})
		},
		"NewDelayingQueueWithCustomClock": func() workqueue.Interface {
			return workqueue.NewDelayingQueueWithCustomClock(clock.RealClock{}, "")
		},
		"NewDelayingQueueWithCustomQueue": func() workqueue.Interface {
			return workqueue.NewDelayingQueueWithCustomQueue(workqueue.New(), "")
		},
		"NewNamedDelayingQueue": func() workqueue.Interface { return workqueue.NewNamedDelayingQueue("") },
		"TypedNewDelayingQueue": func() workqueue.Interface { return workqueue.TypedNewDelayingQueue[any]() },
		"NewRateLimitingQueue":  func() workqueue.Interface { return workqueue.NewRateLimitingQueue(limiter()) },
		"NewNamedRateLimitingQueue": func() workqueue.Interface {
			return workqueue.NewNamedRateLimitingQueue(limiter(), "")
		},
		"NewRateLimitingQueueWithConfig": func() workqueue.Interface {
			return workqueue.NewRateLimitingQueueWithConfig(limiter(), workqueue.RateLimitingQueueConfig{})
		},
		"NewRateLimitingQueueWithDelayingInterface": func() workqueue.Interface {
			return workqueue.NewRateLimitingQueueWithDelayingInterface(workqueue.NewDelayingQueue(), limiter())
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := make()
				q.Add("text")
				want := []any{"text"}
				if delaying, ok := q.(workqueue.DelayingInterface); ok {
					delaying.AddAfter(7, time.Second)
					want = append(want, 7)
				}
				if limiting, ok := q.(workqueue.RateLimitingInterface); ok {
					time.Sleep(time.Nanosecond) // so that it is due after the item above
					limiting.AddRateLimited(struct{}{})
					want = append(want, struct{}{})
				}
				time.Sleep(2 * time.Second)
				synctest.Wait()
				wantItems(t, take(t, q), want...)
				q.ShutDownWithDrain()
			})
		})
	}
}

func TestOldNamesOfRateLimiters(t *testing.T) {
	const ms = time.Millisecond
	for name, c := range map[string]struct {
		limiter workqueue.RateLimiter
		want    time.Duration // after the second failure
	}{
		"DefaultControllerRateLimiter":         {workqueue.DefaultControllerRateLimiter(), 10 * ms},
		"DefaultItemBasedRateLimiter":          {workqueue.DefaultItemBasedRateLimiter(), 2 * ms},
		"NewItemExponentialFailureRateLimiter": {workqueue.NewItemExponentialFailureRateLimiter(3*ms, time.Hour), 6 * ms},
		"NewItemFastSlowRateLimiter":           {workqueue.NewItemFastSlowRateLimiter(ms, 7*ms, 1), 7 * ms},
		"NewMaxOfRateLimiter":                  {workqueue.NewMaxOfRateLimiter(workqueue.DefaultItemBasedRateLimiter()), 2 * ms},
		"NewWithMaxWaitRateLimiter":            {workqueue.NewWithMaxWaitRateLimiter(workqueue.DefaultItemBasedRateLimiter(), ms), ms},
	} {
		c.limiter.When("a")
		if got := c.limiter.When("a"); got != c.want || c.limiter.NumRequeues("a") != 2 {
			t.Errorf("%s: wait %v after %d failures, want %v", name, got, c.limiter.NumRequeues("a"), c.want)
		}
	}
}

// The old names of types can stand for the new ones.
var (
	_ *workqueue.Type                 = workqueue.NewTyped[any]()
	_ workqueue.Interface             = workqueue.TypedInterface[any](nil)
	_ workqueue.DelayingInterface     = workqueue.TypedDelayingInterface[any](nil)
	_ workqueue.RateLimiter           = workqueue.TypedRateLimiter[any](nil)
	_ workqueue.RateLimiter           = &workqueue.BucketRateLimiter{}
	_ workqueue.RateLimiter           = &workqueue.ItemExponentialFailureRateLimiter{}
	_ workqueue.RateLimiter           = &workqueue.ItemFastSlowRateLimiter{}
	_ workqueue.RateLimiter           = &workqueue.MaxOfRateLimiter{}
	_ workqueue.RateLimiter           = workqueue.WithMaxWaitRateLimiter{}
	_ workqueue.SummaryMetric         = workqueue.HistogramMetric(nil)
	_ workqueue.RateLimitingInterface = workqueue.TypedRateLimitingInterface[any](nil)
)
