package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"k8s.io/gengo/v2/types"

	"k8s.io/publisher/hack/generate/kinds"
)

// listers fills a package with the listers of a version's kinds.
func listers(p kinds.Package, v kinds.Version) (kinds.Package, error) {
	p.Comment = fmt.Sprintf("Package %s has listers for the kinds of %s.", p.Name, v.Dir())
	var plain []kinds.Kind // without methods of their own
	for _, k := range v.Kinds {
		_, err := os.Stat(filepath.Join(p.Dir, k.Lower+"_expansion.go"))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			plain = append(plain, k)
		case err != nil:
			return p, err
		}
		p.Files = append(p.Files, kinds.File{
			Name:     k.Lower + ".go",
			Template: lister,
			Values: map[string]any{
				"kind":            k,
				"Selector":        types.Ref("k8s.io/apimachinery/pkg/labels", "Selector"),
				"Indexer":         types.Ref("k8s.io/client-go/tools/cache", "Indexer"),
				"ResourceIndexer": types.Ref("k8s.io/client-go/listers", "ResourceIndexer"),
				"New":             types.Ref("k8s.io/client-go/listers", "New"),
				"NewNamespaced":   types.Ref("k8s.io/client-go/listers", "NewNamespaced"),
				"Resource":        types.Ref(v.Package, "Resource"),
			},
		})
	}
	p.Files = append(p.Files, kinds.File{
		Name:     "expansion_generated.go",
		Template: expansions,
		Values:   map[string]any{"kinds": plain},
	})
	return p, nil
}

const lister = `
{{- with .kind}}
// {{.Name}}Lister finds {{.Plural}} in a store. They are shared: whoever wants to change
// one makes a copy of it.
type {{.Name}}Lister interface {
	// List returns those that the selector matches, in no order.
	List(selector {{$.Selector|raw}}) (ret []*{{.Type|raw}}, err error)
	{{- if .Namespaced}}
	// {{.Plural}} returns a lister for one namespace, or for all if it is empty.
	{{.Plural}}(namespace string) {{.Name}}NamespaceLister
	{{- else}}
	// Get returns the one of this name, or an error for which IsNotFound of package
	// k8s.io/apimachinery/pkg/api/errors is true.
	Get(name string) (*{{.Type|raw}}, error)
	{{- end}}
	{{.Name}}ListerExpansion
}

type {{.Private}}Lister struct {
	{{$.ResourceIndexer|raw}}[*{{.Type|raw}}]
}

// New{{.Name}}Lister returns a lister for the objects in an indexer, such as that of an
// informer.{{if .Namespaced}} An index by namespace makes it fast to list one.{{end}}
func New{{.Name}}Lister(indexer {{$.Indexer|raw}}) {{.Name}}Lister {
	return &{{.Private}}Lister{ {{- $.New|raw}}[*{{.Type|raw}}](indexer, {{$.Resource|raw}}("{{.Lower}}"))}
}
{{- if .Namespaced}}

func (l *{{.Private}}Lister) {{.Plural}}(namespace string) {{.Name}}NamespaceLister {
	return {{.Private}}NamespaceLister{ {{- $.NewNamespaced|raw}}(l.ResourceIndexer, namespace)}
}

// {{.Name}}NamespaceLister is a {{.Name}}Lister for one namespace.
type {{.Name}}NamespaceLister interface {
	// List returns those that the selector matches, in no order.
	List(selector {{$.Selector|raw}}) (ret []*{{.Type|raw}}, err error)
	// Get returns the one of this name, or an error for which IsNotFound of package
	// k8s.io/apimachinery/pkg/api/errors is true.
	Get(name string) (*{{.Type|raw}}, error)
	{{.Name}}NamespaceListerExpansion
}

type {{.Private}}NamespaceLister struct {
	{{$.ResourceIndexer|raw}}[*{{.Type|raw}}]
}
{{- end}}
{{- end}}
`

const expansions = `
{{- range .kinds}}
// {{.Name}}ListerExpansion has the methods of a {{.Name}}Lister that not
// every lister has.
type {{.Name}}ListerExpansion interface{}
{{if .Namespaced}}
// {{.Name}}NamespaceListerExpansion has the methods of a {{.Name}}NamespaceLister that
// not every lister has.
type {{.Name}}NamespaceListerExpansion interface{}
{{end}}
{{- end}}
`
