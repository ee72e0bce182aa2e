package rest

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"k8s.io/client-go/util/flowcontrol"
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

// BackoffManager decides how long to leave a failing server alone.
//
// Deprecated: Sleep cannot see the end of the context. Use BackoffManagerWithContext.
type BackoffManager interface {
	UpdateBackoff(actualURL *url.URL, err error, responseCode int)
	CalculateBackoff(actualURL *url.URL) time.Duration
	Sleep(d time.Duration)
}

// BackoffManagerWithContext decides how long to leave a failing server alone.
type BackoffManagerWithContext interface {
	// UpdateBackoffWithContext is told how an attempt ended: by err, or by an answer
	// with the status responseCode.
	UpdateBackoffWithContext(ctx context.Context, actualURL *url.URL, err error, responseCode int)
	// CalculateBackoffWithContext returns how long to wait before the next attempt.
	CalculateBackoffWithContext(ctx context.Context, actualURL *url.URL) time.Duration
	// SleepWithContext waits, or until ctx ends.
	SleepWithContext(ctx context.Context, d time.Duration)
}

// withoutContext is a BackoffManager of the old kind.
type withoutContext struct{ BackoffManager }

func (m withoutContext) UpdateBackoffWithContext(_ context.Context, u *url.URL, err error, code int) {
	m.UpdateBackoff(u, err, code)
}

func (m withoutContext) CalculateBackoffWithContext(_ context.Context, u *url.URL) time.Duration {
	return m.CalculateBackoff(u)
}

func (m withoutContext) SleepWithContext(_ context.Context, d time.Duration) { m.Sleep(d) }

// URLBackoff leaves servers alone that fail, longer each time, by their hosts. It is what
// clients use if the environment says so: KUBE_CLIENT_BACKOFF_BASE is the first time in seconds, and
// KUBE_CLIENT_BACKOFF_DURATION the longest.
type URLBackoff struct {
	// Backoff keeps the times.
	Backoff *flowcontrol.Backoff
}

func backoffFromEnvironment() BackoffManagerWithContext {
	base, err := strconv.ParseInt(os.Getenv("KUBE_CLIENT_BACKOFF_BASE"), 10, 32)
	if err != nil {
		return nil
	}
	longest, err := strconv.ParseInt(os.Getenv("KUBE_CLIENT_BACKOFF_DURATION"), 10, 32)
	if err != nil {
		return nil
	}
	return &URLBackoff{Backoff: flowcontrol.NewBackOff(time.Duration(base)*time.Second, time.Duration(longest)*time.Second)}
}

// Disable makes all times zero.
func (b *URLBackoff) Disable() {
	b.Backoff = flowcontrol.NewBackOff(0, 0)
}

// UpdateBackoff notes how an attempt ended. Servers that answer 429 or 5xx are left alone;
// any other answer ends that.
func (b *URLBackoff) UpdateBackoff(actualURL *url.URL, err error, responseCode int) {
	b.UpdateBackoffWithContext(context.Background(), actualURL, err, responseCode)
}

// UpdateBackoffWithContext is UpdateBackoff.
func (b *URLBackoff) UpdateBackoffWithContext(_ context.Context, actualURL *url.URL, _ error, responseCode int) {
	if overloaded(responseCode) {
		b.Backoff.Next(server(actualURL), b.Backoff.Clock.Now())
		return
	}
	b.Backoff.Reset(server(actualURL))
}

// CalculateBackoff returns how long to leave the server of actualURL alone.
func (b *URLBackoff) CalculateBackoff(actualURL *url.URL) time.Duration {
	return b.CalculateBackoffWithContext(context.Background(), actualURL)
}

// CalculateBackoffWithContext is CalculateBackoff.
func (b *URLBackoff) CalculateBackoffWithContext(_ context.Context, actualURL *url.URL) time.Duration {
	return b.Backoff.Get(server(actualURL))
}

// Sleep waits.
func (b *URLBackoff) Sleep(d time.Duration) {
	b.SleepWithContext(context.Background(), d)
}

// SleepWithContext waits, or until ctx ends.
func (b *URLBackoff) SleepWithContext(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := b.Backoff.Clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C():
	case <-ctx.Done():
	}
}

func server(u *url.URL) string {
	if u == nil {
		return ""
	}
	return u.Host
}

// overloaded reports whether the status says that the server cannot cope.
func overloaded(code int) bool {
	return code == http.StatusTooManyRequests || code >= 500
}

// NoBackoff never waits.
type NoBackoff struct{}

// UpdateBackoff does nothing.
func (n *NoBackoff) UpdateBackoff(actualURL *url.URL, err error, responseCode int) {}

// UpdateBackoffWithContext does nothing.
func (n *NoBackoff) UpdateBackoffWithContext(ctx context.Context, actualURL *url.URL, err error, responseCode int) {
}

// CalculateBackoff returns zero.
func (n *NoBackoff) CalculateBackoff(actualURL *url.URL) time.Duration { return 0 }

// CalculateBackoffWithContext returns zero.
func (n *NoBackoff) CalculateBackoffWithContext(ctx context.Context, actualURL *url.URL) time.Duration {
	return 0
}

// Sleep waits.
func (n *NoBackoff) Sleep(d time.Duration) { time.Sleep(d) }

// SleepWithContext waits, or until ctx ends.
func (n *NoBackoff) SleepWithContext(ctx context.Context, d time.Duration) { sleep(ctx, d) }

// sleep waits, and reports whether it did so to the end.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func rateLimiterFor(config *Config) flowcontrol.RateLimiter {
	if config.RateLimiter != nil {
		return config.RateLimiter
	}
	qps, burst := config.QPS, config.Burst
	if qps == 0 {
		qps = DefaultQPS
	}
	if burst == 0 {
		burst = DefaultBurst
	}
	if qps < 0 {
		return nil
	}
	return flowcontrol.NewTokenBucketRateLimiter(qps, burst)
}
