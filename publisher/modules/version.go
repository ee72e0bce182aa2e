package modules

import (
	"errors"
	"fmt"

	"golang.org/x/mod/module"

	"k8s.io/publisher/modhash"
	"k8s.io/publisher/object"
	"k8s.io/publisher/pin"
	"k8s.io/publisher/projection"
)

// manifest is what a module's go.mod and go.sum say of it.
type manifest struct {
	path      string // empty where there is no go.mod, or none that names a module
	goVersion string // of the go directive
	goModSum  string
	unpruned  bool
	goSum     object.ID // the blob, zero where there is none
}

// Path returns the module path that a projected commit's go.mod declares; empty
// where it has none.
func (w *Worker) Path(l *Line, i int32) (string, error) {
	if path, ok := l.paths.Load(i); ok {
		return path.(string), nil
	}
	c, err := l.Projection.Commit(i)
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

// PathOf returns the module path that a tree's go.mod declares.
func (w *Worker) PathOf(l *Line, tree object.ID) (string, error) {
	m, err := w.manifest(l, tree)
	if err != nil {
		return "", err
	}
	return m.path, nil
}

// manifest reads a tree's go.mod, unless that was done when it was pinned.
func (w *Worker) manifest(l *Line, tree object.ID) (*manifest, error) {
	if m, ok := l.manifests.Load(tree); ok {
		return m.(*manifest), nil
	}
	files, err := w.files(tree)
	if err != nil || files.goMod.IsZero() {
		return new(manifest), err
	}
	mod, err := w.pinner(nil).Mod(files.goMod)
	var syntax *pin.SyntaxError
	if errors.As(err, &syntax) {
		return new(manifest), nil
	}
	if err != nil {
		return nil, err
	}
	goMod, err := w.Objects.Blob(files.goMod)
	if err != nil {
		return nil, err
	}
	return newManifest(mod, goMod, files.goSum), nil
}

func newManifest(mod *pin.Mod, goMod []byte, goSum object.ID) *manifest {
	m := &manifest{goVersion: mod.Go, goModSum: modhash.GoMod(goMod), unpruned: mod.Unpruned(), goSum: goSum}
	if module.CheckPath(mod.Path) == nil {
		m.path = mod.Path
	}
	return m
}

const unfetchable = "cannot be fetched as a module, so that siblings stay at an older version of it"

var errNoDate = errors.New("its commit has no date that could be part of a version")

// Fetchable returns the version to require of a projected commit: its
// pseudo-version or, where the go command could not fetch that, the one of the
// nearest commit on its first parents that it can. It is nil where there is none
// of the same module.
func (w *Worker) Fetchable(l *Line, i int32) (*Version, error) {
	var passed []int32
	var found *Version
	for at := i; at != projection.None; {
		if v, ok := l.fetchable.Load(at); ok {
			found = v.(*Version)
			break
		}
		passed = append(passed, at)
		v, err := w.version(l, at)
		if err != nil {
			return nil, err
		}
		if v != nil {
			found = v
			break
		}
		c, err := l.Projection.Commit(at)
		if err != nil {
			return nil, err
		}
		at = projection.None
		if len(c.Parents) > 0 {
			at = c.Parents[0]
		}
	}
	for _, at := range passed {
		l.fetchable.Store(at, found)
	}
	if found == nil {
		return nil, nil
	}
	path, err := w.Path(l, i)
	if err != nil || path != found.Path {
		return nil, err
	}
	return found, nil
}

// version returns the pseudo-version of a projected commit. It is nil where no go
// command could fetch it.
func (w *Worker) version(l *Line, i int32) (*Version, error) {
	if v, ok := l.versions.Load(i); ok {
		return v.(*Version), nil
	}
	c, err := l.Projection.Commit(i)
	if err != nil {
		return nil, err
	}
	path, err := w.Path(l, i)
	if err != nil {
		return nil, err
	}
	var v *Version
	m := module.Version{Path: path, Version: pin.PseudoVersion(path, c.ID, c.Time)}
	if path != "" && module.IsPseudoVersion(m.Version) {
		v, err = w.VersionAt(l, c.Source, c.Tree, m)
	} else if path != "" {
		l.Warnings.Add(unfetchable, c.Source, errNoDate)
	}
	if err == nil {
		l.versions.Store(i, v)
	}
	return v, err
}

// VersionAt describes a tree as a version of its module, which has been published
// for a source commit. It is nil where no go command could fetch it, as with names
// that cannot be in a module zip.
func (w *Worker) VersionAt(l *Line, commit object.ID, tree object.ID, m module.Version) (*Version, error) {
	from, err := w.manifest(l, tree)
	if err != nil {
		return nil, err
	}
	sum, err := w.hasher.ZipFor(m, tree, from.goVersion)
	var refused *modhash.UnfetchableError
	if errors.As(err, &refused) {
		l.Warnings.Add(unfetchable, commit, refused)
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("hash %s: %w", m, err)
	}
	return &Version{
		Module: pin.Module{Path: m.Path, Version: m.Version, Sum: sum, GoModSum: from.goModSum, Unpruned: from.unpruned},
		goSum:  from.goSum,
	}, nil
}
