package fake

import (
	"context"
	"errors"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/internal/answer"
	"k8s.io/client-go/testing"
)

// resourceClient turns the verbs for one resource into actions.
type resourceClient struct {
	client    *FakeDynamicClient
	resource  schema.GroupVersionResource
	namespace string
}

var _ dynamic.NamespaceableResourceInterface = (*resourceClient)(nil)

func (c *resourceClient) Namespace(namespace string) dynamic.ResourceInterface {
	narrowed := *c
	narrowed.namespace = namespace
	return &narrowed
}

func (c *resourceClient) Create(ctx context.Context, obj *unstructured.Unstructured, options metav1.CreateOptions, subresources ...string) (*unstructured.Unstructured, error) {
	if len(subresources) == 0 {
		return c.invoke(testing.NewCreateActionWithOptions(c.resource, c.namespace, obj, options))
	}
	if obj.GetName() == "" {
		return nil, errors.New("name is required")
	}
	return c.invoke(testing.NewCreateSubresourceActionWithOptions(c.resource, obj.GetName(), path(subresources), c.namespace, obj, options))
}

func (c *resourceClient) Update(ctx context.Context, obj *unstructured.Unstructured, options metav1.UpdateOptions, subresources ...string) (*unstructured.Unstructured, error) {
	return c.invoke(testing.NewUpdateSubresourceActionWithOptions(c.resource, path(subresources), c.namespace, obj, options))
}

func (c *resourceClient) UpdateStatus(ctx context.Context, obj *unstructured.Unstructured, options metav1.UpdateOptions) (*unstructured.Unstructured, error) {
	return c.Update(ctx, obj, options, "status")
}

func (c *resourceClient) Delete(ctx context.Context, name string, options metav1.DeleteOptions, subresources ...string) error {
	_, err := c.client.Invokes(testing.NewDeleteSubresourceActionWithOptions(c.resource, path(subresources), c.namespace, name, options), success())
	return err
}

func (c *resourceClient) DeleteCollection(ctx context.Context, options metav1.DeleteOptions, listOptions metav1.ListOptions) error {
	_, err := c.client.Invokes(testing.NewDeleteCollectionActionWithOptions(c.resource, c.namespace, options, listOptions), success())
	return err
}

func (c *resourceClient) Get(ctx context.Context, name string, options metav1.GetOptions, subresources ...string) (*unstructured.Unstructured, error) {
	return c.invoke(testing.NewGetSubresourceActionWithOptions(c.resource, c.namespace, path(subresources), name, options))
}

func (c *resourceClient) List(ctx context.Context, opts metav1.ListOptions) (*unstructured.UnstructuredList, error) {
	kind, ok := c.client.listKinds[c.resource]
	if !ok {
		panic(fmt.Sprintf("coding error: you must register resource to list kind for every resource you're going to LIST when creating the client. "+
			"See NewSimpleDynamicClientWithCustomListKinds or register the list into the scheme: %s out of %v", c.resource, c.client.listKinds))
	}
	listKind := c.resource.GroupVersion().WithKind(kind)
	itemKind := c.resource.GroupVersion().WithKind(strings.TrimSuffix(kind, "List"))
	action := testing.NewListActionWithOptions(c.resource, itemKind, c.namespace, opts)
	answered, err := c.client.Invokes(action, success())
	if err != nil || answer.IsNothing(answered) {
		return nil, err
	}
	return c.client.listOf(answered, listKind, action.GetListRestrictions().Labels)
}

func (c *resourceClient) Watch(ctx context.Context, opts metav1.ListOptions) (watch.Interface, error) {
	opts.Watch = true
	return c.client.InvokesWatch(testing.NewWatchActionWithOptions(c.resource, c.namespace, opts))
}

func (c *resourceClient) Patch(ctx context.Context, name string, pt types.PatchType, data []byte, options metav1.PatchOptions, subresources ...string) (*unstructured.Unstructured, error) {
	return c.invoke(testing.NewPatchSubresourceActionWithOptions(c.resource, c.namespace, name, pt, data, options, subresources...))
}

func (c *resourceClient) Apply(ctx context.Context, name string, obj *unstructured.Unstructured, options metav1.ApplyOptions, subresources ...string) (*unstructured.Unstructured, error) {
	data, err := obj.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("encoding what is to be applied to %q: %w", name, err)
	}
	return c.Patch(ctx, name, types.ApplyPatchType, data, options.ToPatchOptions(), subresources...)
}

func (c *resourceClient) ApplyStatus(ctx context.Context, name string, obj *unstructured.Unstructured, options metav1.ApplyOptions) (*unstructured.Unstructured, error) {
	return c.Apply(ctx, name, obj, options, "status")
}

// invoke has the reactors answer an action with an object, or with nothing.
func (c *resourceClient) invoke(action testing.Action) (*unstructured.Unstructured, error) {
	answered, err := c.client.Invokes(action, success())
	if err != nil || answer.IsNothing(answered) {
		return nil, err
	}
	return c.client.unstructured(answered)
}

// success is the answer where no reactor has one.
func success() *metav1.Status { return &metav1.Status{Status: "dynamic fake: no reactor answered"} }

func path(subresources []string) string { return strings.Join(subresources, "/") }

// IsWatchListSemanticsUnSupported is what informers of one resource ask.
func (c *resourceClient) IsWatchListSemanticsUnSupported() bool { return true }
