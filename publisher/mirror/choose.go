package mirror

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
)

// ObjectError reports an object that must not be published: it is damaged, or not
// what whatever names it says.
type ObjectError struct {
	Commit object.ID
	Path   string // empty for the commit itself, and for its tree
	Err    error
}

func (e *ObjectError) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("commit %s cannot be published: %v", e.Commit, e.Err)
	}
	return fmt.Sprintf("commit %s cannot be published: %q: %v", e.Commit, e.Path, e.Err)
}

func (e *ObjectError) Unwrap() error { return e.Err }

// mostFiles is how many files and directories a tree may have in all. A few
// objects can make a tree that nobody could ever check out.
const mostFiles = 10_000_000

// choice finds the objects that new refs need and a mirror lacks: what can be
// reached from them, without the commits that the mirror's refs lead to and what
// is in the trees where these end. An object that merely lies in the mirror does
// not count: what no ref leads to, git may remove at any time, and all that it
// names can be gone already.
type choice struct {
	*odb.Copier
	has       *odb.Store // of the mirror; nil where it is new
	tips      map[object.ID]bool
	reachable map[object.ID]bool // the mirror's commits, once someone has asked
	commits   []chosen
	ends      []object.ID // the mirror's commits that new ones have as parents
	root      directory
}

type chosen struct{ id, tree object.ID }

// directory is what was last at a path: all of it was chosen or is in the mirror.
type directory struct {
	place   odb.Place
	entries []entry
	below   map[string]*directory
}

type entry struct {
	object.Entry
	place odb.Place
	files uint32 // it and all below it
}

// newChoice returns a choice that looks for objects in the mirror and in the store,
// which may be nil.
func newChoice(m *Mirror, objects *odb.Store) (*choice, error) {
	c := &choice{tips: make(map[object.ID]bool)}
	for _, ref := range m.refs {
		c.tips[ref.ID] = true
	}
	var stores []*odb.Store
	if m.Exists {
		var err error
		if c.has, err = odb.Open(m.ObjectsDir()); err != nil {
			return nil, err
		}
		stores = append(stores, c.has)
	}
	if objects != nil {
		stores = append(stores, objects)
	}
	c.Copier = odb.NewCopier(stores...)
	return c, nil
}

func (c *choice) close() {
	if c.has != nil {
		c.has.Close()
	}
}

// choose adds to the copier what refs need.
func (c *choice) choose(ctx context.Context, refs map[string]Ref) error {
	// In a fixed order, so that equal mirrors get equal packs.
	for _, name := range slices.Sorted(maps.Keys(refs)) {
		if err := c.ref(ctx, refs[name].ID); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	for _, id := range c.ends {
		_, tree, _, err := c.commit(id)
		if err == nil {
			_, _, err = c.tree(tree, &c.root, true, 0)
		}
		if err != nil {
			return err
		}
	}
	for _, commit := range c.commits {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, _, err := c.tree(commit.tree, &c.root, false, 0); err != nil {
			return failedAt("", err, commit.id)
		}
	}
	return nil
}

// copy copies what was chosen.
func (c *choice) copy(ctx context.Context, to *odb.PackWriter) error {
	err := c.Copy(ctx, to)
	e, ok := errors.AsType[*odb.CopyError](err)
	if !ok {
		return err
	}
	// Only here does it matter where the object is.
	seen := make(map[object.ID]bool)
	for _, commit := range c.commits {
		if path := c.pathOf(e.ID, commit.tree, seen); path != "" {
			return &ObjectError{commit.id, path, e.Err}
		}
	}
	return err
}

// pathOf returns a path at which a tree has an object, empty if there is none.
func (c *choice) pathOf(id, tree object.ID, seen map[object.ID]bool) string {
	seen[tree] = true
	p, err := c.Find(tree)
	if err != nil {
		return ""
	}
	_, data, err := c.Read(p)
	if err != nil {
		return ""
	}
	entries, _ := object.ParseTree(data) // It was parsed before.
	for _, e := range entries {
		if e.ID == id {
			return e.Name
		}
		if e.Mode.IsDir() && !seen[e.ID] {
			if path := c.pathOf(id, e.ID, seen); path != "" {
				return e.Name + "/" + path
			}
		}
	}
	return ""
}

// ref chooses what a ref names: commits, and the tags on the way to them.
func (c *choice) ref(ctx context.Context, id object.ID) error {
	for !c.tips[id] {
		p, err := c.Find(id)
		if err != nil {
			return err
		}
		t, data, err := c.Read(p)
		switch {
		case err != nil:
			return err
		case t == object.CommitType:
			return c.history(ctx, id)
		case t != object.TagType:
			return &odb.TypeError{ID: id, Got: t, Want: object.CommitType}
		case c.Type(p) != 0:
			return nil
		}
		tag, err := object.ParseTag(data)
		if err != nil {
			return fmt.Errorf("tag %s: %w", id, err)
		}
		c.Add(p, t, odb.Place{})
		id = tag.Target
	}
	return nil
}

// history chooses commits, along first parents as far as they go: commits that
// follow one another have nearly the same trees.
func (c *choice) history(ctx context.Context, tip object.ID) error {
	for todo := []object.ID{tip}; len(todo) > 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		p, err := c.Find(id)
		if err != nil {
			return err
		}
		if t := c.Type(p); t == object.CommitType {
			continue
		}
		inMirror, err := c.inMirror(id)
		if err != nil {
			return err
		}
		if inMirror {
			c.Skip(p, object.CommitType)
			c.ends = append(c.ends, id)
			continue
		}
		_, tree, parents, err := c.commit(id)
		if err != nil {
			return failedAt("", err, id)
		}
		c.Add(p, object.CommitType, odb.Place{})
		c.commits = append(c.commits, chosen{id, tree})
		slices.Reverse(parents)
		todo = append(todo, parents...)
	}
	return nil
}

func (c *choice) commit(id object.ID) (p odb.Place, tree object.ID, parents []object.ID, err error) {
	if p, err = c.Find(id); err != nil {
		return p, tree, nil, err
	}
	t, data, err := c.Read(p)
	if err == nil && t != object.CommitType {
		err = &odb.TypeError{ID: id, Got: t, Want: object.CommitType}
	}
	if err == nil {
		tree, parents, err = object.ParseLinks(data)
	}
	return p, tree, parents, err
}

// inMirror reports whether the mirror's refs lead to a commit.
func (c *choice) inMirror(id object.ID) (bool, error) {
	switch {
	case c.has == nil || !c.has.Has(id):
		return false, nil
	case c.tips[id] || c.reachable != nil:
		return c.tips[id] || c.reachable[id], nil
	}
	c.reachable = make(map[object.ID]bool)
	reader := c.has.Reader()
	var todo []object.ID
	for tip := range c.tips {
		t, peeled, _, err := reader.Peel(tip)
		if err != nil {
			return false, err
		}
		if t == object.CommitType {
			todo = append(todo, peeled)
		}
	}
	for len(todo) > 0 {
		next := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if c.reachable[next] {
			continue
		}
		c.reachable[next] = true
		data, err := reader.Commit(next)
		if err != nil {
			return false, err
		}
		_, parents, err := object.ParseLinks(data)
		if err != nil {
			return false, fmt.Errorf("commit %s: %w", next, err)
		}
		todo = append(todo, parents...)
	}
	return c.reachable[id], nil
}

// tree chooses a tree and what is below it, or says of all that the mirror has it.
// At is the directory. What is as it was there is not looked at again.
func (c *choice) tree(id object.ID, at *directory, has bool, depth int) (odb.Place, uint32, error) {
	p, err := c.Find(id)
	if err != nil {
		return p, 0, err
	}
	if known := c.Type(p); known != 0 {
		if known != object.TreeType {
			err = &odb.TypeError{ID: id, Got: known, Want: object.TreeType}
		}
		return p, c.Noted(p), err
	}
	t, data, err := c.Read(p)
	if err != nil {
		return p, 0, err
	}
	if t != object.TreeType {
		return p, 0, &odb.TypeError{ID: id, Got: t, Want: object.TreeType}
	}
	parsed, err := object.ParseTree(data)
	if err == nil && !has {
		err = object.CheckEntries(parsed)
	}
	if err != nil {
		return p, 0, fmt.Errorf("tree %s: %w", id, err)
	}
	if depth > object.MaxTreeDepth {
		return p, 0, fmt.Errorf("directories are nested deeper than %d", object.MaxTreeDepth)
	}
	entries := make([]entry, len(parsed))
	files, old := uint32(1), at.entries
	for i, e := range parsed {
		for len(old) > 0 && object.CompareEntries(old[0].Entry, e) < 0 {
			old = old[1:]
		}
		if len(old) > 0 && old[0].Entry == e {
			entries[i] = old[0]
		} else {
			var like odb.Place
			if len(old) > 0 && old[0].Name == e.Name {
				like = old[0].place
			}
			if entries[i], err = c.entry(e, like, at, has, depth); err != nil {
				return p, 0, failedAt(e.Name, err, object.ID{})
			}
		}
		if files += entries[i].files; files > mostFiles {
			return p, 0, fmt.Errorf("the tree has more than %d files and directories", mostFiles)
		}
	}
	if has {
		c.Skip(p, t)
	} else {
		c.Add(p, t, at.place)
	}
	c.Note(p, files)
	at.place, at.entries = p, entries
	return p, files, nil
}

func (c *choice) entry(e object.Entry, like odb.Place, at *directory, has bool, depth int) (made entry, err error) {
	made = entry{Entry: e, files: 1}
	switch {
	case e.Mode.IsSubmodule():
		return made, nil
	case e.Mode.IsDir():
		below := at.below[e.Name]
		if below == nil {
			below = new(directory)
			if at.below == nil {
				at.below = make(map[string]*directory)
			}
			at.below[e.Name] = below
		}
		made.place, made.files, err = c.tree(e.ID, below, has, depth+1)
		return made, err
	}
	if made.place, err = c.Find(e.ID); err != nil {
		return made, err
	}
	switch known := c.Type(made.place); {
	case known == object.BlobType:
	case known != 0:
		return made, &odb.TypeError{ID: e.ID, Got: known, Want: object.BlobType}
	case has:
		c.Skip(made.place, object.BlobType)
	default:
		c.Add(made.place, object.BlobType, like)
	}
	return made, nil
}

// failedAt says where in a commit an object is that failed.
func failedAt(name string, err error, commit object.ID) error {
	e, ok := err.(*ObjectError)
	if !ok {
		return &ObjectError{Commit: commit, Path: name, Err: err}
	}
	if name != "" {
		e.Path = name + "/" + e.Path
	}
	if !commit.IsZero() {
		e.Commit = commit
	}
	return e
}
