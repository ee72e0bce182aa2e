package cache

import (
	"container/heap"
	"errors"
	"fmt"
	"sync"
)

// A LessFunc tells whether the first object comes before the second.
type LessFunc func(interface{}, interface{}) bool

// A Heap is a queue out of which the least object comes first. Each object is in it
// once.
type Heap struct {
	mu     sync.RWMutex
	more   sync.Cond // there is something, or the heap is closed
	data   *heapData
	closed bool
}

var errHeapClosed = errors.New("heap is closed")

// NewHeap returns an empty heap.
func NewHeap(keyFn KeyFunc, lessFn LessFunc) *Heap {
	h := &Heap{data: &heapData{keyFunc: keyFn, less: lessFn, at: map[string]*heapItem{}}}
	h.more.L = &h.mu
	return h
}

// Close has Pop return an error, and nothing be added any more.
func (h *Heap) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	h.more.Broadcast()
}

// IsClosed tells whether Close was called.
func (h *Heap) IsClosed() bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.closed
}

// Add puts an object, in place of the one with the same key.
func (h *Heap) Add(obj interface{}) error { return h.BulkAdd([]any{obj}) }

// BulkAdd puts objects, and only then lets them come out.
func (h *Heap) BulkAdd(list []interface{}) error { return h.put(list, true) }

// AddIfNotPresent puts an object, unless there is one with the same key.
func (h *Heap) AddIfNotPresent(obj interface{}) error { return h.put([]any{obj}, false) }

// Update puts an object, in place of the one with the same key.
func (h *Heap) Update(obj interface{}) error { return h.Add(obj) }

func (h *Heap) put(list []any, replace bool) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return errHeapClosed
	}
	defer h.more.Broadcast()
	for _, obj := range list {
		key, err := h.data.key(obj)
		if err != nil {
			return err
		}
		item, exists := h.data.at[key]
		switch {
		case !exists:
			heap.Push(h.data, &heapItem{key: key, obj: obj})
		case replace:
			item.obj = obj
			heap.Fix(h.data, item.index)
		}
	}
	return nil
}

// Delete removes the object with the same key as obj. It is an error if there is
// none.
func (h *Heap) Delete(obj interface{}) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	key, err := h.data.key(obj)
	if err != nil {
		return err
	}
	item, exists := h.data.at[key]
	if !exists {
		return fmt.Errorf("object not found: %q", key)
	}
	heap.Remove(h.data, item.index)
	return nil
}

// Pop waits until there is an object, and takes the least. It is an error if the
// heap is closed.
func (h *Heap) Pop() (interface{}, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(h.data.items) == 0 && !h.closed {
		h.more.Wait()
	}
	if h.closed {
		return nil, errHeapClosed
	}
	return heap.Pop(h.data).(*heapItem).obj, nil
}

// List returns all objects, in no order.
func (h *Heap) List() []interface{} {
	h.mu.RLock()
	defer h.mu.RUnlock()
	list := make([]any, 0, len(h.data.items))
	for _, item := range h.data.items {
		list = append(list, item.obj)
	}
	return list
}

// ListKeys returns all keys, in no order.
func (h *Heap) ListKeys() []string {
	h.mu.RLock()
	defer h.mu.RUnlock()
	keys := make([]string, 0, len(h.data.items))
	for _, item := range h.data.items {
		keys = append(keys, item.key)
	}
	return keys
}

// Get returns the object with the same key as obj, and whether there is one.
func (h *Heap) Get(obj interface{}) (interface{}, bool, error) {
	key, err := h.data.key(obj)
	if err != nil {
		return nil, false, err
	}
	return h.GetByKey(key)
}

// GetByKey returns the object with a key, and whether there is one.
func (h *Heap) GetByKey(key string) (interface{}, bool, error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	item, exists := h.data.at[key]
	if !exists {
		return nil, false, nil
	}
	return item.obj, true, nil
}

type heapItem struct {
	key   string
	obj   any
	index int // in items
}

// heapData is what container/heap works on.
type heapData struct {
	keyFunc KeyFunc
	less    LessFunc
	items   []*heapItem
	at      map[string]*heapItem
}

func (d *heapData) key(obj any) (string, error) {
	key, err := d.keyFunc(obj)
	if err != nil {
		return "", KeyError{obj, err}
	}
	return key, nil
}

func (d *heapData) Len() int           { return len(d.items) }
func (d *heapData) Less(i, j int) bool { return d.less(d.items[i].obj, d.items[j].obj) }

func (d *heapData) Swap(i, j int) {
	d.items[i], d.items[j] = d.items[j], d.items[i]
	d.items[i].index, d.items[j].index = i, j
}

func (d *heapData) Push(x any) {
	item := x.(*heapItem)
	item.index = len(d.items)
	d.items = append(d.items, item)
	d.at[item.key] = item
}

func (d *heapData) Pop() any {
	last := len(d.items) - 1
	item := d.items[last]
	d.items[last] = nil
	d.items = d.items[:last]
	delete(d.at, item.key)
	return item
}
