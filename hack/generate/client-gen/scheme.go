package main

import (
	"io"

	"k8s.io/code-generator/cmd/client-gen/generators/util"
	"k8s.io/gengo/v2/generator"
	"k8s.io/gengo/v2/namer"
	"k8s.io/gengo/v2/types"
)

// expansions are the packages whose types a group's hand-written methods send,
// which no tag on the group's own types tells of.
var expansions = map[string][]string{
	"k8s.io/api/core/v1": {"k8s.io/api/policy/v1", "k8s.io/api/policy/v1beta1"}, // Evict
}

// schemeFile writes the scheme of a group: its own types, and those of other
// groups that its sub-resources take and return.
type schemeFile struct {
	generator.GoGenerator
	version version
	imports namer.ImportTracker
	done    bool
}

func newSchemeFile(v version) *schemeFile {
	return &schemeFile{
		GoGenerator: generator.GoGenerator{OutputFilename: "scheme.go"},
		version:     v,
		imports:     generator.NewImportTrackerForPackage(v.client),
	}
}

// Filter lets one type through, since the file is written once.
func (g *schemeFile) Filter(*generator.Context, *types.Type) bool {
	first := !g.done
	g.done = true
	return first
}

func (g *schemeFile) Namers(*generator.Context) namer.NameSystems {
	return namer.NameSystems{"raw": namer.NewRawNamer(g.version.client, g.imports)}
}

func (g *schemeFile) Imports(*generator.Context) []string { return g.imports.ImportLines() }

func (g *schemeFile) GenerateType(context *generator.Context, _ *types.Type, w io.Writer) error {
	packages := map[string]bool{g.version.input: true}
	for _, path := range expansions[g.version.input] {
		packages[path] = true
	}
	for _, t := range context.Universe.Package(g.version.input).Types {
		tags, err := util.ParseClientGenTags(append(t.SecondClosestCommentLines, t.CommentLines...))
		if err != nil {
			return err
		}
		for _, extension := range tags.Extensions {
			if _, path := extension.Input(); path != "" {
				packages[path] = true
			}
			if _, path := extension.Result(); path != "" {
				packages[path] = true
			}
		}
	}
	var adders []*types.Type
	for _, path := range sortedKeys(packages) {
		adders = append(adders, context.Universe.Variable(types.Name{Package: path, Name: "AddToScheme"}))
	}

	sw := generator.NewSnippetWriter(w, context, "$", "$")
	sw.Do(schemeTemplate, map[string]any{
		"Lazy":   context.Universe.Type(types.Name{Package: "k8s.io/client-go/internal/groupscheme", Name: "Lazy"}),
		"Scheme": context.Universe.Type(types.Name{Package: "k8s.io/apimachinery/pkg/runtime", Name: "Scheme"}),
		"adders": adders,
	})
	return sw.Error()
}

const schemeTemplate = `
// groupScheme knows the types that this group's requests and responses hold. It
// is built when the first client of the group is.
var groupScheme = $.Lazy|raw${AddTo: addToScheme}

func addToScheme(scheme *$.Scheme|raw$) error {
	$- range .adders $
	if err := $.|raw$(scheme); err != nil {
		return err
	}
	$- end $
	return nil
}
`
