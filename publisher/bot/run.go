package bot

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"k8s.io/publisher/object"
	"k8s.io/publisher/session"
	"k8s.io/publisher/status"
)

// Sync is one run as the options say: see [session.Sync]. What is new goes to the
// remotes, where there are such. What the run did is in the outcome, whose Run has no
// error and no times yet; there always is one.
func Sync(ctx context.Context, o session.Options) (*status.Outcome, error) {
	watch := new(stopwatch)
	outcome := &status.Outcome{Took: make(map[string]time.Duration), Heads: make(map[string]object.ID)}
	o.Push = true
	o.Observe = session.Observers(o.Observe, watch.observe)
	done, err := session.Sync(ctx, o)
	if err != nil {
		return outcome, err
	}
	outcome.Plan, outcome.Failures, outcome.Heads, outcome.Took = done.Plan, done.Failures, done.Heads, watch.took
	return outcome, done.Err()
}

// stopwatch adds up how long destinations take.
type stopwatch struct {
	mu   sync.Mutex
	took map[string]time.Duration
}

func (w *stopwatch) observe(ctx context.Context, _ session.Stage, destination string) (context.Context, func(error)) {
	start := time.Now()
	return ctx, func(error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.took == nil {
			w.took = make(map[string]time.Duration)
		}
		if destination != "" {
			w.took[destination] += time.Since(start)
		}
	}
}

// NewID makes a run's id: when it started, so that ids sort, and some chance.
func NewID(now time.Time) string {
	var chance [3]byte
	rand.Read(chance[:]) // never fails
	return fmt.Sprintf("%s-%s", now.UTC().Format("20060102T150405Z"), hex.EncodeToString(chance[:]))
}
