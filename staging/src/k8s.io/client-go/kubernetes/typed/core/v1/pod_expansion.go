package v1

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	policyv1beta1 "k8s.io/api/policy/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/rest"
)

// PodExpansion has the methods of pods that go to sub-resources of their own kind.
type PodExpansion interface {
	// Bind assigns the pod that the binding is named after to the node that is
	// its target. Schedulers do this.
	Bind(ctx context.Context, binding *corev1.Binding, opts metav1.CreateOptions) error
	// Evict is EvictV1beta1.
	//
	// Deprecated: servers from 1.25 on know policy/v1 only. Use EvictV1.
	Evict(ctx context.Context, eviction *policyv1beta1.Eviction) error
	// EvictV1 asks the server to delete the pod that the eviction is named
	// after, as far as disruption budgets allow it now. If they do not, the
	// error is one of too many requests, and the caller tries again later.
	EvictV1(ctx context.Context, eviction *policyv1.Eviction) error
	// EvictV1beta1 is EvictV1 for servers before 1.22.
	EvictV1beta1(ctx context.Context, eviction *policyv1beta1.Eviction) error
	// GetLogs returns a request for the log of a pod's container. Its Stream
	// method gives the log as it is written, if opts.Follow is set; its DoRaw
	// method what there is.
	GetLogs(name string, opts *corev1.PodLogOptions) *rest.Request
	// ProxyGet returns a GET of a path below a port of the pod, sent through the
	// server. Scheme and port may be empty, for the pod's default.
	ProxyGet(scheme, name, port, path string, params map[string]string) rest.ResponseWrapper
}

func (c *pods) Bind(ctx context.Context, binding *corev1.Binding, opts metav1.CreateOptions) error {
	return c.post(binding.Name, "binding", binding).
		VersionedParams(&opts, groupScheme.ParameterCodec()).
		Do(ctx).Error()
}

func (c *pods) Evict(ctx context.Context, eviction *policyv1beta1.Eviction) error {
	return c.EvictV1beta1(ctx, eviction)
}

func (c *pods) EvictV1(ctx context.Context, eviction *policyv1.Eviction) error {
	return c.post(eviction.Name, "eviction", eviction).Do(ctx).Error()
}

func (c *pods) EvictV1beta1(ctx context.Context, eviction *policyv1beta1.Eviction) error {
	return c.post(eviction.Name, "eviction", eviction).Do(ctx).Error()
}

// post returns a request that sends an object to a sub-resource of a pod.
func (c *pods) post(pod, subresource string, body runtime.Object) *rest.Request {
	return c.GetClient().Post().
		Namespace(c.GetNamespace()).
		Resource("pods").Name(pod).SubResource(subresource).
		Body(body)
}

func (c *pods) GetLogs(name string, opts *corev1.PodLogOptions) *rest.Request {
	return c.GetClient().Get().
		Namespace(c.GetNamespace()).
		Resource("pods").Name(name).SubResource("log").
		VersionedParams(opts, groupScheme.ParameterCodec())
}

func (c *pods) ProxyGet(scheme, name, port, path string, params map[string]string) rest.ResponseWrapper {
	return proxyGet(c.GetClient(), c.GetNamespace(), "pods", utilnet.JoinSchemeNamePort(scheme, name, port), path, params)
}

// proxyGet returns a GET of a path below the proxy of a resource.
func proxyGet(client rest.Interface, namespace, resource, target, path string, params map[string]string) *rest.Request {
	request := client.Get().
		Namespace(namespace).
		Resource(resource).Name(target).SubResource("proxy").
		Suffix(path)
	for name, value := range params {
		request.Param(name, value)
	}
	return request
}
