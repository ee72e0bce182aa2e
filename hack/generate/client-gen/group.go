package main

import (
	"io"

	"k8s.io/code-generator/cmd/client-gen/generators/util"
	"k8s.io/gengo/v2/generator"
	"k8s.io/gengo/v2/namer"
	"k8s.io/gengo/v2/types"
)

// groupFile writes the client of a group and version: what has a method for each
// of its resources.
type groupFile struct {
	generator.GoGenerator
	version version
	types   []*types.Type
	imports namer.ImportTracker
	done    bool
}

func newGroupFile(v version, clientTypes []*types.Type, filename string) *groupFile {
	return &groupFile{
		GoGenerator: generator.GoGenerator{OutputFilename: filename},
		version:     v,
		types:       clientTypes,
		imports:     generator.NewImportTrackerForPackage(v.client),
	}
}

// Filter lets one type through, since the file is written once.
func (g *groupFile) Filter(*generator.Context, *types.Type) bool {
	first := !g.done
	g.done = true
	return first
}

func (g *groupFile) Namers(*generator.Context) namer.NameSystems {
	return namer.NameSystems{"raw": namer.NewRawNamer(g.version.client, g.imports)}
}

func (g *groupFile) Imports(*generator.Context) []string { return g.imports.ImportLines() }

func (g *groupFile) GenerateType(context *generator.Context, _ *types.Type, w io.Writer) error {
	type resource struct {
		Group      string // the name of the group's client
		Type       *types.Type
		Namespaced bool
	}
	var resources []resource
	for _, t := range g.types {
		tags, err := util.ParseClientGenTags(append(t.SecondClosestCommentLines, t.CommentLines...))
		if err != nil {
			return err
		}
		resources = append(resources, resource{g.version.goName, t, !tags.NonNamespaced})
	}
	apiPath := "/apis"
	if g.version.group == "" {
		apiPath = "/api"
	}

	rest := func(name string) types.Name { return types.Name{Package: "k8s.io/client-go/rest", Name: name} }
	sw := generator.NewSnippetWriter(w, context, "$", "$")
	sw.Do(groupTemplate, map[string]any{
		"Name":               g.version.goName,
		"group":              g.version.group,
		"apiPath":            apiPath,
		"resources":          resources,
		"SchemeGroupVersion": context.Universe.Variable(types.Name{Package: g.version.input, Name: "SchemeGroupVersion"}),
		"HTTPClient":         context.Universe.Type(types.Name{Package: "net/http", Name: "Client"}),
		"RESTInterface":      context.Universe.Type(rest("Interface")),
		"Config":             context.Universe.Type(rest("Config")),
		"DefaultUserAgent":   context.Universe.Function(rest("DefaultKubernetesUserAgent")),
		"HTTPClientFor":      context.Universe.Function(rest("HTTPClientFor")),
		"RESTClientFor":      context.Universe.Function(rest("RESTClientForConfigAndClient")),
	})
	return sw.Error()
}

const groupTemplate = `
// $.Name$Interface has the client of each resource of this group and version.
type $.Name$Interface interface {
	RESTClient() $.RESTInterface|raw$
	$- range .resources $
	$.Type|publicPlural$Getter
	$- end $
}

// $.Name$Client talks to a server about the resources of $if .group$the group $.group$$else$the core group$end$.
type $.Name$Client struct {
	restClient $.RESTInterface|raw$
}
$ range .resources $
func (c *$.Group$Client) $.Type|publicPlural$($if .Namespaced$namespace string$end$) $.Type|public$Interface {
	return new$.Type|publicPlural$(c$if .Namespaced$, namespace$end$)
}
$ end $
// NewForConfig returns a client for the server that the config names, with an
// HTTP client of its own. Nothing is sent yet.
func NewForConfig(c *$.Config|raw$) (*$.Name$Client, error) {
	config := withDefaults(c)
	httpClient, err := $.HTTPClientFor|raw$(&config)
	if err != nil {
		return nil, err
	}
	return NewForConfigAndClient(&config, httpClient)
}

// NewForConfigAndClient is NewForConfig with an HTTP client of the caller's,
// whose transport is used in place of what the config says of it.
func NewForConfigAndClient(c *$.Config|raw$, h *$.HTTPClient|raw$) (*$.Name$Client, error) {
	config := withDefaults(c)
	client, err := $.RESTClientFor|raw$(&config, h)
	if err != nil {
		return nil, err
	}
	return &$.Name$Client{client}, nil
}

// NewForConfigOrDie is NewForConfig for a config that cannot be wrong. It panics
// if it is.
func NewForConfigOrDie(c *$.Config|raw$) *$.Name$Client {
	client, err := NewForConfig(c)
	if err != nil {
		panic(err)
	}
	return client
}

// New returns a client that sends its requests through a REST client.
func New(c $.RESTInterface|raw$) *$.Name$Client {
	return &$.Name$Client{c}
}

// withDefaults returns a copy of a config with what this group's requests need.
func withDefaults(c *$.Config|raw$) $.Config|raw$ {
	config := *c
	version := $.SchemeGroupVersion|raw$
	config.GroupVersion = &version
	config.APIPath = "$.apiPath$"
	config.NegotiatedSerializer = groupScheme.Serializer()
	if config.UserAgent == "" {
		config.UserAgent = $.DefaultUserAgent|raw$()
	}
	return config
}

// RESTClient returns what the requests are sent through, for those that no
// method is made for.
func (c *$.Name$Client) RESTClient() $.RESTInterface|raw$ {
	if c == nil {
		return nil
	}
	return c.restClient
}
`
