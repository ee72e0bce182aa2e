// Command lister-gen is k8s.io/code-generator's lister-gen with texts of our own:
// the flags are the same, and so is the API of what it writes.
//
// A kind Pod gets a PodLister, which finds objects in the store of an informer, and
// if it has namespaces, a PodNamespaceLister. Methods of a kind's own are declared by
// an interface PodListerExpansion, in a hand-written file pod_expansion.go; where
// there is none, an empty one is generated.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/spf13/pflag"

	"k8s.io/code-generator/cmd/client-gen/generators/util"
	"k8s.io/code-generator/cmd/lister-gen/args"
	"k8s.io/code-generator/cmd/lister-gen/generators"
	exceptions "k8s.io/code-generator/pkg/util"
	"k8s.io/gengo/v2"
	"k8s.io/gengo/v2/generator"
	"k8s.io/klog/v2"

	"k8s.io/publisher/hack/generate/kinds"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "lister-gen:", err)
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
	root := kinds.Package{Path: options.OutputPkg, Dir: options.OutputDir, Header: header}

	var failed error
	err = gengo.Execute(
		generators.NameSystems(plurals),
		generators.DefaultNameSystem(),
		func(context *generator.Context) (targets []generator.Target) {
			var versions []kinds.Version
			versions, failed = kinds.Read(context, plurals, func(tags util.Tags) bool {
				return tags.HasVerb("list") && tags.HasVerb("get")
			})
			for _, v := range versions {
				var p kinds.Package
				if p, failed = listers(root.Below(v.Dir()), v); failed != nil {
					return nil
				}
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
