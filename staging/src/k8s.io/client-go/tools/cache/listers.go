package cache

import (
	"k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// An AppendFunc is called for objects that are to be in a list.
type AppendFunc func(interface{})

// ListAll calls appendFn for all objects in a store whose labels match, in no order.
func ListAll(store Store, selector labels.Selector, appendFn AppendFunc) error {
	return appendMatching(store.List(), selector, appendFn)
}

// ListAllByNamespace calls appendFn for the objects of a namespace whose labels
// match, in no order; or for those of all namespaces, if it is "". It uses the index
// NamespaceIndex, and without that looks at all objects.
func ListAllByNamespace(indexer Indexer, namespace string, selector labels.Selector, appendFn AppendFunc) error {
	if namespace == "" {
		return ListAll(indexer, selector, appendFn)
	}
	if objects, err := indexer.ByIndex(NamespaceIndex, namespace); err == nil {
		return appendMatching(objects, selector, appendFn)
	}
	var within []any
	for _, obj := range indexer.List() {
		object, err := meta.Accessor(obj)
		if err != nil {
			return err
		}
		if object.GetNamespace() == namespace {
			within = append(within, obj)
		}
	}
	return appendMatching(within, selector, appendFn)
}

func appendMatching(objects []any, selector labels.Selector, appendFn AppendFunc) error {
	everything := selector.Empty()
	for _, obj := range objects {
		if !everything {
			object, err := meta.Accessor(obj)
			if err != nil {
				return err
			}
			if !selector.Matches(labels.Set(object.GetLabels())) {
				continue
			}
		}
		appendFn(obj)
	}
	return nil
}

// A GenericLister reads objects of any kind from a store.
type GenericLister interface {
	// List returns the objects of all namespaces whose labels match.
	List(selector labels.Selector) (ret []runtime.Object, err error)
	// Get returns the object of a name, if it is in no namespace. The error is
	// IsNotFound if there is none.
	Get(name string) (runtime.Object, error)
	// ByNamespace returns a lister for one namespace.
	ByNamespace(namespace string) GenericNamespaceLister
}

// A GenericNamespaceLister reads the objects of a namespace from a store.
type GenericNamespaceLister interface {
	// List returns the objects whose labels match.
	List(selector labels.Selector) (ret []runtime.Object, err error)
	// Get returns the object of a name. The error is IsNotFound if there is
	// none.
	Get(name string) (runtime.Object, error)
}

// NewGenericLister returns a lister of what is in a store. The resource is for
// errors.
func NewGenericLister(indexer Indexer, resource schema.GroupResource) GenericLister {
	return genericLister{indexer: indexer, resource: resource}
}

type genericLister struct {
	indexer   Indexer
	resource  schema.GroupResource
	namespace string // "" for all
}

func (l genericLister) List(selector labels.Selector) (ret []runtime.Object, err error) {
	err = ListAllByNamespace(l.indexer, l.namespace, selector, func(obj any) {
		ret = append(ret, obj.(runtime.Object))
	})
	return ret, err
}

func (l genericLister) Get(name string) (runtime.Object, error) {
	obj, exists, err := l.indexer.GetByKey(NewObjectName(l.namespace, name).String())
	if err != nil {
		return nil, err
	}
	if !exists {
		return nil, errors.NewNotFound(l.resource, name)
	}
	return obj.(runtime.Object), nil
}

func (l genericLister) ByNamespace(namespace string) GenericNamespaceLister {
	l.namespace = namespace
	return l
}
