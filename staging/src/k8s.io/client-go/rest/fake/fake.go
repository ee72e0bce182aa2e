// Package fake is a REST client for tests: it builds requests as the real one does, and
// gives them to a function, or answers them with what it was told.
//
//	client := &fake.RESTClient{
//		NegotiatedSerializer: codecs,
//		Client: fake.CreateHTTPClient(func(req *http.Request) (*http.Response, error) {
//			return &http.Response{StatusCode: http.StatusNotFound, Body: http.NoBody}, nil
//		}),
//	}
package fake

import (
	"net/http"
	"net/url"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	restclient "k8s.io/client-go/rest"
	"k8s.io/client-go/util/flowcontrol"
)

// CreateHTTPClient returns an HTTP client that gives its requests to roundTripper.
func CreateHTTPClient(roundTripper func(*http.Request) (*http.Response, error)) *http.Client {
	return &http.Client{Transport: roundTripperFunc(roundTripper)}
}

type roundTripperFunc func(*http.Request) (*http.Response, error)

func (f roundTripperFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// RESTClient is a restclient.Interface that sends nothing. A request ends with the first
// of Err, the answer of Client, and Resp that is set.
type RESTClient struct {
	// NegotiatedSerializer encodes and decodes bodies.
	NegotiatedSerializer runtime.NegotiatedSerializer
	// GroupVersion is the API that the client is for.
	GroupVersion schema.GroupVersion
	// VersionedAPIPath is the path of the API.
	VersionedAPIPath string

	// Err is the error that requests end with. They are not kept in Req then.
	Err error
	// Req is the last request.
	Req *http.Request
	// Client gets the requests.
	Client *http.Client
	// Resp is the answer to requests.
	Resp *http.Response
}

var _ restclient.Interface = (*RESTClient)(nil)

// Get begins a GET request.
func (c *RESTClient) Get() *restclient.Request { return c.Verb(http.MethodGet) }

// Put begins a PUT request.
func (c *RESTClient) Put() *restclient.Request { return c.Verb(http.MethodPut) }

// Post begins a POST request.
func (c *RESTClient) Post() *restclient.Request { return c.Verb(http.MethodPost) }

// Delete begins a DELETE request.
func (c *RESTClient) Delete() *restclient.Request { return c.Verb(http.MethodDelete) }

// Patch begins a PATCH request whose body is a patch of the type pt.
func (c *RESTClient) Patch(pt types.PatchType) *restclient.Request {
	return c.Verb(http.MethodPatch).SetHeader("Content-Type", string(pt))
}

// Verb begins a request with an HTTP method.
func (c *RESTClient) Verb(verb string) *restclient.Request { return c.Request().Verb(verb) }

// APIVersion returns GroupVersion.
func (c *RESTClient) APIVersion() schema.GroupVersion { return c.GroupVersion }

// GetRateLimiter returns nil: there is nothing to limit.
func (c *RESTClient) GetRateLimiter() flowcontrol.RateLimiter { return nil }

// Request begins a request without a verb.
func (c *RESTClient) Request() *restclient.Request {
	content := restclient.ClientContentConfig{
		ContentType:  runtime.ContentTypeJSON,
		GroupVersion: c.GroupVersion,
		Negotiator:   runtime.NewClientNegotiator(c.NegotiatedSerializer, c.GroupVersion),
	}
	base := &url.URL{Scheme: "https", Host: "localhost"}
	return restclient.NewRequestWithClient(base, c.VersionedAPIPath, content, CreateHTTPClient(c.answer))
}

func (c *RESTClient) answer(req *http.Request) (*http.Response, error) {
	if c.Err != nil {
		return nil, c.Err
	}
	c.Req = req
	if c.Client == nil {
		return c.Resp, nil
	}
	return c.Client.Do(req)
}
