// Package session ties the stages together for one run of a command: rules,
// source, past, publication and plan, each made from those before, and then the
// plan is carried out.
package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"k8s.io/publisher/builder"
	"k8s.io/publisher/cache"
	"k8s.io/publisher/credential"
	"k8s.io/publisher/mirror"
	"k8s.io/publisher/modhash"
	"k8s.io/publisher/odb"
	"k8s.io/publisher/past"
	"k8s.io/publisher/plan"
	"k8s.io/publisher/provenance"
	"k8s.io/publisher/publication"
	"k8s.io/publisher/remote"
	"k8s.io/publisher/rules"
	"k8s.io/publisher/source"
	"k8s.io/publisher/spec"
)

// Options are what all commands have in common.
type Options struct {
	// Rules is the rules file, or a URL of it.
	Rules string
	// Shard is the part of the destinations that is of interest.
	Shard rules.Shard
	// Source is a path or URL of the monorepo.
	Source string
	// Mirrors is the folder of the mirrors.
	Mirrors string
	// Remote, where not empty, is a template in the place of all that the rules say
	// of remotes; see [rules.Rules.SetRemote].
	Remote string
	// Credentials, where not empty, is a file that says how remotes are reached; see
	// package credential.
	Credentials string
	// Remotes is what remotes are reached with; nil is a new one with Credentials.
	Remotes *remote.Client
	// Push has [Sync] bring to the remotes what it has applied to the mirrors.
	Push bool
	// Write takes the lock and allows changes to Mirrors.
	Write bool
	// Forget does without the cache.
	Forget bool
	// Consumers, where not empty, is in the place of what the rules say.
	Consumers rules.Consumers
	// SigningKey, where not empty, is a file with the private key by which new tags are
	// testified to; see package provenance.
	SigningKey string
	// Version is the publisher's, for what is testified.
	Version string
	// Build confines what is built and run of the source. Where its Cache is empty, it
	// is in the publisher's own folder.
	Build builder.Config

	Log      *slog.Logger
	Progress func(what string, done, total int)
	// Observe is called when a stage starts, and what it returns when the stage has
	// ended. It may be nil.
	Observe Observer
}

// Session is a run.
type Session struct {
	Options
	RuleSet *rules.Rules
	Repo    *source.Repository
	// Past is there once it was planned.
	Past *past.Past

	lock    *mirror.Lock
	cache   *cache.Cache
	scratch *odb.Scratch
	temp    string // for this run's files
	closers []func() error

	signer     *provenance.Signer // nil where nothing is testified to
	provenance string             // the objects of what is; empty where there are none

	// confined tells once how far that goes.
	confined sync.Once

	mu   sync.Mutex
	read map[string]remote.Refs // what the remotes have, by destination
}

// Open opens everything that a run needs.
func Open(ctx context.Context, o Options) (_ *Session, err error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Build.Cache = cmp.Or(o.Build.Cache, filepath.Join(mirror.WorkDir(o.Mirrors), "build"))
	o.Build.Log = o.Log
	if o.Remotes == nil {
		o.Remotes = &remote.Client{Log: o.Log}
		if o.Credentials != "" {
			if o.Remotes.Credentials, err = credential.Load(o.Credentials); err != nil {
				return nil, err
			}
		}
	}
	if o.Credentials != "" {
		o.Build.Hidden = append(slices.Clone(o.Build.Hidden), o.Credentials)
	}
	o.Build.Hidden = append(slices.Clone(o.Build.Hidden), o.Remotes.Credentials.Secrets()...)
	var signer *provenance.Signer
	if o.SigningKey != "" {
		o.Build.Hidden = append(o.Build.Hidden, o.SigningKey)
		if signer, err = provenance.LoadSigner(o.SigningKey); err != nil {
			return nil, err
		}
		o.Remotes.Provenance = true
	}
	s := &Session{Options: o, signer: signer, read: make(map[string]remote.Refs)}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	ctx, done := o.Observe.stage(ctx, Opening, "")
	defer func() { done(err) }()
	if s.RuleSet, err = rules.LoadOrFetch(ctx, o.Rules); err != nil {
		return nil, err
	}
	if o.Remote != "" {
		if err := s.RuleSet.SetRemote(o.Remote); err != nil {
			return nil, err
		}
	}
	s.RuleSet.Restrict(o.Shard)
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
	if s.Repo, err = OpenSource(ctx, o); err != nil {
		return nil, err
	}
	s.closers = append(s.closers, func() error { s.Repo.Close(); return nil })
	if !o.Forget {
		if err := s.openCache(); err != nil {
			return nil, err
		}
	}
	return s, s.newScratch()
}

// OpenSource opens a local source, or fetches a remote one first. The rules are
// not looked at, and the mirrors' folder only takes what is fetched.
func OpenSource(ctx context.Context, o Options) (_ *source.Repository, err error) {
	ctx, done := o.Observe.stage(ctx, ReadingSource, "")
	defer func() { done(err) }()
	return source.OpenOrFetch(ctx, o.Source, fetched(o.Mirrors), o.Log)
}

// fetched is where fetched sources are, in the publisher's own folder.
func fetched(mirrors string) string { return filepath.Join(mirror.WorkDir(mirrors), "source") }

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
		if err := source.Recover(fetched(s.Options.Mirrors)); err != nil {
			return err
		}
		s.lock.Crashed = false
	}
	return nil
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
func (s *Session) newScratch() error {
	dir := ""
	if s.Write {
		dir = mirror.WorkDir(s.Options.Mirrors)
	}
	var err error
	if s.temp, err = os.MkdirTemp(dir, "run-"); err != nil {
		return err
	}
	s.closers = append(s.closers, func() error { return os.RemoveAll(s.temp) })
	if s.scratch, err = odb.NewScratch(filepath.Join(s.temp, "objects")); err == nil {
		s.closers = append(s.closers, s.scratch.Close)
	}
	return err
}

func (s *Session) progress(what string, done, total int) {
	if s.Progress != nil {
		s.Progress(what, done, total)
	}
}

// Plan reads the past, computes the publication and compares it with the mirrors.
func (s *Session) Plan(ctx context.Context) (_ *plan.Plan, _ *publication.Publication, err error) {
	ctx, done := s.Observe.stage(ctx, Planning, "")
	defer func() { done(err) }()
	start := time.Now()
	specs, err := spec.New(s.RuleSet)
	if err != nil {
		return nil, nil, err
	}
	reading, read := s.Observe.stage(ctx, ReadingPast, "")
	s.Past, err = past.Read(reading, past.Input{
		Source: s.Repo, Specs: specs, Trailer: s.RuleSet.Trailer, Mirrors: s.Mirrors, Open: s.openMirror, Cache: s.cache, Log: s.Log, Progress: s.Progress,
	})
	read(err)
	if err != nil {
		return nil, nil, err
	}
	s.closers = append(s.closers, func() error { s.Past.Close(); return nil })
	var sums modhash.Sums = new(modhash.MemorySums)
	if s.cache != nil {
		sums = s.cache
	}
	computing, computed := s.Observe.stage(ctx, Computing, "")
	pub, err := publication.Compute(computing, publication.Config{
		Source: s.Repo, Rules: s.RuleSet, Specs: specs, Past: s.Past, Scratch: s.scratch, Keep: s.Write, Sums: sums, Progress: s.Progress,
	})
	computed(err)
	if err != nil {
		return nil, nil, err
	}
	s.Log.Debug("computed", "took", time.Since(start))
	return plan.Make(pub, s.RuleSet, s.Past, s.Repo), pub, nil
}
