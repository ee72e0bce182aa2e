package cache

import "sync"

// A FIFO is a queue of objects, each of which is in it once: what is put in again
// before it has come out takes the place of what is there. Objects that are deleted
// do not come out.
type FIFO struct {
	keyQueue[any]
	keyFunc KeyFunc
}

var (
	_ Queue       = &FIFO{}
	_ DoneChecker = &FIFO{}
)

// NewFIFO returns an empty queue.
func NewFIFO(keyFunc KeyFunc) *FIFO {
	f := &FIFO{keyFunc: keyFunc}
	f.setUp()
	return f
}

// Name returns the name that goes with HasSyncedChecker.
func (f *FIFO) Name() string { return "FIFO" }

// Done is closed when all of the first list has come out.
func (f *FIFO) Done() <-chan struct{} { return f.initial.done }

// HasSyncedChecker returns the queue itself.
func (f *FIFO) HasSyncedChecker() DoneChecker { return f }

// HasSynced tells whether all of the first list has come out, or whether there was
// a change before any list.
func (f *FIFO) HasSynced() bool { return IsDone(f) }

// Close has Pop return when nothing is left.
func (f *FIFO) Close() { f.close() }

// IsClosed tells whether Close was called.
func (f *FIFO) IsClosed() bool { return f.isClosed() }

// Add puts an object.
func (f *FIFO) Add(obj interface{}) error {
	key, err := f.keyFunc(obj)
	if err != nil {
		return KeyError{obj, err}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.initial.none()
	f.put(key, obj)
	return nil
}

// Update puts an object.
func (f *FIFO) Update(obj interface{}) error { return f.Add(obj) }

// Delete has the object with the same key as obj not come out.
func (f *FIFO) Delete(obj interface{}) error {
	key, err := f.keyFunc(obj)
	if err != nil {
		return KeyError{obj, err}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.initial.none()
	delete(f.items, key)
	return nil
}

// Replace puts the objects of a list in place of what is there.
func (f *FIFO) Replace(list []interface{}, resourceVersion string) error {
	keys := make([]string, len(list))
	for i, obj := range list {
		key, err := f.keyFunc(obj)
		if err != nil {
			return KeyError{obj, err}
		}
		keys[i] = key
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.items)
	f.order = nil
	for i, obj := range list {
		f.put(keys[i], obj)
	}
	f.initial.some(len(f.items))
	return nil
}

// Resync does nothing: whatever is there comes out.
func (f *FIFO) Resync() error { return nil }

// Pop waits until there is an object, and has it processed. The queue is locked
// meanwhile.
func (f *FIFO) Pop(process PopProcessFunc) (interface{}, error) {
	return f.pop(func(obj any, isInInitialList bool) error { return process(obj, isInInitialList) })
}

// A keyQueue is a map whose entries come out in the order in which their keys went
// in.
type keyQueue[T any] struct {
	mu      sync.Mutex
	more    sync.Cond // there is something, or the queue is closed
	items   map[string]T
	order   []string // keys, which may no longer be in items
	closed  bool
	initial initialList
}

func (q *keyQueue[T]) setUp() {
	q.more.L = &q.mu
	q.items = map[string]T{}
	q.initial = newInitialList()
}

func (q *keyQueue[T]) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.more.Broadcast()
}

func (q *keyQueue[T]) isClosed() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed
}

func (q *keyQueue[T]) put(key string, item T) {
	if _, isThere := q.items[key]; !isThere {
		q.order = append(q.order, key)
	}
	q.items[key] = item
	q.more.Broadcast()
}

func (q *keyQueue[T]) pop(process func(item T, isInInitialList bool) error) (T, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		for len(q.order) == 0 {
			if q.closed {
				var none T
				return none, ErrFIFOClosed
			}
			q.more.Wait()
		}
		key := q.order[0]
		q.order = q.order[1:]
		isInInitialList := !q.initial.over()
		q.initial.processed(1)
		item, isThere := q.items[key]
		if !isThere {
			continue // it was deleted
		}
		delete(q.items, key)
		return item, process(item, isInInitialList)
	}
}
