// Package session ties the stages together for one run of a command: it opens
// rules, source, mirrors and cache, computes the publication, plans, and
// carries the plan out.
package session

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"k8s.io/publisher/cache"
	"k8s.io/publisher/mirror"
	"k8s.io/publisher/modhash"
	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
	"k8s.io/publisher/plan"
	"k8s.io/publisher/publication"
	"k8s.io/publisher/rules"
	"k8s.io/publisher/source"
)

// Options are what all commands have in common.
type Options struct {
	// Rules is the rules file.
	Rules string
	// Source is a path or URL of the monorepo.
	Source string
	// Mirrors is the folder of the mirrors.
	Mirrors string
	// Write takes the lock and allows changes to Mirrors.
	Write bool
	// Forget does without the cache.
	Forget bool
	// TakeOver continues on top of mirrors that were published under other
	// rules; without it they are a conflict.
	TakeOver bool

	Log      *slog.Logger
	Progress func(what string, done, total int)
}

// Session is a run.
type Session struct {
	Options
	RuleSet *rules.Rules
	Repo    *source.Repository
	// Mirrors are the mirrors' states by destination, MirrorErrs those that
	// could not be read.
	MirrorStates map[string]*mirror.Mirror
	MirrorErrs   map[string]error

	lock    *mirror.Lock
	cache   *cache.Cache
	scratch *odb.Scratch
	store   *odb.Store // of all mirrors
	temp    string
	closers []func() error
}

// Open opens everything that a run needs.
func Open(ctx context.Context, o Options) (_ *Session, err error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Session{Options: o}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.RuleSet, err = rules.Load(o.Rules); err != nil {
		return nil, err
	}
	for _, w := range s.RuleSet.Warnings {
		o.Log.Warn(w.Error())
	}
	if o.Write {
		if s.lock, err = mirror.Acquire(ctx, o.Mirrors, o.Log); err != nil {
			return nil, err
		}
		s.closers = append(s.closers, s.lock.Release)
		if err := s.clearLeftovers(); err != nil {
			return nil, err
		}
	}
	if s.Repo, err = openSource(ctx, o, s.lock); err != nil {
		return nil, err
	}
	s.closers = append(s.closers, func() error { s.Repo.Close(); return nil })
	s.openMirrors()
	if !o.Forget {
		if err := s.openCache(); err != nil {
			return nil, err
		}
	}
	return s, s.newScratch()
}

// Close releases everything, the lock last.
func (s *Session) Close() error {
	var errs []error
	for _, c := range slices.Backward(s.closers) {
		errs = append(errs, c())
	}
	s.closers = nil
	return errors.Join(errs...)
}

// clearLeftovers removes what a run that was killed left half written. No
// other run is at work, nor git for one that was killed, fetches aside: the lock
// is ours.
func (s *Session) clearLeftovers() error {
	dir := mirror.WorkDir(s.Options.Mirrors)
	for _, pattern := range []string{"incoming-*", "run-*"} {
		names, err := fs.Glob(os.DirFS(dir), pattern)
		if err != nil {
			return err
		}
		for _, name := range names {
			if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
				return fmt.Errorf("clean up after a run that was killed: %w", err)
			}
		}
	}
	if s.lock.Crashed {
		if err := recoverFetched(dir); err != nil {
			return err
		}
		s.lock.Crashed = false
	}
	return nil
}

func (s *Session) openMirrors() {
	s.MirrorStates, s.MirrorErrs = make(map[string]*mirror.Mirror), make(map[string]error)
	for _, rule := range s.RuleSet.Rules {
		if rule.Skipped {
			continue
		}
		m, err := mirror.Open(mirror.Path(s.Options.Mirrors, rule.Destination))
		if err != nil {
			s.MirrorErrs[rule.Destination] = err
			continue
		}
		s.MirrorStates[rule.Destination] = m
	}
}

// openCache opens the cache, or goes on without it: it only saves time.
func (s *Session) openCache() error {
	file := filepath.Join(mirror.WorkDir(s.Options.Mirrors), "cache.db")
	c, err := cache.Open(file, !s.Write)
	if err != nil {
		s.Log.Warn("going on without the cache", "error", err)
		return nil
	}
	if c != nil {
		s.cache = c
		s.closers = append(s.closers, c.Close)
	}
	return nil
}

// newScratch makes room for new objects: beside the mirrors, or, for a run
// that must not write there, among the temporary files.
func (s *Session) newScratch() (err error) {
	dir := ""
	if s.Write {
		dir = mirror.WorkDir(s.Options.Mirrors)
	}
	if s.temp, err = os.MkdirTemp(dir, "run-"); err != nil {
		return err
	}
	temp := s.temp
	s.closers = append(s.closers, func() error { return os.RemoveAll(temp) })
	s.scratch, err = odb.NewScratch(filepath.Join(s.temp, "objects"))
	if err == nil {
		scratch := s.scratch
		s.closers = append(s.closers, scratch.Close)
	}
	return err
}

// Compute computes the publication with the help of the cache and what the
// mirrors hold.
func (s *Session) compute(ctx context.Context, memory func(string) publication.Memory, takeovers map[string]*publication.Takeover) (*publication.Publication, error) {
	var sums modhash.Sums = new(modhash.MemorySums)
	if s.cache != nil {
		sums = s.cache
	}
	return publication.Compute(ctx, publication.Config{
		Source: s.Repo, Rules: s.RuleSet, Scratch: s.scratch, Keep: s.Write, Sums: sums, Progress: s.Progress,
		Mirrors: s.store, Memory: memory, Takeovers: takeovers,
		HasTag: func(destination, name string, tag object.ID) bool {
			m := s.MirrorStates[destination]
			if m == nil {
				return false
			}
			have, ok := m.Ref("refs/tags/" + name)
			return ok && have == tag
		},
	})
}

// Plan computes the publication and compares it with the mirrors.
func (s *Session) Plan(ctx context.Context) (*plan.Plan, *publication.Publication, error) {
	if err := s.openMirrorStore(); err != nil {
		return nil, nil, err
	}
	takeovers := s.takeovers()
	memory := s.cache.Memory
	for range 3 {
		start := time.Now()
		pub, err := s.compute(ctx, memory, takeovers)
		s.Log.Debug("computed", "took", time.Since(start))
		var made *plan.Plan
		if err == nil {
			s.checkSiblings(pub)
			made, err = plan.Make(plan.Input{Publication: pub, Mirrors: s.MirrorStates, Errs: s.MirrorErrs, Takeovers: takeovers, TakeOver: s.TakeOver})
		}
		var taken *plan.TakenOverError
		switch {
		case err == nil:
			return made, pub, nil
		case errors.Is(err, publication.ErrStale):
			s.Log.Info("computing everything again", "reason", err)
			memory = nil
		case errors.As(err, &taken):
			for name, t := range taken.Takeovers {
				if known := takeovers[name]; known != nil {
					for branch, base := range known.Bases {
						t.Add(branch, base)
					}
				}
				for branch, base := range t.Bases {
					s.Log.Info("taking over a mirror that someone else filled", "destination", name, "branch", branch, "at", base.Commit, "source", base.Source)
				}
				takeovers[name] = t
			}
			memory = nil
		default:
			return nil, nil, err
		}
		// What was made on wrong grounds must not get into a mirror.
		if err := s.newScratch(); err != nil {
			return nil, nil, err
		}
	}
	return nil, nil, errors.New("the mirrors change while they are being read")
}

// openMirrorStore opens the objects of all mirrors that can be read as one
// store.
func (s *Session) openMirrorStore() (err error) {
	var dirs []string
	for _, name := range s.destinations() {
		m := s.MirrorStates[name]
		if m == nil || !m.Exists {
			continue
		}
		alone, err := odb.Open(m.ObjectsDir())
		if err == nil {
			err = m.CheckObjects(alone)
			alone.Close()
		}
		if err != nil {
			s.unreadable(name, fmt.Errorf("open mirror %s: %w", m.Dir, err))
			continue
		}
		dirs = append(dirs, m.ObjectsDir())
	}
	if len(dirs) == 0 {
		return nil
	}
	if s.store, err = odb.Open(dirs...); err != nil {
		return fmt.Errorf("open mirrors: %w", err)
	}
	s.closers = append(s.closers, func() error { s.store.Close(); return nil })
	return nil
}

// unreadable leaves a mirror alone that cannot be read.
func (s *Session) unreadable(destination string, err error) {
	s.MirrorErrs[destination] = err
	delete(s.MirrorStates, destination)
}

func (s *Session) destinations() []string {
	var names []string
	for _, r := range s.RuleSet.Rules {
		names = append(names, r.Destination)
	}
	slices.Sort(names)
	return names
}

// takeovers reads where mirrors were taken over before.
func (s *Session) takeovers() map[string]*publication.Takeover {
	all := make(map[string]*publication.Takeover)
	for name, m := range s.MirrorStates {
		taken := new(publication.Takeover)
		var err error
		for ref, r := range m.Refs() {
			branch, ok := strings.CutPrefix(ref, publication.TakeoverRefs)
			if !ok {
				continue
			}
			from, cause := publication.BaseSource(s.store.Reader(), r.ID, s.RuleSet.Trailer)
			if cause != nil {
				err = fmt.Errorf("mirror %s: %s: %w", m.Dir, ref, cause)
			}
			taken.Add(branch, publication.Base{Commit: r.ID, Source: from})
		}
		switch {
		case err != nil:
			s.unreadable(name, err)
		case len(taken.Bases) > 0:
			all[name] = taken
		}
	}
	return all
}
