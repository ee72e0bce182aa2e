package bot

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"k8s.io/publisher/object"
	"k8s.io/publisher/session"
	"k8s.io/publisher/status"
)

// Sync is one run as the options say: it opens a session, plans, and carries the
// plan out. What it did is in the outcome, whose Run has no error and no times yet;
// there always is one.
func Sync(ctx context.Context, o session.Options) (_ *status.Outcome, err error) {
	watch := new(stopwatch)
	outcome := &status.Outcome{Took: make(map[string]time.Duration), Heads: make(map[string]object.ID)}
	o.Write = true
	o.Observe = session.Observers(o.Observe, watch.observe)
	s, err := session.Open(ctx, o)
	if err != nil {
		return outcome, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	p, pub, err := s.Plan(ctx)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return outcome, err
	}
	outcome.Plan = p
	outcome.Failures, err = s.Apply(ctx, p, pub)
	outcome.Took = watch.took
	outcome.Heads = Heads(s)
	return outcome, err
}

// Heads are the heads of the source's branches.
func Heads(s *session.Session) map[string]object.ID {
	heads := make(map[string]object.ID)
	for _, name := range s.Repo.Branches() {
		heads[name], _ = s.Repo.Branch(name)
	}
	return heads
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
