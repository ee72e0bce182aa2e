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

// modulePaths returns the paths of the modules that stand in some directories
// of a source commit.
func (r *run) modulePaths(source *objects, commit object.ID, modules [][]string) ([]string, error) {
	var paths []string
	for _, dirs := range modules {
		path, err := r.modulePath(source, commit, dirs)
		if err != nil {
			return nil, ofSource(err)
		}
		if path != "" && !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths, nil
}

// modulePath returns the path of the module that some directories together are;
// empty where they are none.
func (r *run) modulePath(source *objects, commit object.ID, dirs []string) (path string, err error) {
	key := commit.String() + strings.Join(dirs, "\x00")
	if path, ok := r.paths.Load(key); ok {
		return path.(string), nil
	}
	var trees []object.ID
	for _, dir := range dirs {
		tree, _, err := source.tree(commit.String() + ":" + dir)
		if err != nil {
			return "", err
		}
		trees = append(trees, tree)
	}
	id, _, err := source.file(trees, "go.mod")
	if err == nil && !id.IsZero() {
		var data []byte
		data, err = source.blob(id)
		path = modfile.ModulePath(data)
	}
	if err == nil {
		r.paths.Store(key, path)
	}
	return path, err
}

// manifests checks go.mod and go.sum, which hardly ever differ between the
// many tags of a branch's commit.
type manifests struct {
	*checker
	source, published *objects
	known             map[files][]string
	claimed           map[claim]bool
	unresolved        map[module.Version]bool
}

// files are the blobs of go.mod and go.sum, and what they are checked against.
type files struct {
	source, published [2]object.ID
	siblings          string
	branch            bool
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

func newManifests(c *checker, source, mirror *objects) *manifests {
	return &manifests{
		checker: c, source: source, published: mirror, known: make(map[files][]string),
		claimed: make(map[claim]bool), unresolved: make(map[module.Version]bool),
	}
}

// check compares the go.mod and go.sum of a published tree with the source's,
// and what they say about siblings with the siblings' mirrors. It returns what
// they say otherwise about anything else.
func (m *manifests) check(s *subject, parts []object.ID, tree object.ID) ([]string, error) {
	siblings, err := m.run.modulePaths(m.source, s.source, s.layout.Siblings)
	if err != nil {
		return nil, err
	}
	pinned := !m.run.in.Rules.SkipGoMod
	ids := files{branch: s.branch != ""}
	for k, name := range []string{"go.mod", "go.sum"} {
		regular := false
		if ids.source[k], regular, err = m.source.file(parts, name); err != nil {
			return nil, ofSource(err)
		}
		// Where one is a link or a folder, both stay as they are.
		pinned = pinned && regular
		if ids.published[k], _, err = m.published.file([]object.ID{tree}, name); err != nil {
			return nil, err
		}
	}
	if !pinned {
		siblings = nil
	}
	ids.siblings = strings.Join(siblings, "\n")
	if problems, ok := m.known[ids]; ok {
		return problems, nil
	}
	var source, published manifest
	for _, file := range []struct {
		data *[]byte
		id   object.ID
		from *objects
		wrap func(error) error
	}{
		{&source.mod, ids.source[0], m.source, ofSource}, {&source.sum, ids.source[1], m.source, ofSource},
		{&published.mod, ids.published[0], m.published, func(err error) error { return err }},
		{&published.sum, ids.published[1], m.published, func(err error) error { return err }},
	} {
		if *file.data, err = file.from.blob(file.id); err != nil {
			return nil, file.wrap(err)
		}
	}
	problems := published.differences(source, siblings, pinned)
	m.known[ids] = problems
	for _, c := range published.claims(source, siblings) {
		if err := m.prove(s, c); err != nil {
			return nil, err
		}
	}
	return problems, nil
}

// manifest is a module's go.mod and go.sum; nil where there is none.
type manifest struct{ mod, sum []byte }

// differences returns how a published manifest differs from the source's in
// more than what a mirror may say about siblings, and what it must not say.
func (p manifest) differences(source manifest, siblings []string, pinned bool) []string {
	var problems []string
	have, outward, err1 := directives(p.mod, siblings)
	want, dropped, err2 := directives(source.mod, siblings)
	// What the go command cannot read is published as it is.
	pinned = pinned && err2 == nil && wellFormed(source.sum)
	switch {
	case string(p.mod) == string(source.mod) && !pinned:
	case err1 != nil || err2 != nil:
		if string(p.mod) != string(source.mod) {
			problems = append(problems, "go.mod cannot be read and is not as it is in the source")
		}
	default:
		if !pinned {
			have, want = append(have, outward...), append(want, dropped...)
		}
		extra, missing := lineDifference(strings.Join(have, "\n"), strings.Join(want, "\n"))
		problems = append(problems, list("go.mod", extra, missing)...)
		if pinned {
			for _, line := range outward {
				problems = append(problems, fmt.Sprintf("go.mod has %q, which leads out of the mirror", line))
			}
		}
	}
	extra, missing := lineDifference(string(p.sum), string(source.sum))
	ofSibling := func(line string) bool {
		fields := strings.Fields(line)
		return len(fields) > 0 && slices.Contains(siblings, fields[0])
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

// directives returns the lines of a go.mod, blocks taken apart, with a star in
// the place of siblings' versions; and apart from them the lines that replace a
// module by a folder outside of this one.
func directives(data []byte, siblings []string) (lines, outward []string, err error) {
	f, err := modfile.ParseLax("go.mod", data, nil)
	if err != nil {
		return nil, nil, err
	}
	required := make(map[string]bool)
	add := func(line *modfile.Line, tokens []string) {
		tokens = slices.Clone(tokens)
		for i, token := range tokens {
			if text, err := strconv.Unquote(token); err == nil {
				tokens[i] = text
			}
		}
		for _, comment := range line.Suffix {
			tokens = append(tokens, comment.Token)
		}
		text := func() string { return strings.Join(tokens, " ") }
		switch {
		case tokens[0] == "require" && len(tokens) >= 3 && slices.Contains(siblings, tokens[1]):
			if required[tokens[1]] {
				return // Of a sibling that is required twice, one line is left.
			}
			required[tokens[1]] = true
			tokens[2] = "*"
		case tokens[0] == "replace":
			arrow := slices.Index(tokens, "=>")
			if arrow > 0 && arrow+1 < len(tokens) && leadsOut(tokens[arrow+1]) {
				outward = append(outward, text())
				return
			}
		}
		lines = append(lines, text())
	}
	for _, stmt := range f.Syntax.Stmt {
		switch stmt := stmt.(type) {
		case *modfile.Line:
			add(stmt, stmt.Token)
		case *modfile.LineBlock:
			for _, line := range stmt.Line {
				add(line, append(slices.Clone(stmt.Token), line.Token...))
			}
		}
	}
	return lines, outward, nil
}

// leadsOut reports whether a relative path leaves the folder that it starts in.
func leadsOut(to string) bool {
	to = path.Clean(to)
	return to == ".." || strings.HasPrefix(to, "../")
}

// claims returns what a published manifest says about siblings on its own:
// what it has from the source is not about what the mirrors hold.
func (p manifest) claims(source manifest, siblings []string) []claim {
	pinned := make(map[module.Version]bool)
	before := requirements(source.mod)
	var claims []claim
	self := modfile.ModulePath(p.mod)
	for path, v := range requirements(p.mod) {
		if slices.Contains(siblings, path) && path != self && before[path] != v {
			pinned[module.Version{Path: path, Version: v}] = true
		}
	}
	own, _ := lineDifference(string(p.sum), string(source.sum))
	have := make(map[module.Version]bool)
	for text := range strings.Lines(string(p.sum)) {
		fields := strings.Fields(text)
		if len(fields) != 3 || !slices.Contains(siblings, fields[0]) {
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

func requirements(mod []byte) map[string]string {
	f, err := modfile.ParseLax("go.mod", mod, nil)
	if err != nil {
		return nil
	}
	versions := make(map[string]string)
	for _, r := range f.Require {
		if _, ok := versions[r.Mod.Path]; !ok {
			versions[r.Mod.Path] = r.Mod.Version
		}
	}
	return versions
}

// prove holds a claim against the sibling's mirror.
func (m *manifests) prove(s *subject, c claim) error {
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
			wrong(UnfetchableVersion, "it requires %s: %s", v, why)
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
		wrong(UnfetchableVersion, "it requires %s: %s", v, why)
	case c.hash == "":
		wrong(WrongHash, "go.sum has no line for %s %s; it should be %s", c.of.Path, c.of.Version, hash)
	case c.hash != hash:
		wrong(WrongHash, "go.sum has %s %s %s; commit %s of %s has %s", c.of.Path, c.of.Version, c.hash, release.commit, release.of.destination, hash)
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
