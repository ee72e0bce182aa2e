// Command informer-gen is k8s.io/code-generator's informer-gen with texts of our own:
// the flags are the same, and so is the API of what it writes. Two things are different:
//
//   - What does not depend on which kinds there are is hand-written, in package
//     informers and in its internal packages, so that it is in a program once.
//   - Metrics name a resource as requests do. Theirs add an s to the kind: endpointss.
//
// It writes for one clientset, which --versioned-clientset-package names, and without
// further directories, as if --single-directory were given.
package main

import (
	"k8s.io/code-generator/cmd/client-gen/generators/util"
	"k8s.io/code-generator/cmd/informer-gen/args"

	"k8s.io/publisher/hack/generate/kinds"
)

func main() {
	options := args.New()
	kinds.Generator{
		Name:             "informer-gen",
		Flags:            options,
		HeaderFile:       &options.GoHeaderFile,
		OutputPkg:        &options.OutputPkg,
		OutputDir:        &options.OutputDir,
		PluralExceptions: &options.PluralExceptions,
		Wanted: func(tags util.Tags) bool {
			return !tags.NoVerbs && tags.HasVerb("list") && tags.HasVerb("watch")
		},
		Packages: func(root kinds.Package, versions []kinds.Version) ([]kinds.Package, error) {
			root.Name = "informers"
			return informers(root, versions, options), nil
		},
	}.Main()
}
