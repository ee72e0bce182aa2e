package elector

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	rl "k8s.io/client-go/tools/leaderelection/resourcelock"
)

// JitterFactor is by how much candidates lengthen the time between two looks at the
// record: each waits between RetryPeriod and 1 + JitterFactor times that.
const JitterFactor = 1.2

// LeaderElectionConfig says how an elector works.
type LeaderElectionConfig struct {
	// Lock holds the record that the candidates share.
	Lock rl.Interface

	// LeaseDuration is how long a candidate waits, after the record has changed
	// for the last time, until it takes over. It is in the record in whole
	// seconds, rounded up; candidates go by what the record says.
	LeaseDuration time.Duration
	// RenewDeadline is how long after its last renewal a leader stops. It must be
	// less than LeaseDuration.
	RenewDeadline time.Duration
	// RetryPeriod is the time between two renewals, and between two looks of a
	// candidate at the record. JitterFactor times that must be less than
	// RenewDeadline.
	RetryPeriod time.Duration

	// Callbacks are what to do when something happens.
	Callbacks LeaderCallbacks

	// WatchDog is told about the elector by [RunOrDie], if it is not nil.
	WatchDog *HealthzAdaptor

	// ReleaseOnCancel makes Run give up the lease when its context ends while it
	// leads, so that another need not wait until the lease has run out. All work
	// of a leader must have ended before the context is cancelled; otherwise two
	// may do it at the same time for a moment. A lease that was lost is not
	// released, as the work has only been told to stop.
	ReleaseOnCancel bool

	// Name is what health checks and metrics call the election.
	Name string

	// Coordinated leaves it to the server which of the candidates leads, and
	// makes this one only renew a lease that has its name. The candidates are
	// LeaseCandidates; leaderelection.NewCandidate makes one. The server compares
	// the times in the lease with its own clock then. This is an alpha feature of
	// the server.
	Coordinated bool
}

// LeaderCallbacks are called by an elector.
type LeaderCallbacks struct {
	// OnStartedLeading is called on a goroutine of its own when the candidate has
	// become the leader. The context ends when it is the leader no more.
	OnStartedLeading func(context.Context)
	// OnStoppedLeading is called when Run is about to return, even if the
	// candidate has never led.
	OnStoppedLeading func()
	// OnNewLeader is called with each new leader that is seen, this one included.
	// Calls come one after another, in order, and not on Run's goroutine. It may
	// be nil.
	OnNewLeader func(identity string)
}

// LeaderElector is one candidate in an election.
type LeaderElector struct {
	config   LeaderElectionConfig
	metrics  LeaderMetric
	epoch    time.Time
	reporter reporter

	mu       sync.Mutex
	election election
}

// NewLeaderElector returns an elector. It is an error if durations do not fit
// together, or if the lock, its identity, or a callback that must be there is
// missing.
func NewLeaderElector(lec LeaderElectionConfig) (*LeaderElector, error) {
	if err := lec.validate(); err != nil {
		return nil, err
	}
	le := &LeaderElector{
		config:   lec,
		metrics:  newMetric(),
		epoch:    time.Now(),
		reporter: reporter{report: lec.Callbacks.OnNewLeader},
		election: election{
			identity:      lec.Lock.Identity(),
			leaseDuration: lec.LeaseDuration,
			renewDeadline: lec.RenewDeadline,
			coordinated:   lec.Coordinated,
		},
	}
	le.metrics.Off(lec.Name)
	return le, nil
}

func (lec *LeaderElectionConfig) validate() error {
	for _, d := range []struct {
		name string
		time.Duration
	}{
		{"LeaseDuration", lec.LeaseDuration}, {"RenewDeadline", lec.RenewDeadline}, {"RetryPeriod", lec.RetryPeriod},
	} {
		if d.Duration <= 0 {
			return fmt.Errorf("leader election: %s is %v: it must be more than 0", d.name, d.Duration)
		}
	}
	switch {
	case lec.LeaseDuration <= lec.RenewDeadline:
		return fmt.Errorf("leader election: LeaseDuration, %v, must be more than RenewDeadline, %v", lec.LeaseDuration, lec.RenewDeadline)
	case lec.RenewDeadline <= time.Duration(JitterFactor*float64(lec.RetryPeriod)):
		return fmt.Errorf("leader election: RenewDeadline, %v, must be more than %v times RetryPeriod, %v", lec.RenewDeadline, JitterFactor, lec.RetryPeriod)
	case lec.Callbacks.OnStartedLeading == nil:
		return errors.New("leader election: OnStartedLeading is nil")
	case lec.Callbacks.OnStoppedLeading == nil:
		return errors.New("leader election: OnStoppedLeading is nil")
	case lec.Lock == nil:
		return errors.New("leader election: Lock is nil")
	case lec.Lock.Identity() == "":
		return errors.New("leader election: the lock has no identity")
	}
	return nil
}

// IsLeader reports whether this candidate leads: it has written the record with its
// name, and RenewDeadline is not over since.
func (le *LeaderElector) IsLeader() bool { return le.leadsFor() > 0 }

// GetLeader returns whose name was last seen in the record, for people to look at. It
// is empty where none was seen, and after a release.
func (le *LeaderElector) GetLeader() string {
	le.mu.Lock()
	defer le.mu.Unlock()
	return le.election.holder()
}

// Check returns an error if this candidate's name is in the record although it has
// not been renewed for a LeaseDuration and maxTolerableExpiredLease more. A program
// that is then still there has missed its end, and should be ended.
func (le *LeaderElector) Check(maxTolerableExpiredLease time.Duration) error {
	le.mu.Lock()
	defer le.mu.Unlock()
	if le.election.holder() != le.election.identity {
		return nil
	}
	if since := le.now() - le.election.changed; since > le.config.LeaseDuration+maxTolerableExpiredLease {
		return fmt.Errorf("the lease %s was lost: it was not renewed for %v", le.config.Name, since.Round(time.Millisecond))
	}
	return nil
}

// now returns the time since the elector was made. It is told by the monotonic clock.
func (le *LeaderElector) now() time.Duration { return time.Since(le.epoch) }

// leadsFor returns how long the candidate leads if it does not renew.
func (le *LeaderElector) leadsFor() time.Duration {
	le.mu.Lock()
	defer le.mu.Unlock()
	now := le.now()
	if !le.election.leads(now) {
		return 0
	}
	return le.election.leadsUntil - now
}
