package informer

import "k8s.io/client-go/tools/cache"

// A change is what a handler is to be told.
type change[T Object] struct {
	kind    changeKind
	initial bool // of an addition: part of the first list
	old     T    // of an update or a deletion: what the handler was told before
	obj     T
}

type changeKind uint8

const (
	nothing changeKind = iota
	addition
	update
	deletion
	synced // all of the first list is before it
)

func (c change[T]) tell(handler Handler[T]) {
	switch c.kind {
	case addition:
		handler.OnAdd(c.obj, c.initial)
	case update:
		handler.OnUpdate(c.old, c.obj)
	case deletion:
		handler.OnDelete(c.obj)
	}
}

// then returns one change that says as much as c and, after it, the next one of the
// same object.
func (c change[T]) then(next change[T]) change[T] {
	switch {
	case c.kind == addition && next.kind == deletion:
		return change[T]{}
	case c.kind == update && next.kind == deletion:
		next.old = c.old
		return next
	case c.kind == deletion && next.kind == addition:
		return change[T]{kind: update, old: c.old, obj: next.obj}
	case c.kind != deletion && next.kind == update:
		c.obj = next.obj
		return c
	}
	return next
}

// combine makes one of the changes of each object, at the place of the first. It
// reuses the slice.
func combine[T Object](changes []change[T]) []change[T] {
	at := make(map[cache.ObjectName]int, len(changes))
	kept := changes[:0]
	for _, c := range changes {
		if c.kind == synced {
			kept = append(kept, c)
			continue
		}
		name := cache.MetaObjectToName(c.obj)
		i, found := at[name]
		if !found {
			at[name] = len(kept)
			kept = append(kept, c)
			continue
		}
		kept[i] = kept[i].then(c)
		if kept[i].kind == nothing {
			delete(at, name)
		}
	}
	clear(changes[len(kept):]) // what they hold can be collected
	full := kept[:0]
	for _, c := range kept {
		if c.kind != nothing {
			full = append(full, c)
		}
	}
	clear(kept[len(full):])
	return full
}
