package rest

import (
	"errors"
	"net/http"
	"net/url"
	"path"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/flowcontrol"
)

// Interface is a client for the resources of an API. RESTClient implements it.
type Interface interface {
	// GetRateLimiter returns the rate limiter, or nil if there is none.
	GetRateLimiter() flowcontrol.RateLimiter
	// Verb begins a request with an HTTP method.
	Verb(verb string) *Request
	Post() *Request
	Put() *Request
	Patch(pt types.PatchType) *Request
	Get() *Request
	Delete() *Request
	// APIVersion returns the API that the client is for.
	APIVersion() schema.GroupVersion
}

// RESTClient is a client for the resources of an API. It is made by RESTClientFor and its
// relations, and may be used by several goroutines.
type RESTClient struct {
	// Client sends the requests; nil stands for http.DefaultClient.
	Client *http.Client

	base        *url.URL // ends in a slash, and has no query
	prefix      string   // the path of the API, with that of base
	content     *content
	rateLimiter flowcontrol.RateLimiter
	backoff     BackoffManagerWithContext // nil if there is none
	warnings    WarningHandlerWithContext // nil for the default one
}

// NewRESTClient returns a client for the API at versionedAPIPath below baseURL. A nil
// baseURL is an empty one, a nil rateLimiter does not limit, and a nil client stands
// for http.DefaultClient.
func NewRESTClient(baseURL *url.URL, versionedAPIPath string, config ClientContentConfig, rateLimiter flowcontrol.RateLimiter, client *http.Client) (*RESTClient, error) {
	return newRESTClient(baseURL, versionedAPIPath, config, rateLimiter, client), nil
}

func newRESTClient(baseURL *url.URL, versionedAPIPath string, config ClientContentConfig, rateLimiter flowcontrol.RateLimiter, client *http.Client) *RESTClient {
	var base url.URL
	if baseURL != nil {
		base = *baseURL
	}
	if !strings.HasSuffix(base.Path, "/") {
		base.Path += "/"
	}
	base.RawPath, base.RawQuery, base.Fragment, base.RawFragment = "", "", "", ""
	return &RESTClient{
		Client:      client,
		base:        &base,
		prefix:      path.Join(base.Path, versionedAPIPath),
		content:     newContent(config),
		rateLimiter: rateLimiter,
		backoff:     backoffFromEnvironment(),
	}
}

// GetRateLimiter returns the rate limiter, or nil if there is none or c is nil.
func (c *RESTClient) GetRateLimiter() flowcontrol.RateLimiter {
	if c == nil {
		return nil
	}
	return c.rateLimiter
}

// APIVersion returns the API that the client is for.
func (c *RESTClient) APIVersion() schema.GroupVersion {
	return c.content.groupVersion
}

// Verb begins a request with an HTTP method.
func (c *RESTClient) Verb(verb string) *Request { return NewRequest(c).Verb(verb) }

// Get begins a GET request.
func (c *RESTClient) Get() *Request { return c.Verb(http.MethodGet) }

// Post begins a POST request.
func (c *RESTClient) Post() *Request { return c.Verb(http.MethodPost) }

// Put begins a PUT request.
func (c *RESTClient) Put() *Request { return c.Verb(http.MethodPut) }

// Delete begins a DELETE request.
func (c *RESTClient) Delete() *Request { return c.Verb(http.MethodDelete) }

// Patch begins a PATCH request whose body is a patch of the type pt.
func (c *RESTClient) Patch(pt types.PatchType) *Request {
	return c.Verb(http.MethodPatch).SetHeader("Content-Type", string(pt))
}

// RESTClientFor returns a client for the API that config names. It needs a GroupVersion
// and a NegotiatedSerializer.
func RESTClientFor(config *Config) (*RESTClient, error) {
	return clientFor(config, true, func() (*http.Client, error) { return HTTPClientFor(config) })
}

// RESTClientForConfigAndClient is RESTClientFor with an HTTP client of the caller's, as is
// fit for clients of several APIs of one server. What config says about connections and authentication does not
// count. Nil stands for http.DefaultClient.
func RESTClientForConfigAndClient(config *Config, httpClient *http.Client) (*RESTClient, error) {
	return clientFor(config, true, func() (*http.Client, error) { return httpClient, nil })
}

// UnversionedRESTClientFor is RESTClientFor for clients of no API in particular: config
// needs no GroupVersion.
func UnversionedRESTClientFor(config *Config) (*RESTClient, error) {
	return clientFor(config, false, func() (*http.Client, error) { return HTTPClientFor(config) })
}

// UnversionedRESTClientForConfigAndClient is RESTClientForConfigAndClient for clients of no
// API in particular: config needs no GroupVersion.
func UnversionedRESTClientForConfigAndClient(config *Config, httpClient *http.Client) (*RESTClient, error) {
	return clientFor(config, false, func() (*http.Client, error) { return httpClient, nil })
}

func clientFor(config *Config, versioned bool, httpClient func() (*http.Client, error)) (*RESTClient, error) {
	gv := metav1.SchemeGroupVersion
	switch {
	case config.GroupVersion != nil:
		gv = *config.GroupVersion
	case versioned:
		return nil, errors.New("GroupVersion is required when initializing a RESTClient")
	}
	if config.NegotiatedSerializer == nil {
		return nil, errors.New("NegotiatedSerializer is required when initializing a RESTClient")
	}
	// What is wrong with the host should be told before files and plugins are touched.
	base, apiPath, err := DefaultServerUrlFor(config)
	if err != nil {
		return nil, err
	}
	hc, err := httpClient()
	if err != nil {
		return nil, err
	}
	c := newRESTClient(base, apiPath, ClientContentConfig{
		AcceptContentTypes: config.AcceptContentTypes,
		ContentType:        config.ContentType,
		GroupVersion:       gv,
		Negotiator:         &cachingNegotiator{ClientNegotiator: runtime.NewClientNegotiator(config.NegotiatedSerializer, gv)},
	}, rateLimiterFor(config), hc)
	c.warnings = warningHandlerFor(config)
	return c, nil
}
