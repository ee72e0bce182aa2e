package workqueue_test

import (
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/util/workqueue"
)

func TestRateLimitedItemsWaitAsTheLimiterSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := workqueue.NewTypedRateLimitingQueue(
			workqueue.NewTypedItemExponentialFailureRateLimiter[string](time.Second, time.Hour))
		for i, want := range []time.Duration{1, 2, 4, 8} {
			began := time.Now()
			q.AddRateLimited("a")
			item, _ := q.Get()
			q.Done(item)
			if waited := time.Since(began); waited != want*time.Second {
				t.Errorf("attempt %d waited %v, want %v", i, waited, want*time.Second)
			}
			if q.NumRequeues("a") != i+1 || q.NumRequeues("b") != 0 {
				t.Errorf("attempt %d: %d requeues of a, %d of b", i, q.NumRequeues("a"), q.NumRequeues("b"))
			}
		}
		q.Forget("a")
		if q.NumRequeues("a") != 0 {
			t.Error("a is not forgotten")
		}
		q.AddRateLimited("a")
		time.Sleep(time.Second)
		synctest.Wait()
		wantItems(t, take(t, q), "a")
	})
}

func TestRateLimitedItemsGoToTheDelayingQueueThatWasGiven(t *testing.T) {
	inner := workqueue.NewTypedDelayingQueue[string]()
	q := workqueue.NewTypedRateLimitingQueueWithConfig(
		workqueue.NewTypedMaxOfRateLimiter[string](),
		workqueue.TypedRateLimitingQueueConfig[string]{DelayingQueue: inner})
	q.AddRateLimited("a")
	wantItems(t, take(t, inner), "a")
	q.ShutDown()
	if !inner.ShuttingDown() {
		t.Error("the queue behind was not shut down")
	}
}
