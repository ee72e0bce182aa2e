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
	"time"

	"k8s.io/publisher/mirror"
	"k8s.io/publisher/odb"
	"k8s.io/publisher/plan"
	"k8s.io/publisher/publication"
)

// Apply carries a plan out: destination by destination, dependencies first, so
// that no go.mod names a version that cannot be fetched yet. What goes wrong
// with one is in its Err; it stays as it was, and so do those that depend on
// it. The error sums the failures up.
func (s *Session) Apply(ctx context.Context, p *plan.Plan, pub *publication.Publication) error {
	if p.Changes() {
		objects, err := s.newObjects()
		if err != nil {
			p.Fail(err)
		} else {
			defer objects.Close()
		}
		s.stageAndCommit(ctx, p, objects)
	}
	var errs []error
	for _, d := range p.Destinations {
		if d.Err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", d.Name, d.Err))
		}
	}
	if len(errs) > 0 {
		// The cache would take what is not in every mirror for published.
		return errors.Join(errs...)
	}
	if p.Changes() || !pub.Incremental() || !pub.Graph.AllKnown() {
		if err := s.cache.Save(pub); err != nil {
			s.Log.Warn("the next run will take longer", "error", err)
		}
	}
	return nil
}

// newObjects completes what this run has made, and opens it together with the
// source.
func (s *Session) newObjects() (*odb.Store, error) {
	if err := s.scratch.Finish(); err != nil {
		return nil, err
	}
	return odb.Open(append([]string{s.scratch.Dir()}, s.Repo.Store.Dirs()...)...)
}

// stageAndCommit packs the destinations' objects, as many at a time as there
// are processors, and makes them visible in order.
func (s *Session) stageAndCommit(ctx context.Context, p *plan.Plan, objects *odb.Store) {
	staged := make([]*mirror.Staged, len(p.Destinations))
	ready := make([]chan error, len(p.Destinations))
	jobs := make(chan int, len(p.Destinations))
	var todo []int
	for i, d := range p.Destinations {
		ready[i] = make(chan error, 1)
		if d.Err == nil && len(d.Refs) > 0 {
			todo = append(todo, i)
		}
	}
	// The largest first: the others fill the processors up while it is packed.
	slices.SortStableFunc(todo, func(a, b int) int {
		return cmp.Compare(p.Destinations[b].NewCommits(), p.Destinations[a].NewCommits())
	})
	for _, i := range todo {
		jobs <- i
	}
	total := len(todo)
	close(jobs)
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for i := range jobs {
				var err error
				staged[i], err = s.stage(ctx, p.Destinations[i], objects)
				ready[i] <- err
			}
		})
	}
	done := 0
	for i, d := range p.Destinations {
		if d.Err != nil || len(d.Refs) == 0 {
			d.StopFor(p)
			continue
		}
		s.report("publishing "+d.Name, done, total)
		done++
		err := <-ready[i]
		if err == nil && !d.StopFor(p) {
			err = s.commit(ctx, p, d, staged[i])
		} else if err == nil {
			err = staged[i].Discard()
		}
		if err != nil && d.Err == nil {
			d.Err = err
		}
	}
	group.Wait()
}

func (s *Session) report(what string, done, total int) {
	if s.Progress != nil {
		s.Progress(what, done, total)
	}
}

func (s *Session) stage(ctx context.Context, d *plan.Destination, objects *odb.Store) (*mirror.Staged, error) {
	start := time.Now()
	defer func() { s.Log.Debug("packed", "destination", d.Name, "took", time.Since(start)) }()
	return d.Mirror.Stage(ctx, s.lock, d.Refs, objects, defaultBranch(d), mirror.WorkDir(s.Options.Mirrors))
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

func (s *Session) commit(ctx context.Context, p *plan.Plan, d *plan.Destination, staged *mirror.Staged) error {
	if err := s.smoke(ctx, p, d, staged); err != nil {
		return errors.Join(err, staged.Discard())
	}
	if err := staged.Commit(ctx); err != nil {
		return err
	}
	s.Log.Info("published", "destination", d.Name, "refs", len(d.Refs), "mirror", filepath.Dir(d.Mirror.Dir))
	if err := d.Mirror.Tidy(ctx, s.lock); err != nil {
		s.Log.Warn("the mirror is published, but could not be repacked", "destination", d.Name, "error", err)
	}
	return nil
}
