// Command bench measures the publisher on generated monorepos or a given one,
// next to the tools that others split directories with, and prints a table for
// each and how far the targets are met. Progress goes to standard error.
//
//	go run ./bench -publisher ../../bin/publisher
//	go run ./bench -publisher ../../bin/publisher -shape wide
//	go run ./bench -publisher ../../bin/publisher -source PATH -rules FILE
//	go run ./bench -generate DIR -shape deep
//
// Every command is measured as a whole process. The commands take turns, so
// that a machine that slows down does so for all of them.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"k8s.io/publisher/hack/publishing/monorepo"
)

type options struct {
	publisher, shape, source, rules, work, generate string
	commits, runs                                   int
	quick, bot, site                                bool
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == stopwatchArg {
		exitOn(stopwatch())
		return
	}
	var o options
	flag.StringVar(&o.publisher, "publisher", "", "the publisher's `binary`; without it only the peers are measured")
	flag.StringVar(&o.shape, "shape", "", "measure with this generated `repository` alone: deep or wide (default: both)")
	flag.StringVar(&o.source, "source", "", "measure with this `repository` instead of a generated one")
	flag.StringVar(&o.rules, "rules", "", "the rules `file` that goes with -source")
	flag.StringVar(&o.work, "work", "", "keep generated repositories and scratch space in this `directory` (default: in the user's cache)")
	flag.StringVar(&o.generate, "generate", "", "only generate the repository of -shape and its rules, into this `directory`")
	flag.IntVar(&o.commits, "commits", 0, "`number` of commits to generate (default: the shape's); growth is measured against a quarter of it")
	flag.IntVar(&o.runs, "runs", 5, "`number` of runs of each command, of which the median counts")
	flag.BoolVar(&o.quick, "quick", false, "leave out git subtree split, which takes minutes, with the deep shape too")
	flag.BoolVar(&o.bot, "bot", false, "measure the bot alone")
	flag.BoolVar(&o.site, "site", false, "measure the site alone; with the wide shape, it takes 10 GB of disk")
	flag.Parse()
	if flag.NArg() > 0 || (o.source == "") != (o.rules == "") || o.runs < 1 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	exitOn(run(ctx, o))
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	shapes := slices.DeleteFunc(slices.Clone(monorepo.Shapes), func(s monorepo.Shape) bool { return o.shape != "" && s.Name != o.shape })
	if len(shapes) == 0 {
		return fmt.Errorf("there is no shape %s", o.shape)
	}
	if o.generate != "" {
		if len(shapes) > 1 {
			return errors.New("-generate needs a -shape")
		}
		if err := os.MkdirAll(o.generate, 0o755); err != nil {
			return err
		}
		return monorepo.Generate(ctx, o.generate, o.params(shapes[0], 1))
	}
	if o.publisher != "" {
		binary, err := filepath.Abs(o.publisher)
		if err != nil {
			return err
		}
		if o.publisher, err = exec.LookPath(binary); err != nil {
			return fmt.Errorf("publisher: %w", err)
		}
	}
	if o.work == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return err
		}
		o.work = filepath.Join(cache, "publisher-bench")
	}
	work, err := filepath.Abs(o.work)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(work, 0o755); err != nil {
		return err
	}
	scratch, err := os.MkdirTemp(work, "run-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)

	fmt.Printf("Machine: %s.\n", machine(ctx))
	if o.source != "" {
		s, err := existing(ctx, o.source, o.rules, scratch)
		if err != nil {
			return err
		}
		s.subtree = !o.quick
		return report(ctx, o, scratch, s)
	}
	var failures []error
	for _, shape := range shapes {
		fmt.Printf("\n## %s\n", strings.ToUpper(shape.Name[:1])+shape.Name[1:])
		s, err := generate(ctx, o, shape, work)
		if err != nil {
			return err
		}
		if err := report(ctx, o, scratch, s); err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", shape.Name, err))
		}
	}
	return errors.Join(failures...)
}

// params are those of a shape, or of a part of its history.
func (o options) params(s monorepo.Shape, part int) monorepo.Params {
	return monorepo.Params{Shape: s, Commits: cmp.Or(o.commits, s.Commits) / part}
}

// generate makes a repository of a shape, and another with a quarter of the
// history where that is what the shape is for, unless they are there.
func generate(ctx context.Context, o options, shape monorepo.Shape, work string) (subject, error) {
	one := func(part int) (subject, error) {
		p := o.params(shape, part)
		progress("generating %d commits of the %s shape, unless they are there", p.Commits, shape.Name)
		repository, err := monorepo.Cached(ctx, work, p)
		if err != nil {
			return subject{}, err
		}
		return generated(ctx, repository)
	}
	s, err := one(1)
	if err != nil || !shape.Deep {
		return s, err
	}
	s.subtree = !o.quick
	if o.params(shape, 4).Commits >= monorepo.MinCommits {
		quarter, err := one(4)
		if err != nil {
			return subject{}, err
		}
		s.quarter = &quarter
	}
	return s, nil
}

// report measures with one repository and prints what comes out.
func report(ctx context.Context, o options, scratch string, s subject) error {
	scratch, err := os.MkdirTemp(scratch, "")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	rows, saved, err := table(ctx, o, scratch, s)
	if err != nil {
		return err
	}
	if o.bot || o.site {
		rows = nil
	}
	medians, failures := measureAll(ctx, rows, place(filepath.Join(scratch, "place")))
	if err := ctx.Err(); err != nil {
		return err
	}
	fmt.Printf("\nSource: %s.\n\n", s.description)
	if rows != nil {
		writeTable(os.Stdout, rows, medians)
		fmt.Println()
		writeTargets(os.Stdout, rows, medians)
	}
	if s.quarter != nil {
		writeGrowth(os.Stdout, s.commits, s.quarter.commits, medians)
	}
	for _, t := range tools {
		if !t.present() {
			fmt.Printf("- %s is not installed, and was left out: %s\n", t.name, t.install)
		}
	}
	if o.publisher == "" {
		return failures
	}
	if o.site {
		times, err := ours{o.publisher}.measureSite(ctx, s, saved, place(filepath.Join(scratch, "place")), o.runs)
		if err != nil {
			return errors.Join(failures, fmt.Errorf("the site: %w", err))
		}
		times.write(os.Stdout)
		return failures
	}
	times, err := ours{o.publisher}.measureBot(ctx, s, saved, place(filepath.Join(scratch, "place")), o.runs)
	if err != nil {
		return errors.Join(failures, fmt.Errorf("the bot: %w", err))
	}
	fmt.Println()
	times.write(os.Stdout)
	return failures
}

// table lists all rows, after it has synced what some of them start from, and returns
// where that is kept.
func table(ctx context.Context, o options, scratch string, s subject) (rows []row, saved string, err error) {
	rows = peerRows(s, o.runs)
	if s.quarter != nil {
		rows = append(rows, smallRows(*s.quarter, o.runs)...)
	}
	if o.publisher == "" {
		return rows, "", nil
	}
	publisher := ours{o.publisher}
	if saved, err = publisher.save(ctx, s, scratch, "saved"); err != nil {
		return nil, "", err
	}
	rows = append(rows, publisher.rows(s, saved, o.runs)...)
	if s.quarter != nil {
		small, err := publisher.save(ctx, *s.quarter, scratch, "saved-quarter")
		if err != nil {
			return nil, "", err
		}
		rows = append(rows, publisher.smallRows(*s.quarter, small, o.runs)...)
	}
	return rows, saved, nil
}

// save syncs everything once, for rows to start from, and returns where the
// mirrors and the cache are kept.
func (o ours) save(ctx context.Context, s subject, scratch, name string) (string, error) {
	progress("syncing everything once: %d commits", s.commits)
	p := place(filepath.Join(scratch, "place"))
	if err := empty(s)(ctx, p); err != nil {
		return "", err
	}
	if _, err := measure(ctx, invocation{Args: o.run("sync", s.rules, p), Dir: string(p), Env: p.env()}); err != nil {
		return "", err
	}
	if err := os.RemoveAll(p.source()); err != nil {
		return "", err
	}
	saved := filepath.Join(scratch, name)
	return saved, os.Rename(string(p), saved)
}

// measureAll runs the rows in turns and returns their medians. A row that
// fails is left out, and its failure joined to the error.
func measureAll(ctx context.Context, rows []row, p place) (results, error) {
	runs := map[key][]measurement{}
	failed := map[key]bool{}
	var failures []error
	for round := 0; ; round++ {
		ran := false
		for _, r := range rows {
			if round >= r.runs || failed[r.key] || ctx.Err() != nil {
				continue
			}
			ran = true
			m, err := measureRow(ctx, r, p)
			if err != nil {
				failed[r.key] = true
				failures = append(failures, fmt.Errorf("%s: %w", r.title, err))
				progress("%s: failed: %v", r.title, err)
				continue
			}
			progress("%s: %s, %s", r.title, seconds(m.Wall), mebibytes(m.Peak))
			runs[r.key] = append(runs[r.key], m)
		}
		if !ran {
			break
		}
	}
	medians := results{}
	for k, all := range runs {
		if !failed[k] {
			medians[k] = median(all)
		}
	}
	return medians, errors.Join(failures...)
}

func measureRow(ctx context.Context, r row, p place) (measurement, error) {
	defer os.RemoveAll(string(p))
	if err := os.MkdirAll(string(p), 0o755); err != nil {
		return measurement{}, err
	}
	if r.prepare != nil {
		if err := r.prepare(ctx, p); err != nil {
			return measurement{}, err
		}
		// What preparing wrote must not go to disk while the clock runs.
		syscall.Sync()
	}
	return measure(ctx, invocation{Args: r.args(p), Dir: string(p), Env: p.env(), Timeout: r.timeout})
}

func machine(ctx context.Context) string {
	version, err := exec.CommandContext(ctx, "git", "version").Output()
	if err != nil {
		version = []byte("git of unknown version")
	}
	return fmt.Sprintf("%d cores, %s/%s, %s, %s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH,
		runtime.Version(), strings.TrimSpace(string(version)))
}

func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
}
