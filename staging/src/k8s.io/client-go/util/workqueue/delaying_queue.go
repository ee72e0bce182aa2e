package workqueue

import (
	"container/heap"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
)

// TypedDelayingInterface is a queue that also takes items which are not due
// yet, such as those to be tried again after a failure.
type TypedDelayingInterface[T comparable] interface {
	TypedInterface[T]
	// AddAfter adds item once duration has passed, or at once if it is not
	// positive. Until then the item is not in line. An item waits once: of
	// several calls the one that is due first counts. Items due at the same
	// time are added in the order of the calls. Shutting down drops what
	// waits.
	AddAfter(item T, duration time.Duration)
}

// TypedDelayingQueueConfig says what to build a delaying queue with. All fields
// are optional.
type TypedDelayingQueueConfig[T comparable] struct {
	// Logger gets a report if a panic passes through the queue. It is used as
	// it is, without the name of the queue. The default is klog's.
	Logger *klog.Logger

	// Name is the name under which metrics are kept. If it is empty, there
	// are none.
	Name string

	// MetricsProvider makes the metrics, in place of the one that was given
	// to SetProvider.
	MetricsProvider MetricsProvider

	// Clock says when an item is due, and measures the time for metrics. The
	// default is the real one.
	Clock clock.WithTicker

	// Queue is where items go when they are due. It is shut down together
	// with the delaying queue, and its metrics are its own affair. The
	// default is a new queue with the name, provider and clock given here.
	Queue TypedInterface[T]
}

// NewTypedDelayingQueue returns a delaying queue with no name, and so without
// metrics.
func NewTypedDelayingQueue[T comparable]() TypedDelayingInterface[T] {
	return NewTypedDelayingQueueWithConfig(TypedDelayingQueueConfig[T]{})
}

// NewTypedDelayingQueueWithConfig returns a delaying queue built as config says.
func NewTypedDelayingQueueWithConfig[T comparable](config TypedDelayingQueueConfig[T]) TypedDelayingInterface[T] {
	if config.Clock == nil {
		config.Clock = clock.RealClock{}
	}
	if config.Queue == nil {
		config.Queue = NewTypedWithConfig(TypedQueueConfig[T]{
			Name:            config.Name,
			MetricsProvider: config.MetricsProvider,
			Clock:           config.Clock,
		})
	}
	logger := klog.Background()
	if config.Logger != nil {
		logger = *config.Logger
	}
	return &delayingQueue[T]{
		TypedInterface: config.Queue,
		logger:         logger,
		clock:          config.Clock,
		retries:        newRetriesMetric(config.Name, config.MetricsProvider),
		pending:        map[T]*appointment[T]{},
		wake:           make(chan struct{}, 1),
	}
}

type delayingQueue[T comparable] struct {
	TypedInterface[T] // where items go when they are due

	logger  klog.Logger
	clock   clock.WithTicker
	retries CounterMetric // nil if there are no metrics

	mu       sync.Mutex
	pending  map[T]*appointment[T]
	agenda   agenda[T] // the same appointments, the next one first
	calls    uint64    // how many appointments there ever were
	watching bool      // whether a goroutine runs watch
	stopped  bool

	wake chan struct{} // tells watch that the next appointment is another
}

func (q *delayingQueue[T]) AddAfter(item T, duration time.Duration) {
	if q.ShuttingDown() {
		return
	}
	if q.retries != nil {
		q.retries.Inc()
	}
	if duration <= 0 {
		q.Add(item)
		return
	}
	q.schedule(item, q.clock.Now().Add(duration))
}

// ShutDown drops what waits for its time and shuts the inner queue down.
func (q *delayingQueue[T]) ShutDown() {
	q.stop()
	q.TypedInterface.ShutDown()
}

// ShutDownWithDrain drops what waits for its time and drains the inner queue.
func (q *delayingQueue[T]) ShutDownWithDrain() {
	q.stop()
	q.TypedInterface.ShutDownWithDrain()
}

func (q *delayingQueue[T]) schedule(item T, due time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.stopped {
		return
	}
	a, known := q.pending[item]
	switch {
	case !known:
		a = &appointment[T]{item: item, due: due, call: q.calls}
		q.calls++
		q.pending[item] = a
		heap.Push(&q.agenda, a)
	case due.Before(a.due):
		a.due, a.call = due, q.calls
		q.calls++
		heap.Fix(&q.agenda, a.index)
	default:
		return
	}
	if !q.watching {
		q.watching = true
		go q.watch()
	} else if a.index == 0 {
		q.wakeUp()
	}
}

func (q *delayingQueue[T]) stop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stopped = true
	clear(q.pending)
	q.agenda = nil
	q.wakeUp()
}

func (q *delayingQueue[T]) wakeUp() {
	select {
	case q.wake <- struct{}{}:
	default: // it is about to look anyway
	}
}

// watch adds items as they become due, and returns when none is left.
func (q *delayingQueue[T]) watch() {
	defer q.leave()
	defer runtime.HandleCrashWithLogger(q.logger)

	var timer clock.Timer
	for {
		item, due, ok := q.next()
		if !ok {
			return
		}
		if due.IsZero() {
			q.Add(item) // not under our lock: it may be the caller's code
			continue
		}
		wait := due.Sub(q.clock.Now())
		if timer == nil {
			timer = q.clock.NewTimer(wait)
			defer timer.Stop()
		} else {
			timer.Reset(wait)
		}
		// A fake clock may have been moved after it was read and before the
		// timer was set, which then is late by as much.
		if !q.clock.Now().Before(due) {
			continue
		}
		select {
		case <-timer.C():
		case <-q.wake:
		}
	}
}

// next takes an item that is due and returns it with the zero time. If none is
// due, it returns the time at which the first one will be. If none waits, ok is
// false.
func (q *delayingQueue[T]) next() (item T, due time.Time, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.agenda) == 0 {
		return item, due, false
	}
	if first := q.agenda[0]; q.clock.Now().Before(first.due) {
		return item, first.due, true
	}
	item = heap.Pop(&q.agenda).(*appointment[T]).item
	delete(q.pending, item)
	return item, due, true
}

// leave ends a watch. Where an item came in just after the watch saw none left,
// or where a panic ended it early, another one takes over.
func (q *delayingQueue[T]) leave() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.watching = len(q.agenda) > 0
	if q.watching {
		go q.watch()
	}
}

// An appointment is an item and the time at which it is due.
type appointment[T any] struct {
	item  T
	due   time.Time
	call  uint64 // orders appointments for the same time
	index int    // its place in the agenda
}

// An agenda is a heap of appointments by the time they are due.
type agenda[T any] []*appointment[T]

func (a agenda[T]) Len() int { return len(a) }

func (a agenda[T]) Less(i, j int) bool {
	if order := a[i].due.Compare(a[j].due); order != 0 {
		return order < 0
	}
	return a[i].call < a[j].call
}

func (a agenda[T]) Swap(i, j int) {
	a[i], a[j] = a[j], a[i]
	a[i].index, a[j].index = i, j
}

func (a *agenda[T]) Push(x any) {
	added := x.(*appointment[T])
	added.index = len(*a)
	*a = append(*a, added)
}

func (a *agenda[T]) Pop() any {
	last := len(*a) - 1
	removed := (*a)[last]
	(*a)[last] = nil
	*a = (*a)[:last]
	return removed
}
