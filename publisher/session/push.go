package session

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"k8s.io/publisher/plan"
	"k8s.io/publisher/publication"
	"k8s.io/publisher/remote"
)

// Push brings to the remotes what [Session.Apply] has carried out of a plan: those of
// several destinations at a time, but none before those that it depends on have
// arrived. Failed are those that were not published here, and so are not pushed.
// It returns what arrived, and adds to failed what did not, by destination.
func (s *Session) Push(ctx context.Context, p *plan.Plan, pub *publication.Publication, failed Failures) map[string]remote.Pushed {
	type outcome struct {
		done chan struct{}
		err  error
	}
	pushed := make(map[string]remote.Pushed)
	outcomes := make(map[string]*outcome)
	failures := maps.Clone(failed)
	var group sync.WaitGroup
	for _, d := range p.Destinations {
		// Those of a circle that come later wait for this one.
		var before []*outcome
		var on []string
		for _, name := range d.DependsOn {
			if o := outcomes[name]; o != nil {
				before, on = append(before, o), append(on, name)
			}
		}
		o := &outcome{done: make(chan struct{}), err: failures[d.Name]}
		outcomes[d.Name] = o
		group.Go(func() {
			defer close(o.done)
			for i, dep := range before {
				if <-dep.done; dep.err != nil && o.err == nil {
					o.err = &plan.DependencyError{On: on[i]}
				}
			}
			url := s.RuleSet.RemoteOf(d.Name)
			if o.err != nil || url == "" || !d.Changes() {
				return
			}
			pushing, end := s.Observe.stage(ctx, Pushing, d.Name)
			var done remote.Pushed
			done, o.err = s.Remotes.Push(pushing, url, s.read[d.Name], d.Refs, d.Mirror.ObjectsDir())
			end(o.err)
			s.mu.Lock()
			defer s.mu.Unlock()
			if done.Refs > 0 {
				pushed[d.Name] = done
			}
			if o.err == nil {
				s.Log.Info("pushed", "destination", d.Name, "refs", done.Refs, "pushes", done.Steps, "remote", url)
			}
		})
	}
	group.Wait()
	for name, o := range outcomes {
		if o.err != nil && failed[name] == nil {
			failed[name] = o.err
		}
	}
	if len(failed) == 0 && s.behind(p) {
		s.remember(p, pub)
	} else {
		s.keepProofs()
	}
	return pushed
}

// behind reports whether remotes are yet to get what a plan changes.
func (s *Session) behind(p *plan.Plan) bool {
	return slices.ContainsFunc(p.Destinations, func(d *plan.Destination) bool { return d.Changes() && s.RuleSet.RemoteOf(d.Name) != "" })
}

// raced reports whether a destination failed only because a remote was changed
// meanwhile: planning again helps.
func (f Failures) raced() bool {
	return slices.ContainsFunc(slices.Collect(maps.Values(f)), func(err error) bool {
		_, ok := errors.AsType[*remote.RacedError](err)
		return ok
	})
}
