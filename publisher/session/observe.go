package session

import (
	"context"
	"sync"
	"time"
)

// Stage is a part of a run that takes time.
type Stage string

// The stages, in the order in which data takes its way through them. Following,
// and those from Packing on, are of one destination each.
const (
	Opening       Stage = "open"
	Following     Stage = "follow" // of one destination: reading its remote
	ReadingSource Stage = "source"
	Planning      Stage = "plan"
	ReadingPast   Stage = "past"
	Computing     Stage = "compute"
	Packing       Stage = "pack"
	Testing       Stage = "smoke-test"
	Publishing    Stage = "publish"
	Pushing       Stage = "push"
)

// Observer watches the stages of a run. It is told the destination that a stage is
// about, which is empty for those that are about all. The context that it returns
// is the stage's, and the function is called with the stage's error. Stages of
// several destinations run at the same time.
type Observer func(ctx context.Context, stage Stage, destination string) (context.Context, func(error))

func (o Observer) stage(ctx context.Context, stage Stage, destination string) (context.Context, func(error)) {
	if o == nil {
		return ctx, func(error) {}
	}
	return o(ctx, stage, destination)
}

// Observers is an observer that tells several ones, the last of them innermost.
func Observers(all ...Observer) Observer {
	return func(ctx context.Context, stage Stage, destination string) (context.Context, func(error)) {
		var ends []func(error)
		for _, o := range all {
			var end func(error)
			ctx, end = o.stage(ctx, stage, destination)
			ends = append(ends, end)
		}
		return ctx, func(err error) {
			for i := range ends {
				ends[len(ends)-1-i](err)
			}
		}
	}
}

// stopwatch adds up how long destinations take.
func stopwatch(took map[string]time.Duration) Observer {
	var mu sync.Mutex
	return func(ctx context.Context, _ Stage, destination string) (context.Context, func(error)) {
		start := time.Now()
		return ctx, func(error) {
			if destination == "" {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			took[destination] += time.Since(start)
		}
	}
}
