package verify

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"

	"k8s.io/publisher/object"
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

// content returns what is in a file.
func (c *checker) content(b blob) ([]byte, error) {
	if b.id.IsZero() {
		return nil, nil
	}
	_, _, data, err := c.git.get(b.id.String())
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
			mod, err := c.content(files[0])
			if err != nil {
				return nil, err
			}
			path = modfile.ModulePath(mod)
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
	claimed    map[claim]bool
	unresolved map[module.Version]bool
}

// pair is the go.mod and go.sum of a module that both the source and the mirror
// have, and what they are checked against.
type pair struct {
	dir               string
	source, published [2]blob
	siblings, branch  string
}

// claim is what a published module says of a sibling: that a version has a
// hash. A version that ends in /go.mod is the go.mod file's. Where hash is
// empty, that it exists.
type claim struct {
	of   module.Version
	hash string
	// required tells that go.mod names the version.
	required bool
}

func newManifests(c *checker) *manifests {
	return &manifests{
		checker: c, last: emptyTree, removed: make(map[string]string), modules: make(map[string]bool),
		known: make(map[pair][]string), claimed: make(map[claim]bool), unresolved: make(map[module.Version]bool),
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
	var source, published [2][]byte
	for k := range source {
		var err error
		if source[k], err = m.content(p.source[k]); err != nil {
			return nil, err
		}
		if published[k], err = m.content(p.published[k]); err != nil {
			return nil, err
		}
	}
	if p.source[1].other || !wellFormed(source[1]) {
		siblings = nil // No hashes can be written.
	}
	depth := strings.Count(p.dir, "/")
	from, to := newManifest(source, siblings, depth), newManifest(published, siblings, depth)
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

// manifest is a module's go.mod and go.sum, nil where there is none, as they are
// read among siblings.
type manifest struct {
	mod, sum []byte
	siblings []string
	err      error // why the go command cannot read go.mod
	path     string
	requires map[string]string // versions, by path
	// lines are those of go.mod, blocks taken apart, with a star in the place of
	// siblings' versions. Apart from them are those that replace a module by a
	// directory: outward is not in the mirror, and inward, by path, is and stands
	// for a sibling.
	lines, outward []string
	inward         map[string][]string
}

func newManifest(files [2][]byte, siblings []string, depth int) *manifest {
	m := &manifest{mod: files[0], sum: files[1], siblings: siblings, requires: make(map[string]string), inward: make(map[string][]string)}
	var f *modfile.File
	if f, m.err = modfile.ParseLax("go.mod", m.mod, nil); m.err != nil {
		return m
	}
	if f.Module != nil {
		m.path = f.Module.Mod.Path
	}
	for _, r := range f.Require {
		if _, ok := m.requires[r.Mod.Path]; !ok {
			m.requires[r.Mod.Path] = r.Mod.Version
		}
	}
	required := make(map[string]bool)
	for _, stmt := range f.Syntax.Stmt {
		switch stmt := stmt.(type) {
		case *modfile.Line:
			m.add(stmt, nil, required, depth)
		case *modfile.LineBlock:
			for _, line := range stmt.Line {
				m.add(line, stmt.Token, required, depth)
			}
		}
	}
	return m
}

// add adds a line of go.mod.
func (m *manifest) add(line *modfile.Line, block []string, required map[string]bool, depth int) {
	tokens := slices.Concat(block, line.Token)
	for i, token := range tokens {
		if text, err := strconv.Unquote(token); err == nil {
			tokens[i] = text
		}
	}
	of, to := "", ""
	switch arrow := slices.Index(tokens, "=>"); {
	case tokens[0] == "replace" && (arrow == 2 || arrow == 3) && arrow+1 < len(tokens):
		of, to = tokens[1], tokens[arrow+1]
	case tokens[0] == "require" && len(tokens) >= 3 && slices.Contains(m.siblings, tokens[1]):
		if required[tokens[1]] {
			return // Of a sibling that is required twice, one line is left.
		}
		required[tokens[1]] = true
		tokens[2] = "*"
	}
	for _, comment := range line.Suffix {
		tokens = append(tokens, comment.Token)
	}
	switch text := strings.Join(tokens, " "); {
	case leadsOut(to, depth):
		m.outward = append(m.outward, text)
	case modfile.IsDirectoryPath(to) && slices.Contains(m.siblings, of):
		m.inward[of] = append(m.inward[of], text)
	default:
		m.lines = append(m.lines, text)
	}
}

// leadsOut reports whether a replace leads to a directory that is not in the
// mirror, or says nothing as it leads to where it stands.
func leadsOut(to string, depth int) bool {
	clean := path.Clean(strings.ReplaceAll(to, `\`, "/"))
	return modfile.IsDirectoryPath(to) &&
		(to[0] != '.' || clean == "." || strings.HasPrefix(clean+"/", strings.Repeat("../", depth+1)))
}

// differences returns how a published manifest differs from the source's in
// more than what a mirror may say about siblings, and what it must not say.
func (m *manifest) differences(source *manifest, pinned bool) []string {
	var problems []string
	switch {
	case m.err != nil || source.err != nil: // It is published as it is.
		if string(m.mod) != string(source.mod) {
			problems = append(problems, "go.mod cannot be read and is not as it is in the source")
		}
	default:
		have, want := m.lines, source.lines
		for path, lines := range source.inward {
			// It goes where the sibling is pinned, be it to what was required before.
			before := source.requires[path]
			if before == "" || path == source.path || before == m.requires[path] && m.inward[path] != nil {
				want = append(want, lines...)
			}
		}
		for _, lines := range m.inward {
			have = append(have, lines...)
		}
		if !pinned {
			have, want = append(have, m.outward...), append(want, source.outward...)
		}
		extra, missing := lineDifference(strings.Join(have, "\n"), strings.Join(want, "\n"))
		problems = append(problems, list("go.mod", extra, missing)...)
		if pinned {
			for _, line := range m.outward {
				problems = append(problems, fmt.Sprintf("go.mod has %q, which leads out of the mirror", line))
			}
		}
	}
	extra, missing := lineDifference(string(m.sum), string(source.sum))
	ofSibling := func(line string) bool {
		fields := strings.Fields(line)
		return len(fields) > 0 && slices.Contains(m.siblings, fields[0])
	}
	return append(problems, list("go.sum", slices.DeleteFunc(extra, ofSibling), slices.DeleteFunc(missing, ofSibling))...)
}

// wellFormed reports whether the go command can read a go.sum.
func wellFormed(sum []byte) bool {
	for line := range strings.Lines(string(sum)) {
		if n := len(strings.Fields(line)); n != 0 && n != 3 {
			return false
		}
	}
	return true
}

// claims returns what a published manifest says about siblings on its own:
// what it has from the source is not about what the mirrors hold.
func (m *manifest) claims(source *manifest) []claim {
	pinned := make(map[module.Version]bool)
	var claims []claim
	for path, v := range m.requires {
		if slices.Contains(m.siblings, path) && path != m.path && source.requires[path] != v {
			pinned[module.Version{Path: path, Version: v}] = true
		}
	}
	own, _ := lineDifference(string(m.sum), string(source.sum))
	have := make(map[module.Version]bool)
	for text := range strings.Lines(string(m.sum)) {
		fields := strings.Fields(text)
		if len(fields) != 3 || !slices.Contains(m.siblings, fields[0]) {
			continue
		}
		v := module.Version{Path: fields[0], Version: fields[1]}
		of := module.Version{Path: v.Path, Version: strings.TrimSuffix(v.Version, "/go.mod")}
		if pinned[of] || slices.Contains(own, strings.TrimSpace(text)) {
			have[v] = true
			claims = append(claims, claim{v, fields[2], pinned[of]})
		}
	}
	for v := range pinned {
		for _, v := range []module.Version{v, {Path: v.Path, Version: v.Version + "/go.mod"}} {
			if !have[v] {
				claims = append(claims, claim{v, "", true})
			}
		}
	}
	slices.SortFunc(claims, func(a, b claim) int {
		return strings.Compare(a.of.String()+" "+a.hash, b.of.String()+" "+b.hash)
	})
	return claims
}

// prove holds a claim of the module in a directory against the sibling's mirror.
func (m *manifests) prove(s *subject, dir string, c claim) error {
	v := module.Version{Path: c.of.Path, Version: strings.TrimSuffix(c.of.Version, "/go.mod")}
	wrong := func(kind Kind, format string, args ...any) {
		m.mismatch(Mismatch{Kind: kind, Ref: s.refs[0], Commit: s.commit.String(), Detail: fmt.Sprintf(format, args...)})
	}
	release, why, err := m.resolve(v)
	if err != nil {
		return err
	}
	if release == nil {
		if c.required {
			wrong(UnfetchableVersion, "%sgo.mod requires %s: %s", dir, v, why)
		} else {
			m.unresolved[v] = true
		}
		return nil
	}
	if c.hash == "" && c.of == v && s.branch == "" && m.run.circular(m.out.Name, release.of.destination) {
		return nil // The hash would be of what it stands in.
	}
	hash, why, err := release.hash(m.reader, c.of.Version, c.hash, s.branch == m.defaultBranch())
	switch {
	case err != nil:
		return err
	case why != "":
		wrong(UnfetchableVersion, "%sgo.mod requires %s: %s", dir, v, why)
	case c.hash == "":
		wrong(WrongHash, "%sgo.sum has no line for %s %s; it should be %s", dir, c.of.Path, c.of.Version, hash)
	case c.hash != hash:
		wrong(WrongHash, "%sgo.sum has %s %s %s; commit %s of %s has %s", dir, c.of.Path, c.of.Version, c.hash, release.commit, release.of.destination, hash)
	case !m.claimed[c]:
		m.claimed[c] = true
		m.out.Versions++
	}
	return nil
}

// circular reports whether two destinations depend on each other.
func (r *run) circular(a, b string) bool {
	for _, group := range r.in.Rules.Groups() {
		in := func(name string) bool {
			return slices.ContainsFunc(group, func(i int) bool { return r.in.Rules.Rules[i].Destination == name })
		}
		if in(a) {
			return in(b)
		}
	}
	return false
}

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
