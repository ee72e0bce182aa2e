package transport

import (
	"encoding/base64"
	"net/http"
	"slices"

	utilnet "k8s.io/apimachinery/pkg/util/net"
)

const (
	authorization = "Authorization"
	userAgent     = "User-Agent"
)

// A decorator adds to the headers of a request.
type decorator struct {
	// unless is a header: a request that has it is left alone.
	unless string
	// add may change the headers, but not their values: they may be shared.
	add func(http.Header)
}

func (d decorator) wanted(h http.Header) bool { return d.unless == "" || h.Get(d.unless) == "" }

// A decorated round tripper gives a copy of each request, with more headers, to
// the one below it. However many decorators there are, one copy is made, and none
// if all leave the request alone.
type decorated struct {
	decorators []decorator // in the order in which they are called
	inner      http.RoundTripper
}

var _ utilnet.RoundTripperWrapper = &decorated{}

// decorate puts d on top of inner, in one layer with the decorators on top of
// inner.
func decorate(inner http.RoundTripper, d decorator) http.RoundTripper {
	if below, ok := inner.(*decorated); ok {
		return &decorated{
			decorators: slices.Concat([]decorator{d}, below.decorators),
			inner:      below.inner,
		}
	}
	return &decorated{decorators: []decorator{d}, inner: inner}
}

func (rt *decorated) RoundTrip(req *http.Request) (*http.Response, error) {
	if !slices.ContainsFunc(rt.decorators, func(d decorator) bool { return d.wanted(req.Header) }) {
		return rt.inner.RoundTrip(req)
	}
	req = copyWithHeaders(req, len(rt.decorators))
	for _, d := range rt.decorators {
		if d.wanted(req.Header) {
			d.add(req.Header)
		}
	}
	return rt.inner.RoundTrip(req)
}

func (rt *decorated) WrappedRoundTripper() http.RoundTripper { return rt.inner }

// copyWithHeaders returns a copy of req with headers of its own, and with room
// for some more. Values are shared, with no room to append to them in place.
func copyWithHeaders(req *http.Request, more int) *http.Request {
	headers := make(http.Header, len(req.Header)+more)
	for name, values := range req.Header {
		headers[name] = slices.Clip(values)
	}
	req = req.WithContext(req.Context())
	req.Header = headers
	return req
}

// unlessSet returns a decorator for a header with one value, which is left
// alone if the request has one.
func unlessSet(name, value string) decorator {
	values := []string{value}
	return decorator{unless: name, add: func(h http.Header) { h[name] = values }}
}

// NewUserAgentRoundTripper returns a round tripper that sends requests through
// rt with agent as their User-Agent, unless they have one.
func NewUserAgentRoundTripper(agent string, rt http.RoundTripper) http.RoundTripper {
	return decorate(rt, unlessSet(userAgent, agent))
}

// NewBasicAuthRoundTripper returns a round tripper that sends requests through
// rt with basic authentication, unless they have an Authorization header.
func NewBasicAuthRoundTripper(username, password string, rt http.RoundTripper) http.RoundTripper {
	credentials := base64.StdEncoding.EncodeToString([]byte(username + ":" + password))
	return decorate(rt, unlessSet(authorization, "Basic "+credentials))
}

// NewBearerAuthRoundTripper returns a round tripper that sends requests through
// rt with a bearer token, unless they have an Authorization header.
func NewBearerAuthRoundTripper(bearer string, rt http.RoundTripper) http.RoundTripper {
	return decorate(rt, unlessSet(authorization, "Bearer "+bearer))
}
