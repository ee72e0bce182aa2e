package fake

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	policyv1beta1 "k8s.io/api/policy/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	fakerest "k8s.io/client-go/rest/fake"
	"k8s.io/client-go/testing"
)

func (c *fakePods) Bind(ctx context.Context, binding *corev1.Binding, opts metav1.CreateOptions) error {
	return c.create(binding.Namespace, "binding", binding, opts)
}

func (c *fakePods) Evict(ctx context.Context, eviction *policyv1beta1.Eviction) error {
	return c.EvictV1beta1(ctx, eviction)
}

func (c *fakePods) EvictV1(ctx context.Context, eviction *policyv1.Eviction) error {
	return c.create(c.Namespace(), "eviction", eviction, metav1.CreateOptions{})
}

func (c *fakePods) EvictV1beta1(ctx context.Context, eviction *policyv1beta1.Eviction) error {
	return c.create(c.Namespace(), "eviction", eviction, metav1.CreateOptions{})
}

// create records that an object was sent to a sub-resource.
func (c *fakePods) create(namespace, subresource string, object runtime.Object, opts metav1.CreateOptions) error {
	action := testing.NewCreateActionWithOptions(c.Resource(), namespace, object, opts)
	action.Subresource = subresource
	_, err := c.Fake.Invokes(action, object)
	return err
}

// GetLogs returns a request that is answered with the text "fake logs" or, if a
// reactor handles it, with the Raw of the [runtime.Unknown] or the error that the
// reactor returns. The reactor gets the options as the value of a
// [testing.GenericAction].
func (c *fakePods) GetLogs(name string, opts *corev1.PodLogOptions) *rest.Request {
	action := testing.GenericActionImpl{Value: opts}
	action.Verb = "get"
	action.Namespace = c.Namespace()
	action.Resource = c.Resource()
	action.Subresource = "log"
	object, err := c.Fake.Invokes(action, &runtime.Unknown{Raw: []byte("fake logs")})

	client := &fakerest.RESTClient{
		NegotiatedSerializer: scheme.Codecs.WithoutConversion(),
		GroupVersion:         schema.GroupVersion{Version: "v1"},
		VersionedAPIPath:     "/api/v1",
		Client: fakerest.CreateHTTPClient(func(*http.Request) (*http.Response, error) {
			if err != nil {
				return nil, err
			}
			log, isUnknown := object.(*runtime.Unknown)
			if !isUnknown {
				return nil, fmt.Errorf("a pod's log: expected reactor to return *runtime.Unknown, whose Raw is the log, and got a %T", object)
			}
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(log.Raw))}, nil
		}),
	}
	// Tests of code that has no options or namespace yet need them no more than
	// the reactors do.
	request := client.Get().NamespaceIfScoped(c.Namespace(), c.Namespace() != "").
		Resource("pods").Name(name).SubResource("log")
	if opts != nil {
		request.VersionedParams(opts, scheme.ParameterCodec)
	}
	return request
}

func (c *fakePods) ProxyGet(scheme, name, port, path string, params map[string]string) rest.ResponseWrapper {
	return c.Fake.InvokesProxy(testing.NewProxyGetAction(c.Resource(), c.Namespace(), scheme, name, port, path, params))
}
