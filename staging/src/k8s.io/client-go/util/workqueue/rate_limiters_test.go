package workqueue_test

import (
	"math"
	"math/big"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/client-go/util/workqueue"
)

func TestRateLimiterDelays(t *testing.T) {
	const ms = time.Millisecond
	exponential := workqueue.NewTypedItemExponentialFailureRateLimiter[string]
	fastSlow := workqueue.NewTypedItemFastSlowRateLimiter[string]
	for name, c := range map[string]struct {
		limiter workqueue.TypedRateLimiter[string]
		want    []time.Duration // for one item, failure after failure
	}{
		"exponential":                 {exponential(1*ms, 10*ms), []time.Duration{1 * ms, 2 * ms, 4 * ms, 8 * ms, 10 * ms, 10 * ms}},
		"exponential meets its limit": {exponential(1*ms, 4*ms), []time.Duration{1 * ms, 2 * ms, 4 * ms, 4 * ms}},
		"exponential above its limit": {exponential(5*ms, 4*ms), []time.Duration{4 * ms, 4 * ms}},
		"exponential of nothing":      {exponential(0, 4*ms), []time.Duration{0, 0, 0}},
		"exponential up to nothing":   {exponential(1*ms, 0), []time.Duration{0, 0, 0}},
		"fast then slow":              {fastSlow(5*ms, 10*ms, 3), []time.Duration{5 * ms, 5 * ms, 5 * ms, 10 * ms, 10 * ms}},
		"slow only":                   {fastSlow(5*ms, 10*ms, 0), []time.Duration{10 * ms, 10 * ms}},
		"strictest": {
			workqueue.NewTypedMaxOfRateLimiter(fastSlow(5*ms, 100*ms, 3), exponential(1*ms, 1000*ms)),
			[]time.Duration{5 * ms, 5 * ms, 5 * ms, 100 * ms, 100 * ms}},
		"strictest of none": {workqueue.NewTypedMaxOfRateLimiter[string](), []time.Duration{0, 0}},
		"at most": {
			workqueue.NewTypedWithMaxWaitRateLimiter(exponential(1*ms, 1000*ms), 5*ms),
			[]time.Duration{1 * ms, 2 * ms, 4 * ms, 5 * ms, 5 * ms}},
		"default by item": {
			workqueue.DefaultTypedItemBasedRateLimiter[string](),
			[]time.Duration{1 * ms, 2 * ms, 4 * ms, 8 * ms}},
		"default": {
			workqueue.DefaultTypedControllerRateLimiter[string](),
			[]time.Duration{5 * ms, 10 * ms, 20 * ms, 40 * ms}},
		"zero values": {
			new(workqueue.TypedItemExponentialFailureRateLimiter[string]), []time.Duration{0, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			for round := range 2 { // the second one after Forget
				for i, want := range c.want {
					if got := c.limiter.When("a"); got != want {
						t.Errorf("round %d, failure %d: wait %v, want %v", round, i, got, want)
					}
				}
				if got := c.limiter.When("b"); got != c.want[0] {
					t.Errorf("another item waits %v, want %v", got, c.want[0])
				}
				if got := c.limiter.NumRequeues("a"); got != len(c.want) && name != "strictest of none" {
					t.Errorf("%d requeues, want %d", got, len(c.want))
				}
				c.limiter.Forget("a")
				c.limiter.Forget("b")
				if got := c.limiter.NumRequeues("a"); got != 0 {
					t.Errorf("%d requeues of a forgotten item", got)
				}
			}
		})
	}
}

func TestExponentialDelayAgreesWithBigIntegers(t *testing.T) {
	for _, base := range []time.Duration{1, 3, time.Millisecond, time.Hour, math.MaxInt64 / 2, math.MaxInt64} {
		for _, limit := range []time.Duration{1, time.Second, 1000 * time.Second, math.MaxInt64 - 1, math.MaxInt64} {
			limiter := workqueue.NewTypedItemExponentialFailureRateLimiter[int](base, limit)
			for n := range 200 {
				want := new(big.Int).Lsh(big.NewInt(int64(base)), uint(n))
				if max := big.NewInt(int64(limit)); want.Cmp(max) > 0 {
					want = max
				}
				if got := limiter.When(0); int64(got) != want.Int64() {
					t.Fatalf("base %d, limit %d, failure %d: wait %d, want %v", base, limit, n, got, want)
				}
			}
		}
	}
}

func TestBucketLetsABurstThroughAndThenTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := &workqueue.TypedBucketRateLimiter[int]{Limiter: rate.NewLimiter(10, 3)}
		for item, want := range []time.Duration{0, 0, 0, 100 * time.Millisecond, 200 * time.Millisecond} {
			if got := limiter.When(item); got != want {
				t.Errorf("item %d waits %v, want %v", item, got, want)
			}
			if limiter.NumRequeues(item) != 0 {
				t.Error("a bucket counts no requeues")
			}
			limiter.Forget(item)
		}
	})
}

func TestDefaultLimiterHoldsAFloodOfItemsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := workqueue.DefaultTypedControllerRateLimiter[int]()
		for item := range 100 {
			if got := limiter.When(item); got != 5*time.Millisecond {
				t.Fatalf("item %d waits %v", item, got)
			}
		}
		if got := limiter.When(100); got != 100*time.Millisecond {
			t.Errorf("the item after the burst waits %v, want 100ms", got)
		}
		for range 50 {
			limiter.When(0)
		}
		if got := limiter.When(0); got != 1000*time.Second {
			t.Errorf("an item that failed often waits %v, want 1000s", got)
		}
	})
}

func TestRateLimitersCountConcurrentFailures(t *testing.T) {
	limiter := workqueue.NewTypedMaxOfRateLimiter(
		workqueue.DefaultTypedControllerRateLimiter[string](),
		workqueue.NewTypedItemFastSlowRateLimiter[string](1, 2, 3))
	var failing sync.WaitGroup
	for range 4 {
		failing.Go(func() {
			for range 100 {
				limiter.When("a")
				limiter.NumRequeues("a")
				limiter.Forget("b")
			}
		})
	}
	failing.Wait()
	if got := limiter.NumRequeues("a"); got != 400 {
		t.Errorf("%d failures counted, want 400", got)
	}
}
