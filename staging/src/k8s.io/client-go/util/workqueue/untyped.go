package workqueue

import (
	"time"

	"k8s.io/utils/clock"
)

// The names in this file are those of the package before type parameters, and
// do the same for items of type any.

// Interface is a queue of items of any type.
//
// Deprecated: use [TypedInterface].
type Interface TypedInterface[any]

// DelayingInterface is a delaying queue of items of any type.
//
// Deprecated: use [TypedDelayingInterface].
type DelayingInterface TypedDelayingInterface[any]

// RateLimitingInterface is a rate limiting queue of items of any type.
//
// Deprecated: use [TypedRateLimitingInterface].
type RateLimitingInterface TypedRateLimitingInterface[any]

// RateLimiter is a rate limiter of items of any type.
//
// Deprecated: use [TypedRateLimiter].
type RateLimiter TypedRateLimiter[any]

type (
	// Type is a work queue of items of any type.
	//
	// Deprecated: use [Typed].
	Type = Typed[any]

	// QueueConfig configures a queue of items of any type.
	//
	// Deprecated: use [TypedQueueConfig].
	QueueConfig = TypedQueueConfig[any]

	// DelayingQueueConfig configures a delaying queue of items of any type.
	//
	// Deprecated: use [TypedDelayingQueueConfig].
	DelayingQueueConfig = TypedDelayingQueueConfig[any]

	// RateLimitingQueueConfig configures a rate limiting queue of items of
	// any type.
	//
	// Deprecated: use [TypedRateLimitingQueueConfig].
	RateLimitingQueueConfig = TypedRateLimitingQueueConfig[any]

	// BucketRateLimiter is a token bucket for items of any type.
	//
	// Deprecated: use [TypedBucketRateLimiter].
	BucketRateLimiter = TypedBucketRateLimiter[any]

	// ItemExponentialFailureRateLimiter backs off items of any type.
	//
	// Deprecated: use [TypedItemExponentialFailureRateLimiter].
	ItemExponentialFailureRateLimiter = TypedItemExponentialFailureRateLimiter[any]

	// ItemFastSlowRateLimiter slows down items of any type.
	//
	// Deprecated: use [TypedItemFastSlowRateLimiter].
	ItemFastSlowRateLimiter = TypedItemFastSlowRateLimiter[any]

	// MaxOfRateLimiter obeys the strictest rate limiter of items of any type.
	//
	// Deprecated: use [TypedMaxOfRateLimiter].
	MaxOfRateLimiter = TypedMaxOfRateLimiter[any]

	// WithMaxWaitRateLimiter limits the wait of items of any type.
	//
	// Deprecated: use [TypedWithMaxWaitRateLimiter].
	WithMaxWaitRateLimiter = TypedWithMaxWaitRateLimiter[any]
)

// New returns a queue with no name.
//
// Deprecated: use [NewTyped].
func New() *Type { return NewTyped[any]() }

// NewNamed returns a queue with a name.
//
// Deprecated: use [NewTypedWithConfig].
func NewNamed(name string) *Type {
	return NewWithConfig(QueueConfig{Name: name})
}

// NewWithConfig returns a queue built as config says.
//
// Deprecated: use [NewTypedWithConfig].
func NewWithConfig(config QueueConfig) *Type { return NewTypedWithConfig(config) }

// NewDelayingQueue returns a delaying queue with no name.
//
// Deprecated: use [NewTypedDelayingQueue].
func NewDelayingQueue() DelayingInterface { return NewTypedDelayingQueue[any]() }

// NewNamedDelayingQueue returns a delaying queue with a name.
//
// Deprecated: use [NewTypedDelayingQueueWithConfig].
func NewNamedDelayingQueue(name string) DelayingInterface {
	return NewDelayingQueueWithConfig(DelayingQueueConfig{Name: name})
}

// NewDelayingQueueWithConfig returns a delaying queue built as config says.
//
// Deprecated: use [NewTypedDelayingQueueWithConfig].
func NewDelayingQueueWithConfig(config DelayingQueueConfig) DelayingInterface {
	return NewTypedDelayingQueueWithConfig(config)
}

// NewDelayingQueueWithCustomClock returns a delaying queue with a name and a
// clock.
//
// Deprecated: use [NewTypedDelayingQueueWithConfig].
func NewDelayingQueueWithCustomClock(clock clock.WithTicker, name string) DelayingInterface {
	return NewDelayingQueueWithConfig(DelayingQueueConfig{Name: name, Clock: clock})
}

// NewDelayingQueueWithCustomQueue returns a delaying queue in front of q.
//
// Deprecated: use [NewTypedDelayingQueueWithConfig].
func NewDelayingQueueWithCustomQueue(q Interface, name string) DelayingInterface {
	return NewDelayingQueueWithConfig(DelayingQueueConfig{Name: name, Queue: q})
}

// TypedNewDelayingQueue is an old name of [NewTypedDelayingQueue].
//
// Deprecated: use [NewTypedDelayingQueue].
func TypedNewDelayingQueue[T comparable]() TypedDelayingInterface[T] {
	return NewTypedDelayingQueue[T]()
}

// NewRateLimitingQueue returns a rate limiting queue with no name.
//
// Deprecated: use [NewTypedRateLimitingQueue].
func NewRateLimitingQueue(rateLimiter RateLimiter) RateLimitingInterface {
	return NewTypedRateLimitingQueue[any](rateLimiter)
}

// NewNamedRateLimitingQueue returns a rate limiting queue with a name.
//
// Deprecated: use [NewTypedRateLimitingQueueWithConfig].
func NewNamedRateLimitingQueue(rateLimiter RateLimiter, name string) RateLimitingInterface {
	return NewRateLimitingQueueWithConfig(rateLimiter, RateLimitingQueueConfig{Name: name})
}

// NewRateLimitingQueueWithConfig returns a rate limiting queue built as config
// says.
//
// Deprecated: use [NewTypedRateLimitingQueueWithConfig].
func NewRateLimitingQueueWithConfig(rateLimiter RateLimiter, config RateLimitingQueueConfig) RateLimitingInterface {
	return NewTypedRateLimitingQueueWithConfig(rateLimiter, config)
}

// NewRateLimitingQueueWithDelayingInterface returns a rate limiting queue in
// front of di.
//
// Deprecated: use [NewTypedRateLimitingQueueWithConfig].
func NewRateLimitingQueueWithDelayingInterface(di DelayingInterface, rateLimiter RateLimiter) RateLimitingInterface {
	return NewRateLimitingQueueWithConfig(rateLimiter, RateLimitingQueueConfig{DelayingQueue: di})
}

// DefaultControllerRateLimiter returns the rate limiter that suits most
// controllers.
//
// Deprecated: use [DefaultTypedControllerRateLimiter].
func DefaultControllerRateLimiter() RateLimiter {
	return DefaultTypedControllerRateLimiter[any]()
}

// DefaultItemBasedRateLimiter returns a rate limiter that backs off each item
// by itself.
//
// Deprecated: use [DefaultTypedItemBasedRateLimiter].
func DefaultItemBasedRateLimiter() RateLimiter {
	return DefaultTypedItemBasedRateLimiter[any]()
}

// NewItemExponentialFailureRateLimiter returns a rate limiter whose delays
// double.
//
// Deprecated: use [NewTypedItemExponentialFailureRateLimiter].
func NewItemExponentialFailureRateLimiter(baseDelay time.Duration, maxDelay time.Duration) RateLimiter {
	return NewTypedItemExponentialFailureRateLimiter[any](baseDelay, maxDelay)
}

// NewItemFastSlowRateLimiter returns a rate limiter with two delays.
//
// Deprecated: use [NewTypedItemFastSlowRateLimiter].
func NewItemFastSlowRateLimiter(fastDelay, slowDelay time.Duration, maxFastAttempts int) RateLimiter {
	return NewTypedItemFastSlowRateLimiter[any](fastDelay, slowDelay, maxFastAttempts)
}

// NewMaxOfRateLimiter returns a rate limiter that obeys the strictest of
// limiters.
//
// Deprecated: use [NewTypedMaxOfRateLimiter].
func NewMaxOfRateLimiter(limiters ...TypedRateLimiter[any]) RateLimiter {
	return NewTypedMaxOfRateLimiter(limiters...)
}

// NewWithMaxWaitRateLimiter returns a rate limiter that asks for no more than
// maxDelay.
//
// Deprecated: use [NewTypedWithMaxWaitRateLimiter].
func NewWithMaxWaitRateLimiter(limiter RateLimiter, maxDelay time.Duration) RateLimiter {
	return NewTypedWithMaxWaitRateLimiter[any](limiter, maxDelay)
}
