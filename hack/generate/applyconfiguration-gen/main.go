// Command applyconfiguration-gen is k8s.io/code-generator's applyconfiguration-gen.
// What it writes differs in two names, so that programs link less:
//
//   - The functions that extract a configuration from an object use this
//     library's own package for it, and not apimachinery's.
//   - The configurations of meta/v1 are in an internal package, and package
//     applyconfigurations/meta/v1 has aliases of them. It also has a function
//     that needs package discovery, which other configurations do not.
package main

import (
	"flag"
	"fmt"
	"os"
	"path"
	"path/filepath"

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
			meta := path.Join(options.OutputPkg, "meta/v1")
			move := move{from: meta, to: path.Join(path.Dir(options.OutputPkg), "internal", path.Base(options.OutputPkg), "meta/v1")}
			var targets []generator.Target
			for _, t := range generators.GetTargets(context, options) {
				if t.Path() != meta {
					targets = append(targets, target{t, move})
					continue
				}
				moved := *t.(*generator.SimpleTarget)
				moved.PkgPath = move.to
				moved.PkgDir = filepath.Join(filepath.Dir(options.OutputDir), "internal", filepath.Base(options.OutputDir), "meta", "v1")
				targets = append(targets, &moved, aliases(t.(*generator.SimpleTarget), move.to))
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

// A move is from one package to another.
type move struct{ from, to string }

// target, file and rename pass everything through but names.
type target struct {
	generator.Target
	move move
}

func (t target) Generators(context *generator.Context) []generator.Generator {
	all := t.Target.Generators(context)
	for i := range all {
		all[i] = file{all[i], t.move}
	}
	return all
}

type file struct {
	generator.Generator
	move move
}

func (f file) Namers(context *generator.Context) namer.NameSystems {
	systems := f.Generator.Namers(context)
	if raw, found := systems["raw"]; found {
		systems["raw"] = rename{raw, f.move}
	}
	return systems
}

type rename struct {
	namer.Namer
	move move
}

func (r rename) Name(t *types.Type) string {
	switch {
	case t.Kind == types.Pointer:
		return "*" + r.Name(t.Elem)
	case t.Kind == types.Slice:
		return "[]" + r.Name(t.Elem)
	case t.Kind == types.Map:
		return "map[" + r.Name(t.Key) + "]" + r.Name(t.Elem)
	case t.Name == theirs:
		t = types.Ref(ours.Package, ours.Name)
	case t.Name.Package == r.move.from:
		t = types.Ref(r.move.to, t.Name.Name)
	}
	return r.Namer.Name(t)
}
