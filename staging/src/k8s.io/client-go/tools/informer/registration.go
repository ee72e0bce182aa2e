package informer

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/tools/cache"
)

// leastBacklog is how many changes may wait before those of an object become one.
const leastBacklog = 1024

// A Registration is of a handler with an informer.
type Registration[T Object] struct {
	handler Handler[T]
	name    string
	synced  chan struct{}
	removed atomic.Bool
	telling atomic.Int64  // how many changes were taken from waiting, and not told yet
	wake    chan struct{} // has one value if the handler's goroutine is to look

	mu      sync.Mutex
	waiting []change[T]
	limit   int // of waiting
}

var (
	_ cache.ResourceEventHandlerRegistration = (*Registration[Object])(nil)
	_ cache.DoneChecker                      = (*Registration[Object])(nil)
)

func newRegistration[T Object](handler Handler[T]) *Registration[T] {
	return &Registration[T]{
		handler: handler,
		name:    fmt.Sprintf("handler %T of %T", handler, *new(T)),
		synced:  make(chan struct{}),
		wake:    make(chan struct{}, 1),
		limit:   leastBacklog,
	}
}

// Remove has the handler be told nothing any more. A call that it is in goes on.
func (r *Registration[T]) Remove() {
	r.removed.Store(true)
	r.mu.Lock()
	r.waiting = nil
	r.mu.Unlock()
	r.look()
}

// Backlog returns how many changes the handler has not been told.
func (r *Registration[T]) Backlog() int {
	if r.removed.Load() {
		return 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.waiting) + int(r.telling.Load())
}

// Name says what HasSyncedChecker waits for.
func (r *Registration[T]) Name() string { return r.name }

// Done returns a channel that is closed when the handler was told of all that was there
// before the informer began to watch.
func (r *Registration[T]) Done() <-chan struct{} { return r.synced }

// HasSynced reports whether the handler was told of all that was there before the
// informer began to watch.
func (r *Registration[T]) HasSynced() bool { return cache.IsDone(r) }

// HasSyncedChecker returns the registration, for [cache.WaitFor].
func (r *Registration[T]) HasSyncedChecker() cache.DoneChecker { return r }

// add has the handler be told. It does not wait for it.
func (r *Registration[T]) add(changes ...change[T]) {
	if r.removed.Load() {
		return
	}
	r.mu.Lock()
	r.waiting = append(r.waiting, changes...)
	if len(r.waiting) > r.limit {
		r.waiting = combine(r.waiting)
		r.limit = max(leastBacklog, 2*len(r.waiting))
	}
	r.mu.Unlock()
	r.look()
}

func (r *Registration[T]) look() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// take returns what waits, and leaves done to be filled.
func (r *Registration[T]) take(done []change[T]) []change[T] {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := r.waiting
	r.waiting = done[:0]
	r.limit = leastBacklog
	r.telling.Store(int64(len(taken)))
	return taken
}

// run tells the handler until the context ends.
func (r *Registration[T]) run(ctx context.Context) {
	defer utilruntime.HandleCrashWithContext(ctx)
	var changes []change[T]
	for !r.removed.Load() {
		changes = r.take(changes)
		for i, c := range changes {
			if ctx.Err() != nil || r.removed.Load() {
				return
			}
			if c.kind == synced {
				close(r.synced)
			} else {
				c.tell(r.handler)
			}
			changes[i] = change[T]{} // what it holds can be collected
			r.telling.Add(-1)
		}
		if cap(changes) > leastBacklog {
			changes = nil
		}
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
		}
	}
}
