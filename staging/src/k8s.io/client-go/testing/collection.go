package testing

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// A collection holds the objects of one resource, and tells watchers of
// changes. The tracker's lock guards it. A nil collection is an empty one to
// read.
type collection struct {
	// version counts the changes, from 1.
	version  uint64
	objects  map[types.NamespacedName]entry
	deleted  map[types.NamespacedName]entry // the last state of those that are gone
	watchers []*watcher
}

// An entry is an object and the version at which it got so.
type entry struct {
	object  runtime.Object
	created uint64
	changed uint64
}

func newCollection() *collection {
	return &collection{
		version: 1,
		objects: map[types.NamespacedName]entry{},
		deleted: map[types.NamespacedName]entry{},
	}
}

func (c *collection) now() uint64 {
	if c == nil {
		return 1
	}
	return c.version
}

func (c *collection) get(key types.NamespacedName) (entry, bool) {
	if c == nil {
		return entry{}, false
	}
	e, ok := c.objects[key]
	return e, ok
}

func (c *collection) put(key types.NamespacedName, object runtime.Object) {
	c.version++
	e, known := c.objects[key]
	kind := watch.Modified
	if !known {
		kind = watch.Added
		e.created = c.version
		delete(c.deleted, key)
	}
	e.object, e.changed = object, c.version
	c.objects[key] = e
	c.tell(kind, key.Namespace, object)
}

func (c *collection) delete(key types.NamespacedName) bool {
	e, ok := c.get(key)
	if !ok {
		return false
	}
	c.version++
	e.changed = c.version
	delete(c.objects, key)
	c.deleted[key] = e
	c.tell(watch.Deleted, key.Namespace, e.object)
	return true
}

func (c *collection) list(namespace string) []runtime.Object {
	keys := slices.SortedFunc(maps.Keys(c.objects), compareKeys)
	list := make([]runtime.Object, 0, len(keys))
	for _, key := range keys {
		if namespace == "" || namespace == key.Namespace {
			list = append(list, c.objects[key].object.DeepCopyObject())
		}
	}
	return list
}

func compareKeys(a, b types.NamespacedName) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

func (c *collection) tell(kind watch.EventType, namespace string, object runtime.Object) {
	c.watchers = slices.DeleteFunc(c.watchers, func(w *watcher) bool { return w.IsStopped() })
	for _, w := range c.watchers {
		if w.namespace == "" || w.namespace == namespace {
			w.send(watch.Event{Type: kind, Object: object.DeepCopyObject()})
		}
	}
}

// watch starts a watch that first tells what became of objects since a version.
// What is there is told of by one event per object, an addition, which is also
// what a watcher without a cache wants to see. What is gone is told of if it was
// there at the time.
func (c *collection) watch(namespace string, since uint64) watch.Interface {
	w := &watcher{RaceFreeFakeWatcher: watch.NewRaceFreeFake(), namespace: namespace}
	concerns := func(key types.NamespacedName) bool { return namespace == "" || namespace == key.Namespace }
	if since > 0 {
		for _, key := range slices.SortedFunc(maps.Keys(c.deleted), compareKeys) {
			if e := c.deleted[key]; concerns(key) && e.changed > since && e.created <= since {
				w.send(watch.Event{Type: watch.Deleted, Object: e.object.DeepCopyObject()})
			}
		}
	}
	for _, key := range slices.SortedFunc(maps.Keys(c.objects), compareKeys) {
		if e := c.objects[key]; concerns(key) && e.changed > since {
			w.send(watch.Event{Type: watch.Added, Object: e.object.DeepCopyObject()})
		}
	}
	c.watchers = append(c.watchers, w)
	return w.RaceFreeFakeWatcher
}

// A watcher does not panic when its channel is full, as the one that it embeds
// does, but keeps events until there is room.
type watcher struct {
	*watch.RaceFreeFakeWatcher
	namespace string

	mu      sync.Mutex
	backlog []watch.Event // if it is not empty, drain is running
}

// roomPollPeriod is how often a watcher with a backlog looks for room. The
// receiving end of the channel is all there is, so that it can but look.
const roomPollPeriod = time.Millisecond

func (w *watcher) send(event watch.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.backlog) == 0 && w.hasRoom() {
		w.Action(event.Type, event.Object)
		return
	}
	w.backlog = append(w.backlog, event)
	if len(w.backlog) == 1 {
		go w.drain()
	}
}

func (w *watcher) hasRoom() bool {
	events := w.ResultChan()
	return w.IsStopped() || len(events) < cap(events)
}

// drain returns when there is no more backlog, or nobody to send it to.
func (w *watcher) drain() {
	for !w.sendBacklog() {
		time.Sleep(roomPollPeriod)
	}
}

func (w *watcher) sendBacklog() (done bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.backlog) > 0 && w.hasRoom() {
		w.Action(w.backlog[0].Type, w.backlog[0].Object)
		w.backlog[0] = watch.Event{}
		w.backlog = w.backlog[1:]
	}
	return len(w.backlog) == 0
}
