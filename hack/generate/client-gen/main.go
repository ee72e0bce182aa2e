// Command client-gen is k8s.io/code-generator's client-gen with a lighter
// result. The flags are the same, and so is the API of what it writes. Three
// things differ, all for the sake of programs that use a few of many groups:
//
//   - A group's client has a scheme of that group's types, and builds it when it
//     is first needed (see schemeFile and groupFile). It does not import the
//     clientset's scheme, which links and registers all groups.
//   - The clientset builds a group's client when it is first asked for it (see
//     clientsetFile), so the linker drops those that a program never asks for.
//   - The files of types name that scheme instead of the clientset's, and the
//     internal package of clients instead of gentype, which also has the fakes
//     (see localNames); they are otherwise as they were.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/pflag"

	"k8s.io/code-generator/cmd/client-gen/args"
	"k8s.io/code-generator/cmd/client-gen/generators"
	"k8s.io/code-generator/pkg/util"
	"k8s.io/gengo/v2"
	"k8s.io/gengo/v2/generator"
	"k8s.io/klog/v2"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "client-gen:", err)
		os.Exit(1)
	}
}

func run() error {
	klog.InitFlags(nil)
	options := args.New()
	options.AddFlags(pflag.CommandLine, "k8s.io/api")
	pflag.CommandLine.AddGoFlagSet(flag.CommandLine)
	pflag.Parse()
	if err := options.Validate(); err != nil {
		return err
	}

	var inputs []string
	for _, group := range options.Groups {
		for _, version := range group.Versions {
			inputs = append(inputs, version.Package)
		}
	}
	slices.Sort(inputs) // the order in which packages are loaded must not show

	return gengo.Execute(
		generators.NameSystems(util.PluralExceptionListToMapOrDie(options.PluralExceptions)),
		generators.DefaultNameSystem(),
		func(context *generator.Context) []generator.Target {
			return lighten(context, options, generators.GetTargets(context, options))
		},
		gengo.StdBuildTag,
		inputs,
	)
}
