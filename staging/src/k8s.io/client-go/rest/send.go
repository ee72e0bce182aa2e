package rest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/internal/share/offer"
)

// Do sends the request and waits for the answer. The errors in the result are:
//
//   - what Error returns;
//   - *errors.StatusError of apimachinery, if the server answered with an error;
//   - *errors.UnexpectedObjectError, if it answered with an object of another kind that
//     says so;
//   - the errors of the HTTP client, and of reading the answer.
func (r *Request) Do(ctx context.Context) Result {
	offer.Decoded(ctx)
	var result Result
	err := r.exchange(ctx, func(resp *http.Response) {
		result = r.result(ctx, resp)
	})
	if err != nil {
		return Result{err: err}
	}
	return result
}

// DoRaw sends the request and returns the body of the answer as it is. If the status is
// an error's, so is err, with the body along with it.
func (r *Request) DoRaw(ctx context.Context) ([]byte, error) {
	var data []byte
	var failure error
	err := r.exchange(ctx, func(resp *http.Response) {
		data, failure = readBody(resp)
		observeResponseSize(ctx, r.verb, resp.Request.URL.Host, len(data))
		logBody(ctx, "Response Body", data)
		if failure == nil && !succeeded(resp.StatusCode) {
			failure = r.responseError(resp, data)
		}
	})
	if err != nil {
		return nil, err
	}
	return data, failure
}

// Stream sends the request and returns the body of the answer as it comes in; the caller
// closes it. If the status is an error's, err is what Do would have in its result.
func (r *Request) Stream(ctx context.Context) (io.ReadCloser, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	if err := r.throttle(ctx, ""); err != nil {
		return nil, err
	}
	a := &attempts{url: r.URL()}
	resp, err := r.attempt(ctx, a, neverRetryable)
	if err != nil {
		return nil, a.WrapPreviousError(err)
	}
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		handleWarnings(ctx, resp.Header, r.warnings)
		return resp.Body, nil
	}
	defer resp.Body.Close()
	return nil, r.result(ctx, resp).Error()
}

// Watch sends the request and returns the events in the answer as they come in. The
// watch ends with ctx, by Stop, or when the server ends it; what cannot be decoded is an event of
// type Error with a *metav1.Status. If there is no connection to be had, as while a server restarts, the
// watch is one that ends at once.
func (r *Request) Watch(ctx context.Context) (watch.Interface, error) {
	if r.err != nil {
		return nil, r.err
	}
	a := &attempts{url: r.URL()}
	resp, err := r.attempt(ctx, a, connectionLost)
	if err != nil {
		if ctx.Err() == nil && connectionLost(nil, err) {
			return watch.NewEmptyWatch(), nil
		}
		return nil, a.WrapPreviousError(err)
	}
	if resp.StatusCode == http.StatusOK {
		handleWarnings(ctx, resp.Header, r.warnings)
		w, err := r.newWatch(ctx, resp)
		if err != nil {
			_ = resp.Body.Close()
			return nil, err
		}
		return w, nil
	}
	defer resp.Body.Close()
	if err := r.result(ctx, resp).Error(); err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("for request %s, got status: %d", resp.Request.URL.Redacted(), resp.StatusCode)
}

// exchange sends the request and calls handle with the answer, within the request's
// timeout.
func (r *Request) exchange(ctx context.Context, handle func(*http.Response)) error {
	if err := r.check(); err != nil {
		return err
	}
	start := time.Now()
	defer r.observeLatency(ctx, start)
	if r.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, r.timeout)
		defer cancel()
	}
	if err := r.throttle(ctx, ""); err != nil {
		return err
	}
	a := attempts{url: r.URL(), measured: true}
	resp, err := r.attempt(ctx, &a, lostInGet)
	if err != nil {
		return a.WrapPreviousError(err)
	}
	defer resp.Body.Close()
	handle(resp)
	return nil
}

// attempt sends the request until there is an answer that counts. The caller closes its
// body.
func (r *Request) attempt(ctx context.Context, a *attempts, retryable IsRetryableErrorFunc) (*http.Response, error) {
	client := r.c.Client
	if client == nil {
		client = http.DefaultClient
	}
	traced := traceResolver(ctx)
	if r.body.bytes != nil {
		logBody(ctx, "Request Body", r.body.bytes)
	}
	for {
		if err := a.Before(ctx, r); err != nil {
			return nil, err
		}
		req, err := r.newHTTPRequest(traced, a.url)
		if err != nil {
			return nil, err
		}
		if a.measured {
			observeRequestSize(ctx, r.verb, a.url.Host, size(req))
		}
		resp, err := client.Do(req)
		a.After(ctx, r, resp, err)
		if a.IsNextRetry(ctx, r, req, resp, err, retryable) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if resp.Request == nil {
			resp.Request = req // round trippers of tests leave it out
		}
		return resp, nil
	}
}

// RequestConstructionError is returned where what was asked for makes no HTTP request.
type RequestConstructionError struct {
	Err error
}

// Error says what is wrong.
func (r *RequestConstructionError) Error() string {
	return fmt.Sprintf("request construction error: '%v'", r.Err)
}

// Unwrap returns Err.
func (r *RequestConstructionError) Unwrap() error { return r.Err }

// newHTTPRequest returns an HTTP request for an attempt to send r.
func (r *Request) newHTTPRequest(ctx context.Context, u *url.URL) (*http.Request, error) {
	reader, err := r.body.open()
	if err != nil {
		return nil, &RequestConstructionError{Err: fmt.Errorf("going back to the start of the body: %w", err)}
	}
	// Parsing the URL again would be a waste.
	req, err := http.NewRequestWithContext(ctx, r.verb, "", reader)
	if err != nil {
		return nil, err
	}
	sent := *u // a round tripper may change it
	req.URL, req.Host = &sent, sent.Host
	req.Header = r.headers
	return req, nil
}

// size returns how long the body of a request is, or a negative number if that is not
// known.
func size(req *http.Request) int64 {
	if req.Body != nil && req.Body != http.NoBody && req.ContentLength == 0 {
		return -1
	}
	return req.ContentLength
}

var (
	errNoNamespaceToCreate = errors.New("an empty namespace may not be set during creation")
	errNoNamespaceOfName   = errors.New("an empty namespace may not be set when a resource name is provided")
)

// check returns the first mistake in building the request, also those that show only when
// it is complete.
func (r *Request) check() error {
	if r.err != nil || !r.namespaceSet || r.namespace != "" {
		return r.err
	}
	switch r.verb {
	case http.MethodPost:
		return errNoNamespaceToCreate
	case http.MethodGet, http.MethodPut, http.MethodDelete:
		if r.name != "" {
			return errNoNamespaceOfName
		}
	}
	return nil
}

// Which errors are worth another attempt:

// neverRetryable is for requests whose caller reads the answer bit by bit.
func neverRetryable(*http.Request, error) bool { return false }

// lostInGet is for requests that wait for the answer. What changes something must not be
// sent twice.
func lostInGet(req *http.Request, err error) bool {
	if req.Method != http.MethodGet {
		return false
	}
	return utilnet.IsConnectionReset(err) || utilnet.IsProbableEOF(err) || utilnet.IsHTTP2ConnectionLost(err)
}

// connectionLost is for watches, which callers begin again anyway.
func connectionLost(_ *http.Request, err error) bool {
	return utilnet.IsProbableEOF(err) || utilnet.IsTimeout(err) || utilnet.IsHTTP2ConnectionLost(err)
}
