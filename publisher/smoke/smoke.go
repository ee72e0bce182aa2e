// Package smoke runs the smoke tests of the rules: a shell script that must
// succeed in a check-out of a mirror's branch before the branch moves.
//
// The script sees the commit as consumers will: an ordinary clone, alone in a
// temporary directory, with the go.mod and go.sum that are published. What it
// requires of sibling modules may be on its way just now and be nowhere to be
// fetched. So the pinned versions of siblings, and of what those require in
// turn, are found in the mirrors by the commit that is in the version, and
// handed to the go command by a module proxy made of files
// ([k8s.io/publisher/goproxy]) that goes before the user's own proxies.
//
// Such a version names a commit, and go.sum the content, so these modules may
// enter the user's module cache as if they had been fetched: nothing else will
// ever have their names.
package smoke

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"k8s.io/publisher/git"
	"k8s.io/publisher/object"
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
	Err *exec.ExitError
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
// error is a [*FailedError] if the script failed. Whatever the script started
// is killed when it ends, or when ctx does; then the error is ctx's.
func (t *Test) Run(ctx context.Context) error {
	log := cmp.Or(t.Log, slog.New(slog.DiscardHandler)).With("destination", t.Destination, "branch", t.Branch)
	during := func(err error) error {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return fmt.Errorf("prepare smoke test of %s, branch %s, at %s: %w", t.Destination, t.Branch, t.Commit, err)
	}
	temp, err := os.MkdirTemp("", "smoke-")
	if err != nil {
		return during(err)
	}
	defer func() {
		if err := removeAll(temp); err != nil {
			log.Warn("a smoke test left files behind", "error", err)
		}
	}()
	checkout := filepath.Join(temp, "checkout")
	if err := clone(ctx, checkout, t.ObjectDirs); err != nil {
		return during(err)
	}
	if err := inRepository(checkout).Run(ctx, "checkout", "--quiet", "--detach", t.Commit.String()); err != nil {
		return during(err)
	}
	proxy := filepath.Join(temp, "proxy")
	required, err := provide(ctx, t.Commit, checkout, proxy)
	if err != nil {
		return during(err)
	}
	env, err := t.environment(ctx, temp, proxy, required)
	if err != nil {
		return during(err)
	}
	script := filepath.Join(temp, "smoke-test")
	if err := os.WriteFile(script, []byte(t.Script), 0o666); err != nil {
		return during(err)
	}
	output, err := runScript(ctx, script, checkout, env, log)
	if ctx.Err() != nil {
		return fmt.Errorf("smoke test of %s, branch %s: %w", t.Destination, t.Branch, context.Cause(ctx))
	}
	// A script that could not be started, or was killed, has not failed.
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.Exited() {
		return &FailedError{t.Destination, t.Branch, t.Commit, output, exit}
	}
	if err != nil {
		return fmt.Errorf("run smoke test of %s, branch %s, at %s: %w", t.Destination, t.Branch, t.Commit, err)
	}
	return nil
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

// removeAll removes a directory even if a script left folders in it that may
// not be written, as the go command makes them.
func removeAll(dir string) error {
	err := os.RemoveAll(dir)
	if err == nil {
		return nil
	}
	walked := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return err
	})
	if walked != nil {
		return errors.Join(err, walked)
	}
	return os.RemoveAll(dir)
}
