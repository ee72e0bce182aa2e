package cache

import (
	"fmt"
	"reflect"
	"sync"
	"time"

	"k8s.io/client-go/internal/share"
)

// RealFIFO is a queue that every change comes out of, in the order in which the
// changes came.
type RealFIFO struct {
	name          string
	keyFunc       KeyFunc
	known         KeyListerGetter
	transform     TransformFunc
	atomic        bool
	unlocked      bool
	emitBookmarks bool

	// sharer has objects share what is the same in them, if it is not nil.
	sharer *share.Sharer
	// stored is the informer's store, if there is a sharer.
	stored KeyGetter

	queued  GaugeMetric     // nil if there are no metrics
	latency HistogramMetric // nil if there are no metrics

	mu      sync.Mutex
	more    sync.Cond // there are items, or the queue is closed
	items   []Delta
	closed  bool
	initial initialList
}

var (
	_ QueueWithBatch         = &RealFIFO{}
	_ TransformingStore      = &RealFIFO{}
	_ ReflectorBookmarkStore = &RealFIFO{}
	_ DoneChecker            = &RealFIFO{}
)

// maxBatch is how many changes are processed at once at most, so that others get
// at the store now and then.
const maxBatch = 1000

// NewRealFIFO returns an empty queue.
//
// Deprecated: use NewRealFIFOWithOptions.
func NewRealFIFO(keyFunc KeyFunc, knownObjects KeyListerGetter, transformer TransformFunc) *RealFIFO {
	return NewRealFIFOWithOptions(RealFIFOOptions{KeyFunction: keyFunc, KnownObjects: knownObjects, Transformer: transformer})
}

// NewRealFIFOWithOptions returns an empty queue. It panics if opts contradict each
// other.
func NewRealFIFOWithOptions(opts RealFIFOOptions) *RealFIFO {
	switch {
	case opts.AtomicEvents && opts.KnownObjects != nil:
		panic("cache: RealFIFO with AtomicEvents must be without KnownObjects")
	case !opts.AtomicEvents && opts.KnownObjects == nil:
		panic("cache: RealFIFO without AtomicEvents needs KnownObjects")
	case !opts.AtomicEvents && opts.UnlockWhileProcessing:
		panic("cache: RealFIFO with UnlockWhileProcessing needs AtomicEvents")
	case !opts.AtomicEvents && opts.EmitDeltaTypeBookmark:
		panic("cache: RealFIFO with EmitDeltaTypeBookmark needs AtomicEvents")
	}
	f := &RealFIFO{
		name:          "RealFIFO",
		keyFunc:       opts.KeyFunction,
		known:         opts.KnownObjects,
		transform:     opts.Transformer,
		atomic:        opts.AtomicEvents,
		unlocked:      opts.UnlockWhileProcessing,
		emitBookmarks: opts.EmitDeltaTypeBookmark,
		initial:       newInitialList(),
	}
	f.more.L = &f.mu
	if f.keyFunc == nil {
		f.keyFunc = MetaNamespaceKeyFunc
	}
	switch {
	case opts.Identifier.Name() != "":
		f.name = opts.Identifier.Name()
	case opts.Name != "":
		f.name = opts.Name
	}
	if provider := informerMetricsProvider(opts.Identifier, opts.MetricsProvider); provider != nil {
		f.queued = provider.NewQueuedItemMetric(opts.Identifier)
		f.latency = provider.NewProcessingLatencyMetric(opts.Identifier)
	}
	return f
}

// Name returns the name that goes with HasSyncedChecker.
func (f *RealFIFO) Name() string { return f.name }

// Done is closed when all of the first list has been processed.
func (f *RealFIFO) Done() <-chan struct{} { return f.initial.done }

// HasSyncedChecker returns the queue itself.
func (f *RealFIFO) HasSyncedChecker() DoneChecker { return f }

// HasSynced tells whether all of the first list has been processed, or whether
// there was a change before any list.
func (f *RealFIFO) HasSynced() bool { return IsDone(f) }

// Transformer returns the function that changes objects before they are queued,
// or nil.
func (f *RealFIFO) Transformer() TransformFunc { return f.transform }

// Close has Pop return when nothing is left.
func (f *RealFIFO) Close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	f.more.Broadcast()
}

// IsClosed tells whether Close was called.
func (f *RealFIFO) IsClosed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.closed
}

// Add queues the addition of an object.
func (f *RealFIFO) Add(obj interface{}) error { return f.change(Added, obj) }

// Update queues the update of an object.
func (f *RealFIFO) Update(obj interface{}) error { return f.change(Updated, obj) }

// Delete queues the deletion of an object.
func (f *RealFIFO) Delete(obj interface{}) error { return f.change(Deleted, obj) }

func (f *RealFIFO) change(kind DeltaType, obj any) error {
	obj, err := f.transformed(obj)
	if err != nil {
		return err
	}
	return f.queue(kind, obj)
}

// queue is change for an object that is as it is to be.
func (f *RealFIFO) queue(kind DeltaType, obj any) error {
	if _, err := f.keyOf(Delta{kind, obj}); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.initial.none()
	f.push(Delta{kind, obj})
	return nil
}

func (f *RealFIFO) transformed(obj any) (any, error) {
	// Of what is a tombstone the object has been transformed long ago.
	if _, ok := obj.(DeletedFinalStateUnknown); ok {
		return obj, nil
	}
	if f.transform != nil {
		var err error
		if obj, err = f.transform(obj); err != nil {
			return nil, err
		}
	}
	return obj, nil
}

func (f *RealFIFO) push(deltas ...Delta) {
	f.items = append(f.items, deltas...)
	f.more.Broadcast()
	f.observeLength()
}

func (f *RealFIFO) observeLength() {
	if f.queued != nil {
		f.queued.Set(float64(len(f.items)))
	}
}

// keyOf returns the key of the object in a delta that is about one.
func (f *RealFIFO) keyOf(delta Delta) (string, error) {
	if tombstone, ok := delta.Object.(DeletedFinalStateUnknown); ok {
		return tombstone.Key, nil
	}
	key, err := f.keyFunc(delta.Object)
	if err != nil {
		return "", KeyError{delta.Object, err}
	}
	return key, nil
}

// isAboutOne tells a delta for an object from those for many or none.
func isAboutOne(kind DeltaType) bool {
	return kind != ReplacedAll && kind != SyncAll && kind != Bookmark
}

// Bookmark queues a resource version, if they are to come out.
func (f *RealFIFO) Bookmark(resourceVersion string) error {
	if !f.emitBookmarks {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	bookmark := Delta{Bookmark, BookmarkInfo{resourceVersion}}
	if n := len(f.items); n > 0 && f.items[n-1].Type == Bookmark {
		f.items[n-1] = bookmark // only the latest is of use
		return nil
	}
	f.push(bookmark)
	return nil
}

// unchanged returns what is in the store in place of an object that equals it. So a
// list that is mostly as the one before takes no memory.
func (f *RealFIFO) unchanged(obj any) any {
	if f.sharer == nil || f.transform != nil {
		return obj // whoever transforms may change it once more
	}
	key, err := f.keyFunc(obj)
	if err != nil {
		return obj
	}
	stored, exists, err := f.stored.GetByKey(key)
	if err == nil && exists && versionOf(stored) == versionOf(obj) && reflect.DeepEqual(stored, obj) {
		return stored
	}
	return obj
}

// Replace queues a list, and the deletion of what is known and not in it. Those
// who list are the only ones to find out about deletions that no watch told of.
func (f *RealFIFO) Replace(newItems []interface{}, resourceVersion string) error {
	objects := make([]any, len(newItems))
	for i, item := range newItems {
		obj, err := f.transformed(item)
		if err != nil {
			return err
		}
		objects[i] = f.unchanged(obj)
	}
	return f.replace(objects, resourceVersion)
}

// replace is Replace for objects that are as they are to be.
func (f *RealFIFO) replace(objects []any, resourceVersion string) error {
	keys := make(map[string]bool, len(objects))
	for _, obj := range objects {
		key, err := f.keyOf(Delta{Replaced, obj})
		if err != nil {
			return err
		}
		keys[key] = true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var deltas []Delta
	if f.atomic {
		deltas = []Delta{{ReplacedAll, ReplacedAllInfo{ResourceVersion: resourceVersion, Objects: objects}}}
	} else {
		var err error
		if deltas, err = f.missing(keys); err != nil {
			return err
		}
		for _, obj := range objects {
			deltas = append(deltas, Delta{Replaced, obj})
		}
	}
	f.initial.some(len(f.items) + len(deltas))
	f.push(deltas...)
	return nil
}

// missing returns the deletions of what is queued or known and is not among keys.
func (f *RealFIFO) missing(keys map[string]bool) ([]Delta, error) {
	last := map[string]Delta{} // of what is queued
	var order []string
	for _, delta := range f.items {
		key, err := f.keyOf(delta)
		if err != nil {
			return nil, err
		}
		if _, seen := last[key]; !seen {
			order = append(order, key)
		}
		last[key] = delta
	}
	var deltas []Delta
	for _, key := range order {
		if delta := last[key]; !keys[key] && delta.Type != Deleted {
			deltas = append(deltas, Delta{Deleted, DeletedFinalStateUnknown{key, delta.Object}})
		}
	}
	for _, key := range f.known.ListKeys() {
		if _, isQueued := last[key]; keys[key] || isQueued {
			continue
		}
		obj, exists, err := f.known.GetByKey(key)
		if err != nil {
			return nil, fmt.Errorf("object %q, which is gone from the list: %w", key, err)
		}
		if exists {
			deltas = append(deltas, Delta{Deleted, DeletedFinalStateUnknown{key, obj}})
		}
	}
	return deltas, nil
}

// Resync has all known objects come out once more, less those that are queued.
func (f *RealFIFO) Resync() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.atomic {
		f.push(Delta{SyncAll, SyncAllInfo{}})
		return nil
	}
	isQueued := map[string]bool{}
	for _, delta := range f.items {
		key, err := f.keyOf(delta)
		if err != nil {
			return err
		}
		isQueued[key] = true
	}
	for _, key := range f.known.ListKeys() {
		if isQueued[key] {
			continue
		}
		obj, exists, err := f.known.GetByKey(key)
		if err != nil {
			return fmt.Errorf("object %q, which is to be synced: %w", key, err)
		}
		if exists {
			f.push(Delta{Sync, obj})
		}
	}
	return nil
}

// Pop waits until there is a change, and has it processed as [Deltas] of one. The
// queue is locked meanwhile, unless UnlockWhileProcessing was set.
func (f *RealFIFO) Pop(process PopProcessFunc) (interface{}, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.wait(); err != nil {
		return nil, err
	}
	delta := Deltas(f.take(1))
	return delta, f.process(1, func(inInitialList bool) error {
		return process(delta, inInitialList)
	})
}

// PopBatch waits until there is a change. It has changes processed at once as
// long as they are about different objects. The queue is locked meanwhile, unless
// UnlockWhileProcessing was set.
func (f *RealFIFO) PopBatch(processBatch ProcessBatchFunc, processSingle PopProcessFunc) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.wait(); err != nil {
		return err
	}
	deltas := f.take(f.batch())
	return f.process(len(deltas), func(inInitialList bool) error {
		if len(deltas) == 1 {
			return processSingle(Deltas(deltas), inInitialList)
		}
		return processBatch(deltas, inInitialList)
	})
}

// batch returns how many of the first items can be processed at once.
func (f *RealFIFO) batch() int {
	limit := min(len(f.items), maxBatch)
	if f.initial.left > 0 {
		limit = min(limit, f.initial.left)
	}
	seen := make(map[string]bool, limit)
	for n, delta := range f.items[:limit] {
		if !isAboutOne(delta.Type) {
			return max(n, 1)
		}
		key, err := f.keyOf(delta)
		if err != nil || seen[key] {
			return max(n, 1)
		}
		seen[key] = true
	}
	return limit
}

func (f *RealFIFO) wait() error {
	for len(f.items) == 0 {
		if f.closed {
			return ErrFIFOClosed
		}
		f.more.Wait()
	}
	return nil
}

// take removes the first n items. It leaves no reference to them behind.
func (f *RealFIFO) take(n int) []Delta {
	taken := append(make([]Delta, 0, n), f.items[:n]...)
	clear(f.items[:n])
	switch {
	case n < len(f.items):
		f.items = f.items[n:]
	case cap(f.items) > maxBatch:
		f.items = nil // after a burst
	default:
		f.items = f.items[:0]
	}
	f.observeLength()
	return taken
}

// process calls a function for n items, and then counts them as processed.
func (f *RealFIFO) process(n int, call func(inInitialList bool) error) error {
	inInitialList := !f.initial.over()
	defer f.initial.processed(n)
	if f.unlocked {
		f.mu.Unlock()
		defer f.mu.Lock()
	}
	if f.latency != nil {
		start := time.Now()
		defer func() { f.latency.Observe(time.Since(start).Seconds()) }()
	}
	return call(inInitialList)
}
