// Package verify proves that mirrors are what the source and the rules make.
//
// It knows nothing of what a sync did: it reads the source, the rules and the
// mirrors, and no cache. As publication is a pure function, recomputing it and
// comparing names proves every commit and every tag, down to the blobs, if the
// mirror's objects have the content that their names say. So there are two
// proofs to begin with: that of git fsck, which hashes all objects, and that of
// package publication, which names what should be there.
//
// Both sync and the second proof would share a mistake in how projections are
// computed. Therefore two further checks, for every tag and every branch's tip,
// use none of that code:
//
//   - go-git reads the tree and the directory in the source, and they are
//     compared file by file. Only go.mod and go.sum may differ, and only in
//     what they say about siblings.
//   - The versions of siblings in go.sum are looked up in the siblings' mirrors
//     and hashed with golang.org/x/mod.
//
// What does not hold is a [Mismatch], which says as precisely as possible what
// was changed. A mirror may be behind its source, which goes on all the time:
// that is but a note.
package verify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"k8s.io/publisher/mirror"
	"k8s.io/publisher/modhash"
	"k8s.io/publisher/odb"
	"k8s.io/publisher/past"
	"k8s.io/publisher/pathspec"
	"k8s.io/publisher/publication"
	"k8s.io/publisher/rules"
	"k8s.io/publisher/source"
	"k8s.io/publisher/spec"
)

// Input is what is verified, and against what. Nothing of it is written to.
type Input struct {
	Source *source.Repository
	Rules  *rules.Rules
	// Mirrors are the mirrors' states by destination; Errs those that could
	// not be read.
	Folder  string
	Mirrors map[string]*mirror.Mirror
	Errs    map[string]error
	// Progress, where not nil, is told what is being done, by one goroutine at
	// a time; total is 0 where it is not known.
	Progress func(what string, done, total int)
}

// run is what the checks of all destinations share.
type run struct {
	ctx       context.Context
	in        Input
	dir       string // for temporary files
	scratch   *odb.Scratch
	remove    *pathspec.Set
	pub       *publication.Publication
	histories map[string]*history
	modules   map[string]*modules // by destination
	sources   chan *gitTrees      // the source, once for each processor

	progress sync.Mutex
}

// Run verifies all mirrors. The error is about the source, the rules or this
// machine, or the context's; what is wrong with a mirror is in the report.
func Run(ctx context.Context, in Input) (_ *Report, err error) {
	r := &run{
		ctx: ctx, in: in, histories: make(map[string]*history),
		modules: make(map[string]*modules),
	}
	if r.remove, err = pathspec.Compile(in.Rules.RecursiveDeletePatterns); err != nil {
		return nil, fmt.Errorf("recursive-delete-patterns: %w", err)
	}
	if r.dir, err = os.MkdirTemp("", "verify-"); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(r.dir)) }()
	if r.scratch, err = odb.NewScratch(filepath.Join(r.dir, "objects")); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.scratch.Close()) }()
	return r.verify()
}

func (r *run) verify() (*Report, error) {
	var checkers []*checker
	var present []*checker
	for i := range r.in.Rules.Rules {
		rule := &r.in.Rules.Rules[i]
		if rule.Skipped {
			continue
		}
		c := &checker{run: r, rule: rule, out: &Destination{Name: rule.Destination, Notes: []string{}, Mismatches: []Mismatch{}}}
		checkers = append(checkers, c)
		m := r.in.Mirrors[rule.Destination]
		switch err := r.in.Errs[rule.Destination]; {
		case err != nil:
			c.mismatch(Mismatch{Kind: UnreadableMirror, Detail: err.Error()})
		case m != nil && m.Exists:
			present = append(present, c)
		}
	}
	// Git is the slowest: it has the processors to itself when all else is done.
	ctx, stop := context.WithCancel(r.ctx)
	defer stop()
	fscked := make(chan error, 1)
	go func() {
		fscked <- each(present, func(c *checker) (err error) {
			c.fsck, err = fsck(ctx, r.in.Mirrors[c.out.Name].Dir)
			return err
		})
	}()
	err := r.prove(checkers, present)
	if err != nil {
		stop()
	}
	if fsckErr := <-fscked; err == nil {
		err = fsckErr
	}
	if err != nil {
		return nil, err
	}
	report := &Report{Destinations: []*Destination{}}
	for _, c := range checkers {
		c.sound(c.fsck)
		report.Destinations = append(report.Destinations, c.out)
	}
	report.finish()
	return report, nil
}

// prove does all but git's part.
func (r *run) prove(checkers, present []*checker) (err error) {
	defer func() {
		for _, h := range r.histories {
			h.store.Close()
		}
	}()
	r.report("reading mirrors", 0, 0)
	var mu sync.Mutex
	err = each(present, func(c *checker) error {
		h, err := readHistory(c.out.Name, r.in.Mirrors[c.out.Name])
		if err != nil {
			c.mismatch(Mismatch{Kind: UnreadableMirror, Detail: err.Error()})
			return nil
		}
		c.h, c.reader = h, h.store.Reader()
		for _, m := range h.broken {
			c.mismatch(m)
		}
		mu.Lock()
		defer mu.Unlock()
		r.histories[c.out.Name] = h
		r.modules[c.out.Name] = newModules(r, h)
		return nil
	})
	if err != nil {
		return err
	}
	if err := r.compute(present); err != nil {
		return err
	}
	r.sources = make(chan *gitTrees, runtime.GOMAXPROCS(0))
	for range cap(r.sources) {
		g := openTrees(r.in.Source.Store.Dirs()...)
		defer func() { err = errors.Join(err, g.close()) }()
		r.sources <- g
	}
	var done atomic.Int64
	r.report("comparing mirrors", 0, len(checkers))
	return each(checkers, func(c *checker) error {
		if err := c.check(); err != nil {
			return fmt.Errorf("%s: %w", c.out.Name, err)
		}
		r.report("comparing mirrors", int(done.Add(1)), len(checkers))
		return r.ctx.Err()
	})
}

// compute computes what should be there, from nothing but the source, the rules,
// and what these say of who filled the mirrors before.
func (r *run) compute(present []*checker) error {
	specs, err := spec.New(r.in.Rules)
	if err != nil {
		return err
	}
	before, err := past.Read(r.ctx, past.Input{
		Source: r.in.Source, Specs: specs, Trailer: r.in.Rules.Trailer, Mirrors: r.in.Folder, Ended: true,
		Log: slog.New(slog.DiscardHandler), Progress: r.report,
	})
	if err != nil {
		return err
	}
	defer before.Close()
	for _, c := range present {
		c.past = before.Mirrors[c.out.Name]
	}
	r.pub, err = publication.Compute(r.ctx, publication.Config{
		Source: r.in.Source, Rules: r.in.Rules, Specs: specs, Past: before, Scratch: r.scratch, Sums: new(modhash.MemorySums), Progress: r.report,
	})
	return err
}

func (r *run) report(what string, done, total int) {
	if r.in.Progress == nil {
		return
	}
	r.progress.Lock()
	defer r.progress.Unlock()
	r.in.Progress(what, done, total)
}

// each calls f for all checkers, as many at a time as there are processors,
// and returns the error of the first of them that has one.
func each(checkers []*checker, f func(*checker) error) error {
	errs := make([]error, len(checkers))
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(checkers)) {
		group.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(checkers) {
					return
				}
				if errs[i] = f(checkers[i]); errs[i] != nil {
					next.Store(int64(len(checkers)))
				}
			}
		})
	}
	group.Wait()
	if i := slices.IndexFunc(errs, func(err error) bool { return err != nil }); i >= 0 {
		return errs[i]
	}
	return nil
}
