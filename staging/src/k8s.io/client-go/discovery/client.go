package discovery

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	openapi_v2 "github.com/google/gnostic-models/openapiv2"
	"google.golang.org/protobuf/proto"

	"k8s.io/apimachinery/pkg/version"
	"k8s.io/client-go/openapi/documents"
	restclient "k8s.io/client-go/rest"
)

const (
	defaultTimeout = 32 * time.Second

	// With the older form a full picture takes a request for each version,
	// and a cluster may well have a hundred of them.
	defaultBurst = 300

	acceptOpenAPIV2 = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
)

// DiscoveryClient asks the server at every call. It may be used by any number
// of goroutines.
type DiscoveryClient struct {
	restClient restclient.Interface

	// LegacyPrefix is the path below which the versions of the core group
	// are. The constructors set it to "/api".
	LegacyPrefix string
	// UseLegacyDiscovery makes the client ask for the older form only.
	UseLegacyDiscovery bool
	// NoPeerDiscovery makes the client ask for what the one server that
	// answers knows by itself, without what its peers told it. Servers that
	// cannot tell the difference return everything.
	NoPeerDiscovery bool
}

var _ AggregatedDiscoveryInterface = (*DiscoveryClient)(nil)

// NewDiscoveryClientForConfig returns a client for the server that config
// describes. Where config is silent, requests time out after 32 seconds, and
// bursts of 300 are let through before the rate limit holds them back.
func NewDiscoveryClientForConfig(config *restclient.Config) (*DiscoveryClient, error) {
	config = withDefaults(config)
	httpClient, err := restclient.HTTPClientFor(config)
	if err != nil {
		return nil, err
	}
	return newForConfig(config, httpClient)
}

// NewDiscoveryClientForConfigAndClient is NewDiscoveryClientForConfig with an
// HTTP client that replaces the transport settings of config.
func NewDiscoveryClientForConfigAndClient(config *restclient.Config, httpClient *http.Client) (*DiscoveryClient, error) {
	return newForConfig(withDefaults(config), httpClient)
}

// NewDiscoveryClientForConfigOrDie is NewDiscoveryClientForConfig for programs
// that cannot go on without a client. It panics where that returns an error.
func NewDiscoveryClientForConfigOrDie(config *restclient.Config) *DiscoveryClient {
	client, err := NewDiscoveryClientForConfig(config)
	if err != nil {
		panic(err)
	}
	return client
}

// NewDiscoveryClient returns a client that sends its requests through c.
func NewDiscoveryClient(c restclient.Interface) *DiscoveryClient {
	return &DiscoveryClient{restClient: c, LegacyPrefix: "/api"}
}

func newForConfig(config *restclient.Config, httpClient *http.Client) (*DiscoveryClient, error) {
	c, err := restclient.UnversionedRESTClientForConfigAndClient(config, httpClient)
	if err != nil {
		return nil, err
	}
	return NewDiscoveryClient(c), nil
}

func withDefaults(config *restclient.Config) *restclient.Config {
	c := *config
	c.APIPath, c.GroupVersion = "", nil
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if c.Burst == 0 {
		c.Burst = defaultBurst
	}
	if c.UserAgent == "" {
		c.UserAgent = restclient.DefaultKubernetesUserAgent()
	}
	c.NegotiatedSerializer = anyMediaType()
	return &c
}

// RESTClient returns the client that requests go through, or nil for a nil
// DiscoveryClient.
func (d *DiscoveryClient) RESTClient() restclient.Interface {
	if d == nil {
		return nil
	}
	return d.restClient
}

// WithLegacy returns a copy that asks for the older form only.
func (d *DiscoveryClient) WithLegacy() DiscoveryInterface {
	legacy := *d
	legacy.UseLegacyDiscovery = true
	return &legacy
}

// ServerVersion returns what the server says about its own build.
func (d *DiscoveryClient) ServerVersion() (*version.Info, error) {
	body, _, err := d.get("/version", AcceptV1)
	if err != nil {
		return nil, err
	}
	info := new(version.Info)
	if err := json.Unmarshal(body, info); err != nil {
		return nil, fmt.Errorf("unable to parse the server version: %w", err)
	}
	return info, nil
}

// OpenAPISchema fetches the OpenAPI v2 document in its protobuf form.
func (d *DiscoveryClient) OpenAPISchema() (*openapi_v2.Document, error) {
	body, _, err := d.get("/openapi/v2", acceptOpenAPIV2)
	if err != nil {
		return nil, err
	}
	document := new(openapi_v2.Document)
	if err := proto.Unmarshal(body, document); err != nil {
		return nil, fmt.Errorf("unable to parse the OpenAPI v2 document: %w", err)
	}
	return document, nil
}

// OpenAPIV3 returns a client for the OpenAPI v3 documents. Each of its calls
// goes to the server.
func (d *DiscoveryClient) OpenAPIV3() documents.Client {
	return documents.NewClient(d.restClient)
}
