package scale

import (
	"context"
	"errors"
	"fmt"

	autoscalingapi "k8s.io/api/autoscaling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	restclient "k8s.io/client-go/rest"
)

// scaleClient is a ScalesGetter that asks a server.
type scaleClient struct {
	client   restclient.Interface
	mapper   PreferredResourceMapper
	apiPath  dynamic.APIPathResolverFunc
	resolver ScaleKindResolver
}

// New returns a client that sends its requests through baseClient. Paths are
// absolute, so that the group and version of baseClient do not matter.
func New(baseClient restclient.Interface, mapper PreferredResourceMapper, resolver dynamic.APIPathResolverFunc, scaleKindResolver ScaleKindResolver) ScalesGetter {
	return &scaleClient{client: baseClient, mapper: mapper, apiPath: resolver, resolver: scaleKindResolver}
}

// NewForConfig returns a client for the server of a configuration. mapper says
// which version of a resource to use, resolver below which path the server has
// it, and scaleKindResolver which form of scale it takes.
func NewForConfig(cfg *restclient.Config, mapper PreferredResourceMapper, resolver dynamic.APIPathResolverFunc, scaleKindResolver ScaleKindResolver) (ScalesGetter, error) {
	config := restclient.CopyConfig(cfg)
	// Each request has a path of its own. The version must not be nil, though.
	config.GroupVersion = &schema.GroupVersion{}
	config.NegotiatedSerializer = converter().codecs.WithoutConversion()
	if config.UserAgent == "" {
		config.UserAgent = restclient.DefaultKubernetesUserAgent()
	}
	client, err := restclient.RESTClientFor(config)
	if err != nil {
		return nil, err
	}
	return New(client, mapper, resolver, scaleKindResolver), nil
}

func (c *scaleClient) Scales(namespace string) ScaleInterface {
	return &namespacedScaleClient{scaleClient: c, namespace: namespace}
}

// namespacedScaleClient has the verbs, for a namespace or for what has none.
type namespacedScaleClient struct {
	*scaleClient
	namespace string
}

func (c *namespacedScaleClient) Get(ctx context.Context, resource schema.GroupResource, name string, opts metav1.GetOptions) (*autoscalingapi.Scale, error) {
	gvr, err := c.preferred(resource)
	if err != nil {
		return nil, err
	}
	r := c.at(c.client.Get(), gvr, name)
	if opts != (metav1.GetOptions{}) {
		query := opts
		r = r.SpecificallyVersionedParams(&query, metav1.ParameterCodec, v1)
	}
	return scaleIn(r.Do(ctx))
}

func (c *namespacedScaleClient) Update(ctx context.Context, resource schema.GroupResource, scale *autoscalingapi.Scale, opts metav1.UpdateOptions) (*autoscalingapi.Scale, error) {
	if scale == nil {
		return nil, errors.New("the scale to update is nil")
	}
	gvr, err := c.preferred(resource)
	if err != nil {
		return nil, err
	}
	kind, err := c.resolver.ScaleForResource(gvr)
	if err != nil {
		return nil, fmt.Errorf("could not find proper group-version for scale subresource of %s: %w", gvr, err)
	}
	body, err := converter().ConvertToVersion(scale, kind.GroupVersion())
	if err != nil {
		return nil, fmt.Errorf("could not convert scale update to external Scale: %w", err)
	}
	r := c.at(c.client.Put(), gvr, scale.Name)
	return scaleIn(r.SpecificallyVersionedParams(&opts, metav1.ParameterCodec, v1).Body(body).Do(ctx))
}

func (c *namespacedScaleClient) Patch(ctx context.Context, gvr schema.GroupVersionResource, name string, pt types.PatchType, data []byte, opts metav1.PatchOptions) (*autoscalingapi.Scale, error) {
	r := c.at(c.client.Patch(pt), gvr, name)
	return scaleIn(r.SpecificallyVersionedParams(&opts, metav1.ParameterCodec, v1).Body(data).Do(ctx))
}

var v1 = schema.GroupVersion{Version: "v1"}

// preferred completes a resource with the version to use.
func (c *scaleClient) preferred(resource schema.GroupResource) (schema.GroupVersionResource, error) {
	gvr, err := c.mapper.ResourceFor(resource.WithVersion(""))
	if err != nil {
		return gvr, fmt.Errorf("unable to get client for %s: unable to get full preferred group-version-resource for %s: %w",
			resource, resource, err)
	}
	return gvr, nil
}

// at aims a request at the scale of an object.
func (c *namespacedScaleClient) at(r *restclient.Request, gvr schema.GroupVersionResource, name string) *restclient.Request {
	path := []string{c.apiPath(gvr.GroupVersion().WithKind("")), gvr.Version}
	if gvr.Group != "" {
		path = []string{path[0], gvr.Group, gvr.Version}
	}
	return r.AbsPath(path...).
		NamespaceIfScoped(c.namespace, c.namespace != "").
		Resource(gvr.Resource).
		Name(name).
		SubResource("scale")
}

// scaleIn returns the scale that the server answered with. Its form is what the
// answer says it is, whatever the base client knows of it.
func scaleIn(result restclient.Result) (*autoscalingapi.Scale, error) {
	if err := result.Error(); err != nil {
		return nil, err
	}
	data, err := result.Raw()
	if err != nil {
		return nil, err
	}
	c := converter()
	obj, _, err := c.codecs.UniversalDeserializer().Decode(data, nil, nil)
	if err != nil {
		return nil, err
	}
	switch answer := obj.(type) {
	case *autoscalingapi.Scale:
		return answer, nil
	case *metav1.Status:
		if answer.Status != metav1.StatusSuccess {
			return nil, apierrors.FromObject(answer)
		}
	}
	scale, err := c.ConvertToVersion(obj, autoscalingapi.SchemeGroupVersion)
	if err != nil {
		return nil, fmt.Errorf("received an object from a /scale endpoint which was not convertible to autoscaling Scale: %w", err)
	}
	return scale.(*autoscalingapi.Scale), nil
}
