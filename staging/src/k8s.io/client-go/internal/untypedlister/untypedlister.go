// Package untypedlister makes a lister of objects of no type in particular out of one
// whose objects have a type.
package untypedlister

import (
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/cache"
)

// A Typed lister finds objects of one type.
type Typed[T runtime.Object] interface {
	List(selector labels.Selector) ([]T, error)
	Get(name string) (T, error)
}

// New returns the lister for all, given also how to get one for a namespace.
func New[T runtime.Object](all Typed[T], namespaced func(namespace string) Typed[T]) cache.GenericLister {
	return lister[T]{all, namespaced}
}

type lister[T runtime.Object] struct {
	typed      Typed[T]
	namespaced func(string) Typed[T]
}

func (l lister[T]) List(selector labels.Selector) ([]runtime.Object, error) {
	found, err := l.typed.List(selector)
	if err != nil {
		return nil, err
	}
	objects := make([]runtime.Object, len(found))
	for i, object := range found {
		objects[i] = object
	}
	return objects, nil
}

func (l lister[T]) Get(name string) (runtime.Object, error) {
	object, err := l.typed.Get(name)
	if err != nil {
		return nil, err // and not a nil pointer in an interface
	}
	return object, nil
}

func (l lister[T]) ByNamespace(namespace string) cache.GenericNamespaceLister {
	return lister[T]{l.namespaced(namespace), l.namespaced}
}
