package catalog

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"

	"k8s.io/publisher/object"
)

// Version is a commit that the go command can ask for.
type Version struct {
	module.Version
	Commit *Commit
	// Tag is the tag of that version; empty for a pseudo-version.
	Tag string
	// Foreign tells that it was there when the mirror was taken over.
	Foreign bool
}

// Versions are the module versions of a destination: those of its tags, the oldest
// first, and the pseudo-versions of its branches' heads. Each is there once.
func (d *Destination) Versions() []Version {
	var all []Version
	for _, t := range slices.Backward(d.Tags) {
		if t.Version.Version != "" {
			all = append(all, Version{t.Version, t.Commit, t.Name, t.Foreign})
		}
	}
	seen := make(map[module.Version]bool)
	for _, b := range d.Branches {
		if b.Version.Version != "" && module.IsPseudoVersion(b.Version.Version) && !seen[b.Version] {
			seen[b.Version] = true
			all = append(all, Version{b.Version, b.Head, "", b.Head.Foreign})
		}
	}
	return all
}

// Paths are the module paths of a destination, sorted: a repository has several where
// its major version changed.
func (d *Destination) Paths() []string {
	var all []string
	for _, v := range d.Versions() {
		all = append(all, v.Path)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Root is the path at the root of the repository: that of the module without its major
// version; empty where there is no module.
func (d *Destination) Root() string {
	prefix, _, _ := module.SplitPathVersion(d.Module)
	return prefix
}

// Listed are the versions that the go command chooses from where it is asked for a
// module's latest version, in their order. Pseudo-versions are not among them, and
// versions with +incompatible only where the module has no go.mod in its newest version
// (https://go.dev/ref/mod#incompatible-versions).
func (d *Destination) Listed(path string) []string {
	var list, incompatible []string
	for _, t := range d.Tags {
		switch {
		case t.Version.Path != path:
		case strings.HasSuffix(t.Version.Version, "+incompatible"):
			incompatible = append(incompatible, t.Version.Version)
		default:
			list = append(list, t.Version.Version)
		}
	}
	semver.Sort(list)
	semver.Sort(incompatible)
	if len(list) > 0 && d.hasMod[list[len(list)-1]] {
		return list
	}
	// Of a major version whose newest tag has a go.mod, none are.
	newest := make(map[string]string)
	for tag := range d.hasMod {
		if major := semver.Major(tag); semver.Compare(tag, newest[major]) > 0 {
			newest[major] = tag
		}
	}
	for _, v := range incompatible {
		if !d.hasMod[newest[semver.Major(v)]] {
			list = append(list, v)
		}
	}
	return list
}

// Retracted reports whether the go command holds a version of a module for retracted.
func (d *Destination) Retracted(m module.Version) bool {
	_, major, _ := module.SplitPathVersion(m.Path)
	line := d.lines[major]
	return line != nil && line.isRetracted(m.Version)
}

// Query returns the version that the go command makes of a tag whose name is no version,
// such as kubernetes-1.36.0: the newest of the versions on the same commit that are not
// retracted. There is none where the commit has no such version.
func (d *Destination) Query(t *Tag) (module.Version, bool) {
	var found module.Version
	for _, other := range d.onCommit[t.Commit] {
		if !d.Retracted(other) && !strings.HasSuffix(other.Version, "+incompatible") && semver.Compare(other.Version, found.Version) > 0 {
			found = other
		}
	}
	return found, found.Version != ""
}

// line is what a repository has of the module paths that end in one suffix, such as /v2
// or none.
type line struct {
	suffix  string
	retract []modfile.VersionInterval
}

func (l *line) isRetracted(version string) bool {
	return slices.ContainsFunc(l.retract, func(i modfile.VersionInterval) bool {
		return semver.Compare(i.Low, version) <= 0 && semver.Compare(version, i.High) <= 0
	})
}

func (l *line) has(version string) bool { return module.CheckPathMajor(version, l.suffix) == nil }

// tagVersion returns the version that a tag's name begins with, without build metadata;
// empty where it does not, or looks like a pseudo-version: the go command passes over
// these.
func tagVersion(tag string) string {
	v := semver.Canonical(tag)
	if module.IsPseudoVersion(tag) || !strings.HasPrefix(tag, v) {
		return "" // v1 and v1.2 are short for many.
	}
	return v
}

// name gives tags and the heads of branches their versions.
func (r *reader) name() error {
	r.lines, r.hasMod, r.onCommit = make(map[string]*line), make(map[string]bool), make(map[*Commit][]module.Version)
	root := ""
	for _, b := range r.Branches {
		if b.Name != r.Head {
			continue
		}
		var err error
		if r.Module, _, err = r.modulePath(b.Head); err != nil {
			return fmt.Errorf("branch %s: %w", b.Name, err)
		}
		if prefix, _, ok := module.SplitPathVersion(r.Module); ok {
			root = prefix
		}
	}
	for _, t := range r.Tags {
		if t.Name != tagVersion(t.Name) {
			continue
		}
		if err := r.nameTag(t, root); err != nil {
			return fmt.Errorf("tag %s: %w", t.Name, err)
		}
	}
	for _, b := range r.Branches {
		if err := r.nameBranch(b); err != nil {
			return fmt.Errorf("branch %s: %w", b.Name, err)
		}
		if b.Name == r.Head {
			r.Latest = b.Version
		}
	}
	return nil
}

// nameTag gives a tag whose name is a version that version.
func (r *reader) nameTag(t *Tag, root string) error {
	path, ok, err := r.modulePath(t.Commit)
	if err != nil {
		return err
	}
	r.hasMod[t.Name] = ok
	m := module.Version{Path: path, Version: t.Name}
	if !ok {
		if m.Path = root; m.Path == "" {
			return nil
		}
		if module.CheckPathMajor(t.Name, "") != nil {
			// Where there is a folder v2 with a module, v2 tags are its.
			in, err := r.subModule(t.Commit, semver.Major(t.Name))
			if err != nil || in {
				return err
			}
			m.Version += "+incompatible"
		}
	}
	if module.Check(m.Path, m.Version) != nil {
		return nil
	}
	t.Version = m
	r.onCommit[t.Commit] = append(r.onCommit[t.Commit], m)
	return nil
}

// subModule reports whether a folder has a go.mod.
func (r *reader) subModule(c *Commit, folder string) (bool, error) {
	tree, err := r.objects.Tree(c.Tree)
	if err != nil {
		return false, err
	}
	mode, id, ok, err := object.FindEntry(tree, folder)
	if err != nil || !ok || !mode.IsDir() {
		return false, err
	}
	if tree, err = r.objects.Tree(id); err != nil {
		return false, err
	}
	id, err = object.FindFile(tree, "go.mod")
	return !id.IsZero(), err
}

// nameBranch names the head of a branch as the go command does: by the newest tag that
// stands on it, or else after the newest version in its history, retracted ones aside
// (https://go.dev/ref/mod#pseudo-versions).
func (r *reader) nameBranch(b *Branch) error {
	path, _, err := r.modulePath(b.Head)
	if err != nil || path == "" || module.CheckPath(path) != nil {
		return err
	}
	_, suffix, ok := module.SplitPathVersion(path)
	if !ok {
		return nil
	}
	line, err := r.line(suffix)
	if err != nil {
		return err
	}
	b.Version.Path = path
	for _, t := range r.onCommit[b.Head] {
		if line.has(t.Version) && !line.isRetracted(t.Version) {
			b.Version.Version = later(b.Version.Version, t.Version)
		}
	}
	if b.Version.Version == "" {
		older := newest(b.Head, line)
		b.Version.Version = module.PseudoVersion(module.PathMajorPrefix(suffix), older, b.Head.Date, b.Head.ID.String()[:12])
	}
	return nil
}

// line reads what versions are retracted by the newest release, or else by the newest
// pre-release.
func (r *reader) line(suffix string) (*line, error) {
	if l, ok := r.lines[suffix]; ok {
		return l, nil
	}
	l := &line{suffix: suffix}
	r.lines[suffix] = l
	var newest *Tag
	for _, t := range r.Tags {
		if t.Name == tagVersion(t.Name) && l.has(t.Name) && (newest == nil || preferred(t.Name, newest.Name)) {
			newest = t
		}
	}
	if newest == nil {
		return l, nil
	}
	path, _, err := r.modulePath(newest.Commit)
	if _, its, ok := module.SplitPathVersion(path); err != nil || path == "" || !ok || module.PathMajorPrefix(its) != module.PathMajorPrefix(suffix) {
		return l, err
	}
	id, err := r.file(newest.Commit, "go.mod")
	if err != nil {
		return nil, err
	}
	data, err := r.objects.Blob(id)
	if err != nil {
		return nil, err
	}
	f, err := modfile.ParseLax("go.mod", data, nil)
	if err != nil {
		return l, nil // As the go command does: it retracts nothing.
	}
	for _, retract := range f.Retract {
		l.retract = append(l.retract, retract.VersionInterval)
	}
	return l, nil
}

// preferred reports whether a version is newer than another; releases are, than all that
// are none.
func preferred(a, b string) bool {
	if release := semver.Prerelease(a) == ""; release != (semver.Prerelease(b) == "") {
		return release
	}
	return semver.Compare(a, b) > 0
}

// newest returns the newest version among the tags on a commit and behind it.
func newest(from *Commit, l *line) (version string) {
	seen := map[*Commit]bool{from: true}
	for stack := []*Commit{from}; len(stack) > 0; {
		c := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for _, v := range c.versions {
			if l.has(v) && !l.isRetracted(v) {
				version = later(version, v)
			}
		}
		for _, p := range c.Parents {
			if !seen[p] {
				seen[p] = true
				stack = append(stack, p)
			}
		}
	}
	return version
}

func later(a, b string) string {
	if a == "" || semver.Compare(b, a) > 0 {
		return b
	}
	return a
}
