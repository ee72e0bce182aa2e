package verify

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

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
	case tokens[0] == "require" && len(tokens) >= 3 && tokens[1] != m.path && slices.Contains(m.siblings, tokens[1]):
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
		have, want := m.lines, slices.Clip(source.lines)
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

// claim is what a published module says of a sibling: that a version has a
// hash. A version that ends in /go.mod is the go.mod file's. Where hash is
// empty, that it exists.
type claim struct {
	of   module.Version
	hash string
	// required tells that go.mod names the version.
	required bool
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
