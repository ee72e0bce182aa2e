package modules

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/module"

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

// rootFiles are the entries at the root of a module that matter to pinning.
type rootFiles struct {
	tree         []byte
	goMod, goSum object.ID // zero where there is no such regular file
	oddSum       bool      // go.sum is there, and no regular file
}

func (w *Worker) files(tree object.ID) (f rootFiles, err error) {
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
	// Left are requirements that name no version which anybody could fetch, and
	// that no sibling took the place of.
	Left []pin.Requirement
}

// Pin returns a tree of the line with go.mod and go.sum pinned to siblings. commit
// is its source commit, for warnings.
func (w *Worker) Pin(l *Line, commit, tree object.ID, siblings Siblings, lookup Lookup) (Pinned, error) {
	as := Pinned{Tree: tree}
	if !l.Pinned() {
		return as, nil
	}
	files, err := w.files(tree)
	if err != nil || files.goMod.IsZero() {
		return as, err
	}
	mod, pinned, err := w.pin(l, commit, files, siblings, lookup)
	if err != nil || mod == nil {
		return as, err
	}
	as.Left = pinned.left
	if pinned.GoMod == nil && pinned.GoSum == nil {
		return as, nil
	}
	if pinned.GoSum != nil && files.oddSum {
		l.Warnings.Add("published unpinned", commit, errOddSum)
		return as, nil
	}
	if err := w.checkVendor(l, commit, files.tree); err != nil {
		return as, err
	}
	var goSum object.ID
	if as.Tree, goSum, err = w.replaceFiles(files.tree, pinned.Files); err == nil && pinned.GoMod != nil {
		if goSum.IsZero() {
			goSum = files.goSum
		}
		l.manifests.Store(as.Tree, newManifest(mod, pinned.GoMod, goSum))
	}
	return as, err
}

var (
	errOddSum = errors.New("go.sum is not a regular file, so that no hashes can be written to it")
	errVendor = errors.New("the go command reports inconsistent vendoring in a check-out; name vendor/* in recursive-delete-patterns to leave the directory out")
)

// GoMod returns the go.mod that [Worker.Pin] would make, nil where the tree has
// none, and what that leaves. Only the versions of siblings matter, not their
// hashes.
func (w *Worker) GoMod(l *Line, commit, tree object.ID, siblings Siblings, lookup Lookup) (goMod []byte, left []pin.Requirement, err error) {
	files, err := w.files(tree)
	if err != nil || files.goMod.IsZero() {
		return nil, nil, err
	}
	if l.Pinned() {
		mod, pinned, err := w.pin(l, commit, files, siblings, lookup)
		if err != nil || mod != nil && pinned.GoMod != nil && !files.oddSum {
			return pinned.GoMod, pinned.left, err
		}
		left = pinned.left
	}
	goMod, err = w.Objects.Blob(files.goMod)
	return goMod, left, err
}

type pinnedFiles struct {
	pin.Files
	left []pin.Requirement
}

// pin returns the pinned files; mod is nil where the go command could not read
// them, which is warned of.
func (w *Worker) pin(l *Line, commit object.ID, files rootFiles, siblings Siblings, lookup Lookup) (*pin.Mod, pinnedFiles, error) {
	pinner := w.pinner(siblings)
	mod, err := pinner.Mod(files.goMod)
	var pinned pinnedFiles
	if err == nil {
		var versions map[string]*pin.Module
		if versions, err = w.versions(mod, siblings, lookup); err == nil {
			pinned.Files, err = pinner.Pin(files.goMod, files.goSum, 0, versions)
			for _, r := range mod.Placeholders {
				if versions[r.Path] == nil && (r.Local || siblings[r.Path] != nil) {
					pinned.left = append(pinned.left, r)
				}
			}
		}
	}
	var syntax *pin.SyntaxError
	if errors.As(err, &syntax) {
		l.Warnings.Add("published unpinned, as the go command could not read it either: "+syntax.File, commit, syntax)
		return nil, pinnedFiles{}, nil
	}
	return mod, pinned, err
}

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

// replaceFiles puts the pinned files into a tree. It returns the new tree, and
// the new go.sum if there is one.
func (w *Worker) replaceFiles(data []byte, pinned pin.Files) (tree, goSum object.ID, err error) {
	entries, err := object.ParseTree(data)
	if err != nil {
		return tree, goSum, err
	}
	replace := func(name string, content []byte, versions *odb.Series) (object.ID, error) {
		id, err := w.shop.Scratch.Put(object.BlobType, content, versions)
		if err != nil {
			return id, err
		}
		w.shop.Sums.Put(id, sha256.Sum256(content))
		i := slices.IndexFunc(entries, func(e object.Entry) bool { return e.Name == name })
		if i < 0 {
			i = len(entries)
			entries = append(entries, object.Entry{Name: name, Mode: object.ModeRegular})
		}
		entries[i].ID = id
		return id, nil
	}
	if pinned.GoMod != nil {
		if _, err := replace("go.mod", pinned.GoMod, &w.goMods); err != nil {
			return tree, goSum, err
		}
	}
	if pinned.GoSum != nil {
		if goSum, err = replace("go.sum", pinned.GoSum, &w.goSums); err != nil {
			return tree, goSum, err
		}
	}
	tree, err = w.shop.Scratch.Put(object.TreeType, object.EncodeTree(entries), &w.trees)
	return tree, goSum, err
}

// checkVendor warns of a committed vendor directory, whose modules.txt repeats
// what go.mod said before it was pinned.
func (w *Worker) checkVendor(l *Line, commit object.ID, root []byte) error {
	mode, vendor, ok, err := object.FindEntry(root, "vendor")
	if err != nil || !ok || !mode.IsDir() {
		return err
	}
	used, known := l.vendored.Load(vendor)
	if !known {
		data, err := w.Objects.Tree(vendor)
		if err != nil {
			return err
		}
		list, err := object.FindFile(data, "modules.txt")
		if err != nil {
			return err
		}
		used = !list.IsZero()
		l.vendored.Store(vendor, used)
	}
	if used.(bool) {
		l.Warnings.Add("vendor/modules.txt does not agree with the pinned go.mod", commit, errVendor)
	}
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
