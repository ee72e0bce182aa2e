package metrics

import (
	"context"
	"net/url"
	"sync"
	"testing"
	"time"
)

type counter struct{ n int }

func (c *counter) Increment(context.Context, string, string, string) { c.n++ }

// reset puts things back as they are before Register.
func reset(t *testing.T) {
	result := RequestResult
	registered = sync.Once{}
	t.Cleanup(func() {
		RequestResult = result
		registered = sync.Once{}
	})
}

func TestFirstRegistrationStays(t *testing.T) {
	reset(t)
	first, second := &counter{}, &counter{}
	Register(RegisterOpts{RequestResult: first})
	Register(RegisterOpts{RequestResult: second})
	RequestResult.Increment(context.Background(), "200", "GET", "host")
	if first.n != 1 || second.n != 0 {
		t.Errorf("first counted %d, second %d; want 1, 0", first.n, second.n)
	}
}

func TestWhatIsNotRegisteredIsDiscarded(t *testing.T) {
	reset(t)
	Register(RegisterOpts{RequestResult: &counter{}})
	if Discards(RequestResult) {
		t.Error("a metric that somebody keeps is taken for one that discards")
	}
	for name, metric := range map[string]any{
		"ClientCertExpiry": ClientCertExpiry, "ClientCertRotationAge": ClientCertRotationAge,
		"RequestLatency": RequestLatency, "ResolverLatency": ResolverLatency,
		"RequestSize": RequestSize, "ResponseSize": ResponseSize,
		"RateLimiterLatency": RateLimiterLatency, "ExecPluginCalls": ExecPluginCalls,
		"ExecPluginPolicyCalls": ExecPluginPolicyCalls, "RequestRetry": RequestRetry,
		"TransportCacheEntries": TransportCacheEntries, "TransportCreateCalls": TransportCreateCalls,
		"TransportCAReloads": TransportCAReloads, "TransportCacheGCCalls": TransportCacheGCCalls,
		"TransportCertRotationGCCalls": TransportCertRotationGCCalls,
	} {
		if metric == nil {
			t.Errorf("%s is nil: reporting to it would panic", name)
		} else if !Discards(metric) {
			t.Errorf("%s does not discard", name)
		}
	}
}

func TestReportingWithoutMetricsDoesNothing(t *testing.T) {
	ctx := context.Background()
	allocs := testing.AllocsPerRun(10, func() {
		RequestLatency.Observe(ctx, "GET", url.URL{}, time.Second)
		RateLimiterLatency.Observe(ctx, "GET", url.URL{}, time.Second)
		RequestSize.Observe(ctx, "GET", "host", 1)
		ResponseSize.Observe(ctx, "GET", "host", 1)
		RequestResult.Increment(ctx, "200", "GET", "host")
		RequestRetry.IncrementRetry(ctx, "200", "GET", "host")
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}
