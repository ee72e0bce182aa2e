// Package verify proves that mirrors are what the source and the rules make.
//
// It knows nothing of what a sync did: it reads the source, the rules and the
// mirrors, and no cache. As publication is a pure function, recomputing it and
// comparing names proves every commit and every tag, down to the blobs, if the
// mirror's objects have the content that their names say. So there are two
// proofs to begin with: that of git fsck, which hashes all objects, and that of
// package publication, which names what should be there. A third is that git shows
// no more and no less than the objects and refs: see [repository].
//
// Both sync and the second proof would share a mistake in how projections are
// computed. Therefore two further checks, for every tag and every branch's tip,
// use none of that code:
//
//   - Git itself compares the tree with the directory in the source. Only go.mod
//     and go.sum may differ, and only in what they say about siblings.
//   - The versions of siblings in go.sum are looked up in the siblings' mirrors
//     and hashed. What the tips of default branches require is hashed as the go
//     command does it, with git archive and golang.org/x/mod/zip.
//
// What does not hold is a [Mismatch], which says as precisely as possible what
// was changed. A mirror may be behind its source, which goes on all the time:
// that is but a note.
package verify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"

	"k8s.io/publisher/mirror"
	"k8s.io/publisher/modhash"
	"k8s.io/publisher/odb"
	"k8s.io/publisher/past"
	"k8s.io/publisher/pathspec"
	"k8s.io/publisher/provenance"
	"k8s.io/publisher/publication"
	"k8s.io/publisher/rules"
	"k8s.io/publisher/source"
	"k8s.io/publisher/spec"
)

// Input is what is verified, and against what. Nothing of it is written to.
type Input struct {
	Source *source.Repository
	Rules  *rules.Rules
	// Mirrors is the folder of the mirrors.
	Mirrors string
	// Fetched tells that they are copies of what remotes have.
	Fetched bool
	// Trusted, where not nil, are the keys of which one must have signed what testifies
	// to tags.
	Trusted *provenance.Trusted
	// Progress, where not nil, is told what is being done, by one goroutine at
	// a time; total is 0 where it is not known.
	Progress func(what string, done, total int)
}

// run is what the checks of all destinations share.
type run struct {
	ctx      context.Context
	in       Input
	dir      string // for temporary files
	scratch  *odb.Scratch
	remove   *pathspec.Set
	past     *past.Past
	pub      *publication.Publication
	checkers map[string]*checker // by destination
	circles  map[string]int      // by destination

	store *odb.Store // of all mirrors
	sums  *modhash.MemorySums
	// paths has the paths of the modules in directories of source commits.
	paths sync.Map

	progress sync.Mutex
}

// Run verifies all mirrors. The error is about the source, the rules or this
// machine, or the context's; what is wrong with a mirror is in the report.
func Run(ctx context.Context, in Input) (_ *Report, err error) {
	r := &run{ctx: ctx, in: in, checkers: make(map[string]*checker), circles: circles(in.Rules), sums: new(modhash.MemorySums)}
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
	defer func() {
		if r.past != nil {
			r.past.Close()
		}
	}()
	return r.verify()
}

func (r *run) verify() (*Report, error) {
	report := &Report{Destinations: []*Destination{}}
	var all, present []*checker
	for i := range r.in.Rules.Rules {
		rule := &r.in.Rules.Rules[i]
		if rule.Skipped {
			continue
		}
		c := &checker{run: r, rule: rule, out: &Destination{Name: rule.Destination, Notes: []string{}, Mismatches: []Mismatch{}}}
		report.Destinations = append(report.Destinations, c.out)
		all = append(all, c)
		r.checkers[rule.Destination] = c
		if err := c.open(filepath.Join(r.dir, fmt.Sprintf("view-%d", i))); err != nil {
			return nil, fmt.Errorf("%s: %w", rule.Destination, err)
		}
		if c.repository != nil {
			present = append(present, c)
		}
	}
	// Git hashes all objects while their names are computed.
	ctx, stop := context.WithCancel(r.ctx)
	defer stop()
	fscked := make(chan error, 1)
	go func() {
		fscked <- each(present, runtime.GOMAXPROCS(0), func(c *checker) (err error) {
			c.fsck, err = c.repository.fsck(ctx)
			return err
		})
	}()
	err := r.prove(all, present)
	if err != nil {
		stop()
	}
	if fsckErr := <-fscked; err == nil {
		err = fsckErr
	}
	if err != nil {
		return nil, err
	}
	for _, c := range present {
		c.sound(c.fsck)
	}
	report.finish()
	return report, nil
}

// open looks at a mirror, which need not exist.
func (c *checker) open(view string) error {
	dir := mirror.Path(c.run.in.Mirrors, c.out.Name)
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	// One that cannot be read is not to stop what can be said of the others.
	store, err := odb.Open(filepath.Join(dir, "objects"))
	if errors.Is(err, fs.ErrNotExist) || err != nil && !ofMachine(err) {
		c.mismatch(Mismatch{Kind: UnreadableMirror, Detail: err.Error()})
		return nil
	}
	if err != nil {
		return err
	}
	store.Close()
	if c.repository, err = openRepository(c.run.ctx, dir, view); err != nil {
		return err
	}
	for _, m := range c.repository.problems {
		c.mismatch(m)
	}
	return nil
}

// prove does all but git's part.
func (r *run) prove(all, present []*checker) (err error) {
	r.report("reading mirrors", 0, 0)
	var dirs []string
	for _, c := range present {
		dirs = append(dirs, c.repository.objectsDir())
	}
	if r.store, err = odb.Open(dirs...); err != nil {
		return fmt.Errorf("open mirrors: %w", err)
	}
	defer r.store.Close()
	err = each(present, runtime.GOMAXPROCS(0), func(c *checker) error {
		h, err := readHistory(r.ctx, c.repository, r.store)
		switch {
		case err != nil && ofMachine(err):
			return fmt.Errorf("%s: %w", c.out.Name, err)
		case err != nil:
			c.mismatch(Mismatch{Kind: UnreadableObject, Detail: err.Error()})
		default:
			c.h, c.modules = h, newModules(c.out.Name, h)
		}
		return r.ctx.Err()
	})
	if err != nil {
		return err
	}
	if err := r.compute(present); err != nil {
		return err
	}
	hasher := modhash.New(r.store.SmallReader(), r.sums)
	// While some wait for git, others have work to do.
	atOnce := 2 * runtime.GOMAXPROCS(0)
	readers := make(chan *reader, atOnce)
	for range cap(readers) {
		objects := r.store.SmallReader()
		readers <- &reader{objects, hasher.Another(objects)}
	}
	var done atomic.Int64
	r.report("comparing mirrors", 0, len(all))
	return each(all, atOnce, func(c *checker) (err error) {
		c.reader = <-readers
		defer func() { readers <- c.reader }()
		if err := c.check(); err != nil {
			return fmt.Errorf("%s: %w", c.out.Name, err)
		}
		r.report("comparing mirrors", int(done.Add(1)), len(all))
		return r.ctx.Err()
	})
}

// compute computes what should be there, from nothing but the source, the rules
// and the commits that these name where a mirror was taken over.
func (r *run) compute(present []*checker) error {
	specs, err := spec.New(r.in.Rules)
	if err != nil {
		return err
	}
	before, err := past.Read(r.ctx, past.Input{
		Source: r.in.Source, Specs: specs, Trailer: r.in.Rules.Trailer, Mirrors: r.in.Mirrors, Ended: true,
		Log: slog.New(slog.DiscardHandler), Progress: r.report,
	})
	if err != nil {
		return err
	}
	r.past = before
	for _, c := range present {
		if c.h != nil {
			c.takenOver()
		}
	}
	r.pub, err = publication.Compute(r.ctx, publication.Config{
		Source: r.in.Source, Rules: r.in.Rules, Specs: specs, Past: before, Scratch: r.scratch, Sums: r.sums, Progress: r.report,
	})
	if err != nil {
		return err
	}
	return r.scratch.Finish() // Git is to read it.
}

func (r *run) report(what string, done, total int) {
	if r.in.Progress == nil {
		return
	}
	r.progress.Lock()
	defer r.progress.Unlock()
	r.in.Progress(what, done, total)
}

// each calls f for all checkers, some of them at a time, and returns the error of
// the first of them that has one.
func each(checkers []*checker, atOnce int, f func(*checker) error) error {
	errs := make([]error, len(checkers))
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(atOnce, len(checkers)) {
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
	return cmp.Or(errs...)
}
