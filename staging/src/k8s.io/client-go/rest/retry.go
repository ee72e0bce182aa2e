package rest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"k8s.io/klog/v2"
)

// IsRetryableErrorFunc reports whether a request that failed with err should be sent
// again.
type IsRetryableErrorFunc func(request *http.Request, err error) bool

// IsErrorRetryable calls r.
func (r IsRetryableErrorFunc) IsErrorRetryable(request *http.Request, err error) bool {
	return r(request, err)
}

// RetryAfter is what is known of the next attempt.
type RetryAfter struct {
	// Wait is how long to wait before it.
	Wait time.Duration
	// Attempt is which attempt made it necessary, from 1 on.
	Attempt int
	// Reason says why, for the log.
	Reason string
}

// WithRetry decides on further attempts to send a request. It is for one request and one
// goroutine.
type WithRetry interface {
	// Before waits until the next attempt may be made, the first one too. If it
	// returns an error there must be none.
	Before(ctx context.Context, r *Request) error

	// After is told how an attempt ended.
	After(ctx context.Context, r *Request, resp *http.Response, err error)

	// IsNextRetry reports whether there should be another attempt. If so it has closed
	// the body of resp. There should be none where there were as many as are allowed; where err
	// is not one that f finds retryable; where resp is not 429 or 5xx, or has no Retry-After
	// header; and where the body cannot be sent again.
	IsNextRetry(ctx context.Context, restReq *Request, httpReq *http.Request, resp *http.Response, err error, f IsRetryableErrorFunc) bool

	// WrapPreviousError returns finalErr, with how the attempt before ended added to
	// its text. errors.Is and errors.As find in it what they find in finalErr.
	WrapPreviousError(finalErr error) (err error)
}

// attempts is how often a request was sent, and what came of it.
type attempts struct {
	url      *url.URL // as sent
	measured bool     // the sizes are reported
	made     int
	next     RetryAfter // if an attempt was made and there is to be another one
	last     error      // of the last attempt that was followed by another one
}

var _ WithRetry = (*attempts)(nil)

// The times to wait after lost connections. There is no answer that says how long, and
// often the next connection is fine; but a server that restarts needs some seconds.
const (
	firstReconnect = 100 * time.Millisecond
	lastReconnect  = 1600 * time.Millisecond
)

func (a *attempts) Before(ctx context.Context, r *Request) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if a.made > 0 {
		if err := sleep(ctx, a.next.Wait); err != nil {
			return err
		}
	}
	if r.backoff != nil {
		r.backoff.SleepWithContext(ctx, r.backoff.CalculateBackoffWithContext(ctx, a.url))
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	if a.made == 0 {
		return nil // whether it waits for the rate limiter depends on what it is
	}
	klog.FromContext(ctx).V(4).Info("Sending a request again", "attempt", a.made+1, "verb", r.verb, "host", a.url.Host, "reason", a.next.Reason)
	return r.throttle(ctx, a.next.Reason)
}

func (a *attempts) After(ctx context.Context, r *Request, resp *http.Response, err error) {
	a.made++
	code := 0
	if resp != nil {
		code = resp.StatusCode
	}
	observeResult(ctx, r.verb, a.url.Host, code, a.made)
	if r.backoff != nil {
		r.backoff.UpdateBackoffWithContext(ctx, a.url, err, code)
	}
}

func (a *attempts) IsNextRetry(ctx context.Context, restReq *Request, httpReq *http.Request, resp *http.Response, err error, f IsRetryableErrorFunc) bool {
	if a.made > restReq.maxRetries || !restReq.body.replayable() {
		return false
	}
	switch {
	case err != nil:
		if ctx.Err() != nil || httpReq == nil || !f.IsErrorRetryable(httpReq, err) {
			return false
		}
		a.last = err
		a.next = RetryAfter{
			Wait:   reconnectAfter(a.made),
			Reason: "the connection failed: " + err.Error(),
		}
	case resp != nil && overloaded(resp.StatusCode):
		seconds, told := retryAfterSeconds(resp)
		if !told {
			return false
		}
		discard(resp)
		a.last = fmt.Errorf("the server answered %d and asked to come back after %ds", resp.StatusCode, seconds)
		a.next = RetryAfter{
			Wait:   time.Duration(seconds) * time.Second,
			Reason: a.last.Error(),
		}
	default:
		return false
	}
	a.next.Attempt = a.made
	return true
}

// reconnectAfter returns how long to wait after the nth attempt.
func reconnectAfter(n int) time.Duration {
	wait := firstReconnect
	for ; n > 1 && wait < lastReconnect; n-- {
		wait *= 2
	}
	return wait
}

// discard reads some of what is left of an answer, so that the connection can be used
// again, and closes it.
func discard(resp *http.Response) {
	const worthReading = 64 << 10 // more costs more than a new connection
	_, _ = io.CopyN(io.Discard, resp.Body, worthReading)
	_ = resp.Body.Close()
}

func (a *attempts) WrapPreviousError(finalErr error) error {
	if finalErr == nil || a.last == nil || a.last == finalErr {
		return finalErr
	}
	// Errors of the same kind say the same.
	if a.last.Error() == finalErr.Error() {
		return finalErr
	}
	return &afterPrevious{final: finalErr, previous: a.last}
}

// afterPrevious is an error that tells of the one before.
type afterPrevious struct {
	final, previous error
}

func (e *afterPrevious) Error() string {
	previous := e.previous
	var u *url.Error // the URL is in the final error
	if errors.As(previous, &u) {
		previous = u.Err
	}
	return fmt.Sprintf("%v - error from a previous attempt: %v", e.final, previous)
}

// Unwrap returns what the final error wraps, or that error if it wraps none: callers that
// take errors apart by hand find what they would without the addition.
func (e *afterPrevious) Unwrap() error {
	if wrapped := errors.Unwrap(e.final); wrapped != nil {
		return wrapped
	}
	return e.final
}

func (e *afterPrevious) Is(target error) bool { return errors.Is(e.final, target) }
func (e *afterPrevious) As(target any) bool   { return errors.As(e.final, target) }
