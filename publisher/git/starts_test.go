package git_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestNobodyElseStartsGit: all of the publisher that starts git is this package.
// Others start the go command, and the sandbox what a source has. Packages gittest,
// gitserver and publishtest are for tests only.
func TestNobodyElseStartsGit(t *testing.T) {
	starts := make(map[string]bool) // "package program"
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") || filepath.Base(filepath.Dir(path)) == "gitserver" {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if what := starter(call); what != "" {
				starts[file.Name.Name+" "+what] = true
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	got := slices.Sorted(maps.Keys(starts))
	if want := []string{"builder go", "git git", "gittest git", "goproxy go", "publishtest go", "sandbox /proc/self/exe", "sandbox exec.Command", "sandbox os.StartProcess"}; !slices.Equal(got, want) {
		t.Errorf("programs are started: %q, want %q", got, want)
	}
}

// starter returns which program a call starts; the function's name where that is not
// written there, and nothing where it starts none.
func starter(call *ast.CallExpr) string {
	selector, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	pkg, ok := selector.X.(*ast.Ident)
	if !ok {
		return ""
	}
	name := pkg.Name + "." + selector.Sel.Name
	switch name {
	case "exec.Command", "exec.CommandContext":
		for _, arg := range call.Args {
			if text, ok := arg.(*ast.BasicLit); ok {
				return strings.Trim(text.Value, `"`)
			}
		}
		return name
	case "os.StartProcess", "syscall.StartProcess", "syscall.ForkExec", "syscall.Exec", "unix.Exec":
		return name
	}
	return ""
}
