package metadata

import (
	"net/http"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metav1beta1 "k8s.io/apimachinery/pkg/apis/meta/v1beta1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/rest"
)

// Client is the [Interface] to a server. Any number of goroutines may use it at
// the same time.
type Client struct {
	client rest.Interface
}

var _ Interface = (*Client)(nil)

// codecs knows the kinds that servers answer a metadata client with. It is made
// for the first client: a program that merely links this package, as part of
// another one, has no use for it.
var codecs = sync.OnceValue(func() runtime.NegotiatedSerializer {
	scheme := runtime.NewScheme()
	metav1.AddToGroupVersion(scheme, schema.GroupVersion{Version: "v1"})
	utilruntime.Must(metav1.AddMetaToScheme(scheme))
	// The same types under their name of old, for servers of that age.
	utilruntime.Must(metav1beta1.AddMetaToScheme(scheme))
	return serializer.NewCodecFactory(scheme).WithoutConversion()
})

// ConfigFor returns a copy of a configuration that is set up for a metadata
// client: with protobuf as its first choice, a serializer for metadata, and a
// user agent if there is none.
func ConfigFor(inConfig *rest.Config) *rest.Config {
	config := rest.CopyConfig(inConfig)
	config.ContentType = "application/vnd.kubernetes.protobuf"
	config.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	config.NegotiatedSerializer = codecs()
	if config.UserAgent == "" {
		config.UserAgent = rest.DefaultKubernetesUserAgent()
	}
	return config
}

// NewForConfig returns a client for the server of a configuration. To share
// connections among clients, see [NewForConfigAndClient].
func NewForConfig(inConfig *rest.Config) (Interface, error) {
	config := ConfigFor(inConfig)
	h, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, err
	}
	return newForConfig(config, h)
}

// NewForConfigAndClient is [NewForConfig] with a client for HTTP of the
// caller's, which replaces what the configuration has on transport.
func NewForConfigAndClient(inConfig *rest.Config, h *http.Client) (Interface, error) {
	return newForConfig(ConfigFor(inConfig), h)
}

// NewForConfigOrDie is [NewForConfig], and panics where that returns an error.
func NewForConfigOrDie(c *rest.Config) Interface {
	client, err := NewForConfig(c)
	if err != nil {
		panic(err)
	}
	return client
}

// newForConfig takes over config. It returns an interface, lest a nil *Client
// pass for one.
func newForConfig(config *rest.Config, h *http.Client) (Interface, error) {
	// Each request has a path of its own. The version must not be nil, though.
	config.GroupVersion = &schema.GroupVersion{}
	config.APIPath = "/no-request-should-have-this-path"
	client, err := rest.RESTClientForConfigAndClient(config, h)
	if err != nil {
		return nil, err
	}
	return &Client{client: client}, nil
}

// Resource returns a client for one resource.
func (c *Client) Resource(resource schema.GroupVersionResource) Getter {
	return &resourceClient{client: c.client, resource: resource}
}
