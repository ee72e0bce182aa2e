package kinds

import (
	"fmt"
	"io"
	"path"
	"path/filepath"

	"k8s.io/gengo/v2/generator"
	"k8s.io/gengo/v2/namer"
	"k8s.io/gengo/v2/types"
)

// A Package is a package to be written.
type Package struct {
	Name    string
	Path    string // to import it by
	Dir     string
	Comment string // on the package, in a file doc.go; empty: it has one that is not generated
	Header  []byte // of each file
	Files   []File
}

// A File is written from a template of package text/template. There {{.T|raw}}
// is the name of a *types.Type, and the file imports the type's package.
type File struct {
	Name     string
	Template string
	Values   map[string]any
}

// Target returns what the generator is to do.
func (p Package) Target() generator.Target {
	target := &generator.SimpleTarget{
		PkgName:       p.Name,
		PkgPath:       p.Path,
		PkgDir:        p.Dir,
		HeaderComment: p.Header,
		GeneratorsFunc: func(*generator.Context) []generator.Generator {
			var all []generator.Generator
			if p.Comment != "" {
				all = append(all, generator.GoGenerator{OutputFilename: "doc.go"})
			}
			for _, f := range p.Files {
				all = append(all, &writer{
					GoGenerator: generator.GoGenerator{OutputFilename: f.Name},
					file:        f,
					path:        p.Path,
					imports:     generator.NewImportTrackerForPackage(p.Path),
				})
			}
			return all
		},
	}
	if p.Comment != "" {
		target.PkgDocComment = fmt.Appendf(nil, "// %s\n", p.Comment)
	}
	return target
}

// Below returns a package in a directory below.
func (p Package) Below(dir string) Package {
	return Package{
		Name:   path.Base(dir),
		Path:   path.Join(p.Path, dir),
		Dir:    filepath.Join(p.Dir, filepath.FromSlash(dir)),
		Header: p.Header,
	}
}

// writer writes a file.
type writer struct {
	generator.GoGenerator
	file    File
	path    string
	imports namer.ImportTracker
	done    bool
}

// Filter lets one type through, since the file is written once.
func (w *writer) Filter(*generator.Context, *types.Type) bool {
	first := !w.done
	w.done = true
	return first
}

func (w *writer) Namers(*generator.Context) namer.NameSystems {
	return namer.NameSystems{"raw": namer.NewRawNamer(w.path, w.imports)}
}

func (w *writer) Imports(*generator.Context) []string { return w.imports.ImportLines() }

func (w *writer) GenerateType(context *generator.Context, _ *types.Type, out io.Writer) error {
	snippet := generator.NewSnippetWriter(out, context, "{{", "}}")
	snippet.Do(w.file.Template, w.file.Values)
	return snippet.Error()
}
