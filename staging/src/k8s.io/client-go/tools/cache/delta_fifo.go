package cache

import (
	"fmt"

	"k8s.io/klog/v2"
)

// A DeltaFIFO is a queue of objects that comes with what has happened to each since
// it came out last: [Deltas]. Informers use a [RealFIFO], which keeps the order
// between objects, too.
type DeltaFIFO struct {
	keyQueue[Deltas]
	name         string
	keyFunc      KeyFunc
	known        KeyListerGetter // may be nil
	replacedType DeltaType       // of what Replace puts
	transform    TransformFunc
}

var (
	_ Queue             = &DeltaFIFO{}
	_ TransformingStore = &DeltaFIFO{}
	_ DoneChecker       = &DeltaFIFO{}
)

// DeltaFIFOOptions say how a DeltaFIFO works.
type DeltaFIFOOptions struct {
	// Logger is for logs. So far there is nothing that the queue logs.
	Logger *klog.Logger

	// Name is for logs. The default is DeltaFIFO.
	Name string

	// KeyFunction returns the keys of objects. The default is
	// MetaNamespaceKeyFunc.
	KeyFunction KeyFunc

	// KnownObjects is the store that is kept by what comes out of the queue.
	// Without it, Replace and Delete know only of objects that are in the
	// queue, and Resync does nothing.
	KnownObjects KeyListerGetter

	// EmitDeltaTypeReplaced has Replace put deltas of type Replaced, which can
	// be told from those of Resync; or else they are of type Sync, too.
	EmitDeltaTypeReplaced bool

	// Transformer, if there is one, changes objects before they are queued.
	Transformer TransformFunc
}

// NewDeltaFIFO returns an empty queue whose Replace puts deltas of type Sync.
//
// Deprecated: use NewDeltaFIFOWithOptions.
func NewDeltaFIFO(keyFunc KeyFunc, knownObjects KeyListerGetter) *DeltaFIFO {
	return NewDeltaFIFOWithOptions(DeltaFIFOOptions{KeyFunction: keyFunc, KnownObjects: knownObjects})
}

// NewDeltaFIFOWithOptions returns an empty queue.
func NewDeltaFIFOWithOptions(opts DeltaFIFOOptions) *DeltaFIFO {
	f := &DeltaFIFO{
		name:         opts.Name,
		keyFunc:      opts.KeyFunction,
		known:        opts.KnownObjects,
		replacedType: Sync,
		transform:    opts.Transformer,
	}
	f.setUp()
	if f.name == "" {
		f.name = "DeltaFIFO"
	}
	if f.keyFunc == nil {
		f.keyFunc = MetaNamespaceKeyFunc
	}
	if opts.EmitDeltaTypeReplaced {
		f.replacedType = Replaced
	}
	return f
}

// Name returns the name that goes with HasSyncedChecker.
func (f *DeltaFIFO) Name() string { return f.name }

// Done is closed when all of the first list has come out.
func (f *DeltaFIFO) Done() <-chan struct{} { return f.initial.done }

// HasSyncedChecker returns the queue itself.
func (f *DeltaFIFO) HasSyncedChecker() DoneChecker { return f }

// HasSynced tells whether all of the first list has come out, or whether there was
// a change before any list.
func (f *DeltaFIFO) HasSynced() bool { return IsDone(f) }

// Transformer returns the function that changes objects before they are queued,
// or nil.
func (f *DeltaFIFO) Transformer() TransformFunc { return f.transform }

// Close has Pop return when nothing is left.
func (f *DeltaFIFO) Close() { f.close() }

// IsClosed tells whether Close was called.
func (f *DeltaFIFO) IsClosed() bool { return f.isClosed() }

// KeyOf returns the key of an object, of one that is gone, or of Deltas. The error
// is a [KeyError].
func (f *DeltaFIFO) KeyOf(obj interface{}) (string, error) {
	if deltas, ok := obj.(Deltas); ok {
		if len(deltas) == 0 {
			return "", KeyError{obj, ErrZeroLengthDeltasObject}
		}
		obj = deltas.Newest().Object
	}
	if tombstone, ok := obj.(DeletedFinalStateUnknown); ok {
		return tombstone.Key, nil
	}
	key, err := f.keyFunc(obj)
	if err != nil {
		return "", KeyError{obj, err}
	}
	return key, nil
}

// Add queues the addition of an object.
func (f *DeltaFIFO) Add(obj interface{}) error { return f.change(Added, obj) }

// Update queues the update of an object.
func (f *DeltaFIFO) Update(obj interface{}) error { return f.change(Updated, obj) }

func (f *DeltaFIFO) change(kind DeltaType, obj any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.initial.none()
	return f.happened(kind, obj)
}

// Delete queues the deletion of an object. It does nothing for one that is neither
// in the queue nor known.
func (f *DeltaFIFO) Delete(obj interface{}) error {
	key, err := f.KeyOf(obj)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.initial.none()
	if _, isQueued := f.items[key]; !isQueued {
		if f.known == nil {
			return nil
		}
		if _, exists, err := f.known.GetByKey(key); err == nil && !exists {
			return nil
		}
	}
	return f.happened(Deleted, obj)
}

// happened queues a delta.
func (f *DeltaFIFO) happened(kind DeltaType, obj any) error {
	key, err := f.KeyOf(obj)
	if err != nil {
		return err
	}
	// A tombstone's object, and one from the store, have been transformed.
	if _, isGone := obj.(DeletedFinalStateUnknown); !isGone && f.transform != nil && kind != resynced {
		if obj, err = f.transform(obj); err != nil {
			return err
		}
	}
	if kind == resynced {
		kind = Sync
	}
	deltas := f.items[key]
	if last := deltas.Newest(); kind == Deleted && last != nil && last.Type == Deleted {
		// Twice is once, with the object whose end was seen.
		if _, isGone := last.Object.(DeletedFinalStateUnknown); isGone {
			last.Object = obj
		}
		return nil
	}
	f.put(key, append(deltas, Delta{kind, obj}))
	return nil
}

// resynced is what Resync queues, which ends up as Sync.
const resynced DeltaType = "resynced"

// Replace queues the objects of a list, and the deletion of those that are queued
// or known and not in it.
func (f *DeltaFIFO) Replace(list []interface{}, _ string) error {
	listed := make(map[string]bool, len(list))
	for _, obj := range list {
		key, err := f.KeyOf(obj)
		if err != nil {
			return err
		}
		listed[key] = true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, obj := range list {
		if err := f.happened(f.replacedType, obj); err != nil {
			return fmt.Errorf("couldn't enqueue object: %w", err)
		}
	}
	gone := f.missing(listed)
	for _, tombstone := range gone {
		if err := f.happened(Deleted, tombstone); err != nil {
			return err
		}
	}
	f.initial.some(len(listed) + len(gone))
	return nil
}

// missing returns what is queued, or else known, and is not in a list.
func (f *DeltaFIFO) missing(listed map[string]bool) []DeletedFinalStateUnknown {
	var gone []DeletedFinalStateUnknown
	for key, deltas := range f.items {
		if listed[key] {
			continue
		}
		last := deltas.Newest().Object
		if tombstone, ok := last.(DeletedFinalStateUnknown); ok {
			last = tombstone.Obj
		}
		gone = append(gone, DeletedFinalStateUnknown{key, last})
	}
	if f.known == nil {
		return gone
	}
	for _, key := range f.known.ListKeys() {
		if _, isQueued := f.items[key]; isQueued || listed[key] {
			continue
		}
		// What the store fails to return is gone all the same.
		obj, exists, err := f.known.GetByKey(key)
		if err != nil || !exists {
			obj = nil
		}
		gone = append(gone, DeletedFinalStateUnknown{key, obj})
	}
	return gone
}

// Resync queues all known objects that are not in the queue.
func (f *DeltaFIFO) Resync() error {
	if f.known == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, key := range f.known.ListKeys() {
		if len(f.items[key]) > 0 {
			continue
		}
		obj, exists, err := f.known.GetByKey(key)
		if err != nil || !exists {
			continue // until the next time
		}
		if err := f.happened(resynced, obj); err != nil {
			return fmt.Errorf("couldn't queue object: %w", err)
		}
	}
	return nil
}

// Pop waits until there is something, and has it processed as Deltas, with the
// queue locked.
func (f *DeltaFIFO) Pop(process PopProcessFunc) (interface{}, error) {
	deltas, err := f.pop(func(deltas Deltas, isInInitialList bool) error { return process(deltas, isInInitialList) })
	if deltas == nil {
		return nil, err
	}
	return deltas, err
}
