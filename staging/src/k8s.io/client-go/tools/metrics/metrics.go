// Package metrics lets a program measure what its clients do.
//
// The library reports to the variables of this package; by default they discard
// everything. A program that keeps metrics calls [Register] once, before it makes its
// first client:
//
//	metrics.Register(metrics.RegisterOpts{RequestResult: myCounter})
//
// Implementations are called from many goroutines at the same time, and in the middle of
// requests: they should be quick and must not panic.
package metrics

import (
	"context"
	"net/url"
	"sync"
	"time"
)

// DurationMetric takes durations of one kind.
type DurationMetric interface {
	Observe(duration time.Duration)
}

// ExpiryMetric holds a moment at which something expires.
type ExpiryMetric interface {
	// Set replaces the moment. Nil means that nothing expires.
	Set(expiry *time.Time)
}

// LatencyMetric takes how long calls to the API took, by verb and URL. The URL is a
// pattern: names and values are replaced by placeholders, to keep the number of series small.
type LatencyMetric interface {
	Observe(ctx context.Context, verb string, u url.URL, latency time.Duration)
}

// ResolverLatencyMetric takes how long the look-up of a host's address took.
type ResolverLatencyMetric interface {
	Observe(ctx context.Context, host string, latency time.Duration)
}

// SizeMetric takes sizes of bodies in bytes, by verb and host.
type SizeMetric interface {
	Observe(ctx context.Context, verb string, host string, size float64)
}

// ResultMetric counts answers by status code, verb and host. Where there was no answer,
// code is "<error>".
type ResultMetric interface {
	Increment(ctx context.Context, code string, method string, host string)
}

// RetryMetric counts attempts after the first one, by the status code that they got,
// verb and host. Where there was no answer, code is "<error>".
type RetryMetric interface {
	IncrementRetry(ctx context.Context, code string, method string, host string)
}

// CallsMetric counts runs of credential plugins by their exit code and the status of
// the call.
type CallsMetric interface {
	Increment(exitCode int, callStatus string)
}

// PolicyCallsMetric counts how often a credential plugin was checked against the
// policy. Status is "allowed" or "denied".
type PolicyCallsMetric interface {
	Increment(status string)
}

// TransportCacheMetric holds how many transports are cached.
type TransportCacheMetric interface {
	Observe(value int)
}

// TransportCreateCallsMetric counts how often a transport was asked for, by what the
// cache did: "hit", "miss", "miss-gc" or "uncacheable".
type TransportCreateCallsMetric interface {
	Increment(result string)
}

// TransportCAReloadsMetric counts attempts to read certificate authorities again, by
// result and the reason for it.
type TransportCAReloadsMetric interface {
	Increment(result, reason string)
}

// TransportCertRotationGCCallsMetric counts the certificate rotations that ended because
// nobody uses their transport any more.
type TransportCertRotationGCCallsMetric interface {
	Increment()
}

// TransportCacheGCCallsMetric counts the transports that became unused, by what happened
// to their entry in the cache: "deleted" or "skipped".
type TransportCacheGCCallsMetric interface {
	Increment(result string)
}

// Where the library reports to. They are set by Register.
var (
	// ClientCertExpiry is when the client's certificate expires.
	ClientCertExpiry ExpiryMetric = discard{}
	// ClientCertRotationAge is how old a client's certificate was when it was replaced.
	ClientCertRotationAge DurationMetric = discardDuration{}
	// RequestLatency is how long requests took until the body of the answer was there.
	RequestLatency LatencyMetric = discardLatency{}
	// ResolverLatency is how long looking up the servers' addresses took.
	ResolverLatency ResolverLatencyMetric = discardResolver{}
	// RequestSize is how large the bodies of requests were.
	RequestSize SizeMetric = discardSize{}
	// ResponseSize is how large the bodies of answers were.
	ResponseSize SizeMetric = discardSize{}
	// RateLimiterLatency is how long requests waited for the client's own rate limiter.
	RateLimiterLatency LatencyMetric = discardLatency{}
	// RequestResult counts the outcomes of attempts.
	RequestResult ResultMetric = discardResult{}
	// ExecPluginCalls counts runs of credential plugins.
	ExecPluginCalls CallsMetric = discard{}
	// ExecPluginPolicyCalls counts the checks of credential plugins against the policy.
	ExecPluginPolicyCalls PolicyCallsMetric = discardLabel{}
	// RequestRetry counts the attempts after the first one of a request.
	RequestRetry RetryMetric = discard{}
	// TransportCacheEntries is how many transports are cached.
	TransportCacheEntries TransportCacheMetric = discardCount{}
	// TransportCreateCalls counts how often a transport was asked for.
	TransportCreateCalls TransportCreateCallsMetric = discardLabel{}
	// TransportCAReloads counts attempts to read certificate authorities again.
	TransportCAReloads TransportCAReloadsMetric = discardLabels{}
	// TransportCertRotationGCCalls counts the certificate rotations that ended.
	TransportCertRotationGCCalls TransportCertRotationGCCallsMetric = discardEvent{}
	// TransportCacheGCCalls counts the transports that became unused.
	TransportCacheGCCalls TransportCacheGCCallsMetric = discardLabel{}
)

// RegisterOpts names the metrics to keep. What is nil is not measured.
type RegisterOpts struct {
	ClientCertExpiry             ExpiryMetric
	ClientCertRotationAge        DurationMetric
	RequestLatency               LatencyMetric
	ResolverLatency              ResolverLatencyMetric
	RequestSize                  SizeMetric
	ResponseSize                 SizeMetric
	RateLimiterLatency           LatencyMetric
	RequestResult                ResultMetric
	ExecPluginCalls              CallsMetric
	ExecPluginPolicyCalls        PolicyCallsMetric
	RequestRetry                 RetryMetric
	TransportCacheEntries        TransportCacheMetric
	TransportCreateCalls         TransportCreateCallsMetric
	TransportCAReloads           TransportCAReloadsMetric
	TransportCertRotationGCCalls TransportCertRotationGCCallsMetric
	TransportCacheGCCalls        TransportCacheGCCallsMetric
}

var registered sync.Once

// Register makes the library report to the metrics in opts. Only the first call has an
// effect. It must come before the first request: the variables are read without a lock.
func Register(opts RegisterOpts) {
	registered.Do(func() {
		keep(&ClientCertExpiry, opts.ClientCertExpiry)
		keep(&ClientCertRotationAge, opts.ClientCertRotationAge)
		keep(&RequestLatency, opts.RequestLatency)
		keep(&ResolverLatency, opts.ResolverLatency)
		keep(&RequestSize, opts.RequestSize)
		keep(&ResponseSize, opts.ResponseSize)
		keep(&RateLimiterLatency, opts.RateLimiterLatency)
		keep(&RequestResult, opts.RequestResult)
		keep(&ExecPluginCalls, opts.ExecPluginCalls)
		keep(&ExecPluginPolicyCalls, opts.ExecPluginPolicyCalls)
		keep(&RequestRetry, opts.RequestRetry)
		keep(&TransportCacheEntries, opts.TransportCacheEntries)
		keep(&TransportCreateCalls, opts.TransportCreateCalls)
		keep(&TransportCAReloads, opts.TransportCAReloads)
		keep(&TransportCertRotationGCCalls, opts.TransportCertRotationGCCalls)
		keep(&TransportCacheGCCalls, opts.TransportCacheGCCalls)
	})
}

func keep[M comparable](where *M, what M) {
	var none M
	if what != none {
		*where = what
	}
}
