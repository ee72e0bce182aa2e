// Command lister-gen is k8s.io/code-generator's lister-gen with texts of our own:
// the flags are the same, and so is the API of what it writes.
//
// A kind Pod gets a PodLister, which finds objects in the store of an informer, and
// if it has namespaces, a PodNamespaceLister. Methods of a kind's own are declared by
// an interface PodListerExpansion, in a hand-written file pod_expansion.go; where
// there is none, an empty one is generated.
package main

import (
	"k8s.io/code-generator/cmd/client-gen/generators/util"
	"k8s.io/code-generator/cmd/lister-gen/args"

	"k8s.io/publisher/hack/generate/kinds"
)

func main() {
	options := args.New()
	kinds.Generator{
		Name:             "lister-gen",
		Flags:            options,
		HeaderFile:       &options.GoHeaderFile,
		OutputPkg:        &options.OutputPkg,
		OutputDir:        &options.OutputDir,
		PluralExceptions: &options.PluralExceptions,
		Wanted: func(tags util.Tags) bool {
			return tags.HasVerb("list") && tags.HasVerb("get")
		},
		Packages: func(root kinds.Package, versions []kinds.Version) (packages []kinds.Package, err error) {
			for _, v := range versions {
				p, err := listers(root.Below(v.Dir()), v)
				if err != nil {
					return nil, err
				}
				packages = append(packages, p)
			}
			return packages, nil
		},
	}.Main()
}
