package cache

import (
	"time"

	"k8s.io/utils/clock"
)

// A RetryWithDeadline decides whether to try again after an error. It is for one
// goroutine.
type RetryWithDeadline interface {
	// After tells of how a try ended.
	After(error)
	// ShouldRetry tells whether to try again.
	ShouldRetry() bool
}

// NewRetryWithDeadline returns a decision to try again for maxRetryDuration after
// the first in a row of errors that are retryable. A row ends if there was none for
// minResetPeriod. Other errors change nothing.
func NewRetryWithDeadline(maxRetryDuration, minResetPeriod time.Duration, isRetryable func(error) bool, clock clock.Clock) RetryWithDeadline {
	return &retryWithDeadline{limit: maxRetryDuration, reset: minResetPeriod, isRetryable: isRetryable, clock: clock}
}

type retryWithDeadline struct {
	limit, reset time.Duration
	isRetryable  func(error) bool
	clock        clock.Clock

	first, last time.Time // of the row, or zero
}

func (r *retryWithDeadline) After(err error) {
	if !r.isRetryable(err) {
		return
	}
	now := r.clock.Now()
	if r.first.IsZero() || now.Sub(r.last) >= r.reset {
		r.first = now
	}
	r.last = now
}

func (r *retryWithDeadline) ShouldRetry() bool {
	return r.limit > 0 && !r.first.IsZero() && r.clock.Since(r.first) <= r.limit
}
