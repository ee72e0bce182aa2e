package dynamic

import (
	"context"
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/apply"
)

// resourceClient has the verbs for one resource, perhaps in one namespace.
type resourceClient struct {
	client    rest.Interface
	resource  schema.GroupVersionResource
	namespace string
}

var _ NamespaceableResourceInterface = (*resourceClient)(nil)

func (c *resourceClient) Namespace(namespace string) ResourceInterface {
	narrowed := *c
	narrowed.namespace = namespace
	return &narrowed
}

func (c *resourceClient) Create(ctx context.Context, obj *unstructured.Unstructured, options metav1.CreateOptions, subresources ...string) (*unstructured.Unstructured, error) {
	if obj == nil {
		return nil, errors.New("the object to create is nil")
	}
	name := ""
	if len(subresources) > 0 {
		if name = obj.GetName(); name == "" {
			return nil, errNoName
		}
	}
	path, err := c.path(name, subresources)
	if err != nil {
		return nil, err
	}
	r := createParams(c.client.Post().AbsPath(path...), &options)
	return object(ctx, r.Body(obj))
}

func (c *resourceClient) Update(ctx context.Context, obj *unstructured.Unstructured, options metav1.UpdateOptions, subresources ...string) (*unstructured.Unstructured, error) {
	if obj == nil {
		return nil, errors.New("the object to update is nil")
	}
	path, err := c.pathOf(obj.GetName(), subresources)
	if err != nil {
		return nil, err
	}
	r := updateParams(c.client.Put().AbsPath(path...), &options)
	return object(ctx, r.Body(obj))
}

func (c *resourceClient) UpdateStatus(ctx context.Context, obj *unstructured.Unstructured, options metav1.UpdateOptions) (*unstructured.Unstructured, error) {
	return c.Update(ctx, obj, options, "status")
}

func (c *resourceClient) Delete(ctx context.Context, name string, options metav1.DeleteOptions, subresources ...string) error {
	path, err := c.pathOf(name, subresources)
	if err != nil {
		return err
	}
	return c.client.Delete().AbsPath(path...).Body(&options).Do(ctx).Error()
}

func (c *resourceClient) DeleteCollection(ctx context.Context, options metav1.DeleteOptions, listOptions metav1.ListOptions) error {
	path, err := c.path("", nil)
	if err != nil {
		return err
	}
	r := listParams(c.client.Delete().AbsPath(path...), &listOptions)
	return r.Body(&options).Do(ctx).Error()
}

func (c *resourceClient) Get(ctx context.Context, name string, options metav1.GetOptions, subresources ...string) (*unstructured.Unstructured, error) {
	path, err := c.pathOf(name, subresources)
	if err != nil {
		return nil, err
	}
	return object(ctx, getParams(c.client.Get().AbsPath(path...), &options))
}

func (c *resourceClient) List(ctx context.Context, opts metav1.ListOptions) (*unstructured.UnstructuredList, error) {
	path, err := c.path("", nil)
	if err != nil {
		return nil, err
	}
	list := new(unstructured.UnstructuredList)
	if err := listParams(c.client.Get().AbsPath(path...), &opts).DoInto(ctx, list); err != nil {
		return nil, err
	}
	return list, nil
}

func (c *resourceClient) Watch(ctx context.Context, opts metav1.ListOptions) (watch.Interface, error) {
	path, err := c.path("", nil)
	if err != nil {
		return nil, err
	}
	opts.Watch = true
	return listParams(c.client.Get().AbsPath(path...), &opts).Watch(ctx)
}

func (c *resourceClient) Patch(ctx context.Context, name string, pt types.PatchType, data []byte, options metav1.PatchOptions, subresources ...string) (*unstructured.Unstructured, error) {
	path, err := c.pathOf(name, subresources)
	if err != nil {
		return nil, err
	}
	r := patchParams(c.client.Patch(pt).AbsPath(path...), &options)
	return object(ctx, r.Body(data))
}

func (c *resourceClient) Apply(ctx context.Context, name string, obj *unstructured.Unstructured, options metav1.ApplyOptions, subresources ...string) (*unstructured.Unstructured, error) {
	path, err := c.pathOf(name, subresources)
	if err != nil {
		return nil, err
	}
	if obj == nil {
		return nil, fmt.Errorf("the object to apply to %q is nil", name)
	}
	// Whoever applies what the server returned would come to own all of it,
	// the fields of others included.
	if len(obj.GetManagedFields()) > 0 {
		return nil, fmt.Errorf("cannot apply an object with managed fields already set, to %q: "+
			"leave out metadata.managedFields, and apply only the fields to own", name)
	}
	r, err := apply.NewRequest(c.client, obj.Object)
	if err != nil {
		return nil, err
	}
	patch := options.ToPatchOptions()
	return object(ctx, patchParams(r.AbsPath(path...), &patch))
}

func (c *resourceClient) ApplyStatus(ctx context.Context, name string, obj *unstructured.Unstructured, options metav1.ApplyOptions) (*unstructured.Unstructured, error) {
	return c.Apply(ctx, name, obj, options, "status")
}

// object sends a request whose answer is an object.
func object(ctx context.Context, r *rest.Request) (*unstructured.Unstructured, error) {
	obj := new(unstructured.Unstructured)
	if err := r.Do(ctx).Into(obj); err != nil {
		return nil, err
	}
	return obj, nil
}

var errNoName = errors.New("name is required")

// pathOf is path for an object, which must have a name.
func (c *resourceClient) pathOf(name string, subresources []string) ([]string, error) {
	if name == "" {
		return nil, errNoName
	}
	return c.path(name, subresources)
}

// path returns the segments of the path of an object, or of the collection if
// there is no name. It refuses names that would lead elsewhere.
func (c *resourceClient) path(name string, subresources []string) ([]string, error) {
	path := make([]string, 0, 7+len(subresources))
	if c.resource.Group == "" {
		path = append(path, "api")
	} else {
		path = append(path, "apis", c.resource.Group)
	}
	path = append(path, c.resource.Version)
	if c.namespace != "" {
		if wrong := rest.IsValidPathSegmentName(c.namespace); len(wrong) > 0 {
			return nil, fmt.Errorf("invalid namespace %q: %v", c.namespace, wrong)
		}
		path = append(path, "namespaces", c.namespace)
	}
	path = append(path, c.resource.Resource)
	if name != "" {
		if wrong := rest.IsValidPathSegmentName(name); len(wrong) > 0 {
			return nil, fmt.Errorf("invalid resource name %q: %v", name, wrong)
		}
		path = append(path, name)
	}
	return append(path, subresources...), nil
}
