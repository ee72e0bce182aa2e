package main

import (
	"io"

	"k8s.io/code-generator/cmd/applyconfiguration-gen/generators"
	"k8s.io/gengo/v2/generator"
	"k8s.io/gengo/v2/namer"
	"k8s.io/gengo/v2/types"
)

// aliases is a target that names, in a package, the configurations that another
// target would have written there and that are in the package at path instead.
func aliases(of *generator.SimpleTarget, path string) generator.Target {
	return &generator.SimpleTarget{
		PkgName:       of.PkgName,
		PkgPath:       of.PkgPath,
		PkgDir:        of.PkgDir,
		HeaderComment: of.HeaderComment,
		GeneratorsFunc: func(context *generator.Context) []generator.Generator {
			return []generator.Generator{&aliasFile{
				GoGenerator: generator.GoGenerator{OutputFilename: "aliases.go"},
				local:       of.PkgPath,
				path:        path,
				named:       of.GeneratorsFunc(context),
				imports:     generator.NewImportTrackerForPackage(of.PkgPath),
			}}
		},
	}
}

type aliasFile struct {
	generator.GoGenerator
	local, path string
	named       []generator.Generator // of a configuration each
	imports     namer.ImportTracker
}

// Filter lets the types through that have a configuration.
func (f *aliasFile) Filter(context *generator.Context, t *types.Type) bool {
	for _, g := range f.named {
		if g.Filter(context, t) {
			return true
		}
	}
	return false
}

func (f *aliasFile) Namers(*generator.Context) namer.NameSystems {
	return namer.NameSystems{"raw": namer.NewRawNamer(f.local, f.imports)}
}

func (f *aliasFile) Imports(*generator.Context) []string { return f.imports.ImportLines() }

func (f *aliasFile) GenerateType(context *generator.Context, t *types.Type, w io.Writer) error {
	name := t.Name.Name + generators.ApplyConfigurationTypeSuffix
	sw := generator.NewSnippetWriter(w, context, "$", "$")
	sw.Do(aliasTemplate, map[string]any{
		"Name":          name,
		"Type":          t,
		"Configuration": types.Ref(f.path, name),
		"New":           types.Ref(f.path, t.Name.Name),
	})
	return sw.Error()
}

const aliasTemplate = `
// $.Name$ is what one applies of type $.Type|public$: its fields,
// of which any may be left out, and a method With… for each.
type $.Name$ = $.Configuration|raw$

// $.Type|public$ returns an empty configuration to set fields of.
func $.Type|public$() *$.Name$ {
	return $.New|raw$()
}
`
