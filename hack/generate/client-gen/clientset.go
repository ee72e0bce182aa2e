package main

import (
	"io"

	"k8s.io/gengo/v2/generator"
	"k8s.io/gengo/v2/namer"
	"k8s.io/gengo/v2/types"
)

// clientsetFile writes the clientset's interface, and a method for each group.
// How a group's client comes to be is hand-written, in package kubernetes.
type clientsetFile struct {
	generator.GoGenerator
	path     string
	versions []version
	imports  namer.ImportTracker
	done     bool
}

func newClientsetFile(path string, versions []version) *clientsetFile {
	return &clientsetFile{
		GoGenerator: generator.GoGenerator{OutputFilename: "clientset.go"},
		path:        path,
		versions:    versions,
		imports:     generator.NewImportTrackerForPackage(path),
	}
}

// Filter lets one type through, since the file is written once.
func (g *clientsetFile) Filter(*generator.Context, *types.Type) bool {
	first := !g.done
	g.done = true
	return first
}

func (g *clientsetFile) Namers(*generator.Context) namer.NameSystems {
	return namer.NameSystems{"raw": namer.NewRawNamer(g.path, g.imports)}
}

func (g *clientsetFile) Imports(*generator.Context) []string { return g.imports.ImportLines() }

func (g *clientsetFile) GenerateType(context *generator.Context, _ *types.Type, w io.Writer) error {
	universe := context.Universe
	type group struct {
		Name                    string
		First                   bool
		Interface, Client       *types.Type
		New, NewForConfigClient *types.Type
	}
	var groups []group
	for i, v := range g.versions {
		groups = append(groups, group{
			Name:               v.goName,
			First:              i == 0,
			Interface:          universe.Type(types.Name{Package: v.client, Name: v.goName + "Interface"}),
			Client:             universe.Type(types.Name{Package: v.client, Name: v.goName + "Client"}),
			New:                universe.Function(types.Name{Package: v.client, Name: "New"}),
			NewForConfigClient: universe.Function(types.Name{Package: v.client, Name: "NewForConfigAndClient"}),
		})
	}
	sw := generator.NewSnippetWriter(w, context, "$", "$")
	sw.Do(clientsetTemplate, map[string]any{
		"groups":             groups,
		"DiscoveryInterface": universe.Type(types.Name{Package: "k8s.io/client-go/discovery", Name: "DiscoveryInterface"}),
	})
	return sw.Error()
}

const clientsetTemplate = `
// Interface has a method for each group and version of the built-in resources,
// and one for discovery. [Clientset] talks to a server; package fake has one that
// does not.
type Interface interface {
	Discovery() $.DiscoveryInterface|raw$
	$- range .groups $
	$.Name$() $.Interface|raw$
	$- end $
}

var _ Interface = (*Clientset)(nil)

// The slots of the groups in a clientset.
const (
	$- range .groups $
	slot$.Name$$if .First$ = iota$end$
	$- end $
	slots
)
$ range .groups $
// $.Name$ returns the client of this group and version. It is built at the first call.
func (c *Clientset) $.Name$() $.Interface|raw$ {
	if c.groups == nil {
		return (*$.Client|raw$)(nil)
	}
	return groupClient(c.groups, slot$.Name$, $.NewForConfigClient|raw$, $.New|raw$)
}
$ end $
`
