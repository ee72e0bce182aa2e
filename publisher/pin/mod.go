package pin

import (
	"bytes"
	"errors"
	"go/version"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/mod/modfile"
)

// Mod is a go.mod in a monorepo, read once to be pinned to many versions. It
// can be used by several goroutines at once.
type Mod struct {
	// Path is the module path; empty where the file does not say.
	Path string
	// Go is the version in the go directive, such as 1.26.0; empty where there
	// is none.
	Go string
	// Requires are the paths of the required siblings, in the file's order,
	// each once, without the module itself.
	Requires []string
	// Placeholders are the requirements on others at a version that nobody
	// publishes.
	Placeholders []Requirement

	data []byte

	mu sync.Mutex
	// templates are keyed by the depth, and the required siblings that stay as
	// they are, which are hardly ever any.
	templates map[string]*template
}

// Requirement is a line of a go.mod that names a version which nobody publishes.
type Requirement struct {
	Path, Version string
	Line          int
	// Local tells that a replace of the module leads to a directory.
	Local bool
}

// ParseMod reads a go.mod among siblings with these paths; nil stands for all
// modules. The error is a [*SyntaxError].
//
// What the go command accepts in a dependency is good enough, since that is
// what a mirror is to others: directives that are unknown, or broken in a way that
// matters to the main module only, are kept as they are.
func ParseMod(data []byte, siblings map[string]bool) (*Mod, error) {
	file, err := parseFile(data)
	if err != nil {
		return nil, err
	}
	m := &Mod{data: data, templates: make(map[string]*template)}
	if file.Module != nil {
		m.Path = file.Module.Mod.Path
	}
	if file.Go != nil {
		m.Go = file.Go.Version
	}
	local := make(map[string]bool)
	for _, r := range replaces(file.Syntax) {
		if modfile.IsDirectoryPath(r.target) {
			local[r.old] = true
		}
	}
	for _, r := range file.Require {
		path := r.Mod.Path
		if path == m.Path {
			// Its version would depend on the go.mod that has the pin.
			continue
		}
		if (siblings == nil || siblings[path]) && !slices.Contains(m.Requires, path) {
			m.Requires = append(m.Requires, path)
		}
		if IsPlaceholder(r.Mod.Version) {
			m.Placeholders = append(m.Placeholders, Requirement{path, r.Mod.Version, r.Syntax.Start.Line, local[path]})
		}
	}
	if siblings != nil {
		// Most files are pinned in the root, to all siblings; editing uses the
		// file up.
		m.templates["0"] = m.newTemplate(file, 0, m.Requires)
	}
	return m, nil
}

// Unpruned reports whether the module's go directive is older than 1.17, or
// missing, so that builds in it read the whole module graph.
func (m *Mod) Unpruned() bool {
	return version.Compare("go"+m.Go, "go1.17") < 0
}

// parseFile reads a go.mod as that of a main module if it is one, and else as
// that of a dependency. Only the first way unquotes what needs no quotes.
func parseFile(data []byte) (*modfile.File, error) {
	if file, err := modfile.Parse("go.mod", data, nil); err == nil {
		return file, nil
	}
	file, err := modfile.ParseLax("go.mod", data, nil)
	if err != nil {
		return nil, modSyntaxError(err)
	}
	if file.Go != nil {
		// A version such as 1.21.x is understood as 1.21, and the parser
		// writes that into the line.
		keepText(file.Go.Syntax, data)
	}
	for _, stmt := range file.Syntax.Stmt {
		switch stmt := stmt.(type) {
		case *modfile.Line:
			if _, known := directives[stmt.Token[0]]; !known {
				keepText(stmt, data)
			}
		case *modfile.LineBlock:
			if !isKnownBlock(stmt) {
				for _, line := range stmt.Line {
					keepText(line, data)
				}
			}
		}
	}
	return file, nil
}

// directives are those of this go version, true where they can be blocks too.
var directives = map[string]bool{
	"module": true, "godebug": true, "require": true, "exclude": true,
	"replace": true, "retract": true, "tool": true, "ignore": true,
	"go": false, "toolchain": false,
}

func isKnownBlock(block *modfile.LineBlock) bool {
	return len(block.Token) == 1 && directives[block.Token[0]]
}

// keepText makes a line's text its only token, so that it is formatted as it
// is in the source.
func keepText(line *modfile.Line, source []byte) {
	line.Token = []string{string(source[line.Start.Byte:line.End.Byte])}
}

func modSyntaxError(err error) error {
	var list modfile.ErrorList
	if !errors.As(err, &list) || len(list) == 0 {
		return &SyntaxError{File: "go.mod", Line: 1, Err: err}
	}
	first := list[0]
	line := first.Pos.Line
	first.Filename, first.Pos = "", modfile.Position{}
	return &SyntaxError{File: "go.mod", Line: line, Err: &first}
}

// requiresAny reports whether a required sibling has a version.
func (m *Mod) requiresAny(versions map[string]*Module) bool {
	return slices.ContainsFunc(m.Requires, func(path string) bool { return versions[path] != nil })
}

// template returns the file with gaps for these versions.
func (m *Mod) template(depth int, versions map[string]*Module) *template {
	key := strconv.Itoa(depth)
	var pinned []string
	for i, path := range m.Requires {
		if versions[path] != nil {
			pinned = append(pinned, path)
		} else {
			key += " " + strconv.Itoa(i)
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.templates[key]
	if t == nil {
		file, _ := parseFile(m.data) // ParseMod has parsed it before.
		t = m.newTemplate(file, depth, pinned)
		m.templates[key] = t
	}
	return t
}

// template is a formatted go.mod with gaps where siblings' versions go: the
// formatting does not depend on them.
type template struct {
	text [][]byte // one more than paths
	// paths has the sibling whose version follows each text.
	paths []string
}

func (t *template) fill(versions map[string]*Module) []byte {
	size := 0
	for _, text := range t.text {
		size += len(text)
	}
	for _, path := range t.paths {
		size += len(versions[path].Version)
	}
	b := make([]byte, 0, size)
	for i, path := range t.paths {
		b = append(b, t.text[i]...)
		b = append(b, versions[path].Version...)
	}
	return append(b, t.text[len(t.paths)]...)
}

// newTemplate edits file, which is used up. Pinned are the siblings to leave
// gaps for, in the file's order.
func (m *Mod) newTemplate(file *modfile.File, depth int, pinned []string) *template {
	gap := "\x00"
	for bytes.Contains(m.data, []byte(gap)) {
		gap += "\x00"
	}
	applies := len(pinned) > 0
	for _, path := range pinned {
		// It fails for paths that are not required yet only.
		_ = file.AddRequire(path, gap)
	}
	for _, r := range replaces(file.Syntax) {
		if modfile.IsDirectoryPath(r.target) && (leadsOut(r.target, depth) || slices.Contains(pinned, r.old)) {
			// How modfile itself marks a line for Cleanup to remove.
			r.line.Token, r.line.Suffix = nil, nil
			applies = true
		}
	}
	if !applies {
		return &template{text: [][]byte{m.data}}
	}
	cleanup(file)
	return &template{
		text:  bytes.Split(modfile.Format(file.Syntax), []byte(gap)),
		paths: pinned,
	}
}

// cleanup removes what is empty and writes blocks of one line as a line, but
// leaves blocks alone of which that would change the meaning, for all we know.
func cleanup(file *modfile.File) {
	blocks := make(map[modfile.Expr]modfile.Expr)
	stmts := file.Syntax.Stmt
	for i, stmt := range stmts {
		if block, ok := stmt.(*modfile.LineBlock); ok && (!isKnownBlock(block) || opensBlock(block)) {
			stmts[i] = &modfile.Line{Token: block.Token}
			blocks[stmts[i]] = block
		}
	}
	file.Cleanup()
	stmts = file.Syntax.Stmt
	for i, stmt := range stmts {
		if block, ok := blocks[stmt]; ok {
			stmts[i] = block
		}
	}
}

// opensBlock reports whether a block has a line that would begin another block
// if it stood by itself: "replace a => (" does.
func opensBlock(block *modfile.LineBlock) bool {
	return slices.ContainsFunc(block.Line, func(line *modfile.Line) bool {
		return len(line.Token) > 0 && line.Token[len(line.Token)-1] == "("
	})
}

// replace is a directive of the form "old [version] => target [version]".
type replace struct {
	line        *modfile.Line
	old, target string // paths
}

// replaces finds the replace directives in the syntax, since [modfile.ParseLax]
// passes them over.
func replaces(syntax *modfile.FileSyntax) []replace {
	var found []replace
	add := func(line *modfile.Line, tokens []string) {
		if arrow := slices.Index(tokens, "=>"); (arrow == 1 || arrow == 2) && len(tokens) > arrow+1 {
			found = append(found, replace{line, unquote(tokens[0]), unquote(tokens[arrow+1])})
		}
	}
	for _, stmt := range syntax.Stmt {
		switch stmt := stmt.(type) {
		case *modfile.Line:
			if len(stmt.Token) > 0 && stmt.Token[0] == "replace" {
				add(stmt, stmt.Token[1:])
			}
		case *modfile.LineBlock:
			if len(stmt.Token) == 1 && stmt.Token[0] == "replace" {
				for _, line := range stmt.Line {
					add(line, line.Token)
				}
			}
		}
	}
	return found
}

func unquote(token string) string {
	if s, err := strconv.Unquote(token); err == nil {
		return s
	}
	return token
}

// leadsOut reports whether a directory that is the target of a replace is not in
// the mirror, where the go.mod is in a directory of this depth. One that is the
// module itself counts, too: it says nothing, but "go install" refuses it.
func leadsOut(target string, depth int) bool {
	clean := path.Clean(strings.ReplaceAll(target, `\`, "/"))
	return target[0] != '.' || clean == "." || strings.HasPrefix(clean+"/", strings.Repeat("../", depth+1))
}
