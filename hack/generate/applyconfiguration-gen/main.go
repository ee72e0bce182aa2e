// Command applyconfiguration-gen is k8s.io/code-generator's applyconfiguration-gen.
// What it writes differs in one call: the functions that extract a configuration
// from an object use this library's own package for it, which links less than
// apimachinery's.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/spf13/pflag"

	"k8s.io/code-generator/cmd/applyconfiguration-gen/args"
	"k8s.io/code-generator/cmd/applyconfiguration-gen/generators"
	"k8s.io/gengo/v2"
	"k8s.io/gengo/v2/generator"
	"k8s.io/gengo/v2/namer"
	"k8s.io/gengo/v2/types"
	"k8s.io/klog/v2"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "applyconfiguration-gen:", err)
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
	return gengo.Execute(
		generators.NameSystems(),
		generators.DefaultNameSystem(),
		func(context *generator.Context) []generator.Target {
			var targets []generator.Target
			for _, t := range generators.GetTargets(context, options) {
				targets = append(targets, target{t})
			}
			return targets
		},
		gengo.StdBuildTag,
		pflag.Args(),
	)
}

var (
	theirs = types.Name{Package: "k8s.io/apimachinery/pkg/util/managedfields", Name: "ExtractInto"}
	ours   = types.Name{Package: "k8s.io/client-go/internal/fieldownership", Name: "ExtractInto"}
)

// target, file and rename pass everything through but that one name.
type target struct{ generator.Target }

func (t target) Generators(context *generator.Context) []generator.Generator {
	all := t.Target.Generators(context)
	for i := range all {
		all[i] = file{all[i]}
	}
	return all
}

type file struct{ generator.Generator }

func (f file) Namers(context *generator.Context) namer.NameSystems {
	systems := f.Generator.Namers(context)
	if raw, found := systems["raw"]; found {
		systems["raw"] = rename{raw}
	}
	return systems
}

type rename struct{ namer.Namer }

func (r rename) Name(t *types.Type) string {
	if t.Name == theirs {
		t = types.Ref(ours.Package, ours.Name)
	}
	return r.Namer.Name(t)
}
