package synctrack

import (
	"sync"
	"sync/atomic"
)

// A Lazy computes a value when it is asked for, and keeps it until it is told that
// something has changed.
type Lazy[T any] struct {
	// Evaluate computes the value. It may be called by several goroutines at
	// the same time, if Notify is called in between.
	Evaluate func() (T, error)

	current atomic.Pointer[lazyValue[T]] // nil if nobody has asked since Notify
}

// A lazyValue is computed once, under its lock.
type lazyValue[T any] struct {
	sync.Mutex
	known bool
	value T
}

// Get returns the value, and computes it if it must. All who ask between two calls of
// Notify get the same one. Errors are not kept: the next one to ask tries again.
func (z *Lazy[T]) Get() (T, error) {
	current := z.current.Load()
	for current == nil {
		z.current.CompareAndSwap(nil, &lazyValue[T]{})
		current = z.current.Load()
	}
	current.Lock()
	defer current.Unlock()
	if current.known {
		return current.value, nil
	}
	value, err := z.Evaluate()
	if err == nil {
		current.value, current.known = value, true
	}
	return value, err
}

// Notify has the value be computed anew for those who ask from now on.
func (z *Lazy[T]) Notify() { z.current.Store(nil) }
