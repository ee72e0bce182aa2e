package informer

import "k8s.io/client-go/tools/cache"

// A Handler is told of changes. It must not change the objects.
type Handler[T Object] interface {
	// OnAdd is told of an object that was not known, and whether it was there before
	// the informer began to watch.
	OnAdd(obj T, initial bool)
	// OnUpdate is told of an object as it was and as it is.
	OnUpdate(old, obj T)
	// OnDelete is told of an object that is gone, as it was when last seen.
	OnDelete(obj T)
}

// HandlerFuncs make a handler out of functions. Those that are nil do nothing.
type HandlerFuncs[T Object] struct {
	Add    func(obj T, initial bool)
	Update func(old, obj T)
	Delete func(obj T)
}

// OnAdd calls Add.
func (f HandlerFuncs[T]) OnAdd(obj T, initial bool) {
	if f.Add != nil {
		f.Add(obj, initial)
	}
}

// OnUpdate calls Update.
func (f HandlerFuncs[T]) OnUpdate(old, obj T) {
	if f.Update != nil {
		f.Update(old, obj)
	}
}

// OnDelete calls Delete.
func (f HandlerFuncs[T]) OnDelete(obj T) {
	if f.Delete != nil {
		f.Delete(obj)
	}
}

// Names returns a handler that calls a function with the name of each object that
// changes, such as the Add method of a work queue.
func Names[T Object](add func(cache.ObjectName)) Handler[T] {
	return Owners(func(obj T) []cache.ObjectName { return []cache.ObjectName{cache.MetaObjectToName(obj)} }, add)
}

// Owners returns a handler that calls a function with the names that another one
// returns for each object that changes: those of the objects that it belongs to, or
// that depend on it. Of an update these are the names for both states, once each.
func Owners[T Object](of func(T) []cache.ObjectName, add func(cache.ObjectName)) Handler[T] {
	tell := func(states ...T) {
		seen := map[cache.ObjectName]bool{}
		for _, obj := range states {
			for _, name := range of(obj) {
				if !seen[name] {
					seen[name] = true
					add(name)
				}
			}
		}
	}
	return HandlerFuncs[T]{
		Add:    func(obj T, _ bool) { tell(obj) },
		Update: func(old, obj T) { tell(old, obj) },
		Delete: func(obj T) { tell(obj) },
	}
}
