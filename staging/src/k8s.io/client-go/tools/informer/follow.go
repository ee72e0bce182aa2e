package informer

import "k8s.io/client-go/tools/cache"

// set has an object be known.
func (i *Informer[T]) set(obj T) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.tell(i.put(obj))
}

// delete has an object be gone, given its last state. It may not have been known, as one
// that was passed over.
func (i *Informer[T]) delete(last T) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if old, existed := i.store.remove(cache.MetaObjectToName(last)); existed {
		i.tell(change[T]{kind: deletion, old: old, obj: last})
	}
}

// replace has these objects be all there are.
func (i *Informer[T]) replace(objects []T) {
	i.mu.Lock()
	defer i.mu.Unlock()
	listed := make(map[cache.ObjectName]bool, len(objects))
	for _, obj := range objects {
		listed[cache.MetaObjectToName(obj)] = true
		i.tell(i.put(obj))
	}
	for _, name := range i.store.names() {
		if !listed[name] {
			last, _ := i.store.remove(name)
			i.tell(change[T]{kind: deletion, old: last, obj: last})
		}
	}
	if !i.HasSynced() {
		close(i.synced)
		i.tell(change[T]{kind: synced})
	}
}

// put stores an object, and returns what changed. What is in the store stays there if
// nothing did: the new copy of it can be collected.
func (i *Informer[T]) put(obj T) change[T] {
	name := cache.MetaObjectToName(obj)
	if known, found := i.store.Get(name); found && same(known, obj) {
		return change[T]{}
	}
	old, existed := i.store.put(name, obj)
	if existed {
		return change[T]{kind: update, old: old, obj: obj}
	}
	return change[T]{kind: addition, obj: obj, initial: !i.HasSynced()}
}

// same tells whether two are the same state of the same object. Clients for tests may
// not count resource versions.
func same[T Object](a, b T) bool {
	version := a.GetResourceVersion()
	return version != "" && version == b.GetResourceVersion() && a.GetUID() == b.GetUID()
}

func (i *Informer[T]) tell(c change[T]) {
	if c.kind == nothing {
		return
	}
	for r := range i.handlers {
		r.add(c)
	}
}
