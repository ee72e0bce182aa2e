// Package smoke runs the smoke tests of the rules: a shell script that must
// succeed in a check-out of a mirror's branch before the branch moves.
//
// The script sees the commit as consumers will: an ordinary clone, alone in a
// temporary directory, with the go.mod and go.sum that are published. What it
// requires of sibling modules may be on its way just now and be nowhere to be
// fetched. So the pinned versions of siblings, and of what those require in
// turn, are found in the mirrors by the commit that is in the version
// ([k8s.io/publisher/siblings]), and handed to the go command by a module proxy that
// has the user's own proxies behind it.
//
// What the script does, and what code of the source it runs, is nobody's word but
// the rules' and the source's. So it runs in a sandbox ([k8s.io/publisher/builder]):
// with limits, without the publisher's environment and credentials, and where the
// kernel lets us also without any network but that proxy, and without other files.
package smoke

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/publisher/builder"
	"k8s.io/publisher/git"
	"k8s.io/publisher/object"
	"k8s.io/publisher/sandbox"
	"k8s.io/publisher/siblings"
)

// Test is a script and the commit to run it on.
type Test struct {
	// Destination and Branch are for messages.
	Destination, Branch string
	Commit              object.ID
	// Script is for bash, which stops at the first command, or part of a
	// pipeline, that fails.
	Script string
	// Go is the Go version to use, as in [k8s.io/publisher/rules]. Empty
	// leaves the choice to the go command.
	Go string
	// ObjectDirs are git object directories. Together they hold the commit,
	// and the commits of siblings that its go.mod requires.
	ObjectDirs []string
	// Builder says how it is confined.
	Builder builder.Config
	// Log gets the script's output line by line at debug level. It may be nil.
	Log *slog.Logger
}

// FailedError reports a script that did not succeed.
type FailedError struct {
	Destination, Branch string
	Commit              object.ID
	// Output is the end of what the script wrote to its standard output and
	// error, between its own lines. Control characters are escaped.
	Output string
	// Err is how it ended.
	Err *sandbox.ExitError
}

func (e *FailedError) Error() string {
	text := fmt.Sprintf("smoke test of %s, branch %s, at %s: %v", e.Destination, e.Branch, e.Commit, e.Err)
	if output := strings.TrimRight(e.Output, "\n"); output != "" {
		text += "; its output ends with\n\t" + strings.ReplaceAll(output, "\n", "\n\t")
	}
	return text
}

func (e *FailedError) Unwrap() error { return e.Err }

// Run runs the script in a new check-out, which is removed afterwards. The
// error is a [*FailedError] if the script failed, and has a [*sandbox.LimitError] in it
// if it was stopped. Whatever the script started is killed when it ends, or when ctx
// does; then the error is ctx's.
func (t *Test) Run(ctx context.Context) (err error) {
	log := cmp.Or(t.Log, slog.New(slog.DiscardHandler)).With("destination", t.Destination, "branch", t.Branch)
	during := func(err error) error {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return fmt.Errorf("prepare smoke test of %s, branch %s, at %s: %w", t.Destination, t.Branch, t.Commit, err)
	}
	place, err := t.Builder.Open("smoke")
	if err != nil {
		return during(err)
	}
	defer func() {
		if err := place.Close(); err != nil {
			log.Warn("a smoke test left files behind", "error", err)
		}
	}()
	command, err := t.prepare(ctx, place)
	if err != nil {
		return during(err)
	}
	script := filepath.Join(place.Work(), "smoke-test")
	if err := os.WriteFile(script, []byte(t.Script), 0o666); err != nil {
		return during(err)
	}
	output, err := runScript(ctx, place, command, script, log)
	if ctx.Err() != nil {
		return fmt.Errorf("smoke test of %s, branch %s: %w", t.Destination, t.Branch, context.Cause(ctx))
	}
	// A script that could not be started, was killed, or lacked modules has not failed.
	_, lacked := errors.AsType[*builder.FetchError](err)
	if exit, ok := errors.AsType[*sandbox.ExitError](err); ok && exit.Exited() && !lacked {
		return &FailedError{t.Destination, t.Branch, t.Commit, output, exit}
	}
	if err != nil {
		return fmt.Errorf("run smoke test of %s, branch %s, at %s: %w", t.Destination, t.Branch, t.Commit, err)
	}
	return nil
}

// prepare checks the commit out, and makes ready what the script needs.
func (t *Test) prepare(ctx context.Context, place *builder.Place) (c builder.Command, err error) {
	c.Dir = filepath.Join(place.Work(), "checkout")
	if err := clone(ctx, c.Dir, t.ObjectDirs); err != nil {
		return c, err
	}
	if err := inRepository(c.Dir).Run(ctx, "checkout", "--quiet", "--detach", t.Commit.String()); err != nil {
		return c, err
	}
	root, err := os.OpenRoot(c.Dir)
	if err != nil {
		return c, err
	}
	goMod, err := root.ReadFile("go.mod") // One that cannot be read is the script's concern.
	if errors.Join(err, root.Close()) != nil {
		goMod = nil
	}
	if _, err := place.UseToolchain(ctx, t.Go, goMod); err != nil {
		return c, err
	}
	offer, err := siblings.Open(filepath.Join(place.Beside(), "siblings"), t.ObjectDirs)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, offer.Close()) }()
	found, err := offer.AddRequired(ctx, t.Commit)
	if err != nil {
		return c, err
	}
	c.Modules.Dir = offer.Dir()
	for _, m := range found.Siblings {
		c.Modules.Own = append(c.Modules.Own, m.Path)
	}
	// For git in the check-out.
	c.Readable = offer.ObjectDirs()
	return c, nil
}

// clone makes a repository that borrows the objects of others.
func clone(ctx context.Context, dir string, objectDirs []string) error {
	if err := (git.Command{}).Run(ctx, "init", "--quiet", "--template=", dir); err != nil {
		return err
	}
	return git.Borrow(objects(dir), objectDirs...)
}

func objects(checkout string) string { return filepath.Join(checkout, ".git", "objects") }

// inRepository is git at work on a check-out.
func inRepository(checkout string) git.Command {
	return git.Command{Dir: filepath.Join(checkout, ".git"), Env: []string{"GIT_WORK_TREE=" + checkout}}
}
