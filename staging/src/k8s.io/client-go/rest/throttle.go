package rest

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"k8s.io/klog/v2"
)

const (
	// Waits that are longer are worth a line to people who look for it,
	noticeableWait = 50 * time.Millisecond
	// and these to everybody, though not more than one in a while.
	longWait       = time.Second
	longWaitsEvery = time.Second
)

var lastLongWait atomic.Int64 // when the last line was written, in ns

// throttle waits for the rate limiter, if there is one.
func (r *Request) throttle(ctx context.Context, reason string) error {
	if r.rateLimiter == nil {
		return nil
	}
	start := time.Now()
	err := r.rateLimiter.Wait(ctx)
	waited := time.Since(start)
	if err != nil {
		err = fmt.Errorf("client rate limiter Wait returned an error: %w", err)
	}
	r.observeThrottling(ctx, waited)
	if waited < noticeableWait {
		return err
	}
	level := 3
	if waited >= longWait && mayLog(time.Now()) {
		level = 0
	}
	if logger := klog.FromContext(ctx).V(level); logger.Enabled() {
		if reason == "" {
			reason = "client-side throttling, not priority and fairness"
		}
		logger.Info("Waited before sending request", "delay", waited, "reason", reason, "verb", r.verb, "URL", r.URL().Redacted())
	}
	return err
}

// mayLog reports whether it is time for another line about long waits.
func mayLog(now time.Time) bool {
	last := lastLongWait.Load()
	return now.UnixNano()-last >= int64(longWaitsEvery) && lastLongWait.CompareAndSwap(last, now.UnixNano())
}
