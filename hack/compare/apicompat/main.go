// Command apicompat compares the exported API of the staged client-go with that
// of the public module that it takes the place of, package by package. What is
// compatible is decided by golang.org/x/exp/apidiff, which has the rules of the
// Go 1 promise: names may be added, never removed or changed. A type that a
// package has as an alias of one in another, which the public module does not have,
// counts as its own.
//
// It prints a row for each public package and exits 1 when a package that is
// not still to come lacks a name or has one with another meaning.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"text/tabwriter"

	"golang.org/x/tools/go/packages"
)

const module = "k8s.io/client-go"

func main() {
	staged := flag.String("staged", "../../staging/src/k8s.io/client-go", "`directory` of the staged module")
	version := flag.String("version", "v0.36.6", "`version` of the public module")
	quiet := flag.Bool("quiet", false, "print packages that differ, and the total, only")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: apicompat [flags] [package directory, such as rest, or rest/...]...")
		flag.PrintDefaults()
	}
	flag.Parse()
	if err := run(*version, *staged, flag.Args(), *quiet, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "apicompat:", err)
		os.Exit(1)
	}
}

// run compares the packages that the patterns name, all of them where there is
// none, and writes the table to out.
func run(version, staged string, patterns []string, quiet bool, out io.Writer) error {
	paths := []string{module + "/..."}
	if len(patterns) > 0 {
		paths = nil
		for _, p := range patterns {
			paths = append(paths, module+"/"+strings.Trim(strings.TrimPrefix(p, "./"), "/"))
		}
	}
	reference, err := download(version)
	if err != nil {
		return fmt.Errorf("getting the public module: %w", err)
	}
	public, err := load(reference, paths)
	if err != nil {
		return fmt.Errorf("loading the public module: %w", err)
	}
	ours, err := load(staged, paths)
	if err != nil {
		return fmt.Errorf("loading the staged module: %w", err)
	}

	names := slices.Sorted(maps.Keys(public))
	moved := findMoved(module, public, ours)

	var rows []row
	for _, path := range names {
		if strings.HasPrefix(path, module+"/"+foreign) {
			continue
		}
		rows = append(rows, compare(path, public[path], ours[path], moved))
	}
	return report(rows, quiet, out)
}

// foreign has copies of other projects' code, kept for the public module's own use.
// They are not part of what clients need.
const foreign = "third_party/"

// A row is what one package's comparison came to.
type row struct {
	path         string   // below the module's path
	there        int      // exported names in the public package
	missing      []string // those that ours lacks
	incompatible []string // what apidiff says of the others
}

func compare(path string, public, ours *types.Package, moved *moved) row {
	r := row{path: strings.TrimPrefix(path, module+"/")}
	exported := exportedNames(public)
	r.there = len(exported)
	if ours == nil {
		r.missing = exported
		return r
	}
	for _, name := range exported {
		if ours.Scope().Lookup(name) == nil {
			r.missing = append(r.missing, name)
		}
	}
	for _, message := range moved.incompatible(public, ours) {
		if !removed(message, r.missing) { // it has been counted
			r.incompatible = append(r.incompatible, message)
		}
	}
	return r
}

func removed(message string, missing []string) bool {
	name, found := strings.CutSuffix(message, ": removed")
	return found && slices.Contains(missing, name)
}

func exportedNames(pkg *types.Package) []string {
	var names []string
	for _, name := range pkg.Scope().Names() {
		if pkg.Scope().Lookup(name).Exported() {
			names = append(names, name)
		}
	}
	return names
}

var errDiffers = errors.New("the staged API is not compatible with the public one; see the rows above")

func report(rows []row, quiet bool, out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "package\tthere\tmissing\tincompatible\t")
	var total row
	var missing, incompatible int
	for _, r := range rows {
		total.there += r.there
		missing += len(r.missing)
		incompatible += len(r.incompatible)
		if quiet && len(r.missing)+len(r.incompatible) == 0 {
			continue
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t\n", r.path, r.there, len(r.missing), len(r.incompatible))
	}
	fmt.Fprintf(w, "total of %d packages\t%d\t%d\t%d\t\n", len(rows), total.there, missing, incompatible)
	if err := w.Flush(); err != nil {
		return err
	}
	for _, r := range rows {
		for _, name := range r.missing {
			fmt.Fprintf(out, "%s: missing: %s\n", r.path, name)
		}
		for _, message := range r.incompatible {
			fmt.Fprintf(out, "%s: incompatible: %s\n", r.path, message)
		}
	}
	if missing+incompatible > 0 {
		return errDiffers
	}
	return nil
}

// download returns the directory of the public module in the module cache. It
// is loaded from there, as its own main module, with the dependencies that its
// go.mod names.
func download(version string) (dir string, err error) {
	cmd := exec.Command("go", "mod", "download", "-json", module+"@"+version)
	cmd.Env = append(os.Environ(), "GOWORK=off")
	out, err := cmd.Output()
	var result struct{ Dir, Error string }
	if jsonErr := json.Unmarshal(out, &result); jsonErr != nil {
		return "", errors.Join(err, jsonErr)
	}
	if result.Error != "" {
		return "", errors.New(result.Error)
	}
	return result.Dir, err
}

// load type-checks the packages that a module lets others import.
func load(dir string, patterns []string) (map[string]*types.Package, error) {
	config := &packages.Config{
		Mode: packages.NeedName | packages.NeedTypes | packages.NeedImports | packages.NeedDeps | packages.NeedExportFile | packages.NeedModule,
		Dir:  dir,
		Env:  append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=readonly"), // Nothing is written to the module cache.
	}
	loaded, err := packages.Load(config, patterns...)
	if err != nil {
		return nil, err
	}
	found := map[string]*types.Package{}
	var failures []error
	for _, pkg := range loaded {
		if pkg.Name == "main" || pkg.Name == "" || strings.Contains(pkg.PkgPath+"/", "/internal/") {
			continue
		}
		for _, e := range pkg.Errors {
			failures = append(failures, e)
		}
		found[pkg.PkgPath] = pkg.Types
	}
	return found, errors.Join(failures...)
}
