package listers

import (
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/cache"
)

// A ResourceIndexer finds objects of one type in an indexer, perhaps in one
// namespace only. Generated listers embed it.
type ResourceIndexer[T runtime.Object] struct {
	indexer   cache.Indexer
	resource  schema.GroupResource
	namespace string // empty: all of them, or none
}

// New returns a ResourceIndexer for all objects in an indexer. They must be of type
// T. The resource is what errors name.
func New[T runtime.Object](indexer cache.Indexer, resource schema.GroupResource) ResourceIndexer[T] {
	return ResourceIndexer[T]{indexer: indexer, resource: resource}
}

// NewNamespaced returns one for the objects of the parent's indexer that are in a
// namespace.
func NewNamespaced[T runtime.Object](parent ResourceIndexer[T], namespace string) ResourceIndexer[T] {
	return ResourceIndexer[T]{indexer: parent.indexer, resource: parent.resource, namespace: namespace}
}

// List returns the objects that the selector matches, in no order. It needs no look
// at the other namespaces if the indexer has an index called cache.NamespaceIndex.
func (l ResourceIndexer[T]) List(selector labels.Selector) (ret []T, err error) {
	items, narrowed, err := l.candidates()
	if err != nil {
		return nil, err
	}
	all := selector == nil || selector.Empty()
	if all && narrowed && len(items) > 0 {
		ret = make([]T, 0, len(items))
	}
	for _, item := range items {
		if !all || !narrowed {
			object, err := meta.Accessor(item)
			if err != nil {
				return nil, err
			}
			if !narrowed && object.GetNamespace() != l.namespace {
				continue
			}
			if !all && !selector.Matches(labels.Set(object.GetLabels())) {
				continue
			}
		}
		ret = append(ret, item.(T))
	}
	return ret, nil
}

// candidates returns the objects to choose from, and whether all of them are in the
// lister's namespace.
func (l ResourceIndexer[T]) candidates() (items []any, narrowed bool, err error) {
	if l.namespace == "" {
		return l.indexer.List(), true, nil
	}
	if _, indexed := l.indexer.GetIndexers()[cache.NamespaceIndex]; !indexed {
		return l.indexer.List(), false, nil
	}
	items, err = l.indexer.ByIndex(cache.NamespaceIndex, l.namespace)
	return items, true, err
}

// Get returns the object of this name: in the lister's namespace if it has one,
// otherwise among those that have none. If there is no such object, the error is one
// for which IsNotFound of package k8s.io/apimachinery/pkg/api/errors is true.
func (l ResourceIndexer[T]) Get(name string) (T, error) {
	key := cache.ObjectName{Namespace: l.namespace, Name: name}.String()
	item, exists, err := l.indexer.GetByKey(key)
	if err == nil && !exists {
		err = apierrors.NewNotFound(l.resource, name)
	}
	if err != nil {
		return *new(T), err
	}
	return item.(T), nil
}
