package gentype

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
)

// Object is the constraint on a resource's type: it can be encoded, and it tells
// its name.
type Object interface {
	runtime.Object
	metav1.Object
}

// Client has the verbs that nearly every resource supports.
type Client[T Object] struct {
	endpoint  endpoint
	newObject func() T
}

// Option changes how a client works. Options are given to its constructor.
type Option[T Object] func(*Client[T])

// PrefersProtobuf makes a client speak protobuf where the configuration names
// no content type. It is for resources that the server can encode as protobuf,
// which custom resources are not among.
func PrefersProtobuf[T Object]() Option[T] {
	return func(c *Client[T]) { c.endpoint.protobuf = true }
}

// NewClient returns a client for a resource, such as "pods", of the group and
// version that client is for. An empty namespace stands for a resource that
// has none, or for all of them. parameterCodec turns options into query
// parameters, and emptyObjectCreator returns a new object to decode into.
func NewClient[T Object](
	resource string, client rest.Interface, parameterCodec runtime.ParameterCodec, namespace string, emptyObjectCreator func() T,
	options ...Option[T],
) *Client[T] {
	c := new(Client[T])
	c.init(endpoint{client: client, codec: parameterCodec, resource: resource, namespace: namespace}, emptyObjectCreator, options)
	return c
}

func (c *Client[T]) init(e endpoint, newObject func() T, options []Option[T]) {
	c.endpoint, c.newObject = e, newObject
	for _, o := range options {
		o(c)
	}
}

// GetClient returns the client that requests are sent through.
func (c *Client[T]) GetClient() rest.Interface { return c.endpoint.client }

// GetNamespace returns the namespace that the client is bound to, or "".
func (c *Client[T]) GetNamespace() string { return c.endpoint.namespace }

// Get returns the object called name.
func (c *Client[T]) Get(ctx context.Context, name string, options metav1.GetOptions) (T, error) {
	got := c.newObject()
	return got, c.endpoint.get(ctx, name, options, got)
}

// Create stores a new object and returns it as the server completed it.
func (c *Client[T]) Create(ctx context.Context, obj T, opts metav1.CreateOptions) (T, error) {
	created := c.newObject()
	return created, c.endpoint.create(ctx, obj, opts, created)
}

// Update replaces the object of obj's name and returns what the server stored.
// If obj has a resource version that is no longer the newest, the error is a
// conflict.
func (c *Client[T]) Update(ctx context.Context, obj T, opts metav1.UpdateOptions) (T, error) {
	updated := c.newObject()
	return updated, c.endpoint.update(ctx, obj, opts, updated)
}

// UpdateStatus is Update for the status alone: the server ignores what obj has
// outside of it.
func (c *Client[T]) UpdateStatus(ctx context.Context, obj T, opts metav1.UpdateOptions) (T, error) {
	updated := c.newObject()
	return updated, c.endpoint.update(ctx, obj, opts, updated, "status")
}

// Delete deletes the object called name.
func (c *Client[T]) Delete(ctx context.Context, name string, opts metav1.DeleteOptions) error {
	return c.endpoint.delete(ctx, name, &opts)
}

// Patch sends a patch of the given type for the object called name, or for a
// subresource of it, and returns the outcome.
func (c *Client[T]) Patch(ctx context.Context, name string, pt types.PatchType, data []byte, opts metav1.PatchOptions, subresources ...string) (T, error) {
	patched := c.newObject()
	return patched, c.endpoint.patch(ctx, name, pt, data, opts, patched, subresources)
}

// Watch returns the changes to the objects that opts select, from
// opts.ResourceVersion on. The caller stops the watch when done with it.
func (c *Client[T]) Watch(ctx context.Context, opts metav1.ListOptions) (watch.Interface, error) {
	return c.endpoint.watch(ctx, opts)
}
