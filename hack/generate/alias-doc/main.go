// Command alias-doc writes into the doc comments of aliases what their types have:
// fields and methods. go doc shows neither of an alias, and a type that was moved to a
// package of its own, so that not all who name it link what goes with it, has one at its
// old place.
//
// It takes the patterns of packages. In these it looks for the exported aliases of types of
// other packages of the same module, and replaces the end of their comments, from the
// heading on.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/format"
	"go/token"
	"go/types"
	"os"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// heading begins what is generated.
const heading = "# Fields and methods"

func main() {
	flag.Parse()
	if err := run(flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "alias-doc:", err)
		os.Exit(1)
	}
}

func run(patterns []string) error {
	all, err := packages.Load(&packages.Config{
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedSyntax | packages.NeedTypes | packages.NeedTypesInfo | packages.NeedModule | packages.NeedImports,
	}, patterns...)
	if err != nil {
		return err
	}
	for _, p := range all {
		if len(p.Errors) > 0 {
			return p.Errors[0]
		}
		for i, file := range p.Syntax {
			if err := rewrite(p, file, p.GoFiles[i]); err != nil {
				return fmt.Errorf("%s: %w", p.GoFiles[i], err)
			}
		}
	}
	return nil
}

// rewrite writes the comments of a file's aliases anew, where they change.
func rewrite(p *packages.Package, file *ast.File, name string) error {
	old, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	text := slices.Clone(old)
	// From the end on, so that places before stay where they are.
	for _, decl := range slices.Backward(file.Decls) {
		group, ok := decl.(*ast.GenDecl)
		if !ok || group.Tok != token.TYPE {
			continue
		}
		for _, spec := range slices.Backward(group.Specs) {
			spec := spec.(*ast.TypeSpec)
			comment := spec.Doc
			if comment == nil && !group.Lparen.IsValid() {
				comment = group.Doc
			}
			alias, ok := p.TypesInfo.Defs[spec.Name].Type().(*types.Alias)
			if !ok || comment == nil || !spec.Name.IsExported() || !moved(p, alias) {
				continue
			}
			from, to := p.Fset.Position(comment.Pos()).Offset, p.Fset.Position(comment.End()).Offset
			text = slices.Concat(text[:from], comments(comment, describe(alias, p.Types)), text[to:])
		}
	}
	if bytes.Equal(text, old) {
		return nil
	}
	if text, err = format.Source(text); err != nil || bytes.Equal(text, old) {
		return err
	}
	return os.WriteFile(name, text, 0o666)
}

// moved reports whether an alias is of a type of another package of the module.
func moved(p *packages.Package, alias *types.Alias) bool {
	of, ok := types.Unalias(alias).(*types.Named)
	if !ok || of.Obj().Pkg() == nil || of.Obj().Pkg() == p.Types {
		return false
	}
	return strings.HasPrefix(of.Obj().Pkg().Path()+"/", p.Module.Path+"/")
}

// comments returns a comment with these lines at its end.
func comments(comment *ast.CommentGroup, lines []string) []byte {
	var b bytes.Buffer
	for _, c := range comment.List {
		if c.Text == "// "+heading {
			break
		}
		b.WriteString(c.Text + "\n")
	}
	text := bytes.TrimSuffix(bytes.TrimRight(b.Bytes(), "\n"), []byte("\n//"))
	if len(lines) == 0 {
		return text
	}
	return append(text, "\n//\n// "+heading+"\n//\n//\t"+strings.Join(lines, "\n//\t")...)
}

// describe lists what an alias's type has that others can use: the fields of a struct,
// and all methods, those of what it embeds too.
func describe(alias *types.Alias, at *types.Package) (lines []string) {
	qualifier := func(p *types.Package) string {
		if p == at {
			return ""
		}
		return p.Name()
	}
	of := types.Unalias(alias)
	if s, ok := of.Underlying().(*types.Struct); ok {
		for f := range s.Fields() {
			if f.Exported() {
				lines = append(lines, f.Name()+" "+types.TypeString(f.Type(), qualifier))
			}
		}
	}
	methods := types.NewMethodSet(of)
	if !types.IsInterface(of) {
		methods = types.NewMethodSet(types.NewPointer(of))
	}
	for m := range methods.Methods() {
		if m.Obj().Exported() {
			lines = append(lines, m.Obj().Name()+strings.TrimPrefix(types.TypeString(m.Type(), qualifier), "func"))
		}
	}
	return lines
}
