// Package schedule says when runs happen: at the start, after an interval, when
// somebody asks, and, after a run that failed, sooner than the interval would have
// it.
//
// Requests coalesce. While a run is at work one more can wait; what is asked for
// then is what the waiting one will do, as a run brings everything up to date.
package schedule

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"
)

// ErrGrace is the cause with which a run is cancelled that took too long to end
// when the schedule was to stop.
var ErrGrace = errors.New("the grace time is over")

// Schedule starts runs, one after the other. Interval is to be set; the zero value
// of all else is right.
type Schedule struct {
	// Interval is from the start of a run to that of the next one.
	Interval time.Duration
	// Retry is how long to wait after a run that failed. Each further failure
	// doubles it, up to Interval or an hour; some chance is added, so that
	// publishers do not all come back at once. Zero: a minute.
	Retry time.Duration
	// Grace is how long a run may go on when the schedule is to stop.
	Grace time.Duration

	once    sync.Once
	request chan struct{} // holds one where a run is asked for
	mu      sync.Mutex
	causes  []string // of the run that waits
}

func (s *Schedule) init() {
	s.once.Do(func() { s.request = make(chan struct{}, 1) })
}

// Request asks for a run, and says why. It reports whether that is a new one: else
// one waited already that starts after this call.
func (s *Schedule) Request(cause string) bool {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	first := len(s.causes) == 0
	if len(s.causes) < mostCauses {
		s.causes = append(s.causes, cause)
	}
	if first {
		s.request <- struct{}{} // Never waits: it is empty while there is no cause.
	}
	return first
}

// mostCauses bounds what is remembered of requests that one run answers.
const mostCauses = 10

// take is why the run was asked for that starts now.
func (s *Schedule) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	causes := s.causes
	s.causes = nil
	return causes
}

// Run calls run until ctx ends. A run that is at work then may go on for the grace
// time; after that its context is cancelled with [ErrGrace], and Run returns when
// it has ended. The first run starts at once.
func (s *Schedule) Run(ctx context.Context, run func(ctx context.Context, causes []string) error) {
	s.init()
	failures := 0
	causes := []string{"start"}
	for ctx.Err() == nil {
		next := time.Now().Add(s.Interval)
		if err := s.one(ctx, causes, run); err != nil {
			failures++
			// However long it took, who made it fail gets a rest.
			next = time.Now().Add(s.pause(failures))
		} else {
			failures = 0
		}
		wait := time.NewTimer(time.Until(next))
		select {
		case <-ctx.Done():
		case <-s.request:
			causes = s.take()
		case <-wait.C:
			causes = []string{"interval"}
			if failures > 0 {
				causes = []string{"retry"}
			}
		}
		wait.Stop()
	}
}

func (s *Schedule) one(ctx context.Context, causes []string, run func(ctx context.Context, causes []string) error) error {
	running, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	ended := make(chan struct{})
	defer close(ended)
	stop := context.AfterFunc(ctx, func() {
		grace := time.NewTimer(s.Grace)
		defer grace.Stop()
		select {
		case <-grace.C:
			cancel(ErrGrace)
		case <-ended:
		}
	})
	defer stop()
	return run(running, causes)
}

// pause is how long to wait after so many failures in a row.
func (s *Schedule) pause(failures int) time.Duration {
	wait := s.Retry
	if wait == 0 {
		wait = time.Minute
	}
	most := min(s.Interval, time.Hour)
	for range failures - 1 {
		if wait >= most {
			break
		}
		wait *= 2
	}
	wait = min(wait, most)
	return wait + time.Duration(rand.Int64N(int64(wait)/4+1))
}
