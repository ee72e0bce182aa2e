package gentype

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/internal/answer"
	"k8s.io/client-go/testing"
)

// FakeClient is a [Client] for tests: each call is recorded as an action on
// the embedded Fake, and answered by the first of its reactors that handles
// it. Where none does, or where it returns nil, the result is an empty object.
type FakeClient[T objectWithMeta] struct {
	*testing.Fake
	resource  schema.GroupVersionResource
	kind      schema.GroupVersionKind
	namespace string
	newObject func() T
}

// NewFakeClient returns a fake client that records on fake. An empty
// namespace stands for a resource that has none, or for all of them.
func NewFakeClient[T objectWithMeta](
	fake *testing.Fake, namespace string, resource schema.GroupVersionResource, kind schema.GroupVersionKind, emptyObjectCreator func() T,
) *FakeClient[T] {
	return &FakeClient[T]{Fake: fake, resource: resource, kind: kind, namespace: namespace, newObject: emptyObjectCreator}
}

// Resource returns the resource that the client is for.
func (c *FakeClient[T]) Resource() schema.GroupVersionResource { return c.resource }

// Kind returns the kind of the client's objects.
func (c *FakeClient[T]) Kind() schema.GroupVersionKind { return c.kind }

// Namespace returns the namespace that the client is bound to, or "".
func (c *FakeClient[T]) Namespace() string { return c.namespace }

// Get records a get action.
func (c *FakeClient[T]) Get(ctx context.Context, name string, options metav1.GetOptions) (T, error) {
	return c.invoke(testing.NewGetActionWithOptions(c.resource, c.namespace, name, options))
}

// Create records a create action.
func (c *FakeClient[T]) Create(ctx context.Context, resource T, opts metav1.CreateOptions) (result T, err error) {
	return c.invoke(testing.NewCreateActionWithOptions(c.resource, c.namespace, resource, opts))
}

// Update records an update action.
func (c *FakeClient[T]) Update(ctx context.Context, resource T, opts metav1.UpdateOptions) (result T, err error) {
	return c.invoke(testing.NewUpdateActionWithOptions(c.resource, c.namespace, resource, opts))
}

// UpdateStatus records an update action on the status subresource.
func (c *FakeClient[T]) UpdateStatus(ctx context.Context, resource T, opts metav1.UpdateOptions) (result T, err error) {
	return c.invoke(testing.NewUpdateSubresourceActionWithOptions(c.resource, "status", c.namespace, resource, opts))
}

// Delete records a delete action.
func (c *FakeClient[T]) Delete(ctx context.Context, name string, opts metav1.DeleteOptions) error {
	_, err := c.Invokes(testing.NewDeleteActionWithOptions(c.resource, c.namespace, name, opts), c.newObject())
	return err
}

// Patch records a patch action.
func (c *FakeClient[T]) Patch(ctx context.Context, name string, pt types.PatchType, data []byte, opts metav1.PatchOptions, subresources ...string) (result T, err error) {
	return c.invoke(testing.NewPatchSubresourceActionWithOptions(c.resource, c.namespace, name, pt, data, opts, subresources...))
}

// Watch records a watch action, which is answered by the watch reactors.
func (c *FakeClient[T]) Watch(ctx context.Context, opts metav1.ListOptions) (watch.Interface, error) {
	opts.Watch = true
	return c.InvokesWatch(testing.NewWatchActionWithOptions(c.resource, c.namespace, opts))
}

// invoke has the reactors answer an action.
func (c *FakeClient[T]) invoke(action testing.Action) (T, error) {
	empty := c.newObject()
	return answer.Of(c.Fake, action, empty, empty)
}

// IsWatchListSemanticsUnSupported returns true: informers of one resource, such as those
// of tools/informer, are to list before they watch.
func (c *FakeClient[T]) IsWatchListSemanticsUnSupported() bool { return true }
