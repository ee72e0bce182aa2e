// Package synctrack tells when a controller has worked off the first list of an
// informer.
//
// An informer and its handlers know when they have seen all of the list. A controller
// that puts keys into a queue has not worked them off then. It calls Start where the
// handler is told of an object of the list, and Finished when that is done:
//
//	tracker := synctrack.NewAsyncTracker[string]("pods")
//	informer.AddEventHandler(cache.ResourceEventHandlerDetailedFuncs{
//		AddFunc: func(obj any, isInInitialList bool) {
//			key := keyOf(obj)
//			if isInInitialList {
//				tracker.Start(key)
//			}
//			queue.Add(key)
//		},
//	})
//	…
//	work(key)
//	tracker.Finished(key)
//
// and UpstreamHasSynced once the handler has seen all of the list. Then the tracker
// is done when the last key is finished.
package synctrack

import "sync"

// completion is a channel that is closed once. The zero value works.
type completion struct {
	mu       sync.Mutex
	upstream bool // there will be nothing more
	done     chan struct{}
	closed   bool
}

func (c *completion) channel() chan struct{} {
	if c.done == nil {
		c.done = make(chan struct{})
	}
	return c.done
}

// update closes the channel if there is nothing left.
func (c *completion) update(left int) {
	if c.upstream && left == 0 && !c.closed {
		c.closed = true
		close(c.channel())
	}
}

func (c *completion) wait() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.channel()
}

// An AsyncTracker tracks keys that are worked off in any order, by any number of
// goroutines.
type AsyncTracker[T comparable] struct {
	name    string
	waiting map[T]struct{}
	completion
}

// NewAsyncTracker returns a tracker without keys.
func NewAsyncTracker[T comparable](name string) *AsyncTracker[T] {
	return &AsyncTracker[T]{name: name}
}

// Name returns the name.
func (t *AsyncTracker[T]) Name() string { return t.name }

// Start tells of a key of the first list, before it is worked on.
func (t *AsyncTracker[T]) Start(key T) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.waiting == nil {
		t.waiting = map[T]struct{}{}
	}
	t.waiting[key] = struct{}{}
}

// Finished tells that a key was worked off. It does nothing if that was not started.
func (t *AsyncTracker[T]) Finished(key T) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.waiting, key)
	t.update(len(t.waiting))
}

// UpstreamHasSynced tells that Start was called for all of the first list.
func (t *AsyncTracker[T]) UpstreamHasSynced() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.upstream = true
	t.update(len(t.waiting))
}

// HasSynced tells whether all of the first list was worked off.
func (t *AsyncTracker[T]) HasSynced() bool { return isClosed(t.Done()) }

// Done returns a channel that is closed when all of the first list was worked off.
func (t *AsyncTracker[T]) Done() <-chan struct{} { return t.wait() }

// A SingleFileTracker counts what is worked off in the order of the list, where keys
// need not be told apart.
type SingleFileTracker struct {
	name string
	left int
	completion
}

// NewSingleFileTracker returns a tracker that counts from zero.
func NewSingleFileTracker(name string) *SingleFileTracker {
	return &SingleFileTracker{name: name}
}

// Name returns the name.
func (t *SingleFileTracker) Name() string { return t.name }

// Start tells of an object of the first list, before it is worked on.
func (t *SingleFileTracker) Start() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.left++
}

// Finished tells that one was worked off. It panics if there was none.
func (t *SingleFileTracker) Finished() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.left == 0 {
		panic("synctrack: negative counter; Finished was called more often than Start")
	}
	t.left--
	t.update(t.left)
}

// UpstreamHasSynced tells that Start was called for all of the first list.
func (t *SingleFileTracker) UpstreamHasSynced() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.upstream = true
	t.update(t.left)
}

// HasSynced tells whether all of the first list was worked off.
func (t *SingleFileTracker) HasSynced() bool { return isClosed(t.Done()) }

// Done returns a channel that is closed when all of the first list was worked off.
func (t *SingleFileTracker) Done() <-chan struct{} { return t.wait() }

func isClosed(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}
