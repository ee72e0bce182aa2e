package verify

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	gitobject "github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/storage/filesystem"

	"k8s.io/publisher/object"
	"k8s.io/publisher/spec"
)

// gitTrees reads a repository with go-git, which shares no code with what made
// the mirrors. It is not safe for concurrent use.
type gitTrees struct {
	// stores are the repository and those that it borrows objects from. Go-git
	// follows alternates by itself, but indexes them again for each object.
	stores []*filesystem.Storage
	trees  map[object.ID][]gitobject.TreeEntry
	paths  map[object.ID]string // the module path that a go.mod declares
}

// mostTrees bounds the trees that are kept: neighbours share most of theirs.
const mostTrees = 1 << 14

func openTrees(objectDirs ...string) *gitTrees {
	g := &gitTrees{trees: make(map[object.ID][]gitobject.TreeEntry), paths: make(map[object.ID]string)}
	for _, dir := range objectDirs {
		g.stores = append(g.stores, filesystem.NewStorageWithOptions(osfs.New(filepath.Dir(dir)), cache.NewObjectLRUDefault(),
			filesystem.Options{KeepDescriptors: true, AlternatesFS: osfs.New("/", osfs.WithBoundOS())}))
	}
	return g
}

func (g *gitTrees) close() error {
	var errs []error
	for _, s := range g.stores {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// store returns where an object is, or may be.
func (g *gitTrees) store(id object.ID) *filesystem.Storage {
	for _, s := range g.stores[1:] {
		if s.HasEncodedObject(id) == nil {
			return s
		}
	}
	return g.stores[0]
}

// root returns the tree of a commit.
func (g *gitTrees) root(commit object.ID) (object.ID, error) {
	c, err := gitobject.GetCommit(g.store(commit), commit)
	if err != nil {
		return object.ID{}, fmt.Errorf("commit %s: %w", commit, err)
	}
	return c.TreeHash, nil
}

func (g *gitTrees) entries(tree object.ID) ([]gitobject.TreeEntry, error) {
	if entries, ok := g.trees[tree]; ok {
		return entries, nil
	}
	t, err := gitobject.GetTree(g.store(tree), tree)
	if err != nil {
		return nil, fmt.Errorf("tree %s: %w", tree, err)
	}
	if len(g.trees) > mostTrees {
		clear(g.trees)
	}
	g.trees[tree] = t.Entries
	return t.Entries, nil
}

// directory returns the tree at a path; zero where there is none.
func (g *gitTrees) directory(root object.ID, path string) (object.ID, error) {
	if path == "" {
		return root, nil
	}
	for name := range strings.SplitSeq(path, "/") {
		e, err := g.entry(root, name)
		if err != nil || e.Mode != filemode.Dir {
			return object.ID{}, err
		}
		root = e.Hash
	}
	return root, nil
}

// entry returns an entry of a tree; the zero one where there is none.
func (g *gitTrees) entry(tree object.ID, name string) (gitobject.TreeEntry, error) {
	entries, err := g.entries(tree)
	if err != nil {
		return gitobject.TreeEntry{}, err
	}
	for _, e := range entries {
		if e.Name == name {
			return e, nil
		}
	}
	return gitobject.TreeEntry{}, nil
}

func (g *gitTrees) blob(id object.ID) ([]byte, error) {
	if id.IsZero() {
		return nil, nil
	}
	b, err := gitobject.GetBlob(g.store(id), id)
	if err != nil {
		return nil, fmt.Errorf("blob %s: %w", id, err)
	}
	r, err := b.Reader()
	if err != nil {
		return nil, fmt.Errorf("blob %s: %w", id, err)
	}
	data := make([]byte, b.Size)
	_, err = io.ReadFull(r, data)
	if err = errors.Join(err, r.Close()); err != nil {
		return nil, fmt.Errorf("blob %s: %w", id, err)
	}
	return data, nil
}

// file returns the regular file at the root of some trees together, zero where
// there is none.
func (g *gitTrees) file(trees []object.ID, name string) (object.ID, error) {
	for _, tree := range trees {
		e, err := g.entry(tree, name)
		if err != nil {
			return object.ID{}, err
		}
		if isFile(e.Mode) {
			return e.Hash, nil
		}
	}
	return object.ID{}, nil
}

func isFile(m filemode.FileMode) bool { return m.IsRegular() || m == filemode.Executable }

// subject is a tree of the mirror and where it comes from.
type subject struct {
	refs   []string
	commit object.ID // in the mirror
	source object.ID
	layout spec.Layout
	tip    bool // of a branch
}

// contents checks what tags and branches have, without projecting anything.
func (c *checker) contents() error {
	subjects, err := c.subjects()
	if err != nil || len(subjects) == 0 {
		return err
	}
	source := <-c.run.sources
	defer func() { c.run.sources <- source }()
	mirror := openTrees(c.h.mirror.ObjectsDir())
	compare := &comparison{run: c.run, source: source, mirror: mirror, same: make(map[string]bool)}
	manifests := newManifests(c, source, mirror)
	for _, s := range subjects {
		if err := c.run.ctx.Err(); err != nil {
			return err
		}
		if err := c.content(s, compare, manifests); err != nil {
			var damaged *mirrorError
			if !errors.As(err, &damaged) {
				return err
			}
			c.mismatch(Mismatch{Kind: UnreadableObject, Ref: s.refs[0], Commit: s.commit.String(), Detail: damaged.Error()})
		}
	}
	manifests.finish()
	return mirror.close()
}

// mirrorError is a failure to read a mirror, which is for the report.
type mirrorError struct{ err error }

func (e *mirrorError) Error() string { return e.err.Error() }

func (e *mirrorError) Unwrap() error { return e.err }

func ofMirror(err error) error {
	if err == nil {
		return nil
	}
	return &mirrorError{err}
}

// subjects are the tips of branches and the tags, those that name one commit
// together.
func (c *checker) subjects() ([]*subject, error) {
	var all []*subject
	add := func(ref string, n int32, source object.ID, layout spec.Layout, tip bool) {
		id := c.h.ids[n]
		if i := slices.IndexFunc(all, func(s *subject) bool { return s.commit == id && s.source == source }); i >= 0 {
			all[i].refs = append(all[i].refs, ref)
			return
		}
		all = append(all, &subject{[]string{ref}, id, source, layout, tip})
	}
	for _, b := range c.d.Branches {
		ref := "refs/heads/" + b.Name
		n := c.h.targets[ref].commit
		if _, exists := c.h.targets[ref]; !exists || b.Projection == nil || n == none || c.foreign[n] {
			continue
		}
		commit, err := commitOf(c.reader, c.h.ids[n])
		if err != nil {
			continue // Reading the history has reported it.
		}
		from, ok := sourceOf(commit, c.run.pub.Trailer())
		if _, in := c.run.pub.Graph.Node(from); ok && in {
			add(ref, n, from, b.Layout(), true)
		}
	}
	for _, t := range c.d.Tags {
		for _, name := range t.Names {
			ref := "refs/tags/" + name
			at, ok := c.h.targets[ref]
			if ok && at.commit != none && !c.foreign[at.commit] {
				add(ref, at.commit, t.Commit, t.Layout(), false)
			}
		}
	}
	return all, nil
}

func (c *checker) content(s *subject, compare *comparison, manifests *manifests) error {
	root, err := compare.source.root(s.source)
	if err != nil {
		return err
	}
	tree, err := compare.mirror.root(s.commit)
	if err != nil {
		return ofMirror(err)
	}
	var parts []object.ID
	for _, dir := range s.layout.Dirs {
		part, err := compare.source.directory(root, dir)
		if err != nil {
			return err
		}
		if !part.IsZero() {
			parts = append(parts, part)
		}
	}
	compare.problems = nil
	if err := compare.trees(parts, tree, ""); err != nil {
		return err
	}
	texts := compare.problems
	siblings, err := compare.source.modulePaths(root, s.layout.Siblings)
	if err != nil {
		return err
	}
	more, err := manifests.check(s, parts, tree, siblings)
	if err != nil {
		return err
	}
	texts = append(texts, more...)
	if len(texts) == 0 {
		return nil
	}
	if n := len(texts) - mostPaths; n > 0 {
		texts = append(texts[:mostPaths], fmt.Sprintf("and %d more", n))
	}
	c.mismatch(Mismatch{Kind: WrongContent, Ref: s.refs[0], Commit: s.commit.String(),
		Detail: fmt.Sprintf("%s differs from source commit %s: %s", describe(s.layout.Dirs), s.source, strings.Join(texts, "; "))})
	return nil
}

func describe(dirs []string) string {
	if len(dirs) == 1 && dirs[0] == "" {
		return "the root"
	}
	return strings.Join(dirs, " + ")
}

// comparison compares trees of the mirror with directories of the source.
type comparison struct {
	run            *run
	source, mirror *gitTrees
	// same remembers what was found alike, by path and names.
	same     map[string]bool
	problems []string
}

func (c *comparison) problem(format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}

// trees compares a tree of the mirror, zero where it is absent, with the union
// of some of the source's.
func (c *comparison) trees(parts []object.ID, tree object.ID, prefix string) error {
	deletes := !c.run.remove.Empty() && (prefix == "" || c.run.remove.MayMatchUnder(strings.TrimSuffix(prefix, "/")))
	if len(parts) == 1 && parts[0] == tree && !deletes {
		return nil
	}
	key := prefix + "\x00" + fmt.Sprint(parts, tree)
	if c.same[key] {
		return nil
	}
	before := len(c.problems)
	published := make(map[string]gitobject.TreeEntry)
	if !tree.IsZero() {
		entries, err := c.mirror.entries(tree)
		if err != nil {
			return ofMirror(err)
		}
		for _, e := range entries {
			published[e.Name] = e
		}
	}
	dirs := make(map[string][]object.ID)
	for _, part := range parts {
		entries, err := c.source.entries(part)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if e.Mode == filemode.Dir {
				dirs[e.Name] = append(dirs[e.Name], e.Hash)
				continue
			}
			c.file(prefix+e.Name, e, published[e.Name])
			delete(published, e.Name)
		}
	}
	for name, sub := range dirs {
		e, ok := published[name]
		delete(published, name)
		if ok && e.Mode != filemode.Dir {
			c.problem("%s should be a directory", prefix+name)
			continue
		}
		if err := c.trees(sub, e.Hash, prefix+name+"/"); err != nil {
			return err
		}
	}
	for name, e := range published {
		// Where the source has no go.sum, pins make one.
		if prefix+name != "go.sum" || !isFile(e.Mode) {
			c.problem("%s (%s) should not be there", prefix+name, e.Hash)
		}
	}
	if len(c.problems) == before {
		c.same[key] = true
	}
	slices.Sort(c.problems[before:])
	return nil
}

// file compares a file of the source with what the mirror has at its place.
func (c *comparison) file(path string, want, have gitobject.TreeEntry) {
	removed := c.run.remove.Match(path)
	switch {
	case removed && have.Mode != 0:
		c.problem("%s (%s) should have been removed", path, have.Hash)
	case removed:
	case have.Mode == 0:
		c.problem("%s (%s) is missing", path, want.Hash)
	case (path == "go.mod" || path == "go.sum") && isFile(want.Mode) && have.Mode == want.Mode:
		// What it says is compared elsewhere.
	case have.Mode != want.Mode:
		c.problem("%s has mode %s and should have %s", path, have.Mode, want.Mode)
	case have.Hash != want.Hash:
		c.problem("%s is %s and should be %s", path, have.Hash, want.Hash)
	}
}
