package projection

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/publisher/object"
	"k8s.io/publisher/pathspec"
)

// Objects reads trees.
type Objects interface {
	Tree(id object.ID) ([]byte, error)
}

// ConflictError reports a path that two of the directories published together
// both hold.
type ConflictError struct {
	Path string
	Dirs []string
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("%.500s stands in both %s: directories that are published together must not overlap", e.Path, strings.Join(e.Dirs, " and "))
}

// LimitError reports directories that no repository has by honest means: few
// trees can hold one another so often that a walk of their paths never ends.
type LimitError struct {
	Dirs []string
	What string
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("directory %s cannot be published: %s", strings.Join(e.Dirs, " + "), e.What)
}

// maxPaths is how many bytes the paths may take that are looked at for one tree,
// each with perPath more: about a million of them. The largest repositories have
// half a million files.
const (
	maxPaths = 1 << 27
	perPath  = 64
)

// Directory makes the tree to publish out of the trees of the directories that
// a rule names: their union at the root, less what matches the patterns to
// delete. It is not safe for concurrent use.
type Directory struct {
	paths   []string
	remove  *pathspec.Set
	objects Objects
	put     func(t object.Type, data []byte) (object.ID, error)
	unions  map[string]object.ID // by the IDs of their parts
	cleaned map[location]object.ID
	left    int // of maxPaths, for the tree that is being made
}

type location struct {
	prefix string
	tree   object.ID
}

// NewDirectory returns a Directory of these source paths. Trees that have to
// be made are handed to put.
func NewDirectory(paths []string, remove *pathspec.Set, objects Objects, put func(object.Type, []byte) (object.ID, error)) *Directory {
	return &Directory{
		paths: paths, remove: remove, objects: objects, put: put,
		unions: make(map[string]object.ID), cleaned: make(map[location]object.ID),
	}
}

// Tree combines the trees of the directories, in the order of their paths.
// Absent ones are zero; where all are, so is the result. What the patterns
// match is gone before directories can be in each other's way.
func (d *Directory) Tree(trees []object.ID) (object.ID, error) {
	d.left = maxPaths
	if d.remove != nil && !d.remove.Empty() {
		trees = slices.Clone(trees)
		for i, tree := range trees {
			if tree.IsZero() {
				continue
			}
			var err error
			if trees[i], err = d.clean("", tree, 0); err != nil {
				return object.ID{}, err
			}
		}
	}
	return d.union(trees)
}

func (d *Directory) union(trees []object.ID) (object.ID, error) {
	var parts []part
	for i, id := range trees {
		if !id.IsZero() {
			parts = append(parts, part{d.paths[i], id})
		}
	}
	switch len(parts) {
	case 0:
		return object.ID{}, nil
	case 1:
		return parts[0].tree, nil
	}
	return d.merge("", parts, 0)
}

// part is a tree with the source directory that it comes from.
type part struct {
	dir  string
	tree object.ID
}

func (d *Directory) merge(prefix string, parts []part, depth int) (object.ID, error) {
	var key strings.Builder
	for _, p := range parts {
		key.Write(p.tree[:])
	}
	if id, ok := d.unions[key.String()]; ok {
		return id, nil
	}
	type owned struct {
		object.Entry
		from []part
	}
	byName := make(map[string]*owned)
	for _, p := range parts {
		entries, err := d.entries(prefix, p.tree, depth)
		if err != nil {
			return object.ID{}, err
		}
		for _, e := range entries {
			mine := part{p.dir, e.ID}
			o, ok := byName[e.Name]
			if !ok {
				byName[e.Name] = &owned{e, []part{mine}}
				continue
			}
			if !o.Mode.IsDir() || !e.Mode.IsDir() {
				return object.ID{}, &ConflictError{Path: prefix + e.Name, Dirs: []string{o.from[0].dir, p.dir}}
			}
			o.from = append(o.from, mine)
		}
	}
	entries := make([]object.Entry, 0, len(byName))
	// In order, so that of several conflicts always the same one is reported.
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		o := byName[name]
		if len(o.from) > 1 {
			id, err := d.merge(prefix+name+"/", o.from, depth+1)
			if err != nil {
				return object.ID{}, err
			}
			o.ID = id
		}
		entries = append(entries, o.Entry)
	}
	id, err := d.put(object.TreeType, object.EncodeTree(entries))
	if err == nil {
		d.unions[key.String()] = id
	}
	return id, err
}

// entries reads a tree that another one is made of, which stands at a prefix
// and so many levels deep.
func (d *Directory) entries(prefix string, tree object.ID, depth int) ([]object.Entry, error) {
	if depth > object.MaxTreeDepth {
		return nil, &LimitError{d.paths, fmt.Sprintf("directories are more than %d deep inside one another", object.MaxTreeDepth)}
	}
	data, err := d.objects.Tree(tree)
	if err != nil {
		return nil, err
	}
	entries, err := object.ParseTree(data)
	if err == nil {
		err = object.CheckEntries(entries)
	}
	if err != nil {
		return nil, fmt.Errorf("tree %s: %w", tree, err)
	}
	d.left -= len(entries)*(len(prefix)+perPath) + len(data)
	if d.left < 0 {
		return nil, &LimitError{d.paths, "it has more files than can be looked at"}
	}
	return entries, nil
}

// clean removes what matches the patterns, and directories that it empties.
func (d *Directory) clean(prefix string, tree object.ID, depth int) (object.ID, error) {
	key := location{prefix, tree}
	if id, ok := d.cleaned[key]; ok {
		return id, nil
	}
	entries, err := d.entries(prefix, tree, depth)
	if err != nil {
		return object.ID{}, err
	}
	changed := false
	kept := entries[:0]
	for _, e := range entries {
		path := prefix + e.Name
		switch {
		case !e.Mode.IsDir():
			if d.remove.Match(path) {
				changed = true
				continue
			}
		case d.remove.MayMatchUnder(path):
			id, err := d.clean(path+"/", e.ID, depth+1)
			if err != nil {
				return object.ID{}, err
			}
			if id != e.ID {
				changed = true
				if id == emptyTree {
					continue
				}
				e.ID = id
			}
		}
		kept = append(kept, e)
	}
	id := tree
	if changed {
		if id, err = d.put(object.TreeType, object.EncodeTree(kept)); err != nil {
			return object.ID{}, err
		}
	}
	d.cleaned[key] = id
	return id, nil
}

var emptyTree = object.Hash(object.TreeType, nil)
