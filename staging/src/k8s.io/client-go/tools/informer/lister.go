package informer

import (
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/cache"
)

// A Lister finds objects in a store as a client does on the server. It is what generated
// listers have an interface for: a Lister[*corev1.Pod] is a PodNamespaceLister of
// package [k8s.io/client-go/listers/core/v1].
type Lister[T Object] struct {
	store     *Store[T]
	namespace string // empty: all, or none
}

// NewLister returns a lister for all objects in a store.
func NewLister[T Object](store *Store[T]) Lister[T] { return Lister[T]{store: store} }

// In returns a lister for one namespace, or for all if it is empty.
func (l Lister[T]) In(namespace string) Lister[T] {
	l.namespace = namespace
	return l
}

// List returns the objects that the selector matches, in no order. The error is nil.
func (l Lister[T]) List(selector labels.Selector) ([]T, error) {
	var objects []T
	switch {
	case l.namespace != "" && l.store.hasIndex(cache.NamespaceIndex):
		objects = l.store.ByIndex(cache.NamespaceIndex, l.namespace)
	default:
		objects = l.store.List()
	}
	found := objects[:0]
	for _, obj := range objects {
		if l.namespace != "" && obj.GetNamespace() != l.namespace {
			continue
		}
		if selector == nil || selector.Empty() || selector.Matches(labels.Set(obj.GetLabels())) {
			found = append(found, obj)
		}
	}
	return found, nil
}

// Get returns the object of this name: in the lister's namespace if it has one,
// otherwise among those that have none. If there is no such object, the error is one
// for which IsNotFound of package [k8s.io/apimachinery/pkg/api/errors] is true.
func (l Lister[T]) Get(name string) (T, error) {
	obj, found := l.store.Get(cache.NewObjectName(l.namespace, name))
	if !found {
		return obj, apierrors.NewNotFound(schema.GroupResource{Resource: kindOf[T]()}, name)
	}
	return obj, nil
}

// kindOf returns what objects are called in errors: pod, of the type *v1.Pod.
func kindOf[T Object]() string {
	kind := fmt.Sprintf("%T", *new(T))
	return strings.ToLower(kind[strings.LastIndexByte(kind, '.')+1:])
}
