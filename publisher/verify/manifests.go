package verify

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"

	"k8s.io/publisher/object"
	"k8s.io/publisher/rules"
)

// tree is a folder as git has it.
type tree struct {
	id   object.ID
	data []byte
}

// blob is a regular file; the zero one is none. other tells that there is
// something else of its name.
type blob struct {
	id    object.ID
	other bool
}

// directories returns directories that are published together, less those that
// are not there.
func (c *checker) directories(commit object.ID, dirs []string) ([]tree, error) {
	var trees []tree
	for _, dir := range dirs {
		id, t, data, err := c.git.get(commit.String() + ":" + dir)
		if err != nil {
			return nil, err
		}
		if t == object.TreeType {
			trees = append(trees, tree{id, data})
		}
	}
	return trees, nil
}

// files returns the go.mod and go.sum in a directory of the union of some trees.
// Its path is empty or ends in a slash.
func (c *checker) files(trees []tree, dir string) (found [2]blob, err error) {
	first, rest, below := strings.Cut(dir, "/")
	if !below {
		for k, name := range []string{"go.mod", "go.sum"} {
			for _, t := range trees {
				mode, id, ok, err := object.FindEntry(t.data, name)
				if err != nil {
					return found, err
				}
				if ok = ok && found[k] == (blob{}); ok && mode.IsRegular() {
					found[k].id = id
				} else if ok {
					found[k].other = true
				}
			}
		}
		return found, nil
	}
	var folders []tree
	for _, t := range trees {
		mode, id, ok, err := object.FindEntry(t.data, first)
		if err == nil && ok && mode.IsDir() {
			t.id = id
			_, _, t.data, err = c.git.get(id.String())
			folders = append(folders, t)
		}
		if err != nil {
			return found, err
		}
	}
	return c.files(folders, rest)
}

// read returns what is in files.
func (c *checker) read(files [2]blob) (data [2][]byte, err error) {
	for k, b := range files {
		if !b.id.IsZero() && err == nil {
			_, _, data[k], err = c.git.get(b.id.String())
		}
	}
	return data, err
}

// modulePaths returns the paths of the modules that stand in some directories
// of a source commit.
func (c *checker) modulePaths(commit object.ID, modules [][]string) ([]string, error) {
	var paths []string
	for _, dirs := range modules {
		key := commit.String() + strings.Join(dirs, "\x00")
		path, known := c.run.paths.Load(key)
		if !known {
			trees, err := c.directories(commit, dirs)
			if err != nil {
				return nil, err
			}
			files, err := c.files(trees, "")
			if err != nil {
				return nil, err
			}
			data, err := c.read([2]blob{files[0]})
			if err != nil {
				return nil, err
			}
			path = modfile.ModulePath(data[0])
			c.run.paths.Store(key, path)
		}
		if path := path.(string); path != "" && !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths, nil
}

// manifests checks go.mod and go.sum, which hardly ever differ between the
// many tags of a branch's commit.
type manifests struct {
	*checker
	// last is the tree that was looked at last. Of its files, removed should not
	// be there; it has modules in these directories, empty or ending in a slash.
	last       object.ID
	removed    map[string]string
	modules    map[string]bool
	known      map[pair][]string
	sources    map[string]sourceManifest // by directory
	proven     map[proven]bool
	unresolved map[module.Version]bool
}

// sourceManifest is the source's side of a pair.
type sourceManifest struct {
	pair
	*manifest
}

// pair is the go.mod and go.sum of a module that both the source and the mirror
// have, and what they are checked against.
type pair struct {
	dir               string
	source, published [2]blob
	siblings, branch  string
}

func newManifests(c *checker) *manifests {
	return &manifests{
		checker: c, last: emptyTree, removed: make(map[string]string), modules: make(map[string]bool),
		known: make(map[pair][]string), sources: make(map[string]sourceManifest), proven: make(map[proven]bool), unresolved: make(map[module.Version]bool),
	}
}

// look finds modules and what should have been removed. What did not change since
// the last tree is known.
func (m *manifests) look(tree object.ID) error {
	changes, err := m.git.compare(m.last, tree)
	if err != nil {
		return err
	}
	for _, f := range changes {
		delete(m.removed, f.path)
		if f.toMode != 0 && m.run.remove.Match(f.path) {
			m.removed[f.path] = f.to
		}
		dir, name := path.Split(f.path)
		folders := strings.Split(dir, "/")
		if name == "go.mod" && !slices.Contains(folders, "vendor") && !slices.Contains(folders, "testdata") {
			delete(m.modules, dir)
			if f.toMode.IsRegular() {
				m.modules[dir] = true
			}
		}
	}
	m.last = tree
	return nil
}

// pairs returns the modules that were there in the source, too, by directory.
func (m *manifests) pairs(source []tree, published tree) (map[string]pair, error) {
	pairs := make(map[string]pair)
	for dir := range m.modules {
		p := pair{dir: dir}
		var err error
		if p.source, err = m.files(source, dir); err != nil {
			return nil, err
		}
		if p.published, err = m.files([]tree{published}, dir); err != nil {
			return nil, err
		}
		if m.run.remove.Match(dir + "go.sum") {
			p.source[1] = blob{}
		}
		if !p.source[0].id.IsZero() {
			pairs[dir] = p
		}
	}
	return pairs, nil
}

// check compares a published go.mod and go.sum with the source's, and what they
// say about siblings with the siblings' mirrors. It returns what they say
// otherwise about anything else.
func (m *manifests) check(s *subject, p pair, siblings []string) ([]string, error) {
	if m.run.in.Rules.SkipGoMod {
		siblings = nil
	}
	p.siblings, p.branch = strings.Join(siblings, "\n"), s.branch
	if problems, ok := m.known[p]; ok {
		return problems, nil
	}
	from, err := m.source(p, siblings)
	if err != nil {
		return nil, err
	}
	published, err := m.read(p.published)
	if err != nil {
		return nil, err
	}
	to := newManifest(published, from.siblings, strings.Count(p.dir, "/"))
	problems := to.differences(from, !m.run.in.Rules.SkipGoMod)
	for i := range problems {
		problems[i] = p.dir + problems[i]
	}
	m.known[p] = problems
	for _, c := range to.claims(from) {
		if err := m.prove(s, p.dir, c); err != nil {
			return nil, err
		}
	}
	return problems, nil
}

// source returns the source's side of a pair, which is mostly that of the last one.
func (m *manifests) source(p pair, siblings []string) (*manifest, error) {
	p.published, p.branch = [2]blob{}, ""
	if last := m.sources[p.dir]; last.pair == p {
		return last.manifest, nil
	}
	files, err := m.read(p.source)
	if err != nil {
		return nil, err
	}
	if p.source[1].other || !wellFormed(files[1]) {
		siblings = nil // No hashes can be written.
	}
	from := newManifest(files, siblings, strings.Count(p.dir, "/"))
	m.sources[p.dir] = sourceManifest{p, from}
	return from, nil
}

// proven is a release whose hash was claimed and is right: that of its zip, or of its
// go.mod.
type proven struct {
	*release
	zip bool
}

// prove holds a claim of the module in a directory against the sibling's mirror.
func (m *manifests) prove(s *subject, dir string, c claim) error {
	v := module.Version{Path: c.of.Path, Version: strings.TrimSuffix(c.of.Version, "/go.mod")}
	wrong := func(kind Kind, format string, args ...any) {
		m.mismatch(Mismatch{Kind: kind, Ref: s.refs[0], Commit: s.commit.String(), Detail: fmt.Sprintf(format, args...)})
	}
	release, err := m.resolve(v)
	switch {
	case err == nil:
	case ofMachine(err):
		return err
	case c.required:
		wrong(UnfetchableVersion, "%sgo.mod requires %s: %s", dir, v, err)
		return nil
	default:
		m.unresolved[v] = true
		return nil
	}
	if c.hash == "" && c.of == v && s.branch == "" && m.run.circular(m.out.Name, release.of.destination) {
		return nil // The hash would be of what it stands in.
	}
	hash, err := release.hash(m.reader, c.of.Version, c.hash, s.branch == m.defaultBranch())
	switch {
	case err != nil && ofMachine(err):
		return err
	case err != nil:
		wrong(UnfetchableVersion, "%sgo.mod requires %s: %s", dir, v, err)
	case c.hash == "":
		wrong(WrongHash, "%sgo.sum has no line for %s %s; it should be %s", dir, c.of.Path, c.of.Version, hash)
	case c.hash != hash:
		wrong(WrongHash, "%sgo.sum has %s %s %s; commit %s of %s has %s", dir, c.of.Path, c.of.Version, c.hash, release.commit, release.of.destination, hash)
	case !m.proven[proven{release, c.of == v}]:
		m.proven[proven{release, c.of == v}] = true
		m.out.Versions++
	}
	return nil
}

// circles numbers the groups of destinations that depend on each other.
func circles(r *rules.Rules) map[string]int {
	numbers := make(map[string]int)
	for number, group := range r.Groups() {
		for _, i := range group {
			numbers[r.Rules[i].Destination] = number
		}
	}
	return numbers
}

// circular reports whether two destinations depend on each other.
func (r *run) circular(a, b string) bool { return r.circles[a] == r.circles[b] }

// finish notes what go.sum files say of versions that no mirror has. The go
// command has no use for such lines, which come from the source's go.sum files.
func (m *manifests) finish() {
	if len(m.unresolved) == 0 {
		return
	}
	var names []string
	for v := range m.unresolved {
		names = append(names, v.String())
	}
	slices.Sort(names)
	m.note("go.sum names %s of siblings, such as %s, that no go.mod requires and no mirror has", count(len(names), "version"), names[0])
}
