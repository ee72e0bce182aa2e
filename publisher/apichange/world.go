package apichange

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/types"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/module"

	"k8s.io/publisher/object"
)

// directory is one of a version that has Go files. Its path is from the module's root,
// where it is "".
type directory struct {
	rel  string
	keys []fileKey
}

// world has the packages of a version, by their directories.
type world struct {
	Version
	comparer *Comparer
	packages map[string]*source
	fakes    *fakes
}

// source is a package.
type source struct {
	keys   []fileKey // what is there for any platform
	loaded bool
	files  []*file
	name   string

	checking bool
	checked  *types.Package
	err      error // why there is nothing in checked
	partly   error // what in it has no type that is known
}

// file is a parsed file, without what is of no matter for the API. It may be part of
// many packages.
type file struct {
	ignored bool      // it is for another platform
	ast     *ast.File // nil where it cannot be parsed
	err     error
	// uses are what it names of packages that it imports, by their paths.
	uses map[string][]use
}

func (w *world) path(rel string) string { return path.Join(w.Module, rel) }

// platform is what files are chosen for.
var platform = build.Context{GOOS: "linux", GOARCH: "amd64", Compiler: "gc", ReleaseTags: build.Default.ReleaseTags}

// directories lists what a version has, and reads none of its files.
func (c *Comparer) directories(v Version) ([]directory, error) {
	var all []directory
	var walk func(tree object.ID, rel string) error
	walk = func(tree object.ID, rel string) error {
		data, err := c.objects.Tree(tree)
		if err != nil {
			return fmt.Errorf("read %s: %w", path.Join(v.Module, rel), err)
		}
		entries, err := object.ParseTree(data)
		if err != nil {
			return fmt.Errorf("read %s: %w", path.Join(v.Module, rel), err)
		}
		if rel != "" && slices.ContainsFunc(entries, func(e object.Entry) bool { return e.Name == "go.mod" }) {
			return nil // another module
		}
		d := directory{rel: rel}
		for _, e := range entries {
			switch {
			case e.Mode.IsDir():
				if e.Name == "vendor" || e.Name == "testdata" || e.Name[0] == '.' || e.Name[0] == '_' {
					continue
				}
				if err := walk(e.ID, path.Join(rel, e.Name)); err != nil {
					return err
				}
			case e.Mode.IsRegular() && strings.HasSuffix(e.Name, ".go") && !strings.HasSuffix(e.Name, "_test.go"):
				d.keys = append(d.keys, fileKey{e.ID, e.Name})
			}
		}
		if len(d.keys) > 0 && module.CheckImportPath(path.Join(v.Module, rel)) == nil {
			all = append(all, d)
		}
		return nil
	}
	return all, walk(v.Tree, "")
}

func newWorld(c *Comparer, v Version, directories []directory) *world {
	w := &world{Version: v, comparer: c, packages: make(map[string]*source), fakes: newFakes()}
	for _, d := range directories {
		w.packages[d.rel] = &source{keys: d.keys}
	}
	return w
}

// load reads some packages, where they are there, and those of the module that they need.
func (w *world) load(packages []string) error {
	left := slices.Clone(packages)
	for len(left) > 0 {
		rel := left[len(left)-1]
		left = left[:len(left)-1]
		p := w.packages[rel]
		if p == nil || p.loaded {
			continue
		}
		p.loaded = true
		for _, key := range p.keys {
			f, err := w.comparer.file(w.Module, key)
			if err != nil {
				return fmt.Errorf("read %s: %w", w.path(path.Join(rel, key.name)), err)
			}
			if f.ignored {
				continue
			}
			p.files = append(p.files, f)
			if f.ast == nil {
				continue
			}
			p.name = f.ast.Name.Name
			for _, spec := range f.ast.Imports {
				if imported, err := strconv.Unquote(spec.Path.Value); err == nil {
					if needed, ok := w.below(imported); ok {
						left = append(left, needed)
					}
				}
			}
		}
	}
	for _, p := range w.packages {
		for _, f := range p.files {
			w.fakes.note(w, f)
		}
	}
	return nil
}

// exported tells that there is a package that others may import.
func (w *world) exported(rel string) bool {
	p := w.packages[rel]
	return p != nil && len(p.files) > 0 && p.name != "main" && !slices.Contains(strings.Split(rel, "/"), "internal")
}

// file reads a file.
func (c *Comparer) file(own string, key fileKey) (*file, error) {
	f := c.now[key]
	if f == nil {
		f = c.before[key]
	}
	if f == nil {
		data, err := c.objects.Blob(key.blob)
		if err != nil {
			return nil, err
		}
		ctx := platform
		ctx.OpenFile = func(string) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
		if match, err := ctx.MatchFile("/", key.name); err != nil || !match {
			f = &file{ignored: true}
		} else {
			f = parse(c.std, own, key.name, data)
		}
	}
	c.now[key] = f
	return f, nil
}

// check type-checks a package.
func (w *world) check(rel string) (*types.Package, error) {
	p := w.packages[rel]
	if p == nil || len(p.files) == 0 {
		return nil, fmt.Errorf("there is no package %s", w.path(rel))
	}
	if p.checked != nil || p.err != nil {
		return p.checked, p.err
	}
	if p.checking {
		return nil, errors.New("it imports itself")
	}
	p.checking = true
	var errs []error
	config := types.Config{
		IgnoreFuncBodies: true, FakeImportC: true, Importer: w, DisableUnusedImportCheck: true,
		Sizes: types.SizesFor("gc", "amd64"), Error: func(err error) { errs = append(errs, err) },
	}
	var files []*ast.File
	for _, f := range p.files {
		if f.err != nil {
			p.err = firstError([]error{f.err})
			return nil, p.err
		}
		files = append(files, f.ast)
	}
	pkg, _ := config.Check(w.path(rel), w.comparer.std.fset, files, nil)
	if len(errs) > 0 {
		p.partly = firstError(errs)
	}
	p.checked = pkg
	return pkg, nil
}

// Import is for the type checker.
func (w *world) Import(imported string) (*types.Package, error) {
	if imported == "unsafe" {
		return types.Unsafe, nil
	}
	if rel, ok := w.own(imported); ok {
		return w.check(rel)
	}
	if w.comparer.std.has(imported) {
		return w.comparer.std.Import(imported)
	}
	return w.fakes.pkg(imported), nil
}

// below returns the directory that a package of the module would be in.
func (w *world) below(imported string) (rel string, ok bool) {
	if imported == w.Module {
		return "", true
	}
	return strings.CutPrefix(imported, w.Module+"/")
}

// own returns the directory of a package of the module.
func (w *world) own(imported string) (rel string, ok bool) {
	if rel, ok = w.below(imported); rel == "" {
		return rel, ok
	}
	p := w.packages[rel]
	return rel, ok && p != nil && len(p.files) > 0
}

// foreign tells that a package is neither the module's own nor of the standard library.
func (w *world) foreign(imported string) bool {
	_, own := w.own(imported)
	return !own && imported != "C" && imported != "unsafe" && !w.comparer.std.has(imported)
}

// parse parses a file and leaves out what is of no matter.
func parse(std *Std, own, name string, data []byte) *file {
	parsed, err := parser.ParseFile(std.fset, name, data, parser.SkipObjectResolution)
	if err != nil {
		return &file{err: err}
	}
	f := &file{ast: parsed}
	f.simplify(func(imported string) bool {
		return imported != own && !strings.HasPrefix(imported, own+"/") && imported != "C" && !std.has(imported)
	})
	return f
}
