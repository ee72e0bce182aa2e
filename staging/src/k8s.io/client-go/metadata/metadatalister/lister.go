// Package metadatalister finds the metadata of objects of any resource in the store of
// an informer.
package metadatalister

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/internal/untypedlister"
	"k8s.io/client-go/listers"
	"k8s.io/client-go/tools/cache"
)

// A Lister finds objects of a resource. They are those in the store, and must not be
// changed.
type Lister interface {
	// List returns the objects that the selector matches, in no order.
	List(selector labels.Selector) (ret []*metav1.PartialObjectMetadata, err error)
	// Get returns the object of this name, if it is in no namespace. If there is
	// none, the error is one for which IsNotFound of package
	// k8s.io/apimachinery/pkg/api/errors is true.
	Get(name string) (*metav1.PartialObjectMetadata, error)
	// Namespace returns a lister for one namespace, or for all if it is empty.
	Namespace(namespace string) NamespaceLister
}

// A NamespaceLister finds objects of a resource in one namespace.
type NamespaceLister interface {
	// List returns the objects that the selector matches, in no order.
	List(selector labels.Selector) (ret []*metav1.PartialObjectMetadata, err error)
	// Get returns the object of this name. If there is none, the error is one for
	// which IsNotFound of package k8s.io/apimachinery/pkg/api/errors is true.
	Get(name string) (*metav1.PartialObjectMetadata, error)
}

// New returns a lister for the objects in an indexer, which are all of one resource.
func New(indexer cache.Indexer, gvr schema.GroupVersionResource) Lister {
	return lister{listers.New[*metav1.PartialObjectMetadata](indexer, gvr.GroupResource())}
}

type lister struct {
	listers.ResourceIndexer[*metav1.PartialObjectMetadata]
}

func (l lister) Namespace(namespace string) NamespaceLister {
	return listers.NewNamespaced(l.ResourceIndexer, namespace)
}

// NewRuntimeObjectShim returns the lister as one of objects of no type in particular.
func NewRuntimeObjectShim(lister Lister) cache.GenericLister {
	return untypedlister.New(lister, func(namespace string) untypedlister.Typed[*metav1.PartialObjectMetadata] {
		return lister.Namespace(namespace)
	})
}
