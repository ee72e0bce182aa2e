package verify

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"

	"k8s.io/publisher/object"
)

// modulePaths returns the paths of the modules that stand in some directories
// of a commit.
func (g *gitTrees) modulePaths(root object.ID, dirs [][]string) ([]string, error) {
	var paths []string
	for _, union := range dirs {
		var trees []object.ID
		for _, dir := range union {
			tree, err := g.directory(root, dir)
			if err != nil {
				return nil, err
			}
			if !tree.IsZero() {
				trees = append(trees, tree)
			}
		}
		id, err := g.file(trees, "go.mod")
		if err != nil || id.IsZero() {
			if err != nil {
				return nil, err
			}
			continue
		}
		path, ok := g.paths[id]
		if !ok {
			data, err := g.blob(id)
			if err != nil {
				return nil, err
			}
			path = modfile.ModulePath(data)
			g.paths[id] = path
		}
		if path != "" && !slices.Contains(paths, path) {
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
	source, published *gitTrees
	known             map[string][]string
	claims            map[claim]bool
	unresolved        map[module.Version]bool
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

func newManifests(c *checker, source, mirror *gitTrees) *manifests {
	return &manifests{
		checker: c, source: source, published: mirror, known: make(map[string][]string),
		claims: make(map[claim]bool), unresolved: make(map[module.Version]bool),
	}
}

// check compares the go.mod and go.sum of a published tree with the source's,
// and what they say about siblings with the siblings' mirrors. It returns what
// they say otherwise about anything else.
func (m *manifests) check(s *subject, parts []object.ID, tree object.ID, siblings []string) ([]string, error) {
	var ids [4]object.ID
	var err error
	for k, name := range []string{"go.mod", "go.sum"} {
		if ids[k], err = m.source.file(parts, name); err != nil {
			return nil, err
		}
		if ids[2+k], err = m.published.file([]object.ID{tree}, name); err != nil {
			return nil, ofMirror(err)
		}
	}
	key := fmt.Sprint(ids, siblings, s.tip)
	if problems, ok := m.known[key]; ok {
		return problems, nil
	}
	var texts [4][]byte
	for k, id := range ids {
		from, wrap := m.source, func(err error) error { return err }
		if k >= 2 {
			from, wrap = m.published, ofMirror
		}
		if texts[k], err = from.blob(id); err != nil {
			return nil, wrap(err)
		}
	}
	source, published := manifest{texts[0], texts[1]}, manifest{texts[2], texts[3]}
	problems := published.differences(source, siblings)
	m.known[key] = problems
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
// more than what a mirror may say about siblings.
func (p manifest) differences(source manifest, siblings []string) []string {
	var problems []string
	if string(p.mod) != string(source.mod) {
		have, optional, err1 := directives(p.mod, siblings)
		want, dropped, err2 := directives(source.mod, siblings)
		switch {
		case err1 != nil || err2 != nil:
			problems = append(problems, "go.mod cannot be read and is not as it is in the source")
		default:
			// A sibling's relative replace may be gone, but not be new.
			for _, line := range optional {
				if !slices.Contains(dropped, line) {
					have = append(have, line)
				}
			}
			extra, missing := lineDifference(strings.Join(have, "\n"), strings.Join(want, "\n"))
			problems = append(problems, list("go.mod", extra, missing)...)
		}
	}
	extra, missing := lineDifference(string(p.sum), string(source.sum))
	foreign := func(line string) bool {
		fields := strings.Fields(line)
		return len(fields) > 0 && slices.Contains(siblings, fields[0])
	}
	return append(problems, list("go.sum", slices.DeleteFunc(extra, foreign), slices.DeleteFunc(missing, foreign))...)
}

func list(file string, extra, missing []string) []string {
	var problems []string
	for _, line := range extra {
		problems = append(problems, fmt.Sprintf("%s has %q", file, line))
	}
	for _, line := range missing {
		problems = append(problems, fmt.Sprintf("%s lacks %q", file, line))
	}
	return problems
}

// directives returns the lines of a go.mod, blocks taken apart, with a star in
// the place of siblings' versions; and apart from them the lines that replace
// siblings by relative paths.
func directives(data []byte, siblings []string) (lines, replaced []string, err error) {
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
		sibling := len(tokens) >= 3 && slices.Contains(siblings, tokens[1])
		switch {
		case sibling && tokens[0] == "require":
			if required[tokens[1]] {
				return // Of a sibling that is required twice, one line is left.
			}
			required[tokens[1]] = true
			tokens[2] = "*"
		case sibling && tokens[0] == "replace":
			if arrow := slices.Index(tokens, "=>"); arrow > 0 && arrow+1 < len(tokens) && strings.HasPrefix(tokens[arrow+1], ".") {
				replaced = append(replaced, strings.Join(tokens, " "))
				return
			}
		}
		lines = append(lines, strings.Join(tokens, " "))
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
	return lines, replaced, nil
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
	release, why, err := m.run.resolve(v, m.d.DependsOn)
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
	hash, why, err := release.hash(c.of.Version, s.tip, c.hash)
	switch {
	case err != nil:
		return err
	case why != "":
		wrong(UnfetchableVersion, "it requires %s: %s", v, why)
	case c.hash == "":
		wrong(WrongHash, "go.sum has no line for %s %s; it should be %s", c.of.Path, c.of.Version, hash)
	case c.hash != hash:
		wrong(WrongHash, "go.sum has %s %s %s; commit %s of %s has %s", c.of.Path, c.of.Version, c.hash, release.commit, release.of.destination, hash)
	case !m.claims[c]:
		m.claims[c] = true
		m.out.Versions++
	}
	return nil
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
