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
	//
	// # Fields and methods
	//
	//	Lock resourcelock.Interface
	//	LeaseDuration time.Duration
	//	RenewDeadline time.Duration
	//	RetryPeriod time.Duration
	//	Callbacks elector.LeaderCallbacks
	//	WatchDog *elector.HealthzAdaptor
	//	ReleaseOnCancel bool
	//	Name string
	//	Coordinated bool
	LeaderElectionConfig = elector.LeaderElectionConfig

	// LeaderCallbacks are called by an elector.
	//
	// # Fields and methods
	//
	//	OnStartedLeading func(context.Context)
	//	OnStoppedLeading func()
	//	OnNewLeader func(identity string)
	LeaderCallbacks = elector.LeaderCallbacks

	// LeaderElector is one candidate in an election.
	//
	// # Fields and methods
	//
	//	Check(maxTolerableExpiredLease time.Duration) error
	//	GetLeader() string
	//	IsLeader() bool
	//	Run(ctx context.Context)
	LeaderElector = elector.LeaderElector

	// HealthzAdaptor is a check for a /healthz endpoint that is there before the
	// elector is. It fails where this program's name stays in the record although
	// the lease is over.
	//
	// # Fields and methods
	//
	//	Check(req *http.Request) error
	//	Name() string
	//	SetLeaderElection(le *elector.LeaderElector)
	HealthzAdaptor = elector.HealthzAdaptor

	// LeaderMetric tells who leads. The name is that of the election's config.
	//
	// # Fields and methods
	//
	//	Off(name string)
	//	On(name string)
	//	SlowpathExercised(name string)
	LeaderMetric = elector.LeaderMetric

	// MetricsProvider makes the metrics of an elector.
	//
	// # Fields and methods
	//
	//	NewLeaderMetric() elector.LeaderMetric
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
