// Command bench measures the publisher on a generated or a given monorepo,
// next to the tools that others split directories with, and prints a table
// and how far the targets are met. Progress goes to standard error.
//
//	go run . -publisher ../../bin/publisher
//	go run . -publisher ../../bin/publisher -source PATH -rules FILE
//	go run . -generate DIR
//
// Every command is measured as a whole process. The commands take turns, so
// that a machine that slows down does so for all of them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"k8s.io/publisher-bench/monorepo"
)

type options struct {
	publisher, source, rules, work, generate string
	commits, runs                            int
	quick, commitGraph, check                bool
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == stopwatchArg {
		exitOn(stopwatch())
		return
	}
	var o options
	flag.StringVar(&o.publisher, "publisher", "", "the publisher's `binary`; without it only the peers are measured")
	flag.StringVar(&o.source, "source", "", "measure with this `repository` instead of a generated one")
	flag.StringVar(&o.rules, "rules", "", "the rules `file` that goes with -source")
	flag.StringVar(&o.work, "work", "", "keep generated repositories and scratch space in this `directory` (default: in the user's cache)")
	flag.StringVar(&o.generate, "generate", "", "only generate the repository and its rules, into this `directory`")
	flag.IntVar(&o.commits, "commits", 20000, "`number` of commits to generate; growth is measured against a quarter of it")
	flag.IntVar(&o.runs, "runs", 5, "`number` of runs of each command, of which the median counts")
	flag.BoolVar(&o.quick, "quick", false, "leave out git subtree split, which takes minutes")
	flag.BoolVar(&o.commitGraph, "commit-graph", false, "give the generated repository a commit-graph file")
	flag.BoolVar(&o.check, "check", false, "check that the generated repository is sound and its modules build, before measuring")
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
	if o.generate != "" {
		if err := os.MkdirAll(o.generate, 0o755); err != nil {
			return err
		}
		return monorepo.Generate(ctx, o.generate, monorepo.Params{Commits: o.commits, CommitGraph: o.commitGraph})
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

	large, small, err := subjects(ctx, o, work, scratch)
	if err != nil {
		return err
	}
	rows, err := table(ctx, o, scratch, large, small)
	if err != nil {
		return err
	}
	medians, failures := measureAll(ctx, rows, place(filepath.Join(scratch, "place")))
	if err := ctx.Err(); err != nil {
		return err
	}

	fmt.Printf("%s\n\nSource: %s, %d commits on %s, directory %s.\n\n", machine(ctx), large.source, large.commits, large.branch, large.dir)
	writeTable(os.Stdout, rows, medians)
	fmt.Println()
	writeTargets(os.Stdout, rows, medians)
	if small != nil {
		writeGrowth(os.Stdout, large.commits, small.commits, medians)
	}
	for _, t := range tools {
		if !t.present() {
			fmt.Printf("- %s is not installed, and was left out: %s\n", t.name, t.install)
		}
	}
	return failures
}

// subjects returns the repository to measure with, and a quarter of it where
// there is one.
func subjects(ctx context.Context, o options, work, scratch string) (large subject, small *subject, err error) {
	if o.source != "" {
		large, err = existing(ctx, o.source, o.rules, scratch)
		return large, nil, err
	}
	generate := func(commits int) (subject, error) {
		progress("generating %d commits, unless they are there", commits)
		repository, err := monorepo.Cached(ctx, work, monorepo.Params{Commits: commits, CommitGraph: o.commitGraph})
		if err != nil {
			return subject{}, err
		}
		if o.check {
			progress("checking %s", repository.Source)
			if err := monorepo.Check(ctx, repository, filepath.Join(scratch, "check"), "v1.20.0-alpha.1", "v1.22.7", "v1.24.15"); err != nil {
				return subject{}, err
			}
		}
		return generated(ctx, repository)
	}
	if large, err = generate(o.commits); err != nil || o.commits/4 < monorepo.MinCommits {
		return large, nil, err
	}
	quarter, err := generate(o.commits / 4)
	return large, &quarter, err
}

// table lists all rows, after it has synced what some of them start from.
func table(ctx context.Context, o options, scratch string, large subject, small *subject) ([]row, error) {
	rows := peerRows(large, o.runs, o.quick)
	if small != nil {
		rows = append(rows, smallRows(*small, o.runs)...)
	}
	if o.publisher == "" {
		return rows, nil
	}
	publisher := ours{o.publisher}
	saved, err := publisher.save(ctx, large, scratch, "saved")
	if err != nil {
		return nil, err
	}
	rows = append(rows, publisher.rows(large, saved, o.runs)...)
	if small != nil {
		saved, err := publisher.save(ctx, *small, scratch, "saved-small")
		if err != nil {
			return nil, err
		}
		rows = append(rows, publisher.smallRows(*small, saved, o.runs)...)
	}
	return rows, nil
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
	return fmt.Sprintf("Machine: %d cores, %s/%s, %s, %s.", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH,
		runtime.Version(), strings.TrimSpace(string(version)))
}

func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
}
