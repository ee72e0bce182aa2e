package workqueue

import (
	"sync"

	"k8s.io/utils/clock"
)

// TypedInterface is a queue as producers and workers see it. The package
// comment says what it guarantees.
type TypedInterface[T comparable] interface {
	// Add puts item in line, or has no effect if it is in line already.
	Add(item T)
	// Len returns how many items are in line.
	Len() int
	// Get waits for an item and hands it out. The caller owes a call to Done.
	// If shutdown is true there is no item, and there will be none.
	Get() (item T, shutdown bool)
	// Done gives back an item that Get handed out.
	Done(item T)
	// ShutDown refuses new items and lets workers finish those in line.
	ShutDown()
	// ShutDownWithDrain is ShutDown, and returns when the workers are done.
	ShutDownWithDrain()
	// ShuttingDown reports whether the queue refuses new items.
	ShuttingDown() bool
}

// Queue is the line in which items wait for a worker. An implementation of
// one's own decides in which order they leave it, for instance by priority.
//
// The work queue calls its methods one at a time, under its lock: they need no
// lock of their own, should be quick, and must not call the work queue. It
// never pushes an item that is in line, and never pops from an empty line.
type Queue[T comparable] interface {
	// Touch is called when an item that is in line is added again, in case
	// that should move it.
	Touch(item T)
	// Push puts an item in line.
	Push(item T)
	// Len returns how many items are in line.
	Len() int
	// Pop takes the next item out of the line.
	Pop() (item T)
}

// TypedQueueConfig says what to build a queue with. All fields are optional.
type TypedQueueConfig[T comparable] struct {
	// Name is the name under which metrics are kept. If it is empty, there
	// are none.
	Name string

	// MetricsProvider makes the metrics, in place of the one that was given
	// to SetProvider.
	MetricsProvider MetricsProvider

	// Clock measures the time for metrics. The default is the real one.
	Clock clock.WithTicker

	// Queue is the line that items wait in. The default is DefaultQueue.
	Queue Queue[T]
}

// Typed is a work queue; the package comment says what it guarantees. It is
// made by NewTyped or NewTypedWithConfig: the zero value is not ready for use.
type Typed[t comparable] struct {
	metrics *queueMetrics[t] // nil if there are none

	mu sync.Mutex // guards all below, and the calls to line and metrics

	// Two conditions, lest a signal meant for a worker be taken by somebody
	// who waits for the drain.
	ready   sync.Cond
	drained sync.Cond

	line  Queue[t]
	items map[t]state // what is in line or handed out, and nothing else
	busy  int         // how many are handed out

	shuttingDown bool
	draining     bool
	stopped      chan struct{} // closed by the first shutdown
}

// A state says where an item is. An item unknown to the queue has none.
type state uint8

const (
	queued  state = iota + 1 // in line
	held                     // handed out
	heldDue                  // handed out, and added again since
)

// NewTyped returns a queue with no name, and so without metrics.
func NewTyped[T comparable]() *Typed[T] {
	return NewTypedWithConfig(TypedQueueConfig[T]{})
}

// NewTypedWithConfig returns a queue built as config says.
func NewTypedWithConfig[T comparable](config TypedQueueConfig[T]) *Typed[T] {
	if config.Clock == nil {
		config.Clock = clock.RealClock{}
	}
	if config.Queue == nil {
		config.Queue = DefaultQueue[T]()
	}
	q := &Typed[T]{
		metrics: newQueueMetrics[T](config.Name, config.MetricsProvider, config.Clock),
		line:    config.Queue,
		items:   map[T]state{},
		stopped: make(chan struct{}),
	}
	q.ready.L, q.drained.L = &q.mu, &q.mu
	if q.metrics != nil {
		// The ticker exists when the queue is returned, so that stepping a
		// fake clock right away counts.
		go q.refreshGauges(config.Clock.NewTicker(refreshPeriod))
	}
	return q
}

// Add puts item in line for a worker. If it is in line already, it only
// touches it there. If a worker holds it, it is put in line when that worker
// calls Done. After shutdown Add does nothing.
func (q *Typed[T]) Add(item T) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.shuttingDown {
		return
	}
	switch q.items[item] {
	case queued:
		q.line.Touch(item)
	case heldDue:
	case held:
		q.items[item] = heldDue
		q.metrics.added(item)
	default:
		q.items[item] = queued
		q.metrics.added(item)
		q.line.Push(item)
		q.ready.Signal()
	}
}

// Len returns how many items are in line. It is meant for people: by the time
// a program acts on it, it may have changed.
func (q *Typed[T]) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.line.Len()
}

// Get waits until there is an item in line and hands it to the caller, who
// must call Done with it when finished. After shutdown, once the line is empty,
// it returns the zero value and true: the caller should stop asking.
func (q *Typed[T]) Get() (item T, shutdown bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.line.Len() == 0 {
		if q.shuttingDown {
			return item, true
		}
		q.ready.Wait()
	}
	item = q.line.Pop()
	q.items[item] = held
	q.busy++
	q.metrics.started(item)
	return item, false
}

// Done gives back an item got from Get. If it was added while the caller held
// it, it is put in line again, even after shutdown. An item that nobody holds
// is left as it is.
func (q *Typed[T]) Done(item T) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch q.items[item] {
	case held:
		delete(q.items, item)
	case heldDue:
		q.items[item] = queued
		q.line.Push(item)
		q.ready.Signal()
	default:
		return
	}
	q.busy--
	q.metrics.finished(item)
	if q.shuttingDown {
		q.metrics.refresh() // the goroutine that does it otherwise is gone
		if q.isDrained() {
			q.drained.Broadcast()
		}
	}
}

// ShutDown makes the queue refuse new items. Workers get those in line, then
// are told to stop. It returns at once, and makes any ShutDownWithDrain that
// is under way return too.
func (q *Typed[T]) ShutDown() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.shutDown(false)
}

// ShutDownWithDrain does what ShutDown does, and returns when the line is
// empty and Done was called for every item handed out. It therefore needs
// workers that call Get until they are told to stop; without them it waits until
// somebody calls ShutDown.
func (q *Typed[T]) ShutDownWithDrain() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.shutDown(true)
	for q.draining && !q.isDrained() {
		q.drained.Wait()
	}
}

// ShuttingDown reports whether ShutDown or ShutDownWithDrain was called.
func (q *Typed[T]) ShuttingDown() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.shuttingDown
}

func (q *Typed[T]) shutDown(drain bool) {
	if !q.shuttingDown {
		q.shuttingDown = true
		close(q.stopped)
	}
	q.draining = drain
	q.ready.Broadcast()
	q.drained.Broadcast()
}

func (q *Typed[T]) isDrained() bool {
	return q.busy == 0 && q.line.Len() == 0
}

func (q *Typed[T]) refreshGauges(ticker clock.Ticker) {
	defer ticker.Stop()
	for {
		select {
		case <-q.stopped:
			return
		case <-ticker.C():
			q.mu.Lock()
			q.metrics.refresh()
			q.mu.Unlock()
		}
	}
}
