package workqueue

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// A TypedRateLimiter says how long an item has to wait before its next attempt.
// Those of this package are safe for concurrent use.
type TypedRateLimiter[T comparable] interface {
	// When counts one more failure of item and returns how long it should
	// wait.
	When(item T) time.Duration
	// Forget drops what is kept about item, because it succeeded or was given
	// up.
	Forget(item T)
	// NumRequeues returns how many failures of item were counted since it was
	// last forgotten.
	NumRequeues(item T) int
}

// DefaultTypedControllerRateLimiter returns the rate limiter that suits most
// controllers. An item waits for 5ms after its first failure and twice as long
// after each further one, up to 1000s. All items together are let through at
// 10 per second, after a first burst of 100.
func DefaultTypedControllerRateLimiter[T comparable]() TypedRateLimiter[T] {
	return NewTypedMaxOfRateLimiter(
		NewTypedItemExponentialFailureRateLimiter[T](5*time.Millisecond, 1000*time.Second),
		&TypedBucketRateLimiter[T]{Limiter: rate.NewLimiter(10, 100)},
	)
}

// DefaultTypedItemBasedRateLimiter returns a rate limiter under which an item
// waits for 1ms after its first failure and twice as long after each further
// one, up to 1000s, whatever other items do.
func DefaultTypedItemBasedRateLimiter[T comparable]() TypedRateLimiter[T] {
	return NewTypedItemExponentialFailureRateLimiter[T](time.Millisecond, 1000*time.Second)
}

// TypedBucketRateLimiter makes a rate limiter of a token bucket, which all
// items share. It keeps nothing about any of them.
type TypedBucketRateLimiter[T comparable] struct {
	*rate.Limiter
}

// When takes a token and returns how long it is until that is there.
func (r *TypedBucketRateLimiter[T]) When(item T) time.Duration {
	return r.Reserve().Delay()
}

// Forget does nothing.
func (r *TypedBucketRateLimiter[T]) Forget(item T) {}

// NumRequeues returns 0.
func (r *TypedBucketRateLimiter[T]) NumRequeues(item T) int { return 0 }

// failures counts the failures of items. The zero value is ready for use.
type failures[T comparable] struct {
	mu    sync.Mutex
	count map[T]int
}

// next counts one more failure and returns how many there were before it.
func (f *failures[T]) next(item T) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.count == nil {
		f.count = map[T]int{}
	}
	before := f.count[item]
	f.count[item] = before + 1
	return before
}

func (f *failures[T]) of(item T) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.count[item]
}

func (f *failures[T]) forget(item T) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.count, item)
}

// TypedItemExponentialFailureRateLimiter lets an item wait twice as long after
// each failure, up to a limit. How many failures are too many is up to the
// caller.
type TypedItemExponentialFailureRateLimiter[T comparable] struct {
	failures  failures[T]
	baseDelay time.Duration
	maxDelay  time.Duration
}

// NewTypedItemExponentialFailureRateLimiter returns a rate limiter under which
// an item waits for baseDelay after its first failure, and for
// baseDelay*2ⁿ after n more, but never longer than maxDelay.
func NewTypedItemExponentialFailureRateLimiter[T comparable](baseDelay time.Duration, maxDelay time.Duration) TypedRateLimiter[T] {
	return &TypedItemExponentialFailureRateLimiter[T]{baseDelay: baseDelay, maxDelay: maxDelay}
}

// When counts a failure and returns the time to wait after it.
func (r *TypedItemExponentialFailureRateLimiter[T]) When(item T) time.Duration {
	n := r.failures.next(item)
	// The limit is shifted down rather than the base up: that cannot overflow.
	if r.baseDelay > r.maxDelay>>n {
		return r.maxDelay
	}
	return r.baseDelay << n
}

// Forget makes the next failure of item count as its first one.
func (r *TypedItemExponentialFailureRateLimiter[T]) Forget(item T) { r.failures.forget(item) }

// NumRequeues returns how many failures of item were counted.
func (r *TypedItemExponentialFailureRateLimiter[T]) NumRequeues(item T) int {
	return r.failures.of(item)
}

// TypedItemFastSlowRateLimiter lets an item wait for a short time after each of
// its first failures, and for a long time after all others.
type TypedItemFastSlowRateLimiter[T comparable] struct {
	failures  failures[T]
	fastDelay time.Duration
	slowDelay time.Duration
	maxFast   int
}

// NewTypedItemFastSlowRateLimiter returns a rate limiter under which an item
// waits for fastDelay after each of the first maxFastAttempts failures, and for
// slowDelay after each further one.
func NewTypedItemFastSlowRateLimiter[T comparable](fastDelay, slowDelay time.Duration, maxFastAttempts int) TypedRateLimiter[T] {
	return &TypedItemFastSlowRateLimiter[T]{fastDelay: fastDelay, slowDelay: slowDelay, maxFast: maxFastAttempts}
}

// When counts a failure and returns the time to wait after it.
func (r *TypedItemFastSlowRateLimiter[T]) When(item T) time.Duration {
	if r.failures.next(item) < r.maxFast {
		return r.fastDelay
	}
	return r.slowDelay
}

// Forget makes the next failure of item count as its first one.
func (r *TypedItemFastSlowRateLimiter[T]) Forget(item T) { r.failures.forget(item) }

// NumRequeues returns how many failures of item were counted.
func (r *TypedItemFastSlowRateLimiter[T]) NumRequeues(item T) int { return r.failures.of(item) }

// TypedMaxOfRateLimiter asks several rate limiters and obeys the strictest. If
// a token bucket is one of them, items that another one held back longer may
// arrive together in a larger burst than the bucket allows.
type TypedMaxOfRateLimiter[T comparable] struct {
	limiters []TypedRateLimiter[T]
}

// NewTypedMaxOfRateLimiter returns a rate limiter that asks all of limiters. If
// there are none, nothing waits.
func NewTypedMaxOfRateLimiter[T comparable](limiters ...TypedRateLimiter[T]) TypedRateLimiter[T] {
	return &TypedMaxOfRateLimiter[T]{limiters}
}

// When counts a failure with every limiter and returns the longest time that
// one of them asks for.
func (r *TypedMaxOfRateLimiter[T]) When(item T) time.Duration {
	var longest time.Duration
	for _, limiter := range r.limiters {
		longest = max(longest, limiter.When(item))
	}
	return longest
}

// Forget makes every limiter forget item.
func (r *TypedMaxOfRateLimiter[T]) Forget(item T) {
	for _, limiter := range r.limiters {
		limiter.Forget(item)
	}
}

// NumRequeues returns the largest number that one of the limiters counted.
func (r *TypedMaxOfRateLimiter[T]) NumRequeues(item T) int {
	most := 0
	for _, limiter := range r.limiters {
		most = max(most, limiter.NumRequeues(item))
	}
	return most
}

// TypedWithMaxWaitRateLimiter obeys another rate limiter up to a limit. If that
// is a token bucket, the bucket may be exceeded.
type TypedWithMaxWaitRateLimiter[T comparable] struct {
	limiter  TypedRateLimiter[T]
	maxDelay time.Duration
}

// NewTypedWithMaxWaitRateLimiter returns a rate limiter that asks limiter, but
// lets no item wait longer than maxDelay.
func NewTypedWithMaxWaitRateLimiter[T comparable](limiter TypedRateLimiter[T], maxDelay time.Duration) TypedRateLimiter[T] {
	return &TypedWithMaxWaitRateLimiter[T]{limiter, maxDelay}
}

// When returns the time that the other limiter asks for, or the limit.
func (w TypedWithMaxWaitRateLimiter[T]) When(item T) time.Duration {
	return min(w.limiter.When(item), w.maxDelay)
}

// Forget makes the other limiter forget item.
func (w TypedWithMaxWaitRateLimiter[T]) Forget(item T) { w.limiter.Forget(item) }

// NumRequeues returns what the other limiter counted.
func (w TypedWithMaxWaitRateLimiter[T]) NumRequeues(item T) int { return w.limiter.NumRequeues(item) }
