// Command upstreamtests runs the public module's own tests against the staged
// client-go: what they ask of the public code, programs may ask of ours.
//
// The tests are read from the module cache each time, and nothing of them is kept.
// They go into the place of the staged module's own tests by the go command's
// -overlay flag, so that packages come from the same build cache as in any other
// build. Declarations that need a name which only the public module has, an
// unexported one nearly always, are blanked out first, and those that need them in
// turn, until all that is left compiles. The tests run in a scratch directory that
// has the public module's testdata.
//
// exemptions.txt lists the tests that fail, each with the reason. It exits 1 if
// another one fails, or if one that is listed passes or is gone.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"text/tabwriter"
)

func main() {
	if len(os.Args) > 2 && os.Args[1] == inScratch {
		fail(runInScratch(os.Args[2], os.Args[3:]))
	}
	staged := flag.String("staged", "../../staging/src/k8s.io/client-go", "`directory` of the staged module")
	workspace := flag.String("workspace", "../../go.work", "go.work `file` that the staged module is built with")
	public := flag.String("modfile", "public.mod", "go.mod `file` that requires the public module")
	listed := flag.String("exemptions", "upstreamtests/exemptions.txt", "`file` with the tests that may fail")
	verbose := flag.Bool("v", false, "print what was left out, and what failing tests print although they are exempt")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: upstreamtests [flags] [package directory, such as rest]...")
		flag.PrintDefaults()
	}
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	fail(run(ctx, *public, *staged, *workspace, *listed, flag.Args(), *verbose, os.Stdout))
}

// fail ends the program if there is an error.
func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "upstreamtests:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, modfile, staged, workspace, listed string, only []string, verbose bool, out io.Writer) error {
	public, err := locate(ctx, modfile)
	if err != nil {
		return fmt.Errorf("finding the public module: %w", err)
	}
	return runThoseOf(ctx, public, staged, workspace, listed, only, verbose, out)
}

// runThoseOf is run with the public module in a directory.
func runThoseOf(ctx context.Context, public, staged, workspace, listed string, only []string, verbose bool, out io.Writer) error {
	exempt, err := readExemptions(listed)
	if err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "upstreamtests-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	if staged, err = filepath.Abs(staged); err != nil {
		return err
	}

	tests, err := collect(public, staged, only, out)
	if err != nil {
		return fmt.Errorf("reading the public module's tests: %w", err)
	}
	m := module{dir: staged, workspace: filepath.Join(scratch, "go.work")}
	if err := writeWorkspace(ctx, m.workspace, workspace, public); err != nil {
		return fmt.Errorf("making a workspace: %w", err)
	}
	if err := tests.prune(ctx, m); err != nil {
		return fmt.Errorf("leaving out what does not compile: %w", err)
	}
	results, missing, err := tests.run(ctx, m, public, scratch)
	if err != nil {
		return fmt.Errorf("running the tests: %w", err)
	}
	return report(out, tests, results, missing, exempt.in(only), verbose)
}

// report prints a row for each package, and what is wrong.
func report(out io.Writer, tests *suite, results []result, missing []string, exempt exemptions, verbose bool) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "package\tpassed\texempt\tfailed\tskipped\tleft out\t")
	var all [4]int
	row := func(name string, n [4]int, leftOut int) {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t\n", name, n[passed], n[exempted], n[failed], n[skipped], leftOut)
	}
	for _, name := range tests.names() {
		var n [4]int
		for _, r := range results {
			if r.pkg == name && r.topLevel() {
				n[exempt.outcome(r, results)]++
			}
		}
		for i := range n {
			all[i] += n[i]
		}
		row(name, n, len(tests.packages[name].leftOut))
	}
	row("all", all, tests.leftOut())
	if err := w.Flush(); err != nil {
		return err
	}
	if verbose {
		tests.printLeftOut(out)
	}
	wrong := 0
	for _, r := range results {
		if r.outcome == failed && r.leaf && (verbose || !exempt.has(r)) {
			fmt.Fprintf(out, "\n%s %s failed:\n%s", r.pkg, r.test, r.output)
		}
		if r.outcome == failed && r.leaf && !exempt.has(r) {
			wrong++
		}
	}
	for _, problem := range slices.Concat(missing, exempt.unneeded(results)) {
		fmt.Fprintln(out, problem)
		wrong++
	}
	if wrong > 0 {
		return fmt.Errorf("%d tests are not as exemptions.txt says", wrong)
	}
	return nil
}
