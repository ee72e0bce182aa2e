package site

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/sync/errgroup"

	"k8s.io/publisher/catalog"
	"k8s.io/publisher/checksumdb"
	"k8s.io/publisher/durable"
	"k8s.io/publisher/goproxy"
	"k8s.io/publisher/modhash"
	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
)

// served is what a destination has in the module proxy.
type served struct {
	*catalog.Destination
	folders map[string]*goproxy.Folder // by module path
	// seen are versions that are there, or are being added; unfetchable those that cannot.
	seen, unfetchable map[module.Version]bool
	// missing are those of refs that are to be added; added are all that this run adds, in
	// the order in which they came.
	missing, added []catalog.Version
	// commits are those of the mirror by the first 12 digits of their names.
	commits map[string]*catalog.Commit
	hasher  *modhash.Hasher
	zips    goproxy.Zips
	waiting atomic.Int64 // how many versions are to be written
}

func (w *writer) modDir() string { return filepath.Join(w.Dir, "mod") }

// writeModules adds what is new to the module proxy and to the checksum database.
func (w *writer) writeModules(ctx context.Context) error {
	if err := os.MkdirAll(w.modDir(), 0o755); err != nil {
		return err
	}
	todo, err := w.missing(ctx)
	if err != nil {
		return err
	}
	// What is served has to be able to require what it requires. So versions lead to
	// more versions.
	for len(todo) > 0 {
		if todo, err = w.addAll(ctx, todo); err != nil {
			return err
		}
	}
	if err := w.addToLog(ctx); err != nil {
		return err
	}
	err = w.each(ctx, func(d *catalog.Destination) error {
		if s := w.modules[d.Name]; w.changed(d.Name) || len(s.added) > 0 {
			if err := w.list(s); err != nil {
				return fmt.Errorf("list the versions of %s: %w", d.Name, err)
			}
		}
		return w.count(d)
	})
	if err != nil {
		return err
	}
	return w.log.LinkInto(w.modDir())
}

// count counts what is served of a destination: also versions that only others require, and
// those whose tags are gone.
func (w *writer) count(d *catalog.Destination) error {
	for _, path := range d.Paths() {
		f, err := goproxy.ExistingFolder(w.modDir(), path)
		if err != nil {
			return err
		}
		w.report[d.Name].Versions += f.Zips()
	}
	return nil
}

// job is a version to be added.
type job struct {
	*served
	catalog.Version
}

// missing returns the versions that are not there yet, and of which somebody could have
// moved the tag.
func (w *writer) missing(ctx context.Context) (todo []job, err error) {
	for _, d := range w.catalog.Destinations {
		s := &served{Destination: d, folders: make(map[string]*goproxy.Folder), seen: make(map[module.Version]bool), unfetchable: make(map[module.Version]bool)}
		w.modules[d.Name] = s
		for _, path := range d.Paths() {
			if other := w.owner[path]; other != nil && other != d {
				return nil, fmt.Errorf("both %s and %s have the module %s: a site can serve one of them", other.Name, d.Name, path)
			}
			w.owner[path] = d
		}
	}
	err = w.each(ctx, func(d *catalog.Destination) error {
		s := w.modules[d.Name]
		for _, v := range d.Versions() {
			if v.Foreign {
				w.report[d.Name].Foreign++
			}
			if !w.changed(d.Name) {
				continue
			}
			new, err := s.want(w, v)
			if err != nil {
				return err
			}
			if new {
				s.missing = append(s.missing, v)
			}
		}
		return nil
	})
	for _, d := range w.catalog.Destinations {
		s := w.modules[d.Name]
		for _, v := range s.missing {
			todo = append(todo, job{s, v})
		}
	}
	return todo, err
}

// folder is where a module's files are.
func (s *served) folder(w *writer, path string) (*goproxy.Folder, error) {
	f := s.folders[path]
	if f == nil {
		var err error
		if f, err = goproxy.OpenFolder(w.modDir(), path); err != nil {
			return nil, err
		}
		s.folders[path] = f
	}
	return f, nil
}

// want reports whether a version is to be added: it is not there, or from another commit.
func (s *served) want(w *writer, v catalog.Version) (bool, error) {
	if s.seen[v.Version] {
		return false, nil
	}
	s.seen[v.Version] = true
	f, err := s.folder(w, v.Path)
	if err != nil {
		return false, err
	}
	if _, logged := w.log.Place(v.Version); !logged || !f.Has(v.Version.Version, ".zip") || !f.Has(v.Version.Version, ".mod") {
		return true, nil
	}
	have, err := f.Info(v.Version.Version)
	if err != nil || have == nil {
		return true, err
	}
	return have.Origin == nil || have.Origin.Hash != v.Commit.ID.String() || have.Origin.URL != w.repositoryURL(s.Name), nil
}

// addAll writes the zips and the go.mod files of versions, and returns the versions that
// these require of the mirrors and that are not there.
func (w *writer) addAll(ctx context.Context, todo []job) (more []job, err error) {
	results, err := w.addFiles(ctx, todo)
	if err != nil {
		return nil, err
	}
	for i, r := range results {
		s, v := todo[i].served, todo[i].Version
		if r.unfetchable != nil {
			s.unfetchable[v.Version] = true
			w.report[s.Name].Unfetchable = append(w.report[s.Name].Unfetchable, Unfetchable{v.Version.String(), r.unfetchable.Err.Error()})
			continue
		}
		s.added = append(s.added, v)
		if _, ok := w.log.Place(v.Version); !ok {
			w.report[s.Name].New++
		}
		w.hashes[v.Version] = r.record
		for _, m := range r.requires {
			job, ok, err := w.required(m)
			if err != nil {
				return nil, err
			}
			if ok {
				more = append(more, job)
			}
		}
	}
	// Those of one destination are done together.
	slices.SortStableFunc(more, func(a, b job) int { return strings.Compare(a.Name, b.Name) })
	return more, nil
}

// result is what came of a version.
type result struct {
	record checksumdb.Record
	// requires are pseudo-versions of modules that mirrors have.
	requires    []module.Version
	unfetchable *modhash.UnfetchableError
}

// addFiles writes files on all processors. Those of one destination come together: much of
// what is remembered is its own, and forgotten at the end of it.
func (w *writer) addFiles(ctx context.Context, todo []job) ([]result, error) {
	for _, j := range todo {
		if j.waiting.Add(1); j.hasher == nil {
			j.hasher = modhash.New(j.Store.Reader(), &w.sums)
		}
	}
	results := make([]result, len(todo))
	group, ctx := errgroup.WithContext(ctx)
	var next, ready atomic.Int64
	var telling sync.Mutex
	for range min(runtime.GOMAXPROCS(0), len(todo)) {
		group.Go(func() error {
			a := &adder{writer: w}
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(todo) {
					return nil
				}
				var err error
				if results[i], err = a.add(todo[i]); err != nil {
					return fmt.Errorf("write %s of %s: %w", todo[i].Version.Version, todo[i].Name, err)
				}
				telling.Lock()
				w.progress("writing modules of "+todo[i].Name, int(ready.Add(1)), len(todo))
				telling.Unlock()
			}
			return ctx.Err()
		})
	}
	return results, group.Wait()
}

// adder is what one goroutine needs.
type adder struct {
	*writer
	served  *served // whose objects these are
	objects *odb.Reader
	hasher  *modhash.Hasher
	zip     bytes.Buffer
}

// add writes the zip and the go.mod of a version, unless they are there and in the log.
func (a *adder) add(j job) (r result, err error) {
	if a.served != j.served {
		a.served, a.objects = j.served, j.Store.Reader()
		a.hasher = j.hasher.Another(a.objects)
	}
	defer func() {
		if j.waiting.Add(-1) == 0 {
			j.zips.Forget()
		}
	}()
	v := j.Version
	goMod, err := a.goMod(v)
	if err != nil {
		return r, err
	}
	contents, err := a.hasher.Contents(v.Version, v.Commit.Tree)
	if unfetchable, ok := errors.AsType[*modhash.UnfetchableError](err); ok {
		return result{unfetchable: unfetchable}, nil
	}
	if err != nil {
		return r, err
	}
	r.record = checksumdb.Record{Module: v.Version, Zip: contents.Sum, GoMod: modhash.GoMod(goMod)}
	r.requires = a.requires(goMod)
	f, version := j.folders[v.Path], v.Version.Version
	logged, ok := a.log.Record(v.Version)
	if ok && logged != r.record {
		return r, nil // The log is going to refuse it.
	}
	if !ok || !f.Has(version, ".mod") {
		if err := f.Put(version, ".mod", goMod); err != nil {
			return r, err
		}
	}
	if ok && f.Has(version, ".zip") {
		return r, nil
	}
	a.zip.Reset()
	if err := j.zips.Write(&a.zip, v.Version, contents.Files, a.objects.Blob); err != nil {
		return r, err
	}
	return r, f.Put(version, ".zip", a.zip.Bytes())
}

// goMod reads the go.mod of a version as it is in the mirror.
func (a *adder) goMod(v catalog.Version) ([]byte, error) {
	tree, err := a.objects.Tree(v.Commit.Tree)
	if err != nil {
		return nil, err
	}
	id, err := object.FindFile(tree, "go.mod")
	if err != nil {
		return nil, err
	}
	if id.IsZero() {
		return goproxy.GoMod(v.Path), nil
	}
	return a.objects.Blob(id)
}

// requires returns the pseudo-versions of modules in mirrors that a go.mod requires. One
// that cannot be read requires nothing that the go command would find.
func (a *adder) requires(goMod []byte) (found []module.Version) {
	file, err := modfile.ParseLax("go.mod", goMod, nil)
	if err != nil {
		return nil
	}
	for _, line := range file.Require {
		if a.owner[line.Mod.Path] != nil && module.IsPseudoVersion(line.Mod.Version) {
			found = append(found, line.Mod)
		}
	}
	return found
}

// required finds a pseudo-version in the mirrors; ok is false where it is there already, or
// is that of no commit.
func (w *writer) required(m module.Version) (_ job, ok bool, err error) {
	s := w.modules[w.owner[m.Path].Name]
	if s.seen[m] {
		return job{}, false, nil
	}
	if s.commits == nil {
		s.commits = make(map[string]*catalog.Commit, len(s.Commits))
		for id, c := range s.Commits {
			s.commits[id.String()[:12]] = c
		}
	}
	revision, err := module.PseudoVersionRev(m.Version)
	if err != nil {
		return job{}, false, nil
	}
	c := s.commits[revision]
	date, err := module.PseudoVersionTime(m.Version)
	if c == nil || err != nil || !date.Equal(c.Date) || module.Check(m.Path, m.Version) != nil {
		return job{}, false, nil
	}
	v := catalog.Version{Version: m, Commit: c, Foreign: c.Foreign}
	ok, err = s.want(w, v)
	return job{s, v}, ok, err
}

// addToLog makes the zips durable, and adds the hashes to the checksum database.
func (w *writer) addToLog(ctx context.Context) error {
	var records []checksumdb.Record
	for _, d := range w.catalog.Destinations {
		for _, v := range w.modules[d.Name].added {
			records = append(records, w.hashes[v.Version])
		}
	}
	if len(records) == 0 {
		return nil
	}
	w.progress("writing the checksum database", 0, 1)
	if err := w.syncAdded(ctx); err != nil {
		return err
	}
	return w.log.Add(ctx, records)
}

// syncAdded waits until the files of the versions that were added are on disk.
func (w *writer) syncAdded(ctx context.Context) error {
	var files []string
	for _, s := range w.modules {
		for _, v := range s.added {
			f := s.folders[v.Path]
			files = append(files, f.Name(v.Version.Version, ".zip"), f.Name(v.Version.Version, ".mod"))
		}
	}
	return durable.Files(ctx, w.modDir(), files)
}
