package main

import (
	"bytes"
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// prune leaves declarations out until all packages compile. What is left out may be
// what others need, so it takes several rounds.
func (s *suite) prune(ctx context.Context, m module) error {
	broken := s.names()
	for len(broken) > 0 {
		errs, err := s.typeErrors(ctx, m, broken)
		if err != nil {
			return err
		}
		broken = broken[:0]
		for _, name := range s.names() {
			if len(errs[name]) == 0 {
				continue
			}
			pruned, err := s.packages[name].leaveOut(errs[name])
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if pruned == 0 {
				return fmt.Errorf("%s: nothing in its tests is to blame for %v", name, errs[name])
			}
			broken = append(broken, name)
		}
	}
	return nil
}

// A typeError is where the compiler would complain.
type typeError struct {
	at      token.Position
	message string
}

func (e typeError) String() string { return fmt.Sprintf("%v: %s", e.at, e.message) }

// typeErrors returns what is wrong in packages with their tests.
func (s *suite) typeErrors(ctx context.Context, m module, names []string) (map[string][]typeError, error) {
	patterns := make([]string, len(names))
	for i, name := range names {
		patterns[i] = "./" + name
	}
	loaded, err := packages.Load(&packages.Config{
		Context: ctx,
		Mode: packages.NeedName | packages.NeedForTest | packages.NeedFiles | packages.NeedCompiledGoFiles |
			packages.NeedImports | packages.NeedTypes | packages.NeedTypesSizes | packages.NeedSyntax | packages.NeedTypesInfo,
		Dir: m.dir, Env: m.env(), Tests: true, Overlay: s.overlay(),
	}, patterns...)
	if err != nil {
		return nil, err
	}
	errs := map[string][]typeError{}
	for _, p := range loaded {
		name := strings.TrimPrefix(strings.TrimSuffix(p.PkgPath, "_test"), path)
		if p.ForTest != "" {
			name = strings.TrimPrefix(p.ForTest, path)
		}
		name = strings.TrimPrefix(name, "/")
		if name == "" {
			name = "."
		}
		for _, e := range p.TypeErrors {
			errs[name] = append(errs[name], typeError{e.Fset.Position(e.Pos), e.Msg})
		}
		for _, e := range p.Errors {
			// What the types say is in TypeErrors, with an exact place. The go
			// command's own errors are about imports of those, too, or about the
			// machine; they count where there is nothing else.
			if e.Kind != packages.TypeError && len(p.TypeErrors) == 0 {
				return nil, fmt.Errorf("%s: %w", p.ID, e)
			}
		}
	}
	return errs, nil
}

// leaveOut blanks the declarations out in which errors are, and returns how many.
func (p *testPackage) leaveOut(errs []typeError) (int, error) {
	at := map[string][]int{}
	for _, e := range errs {
		at[e.at.Filename] = append(at[e.at.Filename], e.at.Offset)
	}
	pruned := 0
	for file, offsets := range at {
		content, ours := p.files[file]
		if !ours {
			continue // where else a name is declared, for example
		}
		content, names, n, err := blank(filepath.Base(file), content, offsets)
		if err != nil {
			return 0, err
		}
		p.files[file] = content
		p.leftOut = append(p.leftOut, names...)
		pruned += n
	}
	slices.Sort(p.leftOut)
	return pruned, nil
}

// blank replaces the top-level declarations and imports at some offsets by white
// space, so that all other lines keep their numbers. It returns the names of
// functions among them, and how many declarations there were.
func blank(name string, content []byte, offsets []int) ([]byte, []string, int, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, content, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, nil, 0, err
	}
	content = bytes.Clone(content)
	var names []string
	n := 0
	offset := func(pos token.Pos) int { return fset.Position(pos).Offset }
	try := func(node ast.Node, doc *ast.CommentGroup) bool {
		from, to := offset(node.Pos()), offset(node.End())
		if !slices.ContainsFunc(offsets, func(at int) bool { return from <= at && at <= to }) {
			return false
		}
		if doc != nil { // it may be a directive
			from = offset(doc.Pos())
		}
		for i := from; i < to; i++ {
			if content[i] != '\n' {
				content[i] = ' '
			}
		}
		n++
		return true
	}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if try(d, d.Doc) {
				names = append(names, d.Name.Name)
			}
		case *ast.GenDecl:
			if !d.Lparen.IsValid() || d.Tok == token.CONST { // of constants, each may lean on the one before
				try(d, d.Doc)
				continue
			}
			for _, spec := range d.Specs {
				try(spec, nil)
			}
		}
	}
	return content, names, n, nil
}
