package dynamic

import (
	"net/http"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/features"
	"k8s.io/client-go/rest"
)

// DynamicClient is the [Interface] to a server. Any number of goroutines may
// use it at the same time.
type DynamicClient struct {
	client rest.Interface
}

var _ Interface = (*DynamicClient)(nil)

// ConfigFor returns a copy of a configuration that is set up for a dynamic
// client: with the content types that the feature gates ask for, a serializer
// for unstructured objects, and a user agent if there is none.
func ConfigFor(inConfig *rest.Config) *rest.Config {
	config := rest.CopyConfig(inConfig)
	config.ContentType = "application/json"
	config.AcceptContentTypes = "application/json"
	config.NegotiatedSerializer = newSerializer()
	if gates := features.FeatureGates(); gates.Enabled(features.ClientsAllowCBOR) {
		config.AcceptContentTypes = "application/json;q=0.9,application/cbor;q=1"
		if gates.Enabled(features.ClientsPreferCBOR) {
			config.ContentType = "application/cbor"
		}
	}
	if config.UserAgent == "" {
		config.UserAgent = rest.DefaultKubernetesUserAgent()
	}
	return config
}

// New returns a client that sends its requests through c. Paths are absolute,
// so that c's group and version do not matter. Its serializer must be able to
// decode unstructured objects.
func New(c rest.Interface) *DynamicClient {
	return &DynamicClient{client: c}
}

// NewForConfig returns a client for the server of a configuration. To share
// connections among clients, see [NewForConfigAndClient].
func NewForConfig(inConfig *rest.Config) (*DynamicClient, error) {
	config := ConfigFor(inConfig)
	httpClient, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, err
	}
	return newForConfig(config, httpClient)
}

// NewForConfigAndClient is [NewForConfig] with a client for HTTP of the
// caller's, which replaces what the configuration has on transport.
func NewForConfigAndClient(inConfig *rest.Config, h *http.Client) (*DynamicClient, error) {
	return newForConfig(ConfigFor(inConfig), h)
}

// NewForConfigOrDie is [NewForConfig], and panics where that returns an error.
func NewForConfigOrDie(c *rest.Config) *DynamicClient {
	client, err := NewForConfig(c)
	if err != nil {
		panic(err)
	}
	return client
}

// newForConfig takes over config.
func newForConfig(config *rest.Config, h *http.Client) (*DynamicClient, error) {
	// Each request has a path of its own. The version must not be nil, though.
	config.GroupVersion = &schema.GroupVersion{}
	config.APIPath = "/no-request-should-have-this-path"
	client, err := rest.RESTClientForConfigAndClient(config, h)
	if err != nil {
		return nil, err
	}
	return New(client), nil
}

// Resource returns a client for one resource.
func (c *DynamicClient) Resource(resource schema.GroupVersionResource) NamespaceableResourceInterface {
	return &resourceClient{client: c.client, resource: resource}
}
