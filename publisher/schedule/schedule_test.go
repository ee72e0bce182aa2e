package schedule_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/publisher/schedule"
)

// world has a schedule whose runs are noted, in a time of its own.
type world struct {
	*schedule.Schedule
	start time.Time
	// work is what a run does. Nil: it takes a minute.
	work func(ctx context.Context, number int) error
	runs []string // when they started, and why
	stop func()
}

func begin(t *testing.T, s *schedule.Schedule, work func(ctx context.Context, number int) error) *world {
	ctx, cancel := context.WithCancel(t.Context())
	w := &world{Schedule: s, start: time.Now(), work: work}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.Run(ctx, w.run)
	}()
	w.stop = func() { cancel(); <-ended }
	t.Cleanup(w.stop)
	return w
}

func (w *world) run(ctx context.Context, causes []string) error {
	w.runs = append(w.runs, time.Since(w.start).String()+" "+strings.Join(causes, ","))
	if w.work != nil {
		return w.work(ctx, len(w.runs))
	}
	time.Sleep(time.Minute)
	return nil
}

// after lets time go by.
func (w *world) after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (w *world) must(t *testing.T, runs ...string) {
	t.Helper()
	w.stop()
	if !slices.Equal(w.runs, runs) {
		t.Errorf("the runs were %q, want %q", w.runs, runs)
	}
}

func TestRunsStartAtOnceAndAtIntervalsFromStartToStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t, &schedule.Schedule{Interval: time.Hour}, nil)
		w.after(2*time.Hour + time.Second)
		w.must(t, "0s start", "1h0m0s interval", "2h0m0s interval")
	})
}

func TestRunThatTakesLongerThanTheIntervalIsFollowedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t, &schedule.Schedule{Interval: 40 * time.Second}, nil)
		w.after(2*time.Minute + time.Second)
		w.must(t, "0s start", "1m0s interval", "2m0s interval")
	})
}

func TestRequestStartsARunAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t, &schedule.Schedule{Interval: time.Hour}, nil)
		w.after(10 * time.Minute)
		if !w.Request("a push") {
			t.Error("the request is said to be answered by a run that waits")
		}
		w.after(time.Hour)
		w.must(t, "0s start", "10m0s a push", "1h10m0s interval")
	})
}

func TestRequestsDuringARunCoalesceIntoOneMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t, &schedule.Schedule{Interval: time.Hour}, nil)
		w.after(time.Second)
		for i, cause := range []string{"a", "b", "c"} {
			if first := w.Request(cause); first != (i == 0) {
				t.Errorf("request %s: new is %t", cause, first)
			}
		}
		w.after(10 * time.Minute)
		w.must(t, "0s start", "1m0s a,b,c")
	})
}

func TestRequestDuringARunIsAnsweredByALaterOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t, &schedule.Schedule{Interval: time.Hour}, nil)
		w.after(time.Second)
		w.Request("a")
		w.after(time.Minute) // The run that answers a is at work.
		w.Request("b")
		w.after(10 * time.Minute)
		w.must(t, "0s start", "1m0s a", "2m0s b")
	})
}

func TestManyRequestsTakeNoMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t, &schedule.Schedule{Interval: time.Hour}, nil)
		w.after(time.Second)
		for range 10000 {
			w.Request("x")
		}
		w.after(2 * time.Minute)
		if n := strings.Count(w.runs[len(w.runs)-1], "x"); n > 10 {
			t.Errorf("a run has %d causes", n)
		}
	})
}

// TestFailureIsRepeatedSoonerAndThenLessOften: after one minute, two, four, and so on,
// each up to a quarter longer; from the hour on at the hour.
func TestFailureIsRepeatedSoonerAndThenLessOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Time
		w := begin(t, &schedule.Schedule{Interval: 24 * time.Hour}, func(context.Context, int) error {
			at = append(at, time.Now())
			return errors.New("no luck")
		})
		w.after(12 * time.Hour)
		w.stop()
		for i, pause := 1, time.Minute; i < len(at); i, pause = i+1, min(2*pause, time.Hour) {
			if got := at[i].Sub(at[i-1]); got < pause || got > pause+pause/4 {
				t.Errorf("run %d came after %s, want %s to a quarter more", i, got, pause)
			}
		}
		if !strings.HasSuffix(w.runs[1], " retry") {
			t.Errorf("the second run is %q", w.runs[1])
		}
	})
}

func TestFailureThatTookLongIsFollowedByAPauseToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var started, ended []time.Time
		w := begin(t, &schedule.Schedule{Interval: 24 * time.Hour}, func(context.Context, int) error {
			started = append(started, time.Now())
			time.Sleep(10 * time.Minute)
			ended = append(ended, time.Now())
			return errors.New("no luck")
		})
		w.after(2 * time.Hour)
		w.stop()
		for i, pause := 1, time.Minute; i < len(started); i, pause = i+1, 2*pause {
			if got := started[i].Sub(ended[i-1]); got < pause {
				t.Errorf("run %d came %s after the end of the one before, want at least %s", i, got, pause)
			}
		}
	})
}

func TestSuccessEndsTheRepetition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t, &schedule.Schedule{Interval: 24 * time.Hour}, func(_ context.Context, number int) error {
			if number < 3 {
				return errors.New("no luck")
			}
			return nil
		})
		w.after(20 * time.Hour)
		w.stop()
		if len(w.runs) != 3 {
			t.Errorf("the runs were %q, want 3", w.runs)
		}
	})
}

func TestRunIsNotRepeatedLaterThanTheInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t, &schedule.Schedule{Interval: 10 * time.Second}, func(context.Context, int) error { return errors.New("no luck") })
		w.after(time.Minute)
		w.stop()
		if len(w.runs) < 5 {
			t.Errorf("the runs were %q, want at least 5", w.runs)
		}
	})
}

func TestRunMayEndWithinTheGraceTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var cause error
		w := begin(t, &schedule.Schedule{Interval: time.Hour, Grace: 30 * time.Second}, func(ctx context.Context, _ int) error {
			select {
			case <-ctx.Done():
				cause = context.Cause(ctx)
			case <-time.After(time.Minute):
			}
			return nil
		})
		w.after(40 * time.Second)
		w.stop()
		if took := time.Since(w.start); cause != nil || took != time.Minute {
			t.Errorf("the run was stopped after %s with %v", took, cause)
		}
	})
}

func TestRunIsCancelledAfterTheGraceTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var cause error
		w := begin(t, &schedule.Schedule{Interval: time.Hour, Grace: 30 * time.Second}, func(ctx context.Context, _ int) error {
			<-ctx.Done()
			cause = context.Cause(ctx)
			time.Sleep(time.Second) // It ends at the next safe point, and is waited for.
			return cause
		})
		w.after(time.Second)
		w.stop()
		if took := time.Since(w.start); !errors.Is(cause, schedule.ErrGrace) || took != 32*time.Second {
			t.Errorf("the run was stopped after %s with %v", took, cause)
		}
		if len(w.runs) != 1 {
			t.Errorf("the runs were %q", w.runs)
		}
	})
}
