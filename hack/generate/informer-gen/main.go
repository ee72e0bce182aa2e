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
	"flag"
	"fmt"
	"os"

	"github.com/spf13/pflag"

	"k8s.io/code-generator/cmd/client-gen/generators/util"
	"k8s.io/code-generator/cmd/informer-gen/args"
	"k8s.io/code-generator/cmd/informer-gen/generators"
	exceptions "k8s.io/code-generator/pkg/util"
	"k8s.io/gengo/v2"
	"k8s.io/gengo/v2/generator"
	"k8s.io/klog/v2"

	"k8s.io/publisher/hack/generate/kinds"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "informer-gen:", err)
		os.Exit(1)
	}
}

func run() error {
	klog.InitFlags(nil)
	options := args.New()
	options.AddFlags(pflag.CommandLine)
	pflag.CommandLine.AddGoFlagSet(flag.CommandLine)
	pflag.Parse()
	if err := options.Validate(); err != nil {
		return err
	}
	header, err := gengo.GoBoilerplate(options.GoHeaderFile, "", gengo.StdGeneratedBy)
	if err != nil {
		return err
	}
	plurals := exceptions.PluralExceptionListToMapOrDie(options.PluralExceptions)
	root := kinds.Package{Name: "informers", Path: options.OutputPkg, Dir: options.OutputDir, Header: header}

	var failed error
	err = gengo.Execute(
		generators.NameSystems(plurals),
		generators.DefaultNameSystem(),
		func(context *generator.Context) (targets []generator.Target) {
			var versions []kinds.Version
			versions, failed = kinds.Read(context, plurals, func(tags util.Tags) bool {
				return !tags.NoVerbs && tags.HasVerb("list") && tags.HasVerb("watch")
			})
			for _, p := range informers(root, versions, options) {
				targets = append(targets, p.Target())
			}
			return targets
		},
		gengo.StdBuildTag,
		pflag.Args(),
	)
	if failed != nil {
		return failed
	}
	return err
}
