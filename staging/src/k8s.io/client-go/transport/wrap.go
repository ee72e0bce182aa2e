package transport

import (
	"context"
	"net/http"

	utilnet "k8s.io/apimachinery/pkg/util/net"
)

// A WrapperFunc puts a round tripper around another one. What it returns should
// have a method WrappedRoundTripper that returns the other one.
type WrapperFunc func(rt http.RoundTripper) http.RoundTripper

// Wrappers returns a wrapper that applies the given ones in order, so that the
// last one is outermost. Those that are nil are left out, and if none remains
// the result is nil; but for a single nil it is a wrapper that does nothing, as
// there are programs that call it.
func Wrappers(fns ...WrapperFunc) WrapperFunc {
	chain := make([]WrapperFunc, 0, len(fns))
	for _, wrap := range fns {
		if wrap != nil {
			chain = append(chain, wrap)
		}
	}
	switch len(chain) {
	case 0:
		if len(fns) == 1 {
			return func(rt http.RoundTripper) http.RoundTripper { return rt }
		}
		return nil
	case 1:
		return chain[0]
	}
	return func(rt http.RoundTripper) http.RoundTripper {
		for _, wrap := range chain {
			rt = wrap(rt)
		}
		return rt
	}
}

// ContextCanceller returns a wrapper that answers every request with err once
// ctx is done. Requests that are under way are not affected.
func ContextCanceller(ctx context.Context, err error) WrapperFunc {
	return func(inner http.RoundTripper) http.RoundTripper {
		return &gate{done: ctx.Done(), closed: err, inner: inner}
	}
}

// A gate lets requests through until a channel is closed.
type gate struct {
	done   <-chan struct{}
	closed error
	inner  http.RoundTripper
}

var _ utilnet.RoundTripperWrapper = &gate{}

func (g *gate) RoundTrip(req *http.Request) (*http.Response, error) {
	select {
	case <-g.done:
		closeBody(req)
		return nil, g.closed
	default:
		return g.inner.RoundTrip(req)
	}
}

func (g *gate) WrappedRoundTripper() http.RoundTripper { return g.inner }

// closeBody does what is asked of a round tripper that does not send a request.
func closeBody(req *http.Request) {
	if req.Body != nil {
		req.Body.Close()
	}
}
