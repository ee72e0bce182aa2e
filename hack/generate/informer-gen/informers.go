package main

import (
	"fmt"
	"path"

	"k8s.io/code-generator/cmd/informer-gen/args"
	"k8s.io/gengo/v2/types"

	"k8s.io/publisher/hack/generate/kinds"
)

// A group has versions.
type group struct {
	kinds.Version // the first of them, for what it says of the group
	Versions      []kinds.Version
}

// informers returns the packages of the versions and groups, and that of the factory.
func informers(root kinds.Package, versions []kinds.Version, options *args.Args) []kinds.Package {
	var groups []group
	for _, v := range versions { // in the order of their groups
		if len(groups) == 0 || groups[len(groups)-1].GroupDir != v.GroupDir {
			groups = append(groups, group{Version: v})
		}
		last := &groups[len(groups)-1]
		last.Versions = append(last.Versions, v)
	}
	t := typesFor(root.Path, options)
	var packages []kinds.Package
	for _, g := range groups {
		for _, v := range g.Versions {
			packages = append(packages, versionPackage(root.Below(v.Dir()), v, t, options))
		}
		packages = append(packages, groupPackage(root, g, t))
	}
	root.Files = []kinds.File{{
		Name: "groups.go", Template: factory, Values: map[string]any{"types": t, "groups": groups, "in": below(root.Path)},
	}}
	return append(packages, root)
}

// below returns a function that names what a package below has: {{raw (in "apps" "New")}}.
func below(root string) func(dir, name string) *types.Type {
	return func(dir, name string) *types.Type { return types.Ref(path.Join(root, dir), name) }
}

func groupPackage(root kinds.Package, g group, t map[string]*types.Type) kinds.Package {
	p := root.Below(g.GroupDir)
	p.Comment = fmt.Sprintf("Package %s has the informers of the group %s, by version.", p.Name, p.Name)
	p.Files = []kinds.File{{
		Name: "interface.go", Template: groupInterface, Values: map[string]any{"types": t, "group": g, "in": below(root.Path)},
	}}
	return p
}

func versionPackage(p kinds.Package, v kinds.Version, t map[string]*types.Type, options *args.Args) kinds.Package {
	p.Comment = fmt.Sprintf("Package %s has the informers of %s.", p.Name, v.Dir())
	p.Files = []kinds.File{{
		Name: "interface.go", Template: versionInterface, Values: map[string]any{"types": t, "version": v},
	}}
	listers := path.Join(options.ListersPackage, v.Dir())
	for _, k := range v.Kinds {
		p.Files = append(p.Files, kinds.File{
			Name:     k.Lower + ".go",
			Template: informer,
			Values: map[string]any{
				"types":              t,
				"version":            v,
				"kind":               k,
				"List":               types.Ref(v.Package, k.Name+"List"),
				"Lister":             types.Ref(listers, k.Name+"Lister"),
				"NewLister":          types.Ref(listers, "New"+k.Name+"Lister"),
				"SchemeGroupVersion": types.Ref(v.Package, "SchemeGroupVersion"),
			},
		})
	}
	return p
}

// typesFor returns what templates name, by how they do.
func typesFor(root string, options *args.Args) map[string]*types.Type {
	const (
		cache    = "k8s.io/client-go/tools/cache"
		internal = "k8s.io/client-go/internal/informers"
		schema   = "k8s.io/apimachinery/pkg/runtime/schema"
	)
	internalInterfaces := path.Join(root, "internalinterfaces")
	return map[string]*types.Type{
		"Client":                     types.Ref(internal, "Client"),
		"Context":                    types.Ref("context", "Context"),
		"Duration":                   types.Ref("time", "Duration"),
		"Errorf":                     types.Ref("fmt", "Errorf"),
		"Factory":                    types.Ref(internalInterfaces, "SharedInformerFactory"),
		"GroupVersionResource":       types.Ref(schema, "GroupVersionResource"),
		"Indexers":                   types.Ref(cache, "Indexers"),
		"InformerOptions":            types.Ref(internalInterfaces, "InformerOptions"),
		"Interface":                  types.Ref(options.VersionedClientSetPackage, "Interface"),
		"MetaNamespaceIndexFunc":     types.Ref(cache, "MetaNamespaceIndexFunc"),
		"NamespaceIndex":             types.Ref(cache, "NamespaceIndex"),
		"NewInformerFunc":            types.Ref(internalInterfaces, "NewInformerFunc"),
		"NewSharedIndexInformer":     types.Ref(cache, "NewSharedIndexInformerWithOptions"),
		"Object":                     types.Ref("k8s.io/apimachinery/pkg/runtime", "Object"),
		"SharedIndexInformer":        types.Ref(cache, "SharedIndexInformer"),
		"SharedIndexInformerOptions": types.Ref(cache, "SharedIndexInformerOptions"),
		"Source":                     types.Ref(internal, "Source"),
		"SyncResult":                 types.Ref(cache, "SyncResult"),
		"Tweak":                      types.Ref(internalInterfaces, "TweakListOptionsFunc"),
		"Type":                       types.Ref("reflect", "Type"),
	}
}
