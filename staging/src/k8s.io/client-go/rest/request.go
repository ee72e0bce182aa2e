package rest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/util/flowcontrol"
)

// HTTPClient sends requests. *http.Client implements it.
type HTTPClient interface {
	Do(req *http.Request) (*http.Response, error)
}

// ResponseWrapper is a request that can be sent. Request implements it.
type ResponseWrapper interface {
	// DoRaw returns the body of the answer.
	DoRaw(context.Context) ([]byte, error)
	// Stream returns the body of the answer as it comes in.
	Stream(context.Context) (io.ReadCloser, error)
}

// defaultMaxRetries is how often a request is sent again.
const defaultMaxRetries = 10

// Request is a request in the making. Its methods return it, so that calls can be
// chained; the first mistake is kept, and returned by Error and by what sends the request.
type Request struct {
	c       *RESTClient
	formats *formats

	warnings    WarningHandlerWithContext // nil for the default one
	rateLimiter flowcontrol.RateLimiter
	backoff     BackoffManagerWithContext // nil if there is none
	timeout     time.Duration
	maxRetries  int

	verb    string
	prefix  string // of the path, clean but for a slash at its end
	suffix  string // of the path
	params  params
	headers http.Header

	namespace    string
	namespaceSet bool
	resource     string
	name         string
	subresource  string

	body body
	err  error
}

// NewRequest returns a request to the server of c.
func NewRequest(c *RESTClient) *Request {
	formats := c.content.current()
	r := &Request{
		c:           c,
		formats:     formats,
		warnings:    c.warnings,
		rateLimiter: c.rateLimiter,
		backoff:     c.backoff,
		maxRetries:  defaultMaxRetries,
		prefix:      c.prefix,
		headers:     http.Header{"Accept": formats.accept},
	}
	if c.Client != nil {
		r.timeout = c.Client.Timeout
	}
	return r
}

// NewRequestWithClient returns a request with a client of its own. It is meant for tests.
func NewRequestWithClient(base *url.URL, versionedAPIPath string, content ClientContentConfig, client *http.Client) *Request {
	return NewRequest(newRESTClient(base, versionedAPIPath, content, nil, client))
}

// Verb sets the HTTP method.
func (r *Request) Verb(verb string) *Request {
	r.verb = verb
	return r
}

// Prefix adds segments to the path, before namespace, resource and name. AbsPath removes
// them.
func (r *Request) Prefix(segments ...string) *Request {
	if r.err == nil {
		r.prefix = path.Join(r.prefix, path.Join(segments...))
	}
	return r
}

// Suffix adds segments to the end of the path.
func (r *Request) Suffix(segments ...string) *Request {
	if r.err == nil {
		r.suffix = path.Join(r.suffix, path.Join(segments...))
	}
	return r
}

// AbsPath makes the path begin with segments, below the server's own path. A slash at the
// end of a single segment is kept.
func (r *Request) AbsPath(segments ...string) *Request {
	if r.err != nil {
		return r
	}
	r.prefix = path.Join(r.c.base.Path, path.Join(segments...))
	if len(segments) == 1 && strings.HasSuffix(segments[0], "/") && !strings.HasSuffix(r.prefix, "/") {
		r.prefix += "/"
	}
	return r
}

// RequestURI takes path and parameters from uri, in place of those that were set. The path
// is below the server's own.
func (r *Request) RequestURI(uri string) *Request {
	if r.err != nil {
		return r
	}
	u, err := url.Parse(uri)
	if err != nil {
		return r.fail(err)
	}
	r.AbsPath(u.Path)
	r.params = nil
	r.addParams(u.Query())
	return r
}

// Namespace sets the namespace. The empty one stands for all of them.
func (r *Request) Namespace(namespace string) *Request {
	switch {
	case r.err != nil:
	case r.namespaceSet:
		r.fail(fmt.Errorf("namespace already set to %q, cannot change to %q", r.namespace, namespace))
	case r.valid("namespace", namespace):
		r.namespace, r.namespaceSet = namespace, true
	}
	return r
}

// NamespaceIfScoped sets the namespace if scoped is true.
func (r *Request) NamespaceIfScoped(namespace string, scoped bool) *Request {
	if !scoped {
		return r
	}
	return r.Namespace(namespace)
}

// Resource sets the resource, such as "pods".
func (r *Request) Resource(resource string) *Request {
	switch {
	case r.err != nil:
	case r.resource != "":
		r.fail(fmt.Errorf("resource already set to %q, cannot change to %q", r.resource, resource))
	case r.valid("resource", resource):
		r.resource = resource
	}
	return r
}

// Name sets the name of the object.
func (r *Request) Name(resourceName string) *Request {
	switch {
	case r.err != nil:
	case resourceName == "":
		r.fail(errNoName)
	case r.name != "":
		r.fail(fmt.Errorf("resource name already set to %q, cannot change to %q", r.name, resourceName))
	case r.valid("resource name", resourceName):
		r.name = resourceName
	}
	return r
}

// SubResource sets what of the object the request is about, such as "status". It may have
// several segments.
func (r *Request) SubResource(subresources ...string) *Request {
	if r.err != nil {
		return r
	}
	joined := path.Join(subresources...)
	if r.subresource != "" {
		return r.fail(fmt.Errorf("subresource already set to %q, cannot change to %q", r.subresource, joined))
	}
	for _, s := range subresources {
		if !r.valid("subresource", s) {
			return r
		}
	}
	r.subresource = joined
	return r
}

// Param adds a parameter to the query.
func (r *Request) Param(paramName, s string) *Request {
	if r.err == nil {
		r.params = r.params.with(paramName, s)
	}
	return r
}

// VersionedParams adds the fields of obj, such as a *metav1.ListOptions, to the query, in
// the version of the client's API. Fields with omitempty are left out where they are empty.
func (r *Request) VersionedParams(obj runtime.Object, codec runtime.ParameterCodec) *Request {
	return r.SpecificallyVersionedParams(obj, codec, r.c.content.groupVersion)
}

// SpecificallyVersionedParams is VersionedParams in another version.
func (r *Request) SpecificallyVersionedParams(obj runtime.Object, codec runtime.ParameterCodec, version schema.GroupVersion) *Request {
	if r.err != nil {
		return r
	}
	params, err := codec.EncodeParameters(obj, version)
	if err != nil {
		return r.fail(err)
	}
	r.addParams(params)
	return r
}

func (r *Request) addParams(values url.Values) {
	for name, values := range values {
		for _, value := range values {
			r.params = r.params.with(name, value)
		}
	}
}

// SetHeader sets a header of the request, in place of what was set. Without values it
// removes the header.
func (r *Request) SetHeader(key string, values ...string) *Request {
	key = http.CanonicalHeaderKey(key)
	if len(values) == 0 {
		delete(r.headers, key)
	} else {
		r.headers[key] = values
	}
	return r
}

// Timeout limits how long Do and DoRaw may take, and tells the server by the parameter
// "timeout". For Stream and Watch it is the server that keeps it.
func (r *Request) Timeout(d time.Duration) *Request {
	if r.err == nil {
		r.timeout = d
	}
	return r
}

// MaxRetries sets how often the request is sent again where that makes sense. The default
// is 10, and zero or less means not at all.
func (r *Request) MaxRetries(maxRetries int) *Request {
	r.maxRetries = max(maxRetries, 0)
	return r
}

// Throttle sets the rate limiter to wait for. Nil means none.
func (r *Request) Throttle(limiter flowcontrol.RateLimiter) *Request {
	r.rateLimiter = limiter
	return r
}

// BackOff sets what decides how long to leave a failing server alone. Nil stands for
// nothing.
//
// Deprecated: manager cannot see the end of the context. Use BackOffWithContext.
func (r *Request) BackOff(manager BackoffManager) *Request {
	if manager == nil {
		return r.BackOffWithContext(nil)
	}
	return r.BackOffWithContext(withoutContext{manager})
}

// BackOffWithContext sets what decides how long to leave a failing server alone. Nil
// stands for nothing.
func (r *Request) BackOffWithContext(manager BackoffManagerWithContext) *Request {
	if _, none := manager.(*NoBackoff); none {
		manager = nil
	}
	r.backoff = manager
	return r
}

// WarningHandler sets what gets the warnings in the answer. Nil stands for the handler of
// SetDefaultWarningHandler.
func (r *Request) WarningHandler(handler WarningHandler) *Request {
	if handler == nil {
		return r.WarningHandlerWithContext(nil)
	}
	return r.WarningHandlerWithContext(warningsWithoutContext{handler})
}

// WarningHandlerWithContext sets what gets the warnings in the answer. Nil stands for the
// handler of SetDefaultWarningHandlerWithContext.
func (r *Request) WarningHandlerWithContext(handler WarningHandlerWithContext) *Request {
	r.warnings = handler
	return r
}

// UseProtobufAsDefault makes protobuf the format of the request, unless formats were
// configured for the client. It is for resources that have a protobuf encoding. It must come before Body.
func (r *Request) UseProtobufAsDefault() *Request {
	if r.c.content.unconfigured {
		r.formats = &protobufFormats
		r.headers["Accept"] = r.formats.accept
	}
	return r
}

// UseProtobufAsDefaultIfPreferred is UseProtobufAsDefault if prefersProtobuf is true.
func (r *Request) UseProtobufAsDefaultIfPreferred(prefersProtobuf bool) *Request {
	if !prefersProtobuf {
		return r
	}
	return r.UseProtobufAsDefault()
}

// Error returns the first mistake in building the request.
func (r *Request) Error() error { return r.err }

// fail keeps the first mistake.
func (r *Request) fail(err error) *Request {
	if r.err == nil {
		r.err = err
	}
	return r
}

func (r *Request) valid(what, segment string) bool {
	wrong := IsValidPathSegmentName(segment)
	if len(wrong) > 0 {
		r.fail(fmt.Errorf("invalid %s %q: %v", what, segment, wrong))
	}
	return len(wrong) == 0
}

var errNoName = errors.New("resource name may not be empty")
