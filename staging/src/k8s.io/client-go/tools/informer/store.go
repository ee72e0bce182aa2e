package informer

import (
	"maps"
	"slices"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/cache"
)

// An Object has a name and can be sent to a server: it is a pointer to a type of the
// API.
type Object interface {
	runtime.Object
	metav1.Object
}

// An IndexFunc returns the values by which an object can be found in an index. It is
// called for each change, and must return the same for the same object.
type IndexFunc[T Object] func(obj T) []string

// ByNamespace is an IndexFunc. An index of the name [cache.NamespaceIndex] that has it
// makes it fast to list one namespace of many.
func ByNamespace[T Object](obj T) []string { return []string{obj.GetNamespace()} }

// A Store has the objects that an informer knows. It is for reading; all methods can be
// called at the same time.
type Store[T Object] struct {
	mu      sync.RWMutex
	objects map[cache.ObjectName]T
	indexes map[string]*index[T]
}

type index[T Object] struct {
	of      IndexFunc[T]
	byValue map[string]map[cache.ObjectName]T
}

func newStore[T Object](indexes map[string]IndexFunc[T]) *Store[T] {
	s := &Store[T]{objects: map[cache.ObjectName]T{}, indexes: map[string]*index[T]{}}
	for name, of := range indexes {
		s.indexes[name] = &index[T]{of, map[string]map[cache.ObjectName]T{}}
	}
	return s
}

// NewStore returns a store of these objects that does not change any more, for tests of
// what reads stores.
func NewStore[T Object](indexes map[string]IndexFunc[T], objects ...T) *Store[T] {
	s := newStore(indexes)
	for _, obj := range objects {
		s.put(cache.MetaObjectToName(obj), obj)
	}
	return s
}

// Get returns the object of this name, and whether there is one.
func (s *Store[T]) Get(name cache.ObjectName) (obj T, found bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	obj, found = s.objects[name]
	return obj, found
}

// Len returns how many objects there are.
func (s *Store[T]) Len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.objects)
}

// List returns all objects, in no order.
func (s *Store[T]) List() []T {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.AppendSeq(make([]T, 0, len(s.objects)), maps.Values(s.objects))
}

// ByIndex returns the objects that have a value in an index, in no order. It panics if
// there is no index of this name.
func (s *Store[T]) ByIndex(name, value string) []T {
	s.mu.RLock()
	defer s.mu.RUnlock()
	index, found := s.indexes[name]
	if !found {
		panic("informer: there is no index " + name)
	}
	return slices.Collect(maps.Values(index.byValue[value]))
}

// hasIndex reports whether ByIndex can be asked.
func (s *Store[T]) hasIndex(name string) bool { return s.indexes[name] != nil }

// put stores an object in place of the one that was there, which it returns.
func (s *Store[T]) put(name cache.ObjectName, obj T) (old T, existed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, existed = s.objects[name]
	s.objects[name] = obj
	for _, index := range s.indexes {
		if existed {
			index.remove(name, old)
		}
		for _, value := range index.of(obj) {
			if index.byValue[value] == nil {
				index.byValue[value] = map[cache.ObjectName]T{}
			}
			index.byValue[value][name] = obj
		}
	}
	return old, existed
}

// remove forgets an object, and returns it.
func (s *Store[T]) remove(name cache.ObjectName) (old T, existed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, existed = s.objects[name]
	if !existed {
		return old, false
	}
	delete(s.objects, name)
	for _, index := range s.indexes {
		index.remove(name, old)
	}
	return old, true
}

// remove forgets values that no object has any more, so that an index does not grow
// with all that there ever were.
func (x *index[T]) remove(name cache.ObjectName, obj T) {
	for _, value := range x.of(obj) {
		delete(x.byValue[value], name)
		if len(x.byValue[value]) == 0 {
			delete(x.byValue, value)
		}
	}
}

// names returns the names of all objects.
func (s *Store[T]) names() []cache.ObjectName {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.AppendSeq(make([]cache.ObjectName, 0, len(s.objects)), maps.Keys(s.objects))
}
