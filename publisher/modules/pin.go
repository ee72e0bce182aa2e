package modules

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/module"

	"k8s.io/publisher/modhash"
	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
	"k8s.io/publisher/pin"
	"k8s.io/publisher/projection"
)

// Siblings are the modules that exist at a source commit, by module path.
type Siblings map[string]*Line

// Siblings returns what a line may be pinned to at a source commit. index tells
// where a dependency stands there, or None.
func (w *Worker) Siblings(l *Line, index func(*Line) (int32, error)) (Siblings, error) {
	siblings := make(Siblings, len(l.Deps))
	for _, dep := range l.Deps {
		i, err := index(dep)
		if err != nil {
			return nil, err
		}
		if i == projection.None {
			continue
		}
		path, err := w.Path(dep, i)
		if err != nil {
			return nil, err
		}
		if _, taken := siblings[path]; path != "" && !taken {
			siblings[path] = dep
		}
	}
	return siblings, nil
}

// A Lookup returns the version of a sibling for the tree that is being pinned, or
// nil where it has none.
type Lookup func(sibling *Line) (*Version, error)

// moduleFiles are the entries in a module's directory that matter to pinning.
type moduleFiles struct {
	tree         []byte
	goMod, goSum object.ID // zero where there is no such regular file
	oddSum       bool      // go.sum is there, and no regular file
}

func (w *Worker) files(tree object.ID) (f moduleFiles, err error) {
	if f.tree, err = w.Objects.Tree(tree); err != nil {
		return f, err
	}
	for data := f.tree; len(data) > 0; {
		mode, name, id, rest, err := object.NextEntry(data)
		if err != nil {
			return f, fmt.Errorf("tree %s: %w", tree, err)
		}
		data = rest
		switch string(name) {
		case "go.mod":
			if mode.IsRegular() {
				f.goMod = id
			}
		case "go.sum":
			if f.oddSum = !mode.IsRegular(); !f.oddSum {
				f.goSum = id
			}
		}
	}
	return f, nil
}

// Pinned is what [Worker.Pin] makes of a tree.
type Pinned struct {
	Tree object.ID
	// Left are requirements of the module in the root that name no version which
	// anybody could fetch, and that no sibling took the place of.
	Left []pin.Requirement
}

// Pin returns a tree of the line with go.mod and go.sum pinned to siblings, those
// of nested modules too. commit is its source commit, for warnings.
func (w *Worker) Pin(l *Line, commit, tree object.ID, siblings Siblings, lookup Lookup) (Pinned, error) {
	if !l.Pinned() {
		return Pinned{Tree: tree}, nil
	}
	p := pinning{w, l, commit, siblings, lookup, make(map[place]object.ID)}
	return p.directory(tree, "")
}

// GoMod returns the go.mod that [Worker.Pin] would make in the root, nil where the
// tree has none, and what that leaves. Only the versions of siblings matter, not
// their hashes.
func (w *Worker) GoMod(l *Line, commit, tree object.ID, siblings Siblings, lookup Lookup) (goMod []byte, left []pin.Requirement, err error) {
	files, err := w.files(tree)
	if err != nil || files.goMod.IsZero() {
		return nil, nil, err
	}
	if l.Pinned() {
		p := pinning{Worker: w, line: l, commit: commit, siblings: siblings, lookup: lookup}
		_, pinned, err := p.module(files, "")
		if err != nil || pinned.GoMod != nil {
			return pinned.GoMod, pinned.left, err
		}
		left = pinned.left
	}
	goMod, err = w.Objects.Blob(files.goMod)
	return goMod, left, err
}

// pinning is the work on one tree.
type pinning struct {
	*Worker
	line     *Line
	commit   object.ID
	siblings Siblings
	lookup   Lookup
	// done has what became of directories: a few of them can be at any number of
	// paths. How deep they are matters to what leads out.
	done map[place]object.ID
}

type place struct {
	tree  object.ID
	depth int
}

// directory pins the modules in and below a directory of the tree. Its path is
// empty or ends in a slash.
func (p *pinning) directory(tree object.ID, dir string) (as Pinned, err error) {
	as.Tree = tree
	files, err := p.files(tree)
	if err != nil {
		return as, err
	}
	changed, plain, err := p.below(files.tree, dir)
	if err != nil {
		return as, err
	}
	if plain && files.goMod.IsZero() {
		p.shop.plain.add(tree)
		return as, nil
	}
	mod, pinned, err := p.module(files, dir)
	if err != nil {
		return as, err
	}
	series := &p.root
	if as.Left = pinned.left; dir != "" {
		series = &p.nested
		for _, r := range pinned.left {
			p.line.Warnings.Add(fmt.Sprintf("%sgo.mod requires %s %s, which nobody can fetch", dir, r.Path, r.Version), p.commit, nil)
		}
	}
	goSum := files.goSum
	if pinned.GoMod != nil {
		id, err := p.put(pinned.GoMod, &series.goMods)
		if err != nil {
			return as, err
		}
		changed = append(changed, object.Entry{Mode: object.ModeRegular, Name: "go.mod", ID: id})
	}
	if pinned.GoSum != nil {
		if goSum, err = p.put(pinned.GoSum, &series.goSums); err != nil {
			return as, err
		}
		changed = append(changed, object.Entry{Mode: object.ModeRegular, Name: "go.sum", ID: goSum})
	}
	if len(changed) == 0 {
		return as, nil
	}
	if as.Tree, err = p.edit(tree, files.tree, changed, &series.trees); err != nil || pinned.GoMod == nil {
		return as, err
	}
	if dir == "" {
		p.line.manifests.Store(as.Tree, newManifest(mod, pinned.GoMod, goSum))
	}
	return as, p.checkVendor(files.tree, dir)
}

// below pins the modules in the directories of a tree, other than those that hold
// no modules of this one. It returns the entries that change; plain is that no
// go.mod was found.
func (p *pinning) below(tree []byte, dir string) (changed []object.Entry, plain bool, err error) {
	plain = true
	for len(tree) > 0 {
		mode, name, id, rest, err := object.NextEntry(tree)
		if err != nil {
			return nil, false, err
		}
		tree = rest
		if !mode.IsDir() || string(name) == "vendor" || string(name) == "testdata" || p.shop.plain.has(id) {
			continue
		}
		at := place{id, strings.Count(dir, "/") + 1}
		as, known := p.done[at]
		if !known {
			pinned, err := p.directory(id, dir+string(name)+"/")
			if err != nil {
				return nil, false, err
			}
			as = pinned.Tree
			p.done[at] = as
		}
		plain = plain && p.shop.plain.has(id)
		if as != id {
			changed = append(changed, object.Entry{Mode: mode, Name: string(name), ID: as})
		}
	}
	return changed, plain, nil
}

type pinnedFiles struct {
	pin.Files
	left []pin.Requirement
}

// module returns the pinned files of the module in a directory. They are nil where
// there is none, or where the go command could not read its go.mod; where nothing
// can be written to its go.sum, requirements stay as they are. Both are warned of.
func (p *pinning) module(files moduleFiles, dir string) (mod *pin.Mod, pinned pinnedFiles, err error) {
	if files.goMod.IsZero() {
		return nil, pinned, nil
	}
	pinner, depth := p.pinner(p.siblings), strings.Count(dir, "/")
	var syntax *pin.SyntaxError
	if mod, err = pinner.Mod(files.goMod); errors.As(err, &syntax) {
		p.line.Warnings.Add(dir+"go.mod is published as it is, as the go command could not read it either", p.commit, syntax)
		return nil, pinned, nil
	}
	if err != nil {
		return nil, pinned, err
	}
	versions, err := p.versions(mod, p.siblings, p.lookup)
	if err != nil {
		return nil, pinned, err
	}
	if files.oddSum && len(versions) > 0 {
		err = errOddSum
	} else {
		pinned.Files, err = pinner.Pin(files.goMod, files.goSum, depth, versions)
	}
	if err == errOddSum || errors.As(err, &syntax) {
		p.line.Warnings.Add(dir+"go.mod is published with its requirements as they are", p.commit, err)
		versions = nil
		pinned.Files, err = pinner.Pin(files.goMod, files.goSum, depth, nil)
	}
	for _, r := range mod.Placeholders {
		if versions[r.Path] == nil && (r.Local || p.siblings[r.Path] != nil) {
			pinned.left = append(pinned.left, r)
		}
	}
	return mod, pinned, err
}

var (
	errOddSum = errors.New("go.sum is not a regular file, so that no hashes can be written to it")
	errVendor = errors.New("the go command reports inconsistent vendoring in a check-out; name vendor/* in recursive-delete-patterns to leave the directory out")
)

func (w *Worker) versions(mod *pin.Mod, siblings Siblings, lookup Lookup) (map[string]*pin.Module, error) {
	versions := make(map[string]*pin.Module, len(mod.Requires))
	for _, path := range mod.Requires {
		v, err := lookup(siblings[path])
		if err == nil && v != nil && (mod.Unpruned() || v.Unpruned) {
			v, err = w.withGraph(v, siblings)
		}
		if err != nil {
			return nil, fmt.Errorf("pin %s: %w", path, err)
		}
		if v != nil {
			versions[path] = &v.Module
		}
	}
	return versions, nil
}

func (w *Worker) pinner(siblings Siblings) *pin.Pinner {
	names := make([]string, 0, len(siblings))
	for path := range siblings {
		names = append(names, path)
	}
	slices.Sort(names)
	key := strings.Join(names, "\n")
	p, ok := w.pinners[key]
	if !ok {
		p = pin.New(w.Objects, names)
		w.pinners[key] = p
	}
	return p
}

// put stores a pinned file.
func (w *Worker) put(content []byte, versions *odb.Series) (object.ID, error) {
	id, err := w.shop.Scratch.Put(object.BlobType, content, versions)
	if err == nil {
		w.shop.Sums.Put(id, modhash.NewBlob(content))
	}
	return id, err
}

// edit puts entries into a tree, in the place of those of the same name, whose
// modes stay.
func (w *Worker) edit(tree object.ID, data []byte, changed []object.Entry, versions *odb.Series) (object.ID, error) {
	// Nobody does this later, as the tree is not published.
	if got := object.Hash(object.TreeType, data); got != tree {
		return tree, fmt.Errorf("tree %s: its content is that of %s: git fsck tells what is damaged", tree, got)
	}
	entries, err := object.ParseTree(data)
	if err != nil {
		return tree, err
	}
	for _, to := range changed {
		if i := slices.IndexFunc(entries, func(e object.Entry) bool { return e.Name == to.Name }); i >= 0 {
			entries[i].ID = to.ID
		} else {
			entries = append(entries, to)
		}
	}
	return w.shop.Scratch.Put(object.TreeType, object.EncodeTree(entries), versions)
}

// checkVendor warns of a committed vendor directory, whose modules.txt repeats
// what go.mod said before it was pinned.
func (p *pinning) checkVendor(tree []byte, dir string) error {
	mode, vendor, ok, err := object.FindEntry(tree, "vendor")
	if err != nil || !ok || !mode.IsDir() {
		return err
	}
	data, err := p.Objects.Tree(vendor)
	if err != nil {
		return err
	}
	if list, err := object.FindFile(data, "modules.txt"); err != nil || list.IsZero() {
		return err
	}
	p.line.Warnings.Add(dir+"vendor/modules.txt does not agree with the pinned go.mod", p.commit, errVendor)
	return nil
}

// withGraph adds the siblings that a module's own go.sum knows: where the module
// or who requires it is without graph pruning, builds read their go.mod files
// too, and may need what is in them.
func (w *Worker) withGraph(v *Version, siblings Siblings) (*Version, error) {
	if v.goSum.IsZero() {
		return v, nil
	}
	goSum, err := w.Objects.Blob(v.goSum)
	if err != nil {
		return nil, err
	}
	with := *v
	byVersion := make(map[module.Version]*pin.Module)
	for text := range strings.Lines(string(goSum)) {
		// Most lines are not about siblings.
		path, rest, _ := strings.Cut(strings.TrimLeft(text, " \t"), " ")
		if siblings[path] == nil {
			continue
		}
		fields := strings.Fields(rest)
		if len(fields) != 2 {
			continue
		}
		name, isGoMod := strings.CutSuffix(fields[0], "/go.mod")
		m := module.Version{Path: path, Version: name}
		sibling := byVersion[m]
		if sibling == nil {
			sibling = &pin.Module{Path: path, Version: name}
			byVersion[m] = sibling
			with.Requires = append(with.Requires, sibling)
		}
		if isGoMod {
			sibling.GoModSum = fields[1]
		} else {
			sibling.Sum = fields[1]
		}
	}
	return &with, nil
}
