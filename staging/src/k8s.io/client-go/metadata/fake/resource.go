package fake

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/internal/answer"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/testing"
)

// resourceClient turns the verbs for one resource into actions.
type resourceClient struct {
	fake      *testing.Fake
	resource  schema.GroupVersionResource
	namespace string
}

var _ MetadataClient = (*resourceClient)(nil)

func (c *resourceClient) Namespace(namespace string) metadata.ResourceInterface {
	return &resourceClient{fake: c.fake, resource: c.resource, namespace: namespace}
}

func (c *resourceClient) CreateFake(obj *metav1.PartialObjectMetadata, opts metav1.CreateOptions, subresources ...string) (*metav1.PartialObjectMetadata, error) {
	if len(subresources) == 0 {
		return c.object(testing.NewCreateActionWithOptions(c.resource, c.namespace, obj, opts))
	}
	if obj.Name == "" {
		return nil, errors.New("name is required")
	}
	return c.object(testing.NewCreateSubresourceActionWithOptions(c.resource, obj.Name, path(subresources), c.namespace, obj, opts))
}

func (c *resourceClient) UpdateFake(obj *metav1.PartialObjectMetadata, opts metav1.UpdateOptions, subresources ...string) (*metav1.PartialObjectMetadata, error) {
	return c.object(testing.NewUpdateSubresourceActionWithOptions(c.resource, path(subresources), c.namespace, obj, opts))
}

func (c *resourceClient) Delete(ctx context.Context, name string, options metav1.DeleteOptions, subresources ...string) error {
	_, err := c.fake.Invokes(testing.NewDeleteSubresourceActionWithOptions(c.resource, path(subresources), c.namespace, name, options), success())
	return err
}

func (c *resourceClient) DeleteCollection(ctx context.Context, options metav1.DeleteOptions, listOptions metav1.ListOptions) error {
	_, err := c.fake.Invokes(testing.NewDeleteCollectionActionWithOptions(c.resource, c.namespace, options, listOptions), success())
	return err
}

func (c *resourceClient) Get(ctx context.Context, name string, options metav1.GetOptions, subresources ...string) (*metav1.PartialObjectMetadata, error) {
	return c.object(testing.NewGetSubresourceActionWithOptions(c.resource, c.namespace, path(subresources), name, options))
}

func (c *resourceClient) Watch(ctx context.Context, opts metav1.ListOptions) (watch.Interface, error) {
	opts.Watch = true
	return c.fake.InvokesWatch(testing.NewWatchActionWithOptions(c.resource, c.namespace, opts))
}

func (c *resourceClient) Patch(ctx context.Context, name string, pt types.PatchType, data []byte, options metav1.PatchOptions, subresources ...string) (*metav1.PartialObjectMetadata, error) {
	return c.object(testing.NewPatchSubresourceActionWithOptions(c.resource, c.namespace, name, pt, data, options, subresources...))
}

func (c *resourceClient) List(ctx context.Context, opts metav1.ListOptions) (*metav1.PartialObjectMetadataList, error) {
	action := testing.NewListActionWithOptions(c.resource, listed, c.namespace, opts)
	answered, err := c.fake.Invokes(action, success())
	if err != nil || answer.IsNothing(answered) {
		return nil, err
	}
	return selectFrom(answered, action.GetListRestrictions().Labels)
}

// selectFrom returns those items of a list that selector matches. Reactors may
// answer with a list of either type.
func selectFrom(answered runtime.Object, selector labels.Selector) (*metav1.PartialObjectMetadataList, error) {
	list := new(metav1.PartialObjectMetadataList)
	switch a := answered.(type) {
	case *metav1.List:
		list.ListMeta = a.ListMeta
	case *metav1.PartialObjectMetadataList:
		list.ListMeta = a.ListMeta
	default:
		return nil, fmt.Errorf("incoming object is incorrect type %T, it should be a *metav1.PartialObjectMetadataList", answered)
	}
	items, err := meta.ExtractList(answered)
	if err != nil {
		return nil, fmt.Errorf("taking the items out of a %T: %w", answered, err)
	}
	for _, item := range items {
		object, ok := item.(*metav1.PartialObjectMetadata)
		if !ok {
			return nil, fmt.Errorf("an item of the list is a %T, it should be a *metav1.PartialObjectMetadata", item)
		}
		if selector.Matches(labels.Set(object.Labels)) {
			list.Items = append(list.Items, *object.DeepCopy())
		}
	}
	return list, nil
}

// object has the reactors answer an action with an object, or with nothing.
func (c *resourceClient) object(action testing.Action) (*metav1.PartialObjectMetadata, error) {
	answered, err := c.fake.Invokes(action, success())
	if err != nil || answer.IsNothing(answered) {
		return nil, err
	}
	object, ok := answered.(*metav1.PartialObjectMetadata)
	if !ok {
		return nil, fmt.Errorf("unexpected return value type %T, it should be a *metav1.PartialObjectMetadata", answered)
	}
	return object, nil
}

// success is the answer where no reactor has one.
func success() *metav1.Status { return &metav1.Status{Status: "metadata fake: no reactor answered"} }

func path(subresources []string) string { return strings.Join(subresources, "/") }

// IsWatchListSemanticsUnSupported is what informers of one resource ask.
func (c *resourceClient) IsWatchListSemanticsUnSupported() bool { return true }
