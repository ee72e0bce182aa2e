package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"golang.org/x/tools/benchmark/parse"
)

// benchRuns is how often each benchmark runs; the medians are printed.
const benchRuns = 6

// bench runs the benchmarks with each module in turn and prints the ratios.
func bench() error {
	scratch, err := os.MkdirTemp("", "compare-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)

	results := map[string]map[string][]*parse.Benchmark{} // by build, then by benchmark
	for _, b := range []build{ours, public} {
		results[b.name] = map[string][]*parse.Benchmark{}
		test := exec.Command("go", "test", "-c", "-modfile="+b.modfile, "-o", filepath.Join(scratch, b.name), "./bench")
		test.Env = append(os.Environ(), "GOWORK=off")
		test.Stderr = os.Stderr
		if err := test.Run(); err != nil {
			return fmt.Errorf("building the benchmarks with %s: %w", b.modfile, err)
		}
	}
	for range benchRuns { // alternately, so that both meet the same machine
		for _, b := range []build{ours, public} {
			cmd := exec.Command(filepath.Join(scratch, b.name), "-test.run=^$", "-test.bench=.", "-test.benchtime=300ms")
			cmd.Stderr = os.Stderr
			out, err := cmd.Output()
			if err != nil {
				return fmt.Errorf("running the benchmarks with %s: %w\n%s", b.modfile, err, out)
			}
			set, err := parse.ParseSet(bytes.NewReader(out))
			if err != nil {
				return err
			}
			for name, runs := range set {
				results[b.name][name] = append(results[b.name][name], runs...)
			}
		}
	}

	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "benchmark\ttime, ours\tpublic\tratio\tkB, ours\tpublic\tratio\tallocations, ours\tpublic\tratio\t")
	var names []string
	for name := range results[ours.name] {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		mine, theirs := results[ours.name][name], results[public.name][name]
		row := strings.TrimPrefix(name, "Benchmark")
		for _, measure := range []struct {
			format string
			of     func(*parse.Benchmark) float64
		}{
			{"\t%.1f µs\t%.1f µs\t%.2f", func(b *parse.Benchmark) float64 { return b.NsPerOp / 1e3 }},
			{"\t%.1f\t%.1f\t%.2f", func(b *parse.Benchmark) float64 { return float64(b.AllocedBytesPerOp) / 1e3 }},
			{"\t%.0f\t%.0f\t%.2f", func(b *parse.Benchmark) float64 { return float64(b.AllocsPerOp) }},
		} {
			a, b := middle(mine, measure.of), middle(theirs, measure.of)
			row += fmt.Sprintf(measure.format, a, b, a/b)
		}
		fmt.Fprintln(w, row+"\t")
	}
	return w.Flush()
}

func middle(runs []*parse.Benchmark, of func(*parse.Benchmark) float64) float64 {
	var values []float64
	for _, run := range runs {
		values = append(values, of(run))
	}
	slices.Sort(values)
	return values[len(values)/2]
}
