package kinds

import (
	"flag"
	"fmt"
	"os"

	"github.com/spf13/pflag"

	"k8s.io/code-generator/cmd/client-gen/generators/util"
	exceptions "k8s.io/code-generator/pkg/util"
	"k8s.io/gengo/v2"
	"k8s.io/gengo/v2/generator"
	"k8s.io/gengo/v2/namer"
	"k8s.io/klog/v2"
)

// A Generator writes packages for the kinds in those that its arguments name.
type Generator struct {
	Name  string // of the command
	Flags interface {
		AddFlags(*pflag.FlagSet)
		Validate() error
	}
	// What the flags are read to.
	HeaderFile, OutputPkg, OutputDir *string
	PluralExceptions                 *[]string

	// Wanted reports whether it writes something for a type with some tags.
	Wanted func(util.Tags) bool
	// Packages returns what to write: below root, or that package itself.
	Packages func(root Package, versions []Version) ([]Package, error)
}

// Main runs the generator as a command.
func (g Generator) Main() {
	if err := g.run(); err != nil {
		fmt.Fprintln(os.Stderr, g.Name+":", err)
		os.Exit(1)
	}
}

func (g Generator) run() error {
	klog.InitFlags(nil)
	g.Flags.AddFlags(pflag.CommandLine)
	pflag.CommandLine.AddGoFlagSet(flag.CommandLine)
	pflag.Parse()
	if err := g.Flags.Validate(); err != nil {
		return err
	}
	header, err := gengo.GoBoilerplate(*g.HeaderFile, "", gengo.StdGeneratedBy)
	if err != nil {
		return err
	}
	root := Package{Path: *g.OutputPkg, Dir: *g.OutputDir, Header: header}

	var failed error
	err = gengo.Execute(
		namer.NameSystems{"public": namer.NewPublicNamer(0)}, "public", // nothing but an order
		func(context *generator.Context) []generator.Target {
			var packages []Package
			if packages, failed = g.packages(context, root); failed != nil {
				return nil
			}
			targets := make([]generator.Target, len(packages))
			for i, p := range packages {
				targets[i] = p.Target()
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

func (g Generator) packages(context *generator.Context, root Package) ([]Package, error) {
	plurals := exceptions.PluralExceptionListToMapOrDie(*g.PluralExceptions)
	versions, err := Read(context, plurals, g.Wanted)
	if err != nil {
		return nil, err
	}
	return g.Packages(root, versions)
}
