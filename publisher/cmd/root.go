// Package cmd is the publisher's command line, one file for each verb.
package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"k8s.io/publisher/session"
)

// flags are those that all verbs share.
type flags struct {
	rules, source, mirrors string
	logLevel               slog.LevelVar
	logFormat              string
	profile                string
	stdout, stderr         io.Writer
}

// Main runs the command line and returns the process's exit code.
func Main(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	tuneMemory()
	root := newRoot(os.Stdout, os.Stderr)
	root.SetArgs(args)
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "publisher:", message(err))
		return 1
	}
	return 0
}

// message indents what follows the first line of an error with several.
func message(err error) string {
	text := err.Error()
	if !strings.Contains(text, "\n") {
		return text
	}
	return "there are several errors:\n  " + strings.ReplaceAll(text, "\n", "\n  ")
}

// tuneMemory lets the heap grow between collections while it is small: a run
// makes much garbage in little time, and ends before long.
func tuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(200)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(512 << 20)
	}
}

func newRoot(stdout, stderr io.Writer) *cobra.Command {
	f := &flags{stdout: stdout, stderr: stderr}
	root := &cobra.Command{
		Use:   "publisher",
		Short: "Publish the modules of a monorepo to mirror repositories",
		Long: `Publish the modules of a monorepo to mirror repositories.

Each rule in rules.yaml names a directory of the source and the mirror that its
history goes to: commit by commit, with go.mod pinned to the siblings' versions
and with tags that "go get" knows. What is published is a pure function of the
source and the rules, so a run can be repeated, interrupted and verified.`,
		Example: `  publisher plan
  publisher sync --source . --mirrors /srv/mirrors
  publisher verify -o json`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetOut(stdout)
	root.SetErr(stderr)
	p := root.PersistentFlags()
	p.StringVar(&f.rules, "rules", "rules.yaml", "the rules `file`")
	p.StringVar(&f.source, "source", ".", "the monorepo: a `path`, or a URL to fetch from")
	p.StringVar(&f.mirrors, "mirrors", ".", "the `folder` of the mirrors; that of destination D is D/mirror.git in it")
	p.TextVar(&f.logLevel, "log-level", &f.logLevel, "how much to log to stderr: debug, info, warn or error")
	p.StringVar(&f.logFormat, "log-format", "text", "text or json")
	p.StringVar(&f.profile, "cpu-profile", "", "write a profile of the run to this `file`")
	_ = p.MarkHidden("cpu-profile")
	var stopProfile func() error
	root.PersistentPreRunE = func(*cobra.Command, []string) (err error) {
		stopProfile, err = startProfile(f.profile)
		return err
	}
	root.PersistentPostRunE = func(*cobra.Command, []string) error { return stopProfile() }
	root.AddCommand(newPlan(f), newSync(f))
	return root
}

func startProfile(file string) (stop func() error, err error) {
	if file == "" {
		return func() error { return nil }, nil
	}
	out, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	runtime.SetBlockProfileRate(0)
	if err := pprof.StartCPUProfile(out); err != nil {
		return nil, errors.Join(err, out.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return out.Close()
	}, nil
}

func (f *flags) logger() *slog.Logger {
	options := &slog.HandlerOptions{Level: &f.logLevel}
	if f.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(f.stderr, options))
	}
	return slog.New(slog.NewTextHandler(f.stderr, options))
}

// open opens a session as the flags say.
func (f *flags) open(ctx context.Context, write bool) (*session.Session, error) {
	return session.Open(ctx, session.Options{
		Rules: f.rules, Source: f.source, Mirrors: f.mirrors, Write: write, Log: f.logger(),
	})
}
