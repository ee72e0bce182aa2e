package leaderelection

import (
	"context"
	"time"

	"k8s.io/client-go/tools/leaderelection/elector"
)

// JitterFactor is by how much candidates lengthen the time between two looks at the
// record: each waits between RetryPeriod and 1 + JitterFactor times that.
const JitterFactor = elector.JitterFactor

type (
	// LeaderElectionConfig says how an elector works.
	LeaderElectionConfig = elector.LeaderElectionConfig

	// LeaderCallbacks are called by an elector.
	LeaderCallbacks = elector.LeaderCallbacks

	// LeaderElector is one candidate in an election.
	LeaderElector = elector.LeaderElector

	// HealthzAdaptor is a check for a /healthz endpoint that is there before the
	// elector is. It fails where this program's name stays in the record although
	// the lease is over.
	HealthzAdaptor = elector.HealthzAdaptor

	// LeaderMetric tells who leads. The name is that of the election's config.
	LeaderMetric = elector.LeaderMetric

	// MetricsProvider makes the metrics of an elector.
	MetricsProvider = elector.MetricsProvider
)

// NewLeaderElector returns an elector. It is an error if durations do not fit
// together, or if the lock, its identity, or a callback that must be there is
// missing.
func NewLeaderElector(lec LeaderElectionConfig) (*LeaderElector, error) {
	return elector.NewLeaderElector(lec)
}

// RunOrDie makes an elector and runs it until the context ends or the lease is lost.
// It panics where the config is wrong.
func RunOrDie(ctx context.Context, lec LeaderElectionConfig) { elector.RunOrDie(ctx, lec) }

// NewLeaderHealthzAdaptor returns a check that tolerates a lease that has been over
// for up to timeout.
func NewLeaderHealthzAdaptor(timeout time.Duration) *HealthzAdaptor {
	return elector.NewLeaderHealthzAdaptor(timeout)
}

// SetProvider says where the electors that are made from now on report to. Only the
// first call has an effect.
func SetProvider(metricsProvider MetricsProvider) { elector.SetProvider(metricsProvider) }
