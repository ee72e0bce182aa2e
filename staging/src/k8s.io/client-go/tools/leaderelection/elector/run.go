package elector

import (
	"context"
	"errors"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	rl "k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/klog/v2"
)

// RunOrDie makes an elector and runs it. It panics where the config is wrong, and
// returns as [LeaderElector.Run] does.
func RunOrDie(ctx context.Context, lec LeaderElectionConfig) {
	le, err := NewLeaderElector(lec)
	if err != nil {
		panic(err)
	}
	if lec.WatchDog != nil {
		lec.WatchDog.SetLeaderElection(le)
	}
	le.Run(ctx)
}

// Run waits until the candidate is the leader, and leads until the context ends or
// the lease is lost. It may be called again after it has returned.
//
// While a request to the lock ignores its context, Run does not return; the work's
// context ends in time all the same.
func (le *LeaderElector) Run(ctx context.Context) {
	defer utilruntime.HandleCrashWithContext(ctx)
	defer le.config.Callbacks.OnStoppedLeading()

	led := le.acquire(ctx)
	if led {
		le.logger(ctx).Info("Became the leader")
		le.config.Lock.RecordEvent("became leader")
		le.metrics.On(le.config.Name)
		reason := le.lead(ctx)
		le.metrics.Off(le.config.Name)
		le.logger(ctx).Info("Stopped leading", "reason", reason)
	}
	if ctx.Err() != nil && le.config.ReleaseOnCancel {
		le.release(ctx)
	}
	if led {
		le.config.Lock.RecordEvent("stopped leading")
	}
}

// acquire tries until the candidate leads. It returns false if the context ends.
func (le *LeaderElector) acquire(ctx context.Context) bool {
	le.logger(ctx).Info("Waiting to become the leader")
	for ctx.Err() == nil {
		// An attempt must not hang for longer than the leadership that it is for.
		attempt, cancel := context.WithTimeout(ctx, le.config.RenewDeadline)
		le.attempt(attempt)
		cancel()
		if le.IsLeader() {
			return true
		}
		sleep(ctx, wait.Jitter(le.config.RetryPeriod, JitterFactor))
	}
	return false
}

var (
	errDeadline = errors.New("the lease was not renewed in time")
	errOther    = errors.New("somebody else holds the lease")
)

// lead has the leader's work done until there is a reason to stop, which it returns.
// The work's context has ended then.
func (le *LeaderElector) lead(ctx context.Context) error {
	work, end := context.WithCancelCause(ctx)
	go le.config.Callbacks.OnStartedLeading(work)

	// The deadline does not wait for a request that is late.
	var deadline sync.WaitGroup
	deadline.Go(func() {
		for left := le.leadsFor(); left > 0 && work.Err() == nil; left = le.leadsFor() {
			sleep(work, left)
		}
		end(errDeadline)
	})
	for {
		sleep(work, le.config.RetryPeriod)
		if work.Err() != nil {
			break
		}
		le.attempt(work)
		if le.GetLeader() != le.config.Lock.Identity() {
			end(errOther)
		}
	}
	deadline.Wait()
	le.mu.Lock()
	le.election.stop()
	le.mu.Unlock()
	return context.Cause(work)
}

// attempt tries once to become the leader, or to stay it.
func (le *LeaderElector) attempt(ctx context.Context) {
	le.carryOut(ctx, (*election).begin)
	le.reporter.see(le.GetLeader())
}

// release gives the lease up, if the candidate holds it.
func (le *LeaderElector) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), le.config.RenewDeadline)
	defer cancel()
	le.carryOut(ctx, (*election).beginRelease)
}

// carryOut makes the requests of an attempt, one after another.
func (le *LeaderElector) carryOut(ctx context.Context, begin func(*election, time.Duration, time.Time) request) {
	for next := begin; ; {
		le.mu.Lock()
		asked := next(&le.election, le.now(), time.Now())
		written, again := le.election.written, asked == update && le.election.renewsAfterLook()
		le.mu.Unlock()
		if asked == over {
			return
		}
		if again {
			le.metrics.SlowpathExercised(le.config.Name)
		}
		got := le.ask(ctx, asked, written)
		next = func(e *election, now time.Duration, wall time.Time) request { return e.proceed(now, wall, got) }
	}
}

// ask makes a request of the lock.
func (le *LeaderElector) ask(ctx context.Context, asked request, record rl.LeaderElectionRecord) (got answer) {
	if got.err = ctx.Err(); got.err != nil {
		return got
	}
	switch asked {
	case get:
		got.record, got.raw, got.err = le.config.Lock.Get(ctx)
	case create:
		got.err = le.config.Lock.Create(ctx, record)
	case update:
		got.err = le.config.Lock.Update(ctx, record)
	}
	switch logger := le.logger(ctx); {
	case got.err == nil, ctx.Err() != nil, asked == get && apierrors.IsNotFound(got.err):
	case apierrors.IsConflict(got.err), apierrors.IsAlreadyExists(got.err):
		logger.V(2).Info("Somebody else has written the lease meanwhile", "request", asked, "err", got.err)
	default:
		logger.Error(got.err, "Leader election: a request has failed", "request", asked)
	}
	return got
}

func (le *LeaderElector) logger(ctx context.Context) klog.Logger {
	return klog.LoggerWithValues(klog.FromContext(ctx), "lock", le.config.Lock.Describe())
}

// sleep waits, but not after the context has ended.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
