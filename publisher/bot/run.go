package bot

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"

	"k8s.io/publisher/session"
	"k8s.io/publisher/status"
)

// Sync is one run as the options say: see [session.Sync]. What the run did is in the
// outcome, whose Run is empty yet; there always is one.
func Sync(ctx context.Context, o session.Options) (*status.Outcome, error) {
	done, err := session.Sync(ctx, o)
	if err == nil {
		err = done.Err()
	}
	return Outcome(done), err
}

// Outcome is what a sync did, which is nothing where there is no result.
func Outcome(r *session.Result) *status.Outcome {
	if r == nil {
		return new(status.Outcome)
	}
	return &status.Outcome{Plan: r.Plan, Failures: r.Failures, Took: r.Took, Heads: r.Heads}
}

// NewID makes a run's id: when it started, so that ids sort, and some chance.
func NewID(now time.Time) string {
	var chance [3]byte
	rand.Read(chance[:]) // never fails
	return fmt.Sprintf("%s-%s", now.UTC().Format("20060102T150405Z"), hex.EncodeToString(chance[:]))
}
