package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"k8s.io/publisher/mirror"
	"k8s.io/publisher/odb"
	"k8s.io/publisher/plan"
	"k8s.io/publisher/publication"
)

// Failures are why destinations of a plan were not published, by name.
type Failures map[string]error

// Apply carries a plan out: destination by destination, dependencies first, so
// that no go.mod names a version that cannot be fetched yet; those of a circle one
// right after the other, when all of them are ready. Where one fails, it stays as it
// was, and so do those that depend on it. The error sums the failures up.
func (s *Session) Apply(ctx context.Context, p *plan.Plan, pub *publication.Publication) (Failures, error) {
	a := &application{Session: s, plan: p, failed: make(Failures), staged: make(map[string]*mirror.Staged), published: make(map[string]bool)}
	for _, d := range p.Destinations {
		if d.Err != nil {
			a.failed[d.Name] = d.Err
		}
	}
	if p.Changes() {
		a.run(ctx)
	}
	var errs []error
	for _, d := range p.Destinations {
		if err := a.failed[d.Name]; err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", d.Name, err))
		}
	}
	if len(errs) > 0 {
		// The cache would take what is not in every mirror for published.
		s.keepProofs()
		return a.failed, errors.Join(errs...)
	}
	if !s.behind(p) {
		s.remember(p, pub)
	}
	return a.failed, nil
}

// remember saves what later runs need not compute again, once it is published.
func (s *Session) remember(p *plan.Plan, pub *publication.Publication) {
	state := pub.State()
	if !p.Changes() && state.Incremental && state.Graph.AllKnown() {
		return
	}
	if err := s.cache.Save(state); err != nil {
		s.Log.Warn("the next run will take longer", "error", err)
	}
}

// keepProofs saves what holds of a run that failed otherwise.
func (s *Session) keepProofs() {
	if err := s.cache.SaveProofs(); err != nil {
		s.Log.Warn("the next run will take longer", "error", err)
	}
}

// application is a plan that is being carried out.
type application struct {
	*Session
	plan      *plan.Plan
	failed    Failures
	staged    map[string]*mirror.Staged
	published map[string]bool
}

// run packs the destinations' objects, as many at a time as there are processors,
// and makes them visible in order.
func (a *application) run(ctx context.Context) {
	objects, err := a.newObjects()
	if err != nil {
		for _, d := range a.plan.Destinations {
			a.fail(d, err)
		}
		return
	}
	defer objects.Close()
	var todo []*plan.Destination
	for _, d := range a.plan.Destinations {
		if d.Changes() {
			todo = append(todo, d)
		}
	}
	// The largest first: the others fill the processors up while it is packed.
	slices.SortStableFunc(todo, func(a, b *plan.Destination) int { return cmp.Compare(b.NewCommits(), a.NewCommits()) })
	type result struct {
		staged *mirror.Staged
		err    error
	}
	jobs := make(chan *plan.Destination, len(todo))
	ready := make(map[string]chan result)
	for _, d := range todo {
		ready[d.Name] = make(chan result, 1)
		jobs <- d
	}
	close(jobs)
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for d := range jobs {
				staged, err := a.stage(ctx, d, objects)
				ready[d.Name] <- result{staged, err}
			}
		})
	}
	done := 0
	for _, circle := range circles(a.plan) {
		for _, d := range circle {
			if !d.Changes() {
				continue
			}
			a.progress("publishing "+d.Name, done, len(todo))
			done++
			r := <-ready[d.Name]
			a.staged[d.Name] = r.staged
			a.fail(d, r.err)
		}
		a.publish(ctx, circle)
	}
	group.Wait()
}

// newObjects completes what this run has made, and opens it together with the
// source.
func (s *Session) newObjects() (*odb.Store, error) {
	if err := s.scratch.Finish(); err != nil {
		return nil, err
	}
	dirs := append([]string{s.scratch.Dir()}, s.Repo.Store.Dirs()...)
	if s.provenance != "" {
		dirs = append(dirs, s.provenance)
	}
	return odb.Open(dirs...)
}

// circles groups the destinations, which stay in their order: those that depend on
// each other stand together.
func circles(p *plan.Plan) [][]*plan.Destination {
	var groups [][]*plan.Destination
	for _, d := range p.Destinations {
		if n := len(groups) - 1; n >= 0 && slices.Contains(groups[n][0].DependsOn, d.Name) {
			groups[n] = append(groups[n], d)
		} else {
			groups = append(groups, []*plan.Destination{d})
		}
	}
	return groups
}

// fail notes why a destination is not published; the first reason counts.
func (a *application) fail(d *plan.Destination, err error) {
	if err != nil && a.failed[d.Name] == nil {
		a.failed[d.Name] = err
	}
}

// passOn fails those of a circle that depend on what has failed.
func (a *application) passOn(circle []*plan.Destination) {
	for range circle {
		for _, d := range circle {
			for _, on := range d.DependsOn {
				if a.failed[on] != nil {
					a.fail(d, &plan.DependencyError{On: on})
				}
			}
		}
	}
}

// publish makes what is staged visible once all of it has passed its smoke tests.
func (a *application) publish(ctx context.Context, circle []*plan.Destination) {
	a.passOn(circle)
	for _, d := range circle {
		if staged := a.staged[d.Name]; staged != nil && a.failed[d.Name] == nil {
			a.fail(d, a.smoke(ctx, d))
		}
	}
	a.passOn(circle)
	for _, d := range circle {
		staged := a.staged[d.Name]
		delete(a.staged, d.Name)
		switch {
		case staged == nil:
		case a.failed[d.Name] != nil:
			a.failed[d.Name] = errors.Join(a.failed[d.Name], staged.Discard())
		default:
			a.fail(d, a.commit(ctx, d, staged))
			a.passOn(circle)
		}
	}
}

func (a *application) stage(ctx context.Context, d *plan.Destination, objects *odb.Store) (_ *mirror.Staged, err error) {
	ctx, done := a.Observe.stage(ctx, Packing, d.Name)
	defer func() { done(err) }()
	return d.Mirror.Stage(ctx, a.lock, d.Refs, objects, defaultBranch(d), mirror.WorkDir(a.Options.Mirrors))
}

// defaultBranch is what HEAD of a new mirror names.
func defaultBranch(d *plan.Destination) string {
	first := ""
	for _, b := range d.Branches {
		switch {
		case b.Action == plan.Skip:
		case b.Name == "master" || b.Name == "main":
			return b.Name
		case first == "":
			first = b.Name
		}
	}
	return first
}

func (a *application) commit(ctx context.Context, d *plan.Destination, staged *mirror.Staged) (err error) {
	ctx, done := a.Observe.stage(ctx, Publishing, d.Name)
	defer func() { done(err) }()
	if err := staged.Commit(ctx); err != nil {
		return err
	}
	a.published[d.Name] = true
	a.Log.Info("published", "destination", d.Name, "refs", len(d.Refs), "mirror", filepath.Dir(d.Mirror.Dir))
	if err := d.Mirror.Tidy(ctx, a.lock); err != nil {
		a.Log.Warn("the mirror is published, but could not be tidied up", "destination", d.Name, "error", err)
	}
	return nil
}
