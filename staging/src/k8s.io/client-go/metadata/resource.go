package metadata

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
)

// resourceClient has the verbs for one resource, perhaps in one namespace.
type resourceClient struct {
	client    rest.Interface
	resource  schema.GroupVersionResource
	namespace string
}

func (c *resourceClient) Namespace(namespace string) ResourceInterface {
	return &resourceClient{client: c.client, resource: c.resource, namespace: namespace}
}

// What to ask the server for, best first.
const (
	acceptObject = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1," +
		"application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1," +
		"application/json"
	acceptList = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1," +
		"application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1," +
		"application/json"
)

func (c *resourceClient) Get(ctx context.Context, name string, options metav1.GetOptions, subresources ...string) (*metav1.PartialObjectMetadata, error) {
	path, err := c.pathTo(name, subresources)
	if err != nil {
		return nil, err
	}
	r := c.client.Get().AbsPath(path).SetHeader("Accept", acceptObject)
	if options != (metav1.GetOptions{}) {
		query := options
		r = r.SpecificallyVersionedParams(&query, metav1.ParameterCodec, v1)
	}
	return objectIn(r.Do(ctx))
}

func (c *resourceClient) List(ctx context.Context, opts metav1.ListOptions) (*metav1.PartialObjectMetadataList, error) {
	path, err := c.collection()
	if err != nil {
		return nil, err
	}
	return listIn(listRequest(c.client.Get().AbsPath(path).SetHeader("Accept", acceptList), opts).Do(ctx))
}

func (c *resourceClient) Watch(ctx context.Context, opts metav1.ListOptions) (watch.Interface, error) {
	path, err := c.collection()
	if err != nil {
		return nil, err
	}
	opts.Watch = true
	return listRequest(c.client.Get().AbsPath(path).SetHeader("Accept", acceptObject), opts).Watch(ctx)
}

func (c *resourceClient) Patch(ctx context.Context, name string, pt types.PatchType, data []byte, options metav1.PatchOptions, subresources ...string) (*metav1.PartialObjectMetadata, error) {
	path, err := c.pathTo(name, subresources)
	if err != nil {
		return nil, err
	}
	r := c.client.Patch(pt).AbsPath(path).SetHeader("Accept", acceptObject)
	return objectIn(r.SpecificallyVersionedParams(&options, metav1.ParameterCodec, v1).Body(data).Do(ctx))
}

func (c *resourceClient) Delete(ctx context.Context, name string, options metav1.DeleteOptions, subresources ...string) error {
	path, err := c.pathTo(name, subresources)
	if err != nil {
		return err
	}
	return deleteWith(ctx, c.client.Delete().AbsPath(path), options)
}

func (c *resourceClient) DeleteCollection(ctx context.Context, options metav1.DeleteOptions, listOptions metav1.ListOptions) error {
	path, err := c.collection()
	if err != nil {
		return err
	}
	return deleteWith(ctx, listRequest(c.client.Delete().AbsPath(path), listOptions), options)
}

var v1 = schema.GroupVersion{Version: "v1"}

// listRequest adds the options that select objects to a request.
func listRequest(r *rest.Request, opts metav1.ListOptions) *rest.Request {
	if opts == (metav1.ListOptions{}) {
		return r
	}
	query := opts
	return r.SpecificallyVersionedParams(&query, metav1.ParameterCodec, v1)
}

// deleteWith sends a request to delete. The options are in JSON, whatever else
// the client prefers: not every server of an API group has protobuf.
func deleteWith(ctx context.Context, r *rest.Request, options metav1.DeleteOptions) error {
	options.TypeMeta = metav1.TypeMeta{Kind: "DeleteOptions", APIVersion: "v1"}
	body, err := json.Marshal(&options)
	if err != nil {
		return fmt.Errorf("encoding the options to delete with: %w", err)
	}
	return r.SetHeader("Content-Type", "application/json").Body(body).Do(ctx).Error()
}

// collection returns the path of all objects of the resource. It refuses a
// namespace that would lead elsewhere.
func (c *resourceClient) collection() (string, error) {
	path := "/api/" + c.resource.Version
	if c.resource.Group != "" {
		path = "/apis/" + c.resource.Group + "/" + c.resource.Version
	}
	if c.namespace != "" {
		if wrong := rest.IsValidPathSegmentName(c.namespace); len(wrong) > 0 {
			return "", fmt.Errorf("invalid namespace %q: %v", c.namespace, wrong)
		}
		path += "/namespaces/" + c.namespace
	}
	return path + "/" + c.resource.Resource, nil
}

// pathTo returns the path of one object, or of a subresource of it.
func (c *resourceClient) pathTo(name string, subresources []string) (string, error) {
	if name == "" {
		return "", errors.New("name is required")
	}
	path, err := c.collection()
	if err != nil {
		return "", err
	}
	if wrong := rest.IsValidPathSegmentName(name); len(wrong) > 0 {
		return "", fmt.Errorf("invalid resource name %q: %v", name, wrong)
	}
	path += "/" + name
	for _, s := range subresources {
		path += "/" + s
	}
	return path, nil
}
