package apichange

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// Std is the standard library of a Go installation, read as it is needed. It is safe for
// concurrent use.
type Std struct {
	root string
	fset *token.FileSet

	mutex    sync.Mutex
	known    map[string]bool
	packages map[string]*types.Package
}

// NewStd returns the standard library of the installation in a folder, which is called
// GOROOT.
func NewStd(goroot string) (*Std, error) {
	root := filepath.Join(goroot, "src")
	if _, err := os.Stat(filepath.Join(root, "fmt")); err != nil {
		return nil, fmt.Errorf("the standard library of Go: %w", err)
	}
	return &Std{root: root, fset: token.NewFileSet(), known: make(map[string]bool), packages: make(map[string]*types.Package)}, nil
}

// has tells that a package is of the standard library.
func (s *Std) has(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	if strings.Contains(first, ".") || imported == "" || strings.Contains(imported, "..") {
		return false
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	is, known := s.known[imported]
	if !known {
		_, err := os.Stat(filepath.Join(s.root, filepath.FromSlash(imported)))
		is = err == nil
		s.known[imported] = is
	}
	return is
}

// Import is for the type checker.
func (s *Std) Import(imported string) (*types.Package, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.load(imported)
}

// importer is for the library's own packages, while the lock is held.
type importer struct{ *Std }

func (i importer) Import(imported string) (*types.Package, error) { return i.load(imported) }

func (s *Std) load(imported string) (*types.Package, error) {
	if imported == "unsafe" {
		return types.Unsafe, nil
	}
	if p := s.packages[imported]; p != nil {
		return p, nil
	}
	dir := filepath.Join(s.root, filepath.FromSlash(imported))
	if _, err := os.Stat(dir); err != nil {
		dir = filepath.Join(s.root, "vendor", filepath.FromSlash(imported))
	}
	ctx := build.Default
	ctx.GOOS, ctx.GOARCH, ctx.CgoEnabled, ctx.GOROOT = platform.GOOS, platform.GOARCH, false, filepath.Dir(s.root)
	found, err := ctx.ImportDir(dir, 0)
	if err != nil {
		return nil, fmt.Errorf("the standard library of Go: %w", err)
	}
	var files []*ast.File
	for _, name := range found.GoFiles {
		f, err := parser.ParseFile(s.fset, filepath.Join(dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, fmt.Errorf("the standard library of Go: %w", err)
		}
		for _, d := range f.Decls {
			if d, ok := d.(*ast.FuncDecl); ok {
				d.Body = new(ast.BlockStmt)
			}
		}
		files = append(files, f)
	}
	config := types.Config{
		IgnoreFuncBodies: true, FakeImportC: true, DisableUnusedImportCheck: true, Importer: importer{s},
		Sizes: types.SizesFor("gc", "amd64"), Error: func(error) {},
	}
	p, _ := config.Check(imported, s.fset, files, nil)
	s.packages[imported] = p
	return p, nil
}

// FindStd returns the standard library of the Go installation that the process's PATH
// has, or that it was built with; nil where there is none.
func FindStd() *Std {
	var roots []string
	if name, err := exec.LookPath("go"); err == nil {
		if name, err = filepath.EvalSymlinks(name); err == nil {
			roots = append(roots, filepath.Dir(filepath.Dir(name)))
		}
	}
	for _, root := range append(roots, build.Default.GOROOT) {
		if s, err := NewStd(root); err == nil {
			return s
		}
	}
	return nil
}
