package publication

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/module"

	"k8s.io/publisher/modhash"
	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
	"k8s.io/publisher/pin"
	"k8s.io/publisher/projection"
)

// manifest is what a module's go.mod and go.sum say of it.
type manifest struct {
	path     string // empty where there is no go.mod, or none that names a module
	goModSum string
	unpruned bool
	goSum    object.ID // the blob, zero where there is none
}

// version is a module as it was published.
type version struct {
	pin.Module
	goSum object.ID // the blob, zero where there is none
}

// worker is what one goroutine needs to pin trees.
type worker struct {
	config  *Config
	objects *objects
	hasher  *modhash.Hasher
	pinners map[string]*pin.Pinner
	// The pinned files and trees, each of which resembles the one before it.
	goMods, goSums, trees odb.Series
}

func (c *Config) worker() *worker {
	objects := c.objects()
	return &worker{
		config: c, objects: objects, hasher: modhash.New(objects, c.Sums),
		pinners: make(map[string]*pin.Pinner),
	}
}

// rootFiles are the entries at the root of a module that matter to pinning.
type rootFiles struct{ goMod, goSum object.ID }

func findRootFiles(tree []byte) (f rootFiles, err error) {
	for data := tree; len(data) > 0; {
		mode, name, id, rest, err := object.NextEntry(data)
		if err != nil {
			return f, err
		}
		data = rest
		if !mode.IsRegular() {
			continue
		}
		switch string(name) {
		case "go.mod":
			f.goMod = id
		case "go.sum":
			f.goSum = id
		}
	}
	return f, nil
}

// versionsFunc returns the version of a dependency for the tree that is being
// pinned, or nil where it has none.
type versionsFunc func(dep *line) (*version, error)

// pinTree returns the tree with go.mod and go.sum pinned. paths are the module
// paths of the dependencies that exist at this source commit.
func (w *worker) pinTree(l *line, at object.ID, tree object.ID, paths map[string]*line, lookup versionsFunc) (object.ID, error) {
	if !l.pinned || len(paths) == 0 {
		return tree, nil
	}
	data, err := w.objects.Tree(tree)
	if err != nil {
		return object.ID{}, err
	}
	files, err := findRootFiles(data)
	if err != nil || files.goMod.IsZero() {
		return tree, err
	}
	pinner := w.pinner(paths)
	mod, err := pinner.Mod(files.goMod)
	var syntax *pin.SyntaxError
	if errors.As(err, &syntax) {
		l.warnings.add("published unpinned, as the go command could not read it either: "+syntax.File, at, syntax)
		return tree, nil
	}
	if err != nil {
		return object.ID{}, err
	}
	versions := make(map[string]*pin.Module, len(mod.Requires))
	for _, path := range mod.Requires {
		m, err := lookup(paths[path])
		if err == nil && m != nil && (mod.Unpruned() || m.Unpruned) {
			m, err = w.withGraph(m, paths)
		}
		if err != nil {
			return object.ID{}, fmt.Errorf("pin %s: %w", path, err)
		}
		if m != nil {
			versions[path] = &m.Module
		}
	}
	pinned, err := pinner.Pin(files.goMod, files.goSum, versions)
	if errors.As(err, &syntax) {
		l.warnings.add("published unpinned, as the go command could not read it either: "+syntax.File, at, syntax)
		return tree, nil
	}
	if err != nil {
		return object.ID{}, err
	}
	replaced, goSum, err := w.replaceFiles(tree, data, pinned)
	if err == nil && pinned.GoMod != nil {
		if goSum.IsZero() {
			goSum = files.goSum
		}
		l.manifests.Store(replaced, newManifest(mod, pinned.GoMod, goSum))
	}
	return replaced, err
}

func (w *worker) pinner(paths map[string]*line) *pin.Pinner {
	names := make([]string, 0, len(paths))
	for path := range paths {
		names = append(names, path)
	}
	slices.Sort(names)
	key := strings.Join(names, "\n")
	p, ok := w.pinners[key]
	if !ok {
		p = pin.New(w.objects, names)
		w.pinners[key] = p
	}
	return p
}

// replaceFiles puts the pinned files into a tree. It returns the new tree, and
// the new go.sum if there is one.
func (w *worker) replaceFiles(tree object.ID, data []byte, pinned pin.Files) (_, goSum object.ID, err error) {
	if pinned.GoMod == nil && pinned.GoSum == nil {
		return tree, goSum, nil
	}
	entries, err := object.ParseTree(data)
	if err != nil {
		return object.ID{}, goSum, err
	}
	replace := func(name string, content []byte, versions *odb.Series) (object.ID, error) {
		id, err := w.config.Scratch.Put(object.BlobType, content, versions)
		if err != nil {
			return id, err
		}
		w.config.Sums.Put(id, sha256.Sum256(content))
		i := slices.IndexFunc(entries, func(e object.Entry) bool { return e.Name == name })
		if i < 0 {
			i = len(entries)
			entries = append(entries, object.Entry{Name: name})
		}
		if !entries[i].Mode.IsRegular() {
			entries[i].Mode = object.ModeRegular
		}
		entries[i].ID = id
		return id, nil
	}
	if pinned.GoMod != nil {
		if _, err := replace("go.mod", pinned.GoMod, &w.goMods); err != nil {
			return object.ID{}, goSum, err
		}
	}
	if pinned.GoSum != nil {
		if goSum, err = replace("go.sum", pinned.GoSum, &w.goSums); err != nil {
			return object.ID{}, goSum, err
		}
	}
	id, err := w.config.Scratch.Put(object.TreeType, object.EncodeTree(entries), &w.trees)
	return id, goSum, err
}

// siblings returns the dependencies whose modules exist at a source commit, by
// module path. index tells where a dependency stands there.
func (w *worker) siblings(l *line, index func(*line) (int32, error)) (map[string]*line, error) {
	paths := make(map[string]*line, len(l.deps))
	for _, dep := range l.deps {
		i, err := index(dep)
		if err != nil {
			return nil, err
		}
		if i == projection.None {
			continue
		}
		path, err := w.modulePath(dep, i)
		if err != nil {
			return nil, err
		}
		if _, taken := paths[path]; path != "" && !taken {
			paths[path] = dep
		}
	}
	return paths, nil
}

// modulePath returns the path that a projected commit's go.mod declares; empty
// where it has none.
func (w *worker) modulePath(l *line, i int32) (string, error) {
	if path, ok := l.paths.Load(i); ok {
		return path.(string), nil
	}
	c, err := l.projection.Commit(i)
	if err != nil {
		return "", err
	}
	m, err := w.manifest(l, c.Tree)
	if err != nil {
		return "", err
	}
	l.paths.Store(i, m.path)
	return m.path, nil
}

// manifest reads a tree's go.mod, unless that was done when it was pinned.
func (w *worker) manifest(l *line, tree object.ID) (*manifest, error) {
	if m, ok := l.manifests.Load(tree); ok {
		return m.(*manifest), nil
	}
	data, err := w.objects.Tree(tree)
	if err != nil {
		return nil, err
	}
	files, err := findRootFiles(data)
	if err != nil || files.goMod.IsZero() {
		return new(manifest), err
	}
	goMod, err := w.objects.Blob(files.goMod)
	if err != nil {
		return nil, err
	}
	mod, err := w.pinner(nil).Mod(files.goMod)
	var syntax *pin.SyntaxError
	if errors.As(err, &syntax) {
		return new(manifest), nil
	}
	if err != nil {
		return nil, err
	}
	return newManifest(mod, goMod, files.goSum), nil
}

func newManifest(mod *pin.Mod, goMod []byte, goSum object.ID) *manifest {
	m := &manifest{goModSum: modhash.GoMod(goMod), unpruned: mod.Unpruned(), goSum: goSum}
	if module.CheckPath(mod.Path) == nil {
		m.path = mod.Path
	}
	return m
}

const unfetchableWarning = "cannot be fetched as a module, so that no sibling is pinned to it"

var errNoDate = errors.New("its commit has no date that could be part of a version")

// branchVersion returns the pseudo-version of a projected commit. It is nil
// where no go command could fetch it.
func (w *worker) branchVersion(l *line, i int32) (*version, error) {
	if m, ok := l.branchVersions.Load(i); ok {
		return m.(*version), nil
	}
	c, err := l.projection.Commit(i)
	if err != nil {
		return nil, err
	}
	path, err := w.modulePath(l, i)
	if err != nil {
		return nil, err
	}
	var m *version
	v := module.Version{Path: path, Version: PseudoVersion(path, c.ID, c.Time)}
	if module.IsPseudoVersion(v.Version) {
		m, err = w.moduleAt(l, c.Source, c.Tree, v)
	} else {
		l.warnings.add(unfetchableWarning, c.Source, errNoDate)
	}
	if err == nil {
		l.branchVersions.Store(i, m)
	}
	return m, err
}

// PseudoVersion returns the version by which the go command knows a mirror
// commit that no tag names: v0.0.0-yyyymmddhhmmss-abcdefabcdef, with the major
// version that the module path asks for
// (https://go.dev/ref/mod#pseudo-versions).
func PseudoVersion(path string, commit object.ID, unix int64) string {
	_, major, _ := module.SplitPathVersion(path)
	return module.PseudoVersion(module.PathMajorPrefix(major), "", time.Unix(unix, 0).UTC(), commit.String()[:12])
}

// moduleAt describes a tree as a version of its module. It is nil where no go
// command could fetch it, as with names that cannot be in a module zip.
func (w *worker) moduleAt(l *line, at object.ID, tree object.ID, v module.Version) (*version, error) {
	from, err := w.manifest(l, tree)
	if err != nil {
		return nil, err
	}
	sum, err := w.hasher.Zip(v, tree)
	var unfetchable *modhash.UnfetchableError
	if errors.As(err, &unfetchable) {
		l.warnings.add(unfetchableWarning, at, unfetchable)
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("hash %s: %w", v, err)
	}
	return &version{
		Module: pin.Module{Path: v.Path, Version: v.Version, Sum: sum, GoModSum: from.goModSum, Unpruned: from.unpruned},
		goSum:  from.goSum,
	}, nil
}

// withGraph adds the siblings that a module's own go.sum knows: where the module
// or who requires it is without graph pruning, builds read their go.mod files
// too, and may need what is in them.
func (w *worker) withGraph(m *version, paths map[string]*line) (*version, error) {
	if m.goSum.IsZero() {
		return m, nil
	}
	goSum, err := w.objects.Blob(m.goSum)
	if err != nil {
		return nil, err
	}
	with := *m
	byVersion := make(map[module.Version]*pin.Module)
	for text := range strings.Lines(string(goSum)) {
		// Most lines are not about siblings.
		path, rest, _ := strings.Cut(strings.TrimLeft(text, " \t"), " ")
		if paths[path] == nil {
			continue
		}
		fields := strings.Fields(rest)
		if len(fields) != 2 {
			continue
		}
		name, isGoMod := strings.CutSuffix(fields[0], "/go.mod")
		v := module.Version{Path: path, Version: name}
		sibling := byVersion[v]
		if sibling == nil {
			sibling = &pin.Module{Path: path, Version: name}
			byVersion[v] = sibling
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
