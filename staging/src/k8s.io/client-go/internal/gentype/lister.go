package gentype

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
)

// lister adds the verbs on collections to the client that it points into.
type lister[L runtime.Object] struct {
	endpoint *endpoint
	newList  func() L
}

// List returns the objects that opts select.
func (l *lister[L]) List(ctx context.Context, opts metav1.ListOptions) (L, error) {
	list := l.newList()
	return list, l.endpoint.list(ctx, opts, list)
}

// DeleteCollection deletes the objects that listOpts select.
func (l *lister[L]) DeleteCollection(ctx context.Context, opts metav1.DeleteOptions, listOpts metav1.ListOptions) error {
	return l.endpoint.deleteCollection(ctx, &opts, listOpts)
}

// ClientWithList is a Client that also has the verbs on collections.
type ClientWithList[T Object, L runtime.Object] struct {
	*Client[T]
	lister[L]
}

// NewClientWithList is [NewClient] for a resource that can be listed.
// emptyListCreator returns a new list to decode into.
func NewClientWithList[T Object, L runtime.Object](
	resource string, client rest.Interface, parameterCodec runtime.ParameterCodec, namespace string, emptyObjectCreator func() T,
	emptyListCreator func() L, options ...Option[T],
) *ClientWithList[T, L] {
	// Both in one allocation: clientsets make a client for every call.
	c := new(struct {
		all  ClientWithList[T, L]
		base Client[T]
	})
	c.base.init(endpoint{client: client, codec: parameterCodec, resource: resource, namespace: namespace}, emptyObjectCreator, options)
	c.all.Client = &c.base
	c.all.lister = lister[L]{&c.base.endpoint, emptyListCreator}
	return &c.all
}
