package workqueue

import "k8s.io/utils/clock"

// TypedRateLimitingInterface is a delaying queue that asks a rate limiter how
// long items have to wait.
type TypedRateLimitingInterface[T comparable] interface {
	TypedDelayingInterface[T]

	// AddRateLimited adds item after the time that the rate limiter asks for.
	AddRateLimited(item T)

	// Forget makes the rate limiter forget item, because it succeeded or was
	// given up. The queue itself is not affected: Done is still owed. Without
	// it the rate limiter may remember the item forever.
	Forget(item T)

	// NumRequeues returns what the rate limiter's method of that name does.
	NumRequeues(item T) int
}

// TypedRateLimitingQueueConfig says what to build a rate limiting queue with.
// All fields are optional.
type TypedRateLimitingQueueConfig[T comparable] struct {
	// Name is the name under which metrics are kept. If it is empty, there
	// are none.
	Name string

	// MetricsProvider makes the metrics, in place of the one that was given
	// to SetProvider.
	MetricsProvider MetricsProvider

	// Clock says when an item is due, and measures the time for metrics. The
	// default is the real one. Rate limiters that measure time use the real
	// one in any case.
	Clock clock.WithTicker

	// DelayingQueue is where items wait. If it is given, the fields above do
	// not count. The default is a new one, built with them.
	DelayingQueue TypedDelayingInterface[T]
}

// NewTypedRateLimitingQueue returns a rate limiting queue with no name, and so
// without metrics. Its rate limiter should serve no other queue.
func NewTypedRateLimitingQueue[T comparable](rateLimiter TypedRateLimiter[T]) TypedRateLimitingInterface[T] {
	return NewTypedRateLimitingQueueWithConfig(rateLimiter, TypedRateLimitingQueueConfig[T]{})
}

// NewTypedRateLimitingQueueWithConfig returns a rate limiting queue built as
// config says. Its rate limiter should serve no other queue.
func NewTypedRateLimitingQueueWithConfig[T comparable](rateLimiter TypedRateLimiter[T], config TypedRateLimitingQueueConfig[T]) TypedRateLimitingInterface[T] {
	if config.DelayingQueue == nil {
		config.DelayingQueue = NewTypedDelayingQueueWithConfig(TypedDelayingQueueConfig[T]{
			Name:            config.Name,
			MetricsProvider: config.MetricsProvider,
			Clock:           config.Clock,
		})
	}
	return &rateLimitingQueue[T]{config.DelayingQueue, rateLimiter}
}

type rateLimitingQueue[T comparable] struct {
	TypedDelayingInterface[T]
	limiter TypedRateLimiter[T]
}

func (q *rateLimitingQueue[T]) AddRateLimited(item T) {
	q.AddAfter(item, q.limiter.When(item))
}

func (q *rateLimitingQueue[T]) Forget(item T) { q.limiter.Forget(item) }

func (q *rateLimitingQueue[T]) NumRequeues(item T) int { return q.limiter.NumRequeues(item) }
