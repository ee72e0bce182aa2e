package session

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"k8s.io/publisher/object"
	"k8s.io/publisher/plan"
	"k8s.io/publisher/remote"
)

// Result is what a sync has done.
type Result struct {
	// Plan is what was to be done: for destinations that took several attempts, in
	// the attempt that did it.
	Plan *plan.Plan
	// Failures are why destinations were not published, or did not arrive at their
	// remotes; what concerns one alone is here and not in the error of [Sync].
	Failures Failures
	// Heads are the heads of the source's branches.
	Heads map[string]object.ID
	// Took is how long the destinations took.
	Took map[string]time.Duration
	// Remotes are the URLs of the remotes by destination, for those that have one.
	Remotes map[string]string
	// Pushed is what arrived at the remotes that changed, by destination.
	Pushed map[string]remote.Pushed
}

// Err sums up the failures, and why tags are withheld; it is nil where nothing is amiss.
func (r *Result) Err() error {
	var errs []error
	for _, d := range r.Plan.Destinations {
		if err := r.Failures[d.Name]; err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", d.Name, err))
		}
	}
	return errors.Join(append(errs, r.Plan.Withheld())...)
}

// mostAttempts is how often a run is planned while others change remotes.
const mostAttempts = 3

// Sync is one whole run: it opens a session for writing, plans, proves that consumers can
// build with what is new, applies the plan to
// the mirrors on this machine, and, with [Options.Push], brings it to the remotes. Where somebody
// else changes a remote meanwhile, it reads and plans again, a few times.
//
// The error is about the source, the rules or this machine, and there is no result
// then. It is safe to be called again after any error, and after the process was
// killed; calls for the same mirrors must not be at work at one time.
func Sync(ctx context.Context, o Options) (*Result, error) {
	o.Write = true
	result := &Result{Took: make(map[string]time.Duration)}
	o.Observe = Observers(o.Observe, stopwatch(result.Took))
	for attempt := 1; ; attempt++ {
		if err := result.attempt(ctx, o); err != nil {
			return nil, err
		}
		if !result.Failures.raced() || attempt == mostAttempts || ctx.Err() != nil {
			return result, nil
		}
		if o.Log != nil {
			o.Log.Info("planning again, as somebody else pushes too", "attempt", attempt+1)
		}
	}
}

func (r *Result) attempt(ctx context.Context, o Options) (err error) {
	s, err := Open(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	p, pub, err := s.Plan(ctx)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return err
	}
	if p, err = s.Prove(ctx, p, pub); err != nil {
		return err
	}
	if p, err = s.Sign(ctx, p, pub); err != nil {
		return err
	}
	failures, _ := s.Apply(ctx, p, pub)
	pushed := make(map[string]remote.Pushed)
	if o.Push {
		pushed = s.Push(ctx, p, pub, failures)
	}
	// What an earlier attempt has done is unchanged in this one's plan.
	for i, d := range p.Destinations {
		if r.Plan == nil || len(d.Refs) > 0 || failures[d.Name] != nil {
			continue
		}
		if before := r.Plan.Destination(d.Name); before != nil && r.Failures[d.Name] == nil {
			p.Destinations[i] = before
		}
	}
	if r.Pushed != nil {
		maps.Copy(r.Pushed, pushed)
		pushed = r.Pushed
	}
	r.Plan, r.Failures, r.Pushed, r.Remotes = p, failures, pushed, s.RemoteURLs()
	r.Heads = make(map[string]object.ID)
	for _, name := range s.Repo.Branches() {
		r.Heads[name], _ = s.Repo.Branch(name)
	}
	return nil
}

// RemoteURLs are the URLs of the remotes, by destination, for those that have one.
func (s *Session) RemoteURLs() map[string]string {
	urls := make(map[string]string)
	for i := range s.RuleSet.Rules {
		name := s.RuleSet.Rules[i].Destination
		if url := s.RuleSet.RemoteOf(name); url != "" {
			urls[name] = url
		}
	}
	return urls
}
