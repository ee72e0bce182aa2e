package elector

import (
	"net/http"
	"sync"
	"time"
)

// HealthzAdaptor is a check for a /healthz endpoint that is there before the elector
// is. It fails where this program's name stays in the record although the lease is
// over: the program should have ended, or stopped its work, and has not. Whoever
// watches it, such as the kubelet, can then end it.
type HealthzAdaptor struct {
	timeout time.Duration

	mu sync.Mutex
	le *LeaderElector
}

// NewLeaderHealthzAdaptor returns a check that tolerates a lease that has been over
// for up to timeout.
func NewLeaderHealthzAdaptor(timeout time.Duration) *HealthzAdaptor {
	return &HealthzAdaptor{timeout: timeout}
}

// Name returns "leaderElection".
func (l *HealthzAdaptor) Name() string { return "leaderElection" }

// SetLeaderElection says which elector to check. Before that all is well.
func (l *HealthzAdaptor) SetLeaderElection(le *LeaderElector) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.le = le
}

// Check returns an error where the lease was lost and the program goes on. The
// request may be nil.
func (l *HealthzAdaptor) Check(req *http.Request) error {
	l.mu.Lock()
	le := l.le
	l.mu.Unlock()
	if le == nil {
		return nil
	}
	return le.Check(l.timeout)
}
