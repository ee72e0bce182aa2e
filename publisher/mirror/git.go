package mirror

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"

	"k8s.io/publisher/git"
)

// Git runs git for a command that writes below the mirrors; see [git.Command].
// Git holds the lock too, and so does what it starts in turn: should they outlive
// the run, the next one does not work beside them. A nil Lock is not held.
func (l *Lock) Git(ctx context.Context, env []string, stdin *bytes.Buffer, args ...string) ([]byte, error) {
	c := git.Command{Env: env}
	if stdin != nil {
		c.Stdin = stdin
	}
	if l == nil {
		return c.Output(ctx, args...)
	}
	c.Files = []*os.File{l.file}
	out, err := c.Output(ctx, args...)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && !exit.Exited() || errors.Is(err, exec.ErrWaitDelay) {
		l.unfinished.Store(true)
	}
	return out, err
}

// Git runs git; see [git.Command].
func Git(ctx context.Context, env []string, stdin *bytes.Buffer, args ...string) ([]byte, error) {
	return (*Lock)(nil).Git(ctx, env, stdin, args...)
}

// Environment is that of git, for who starts it by another way.
func Environment() []string { return git.Command{}.Environment() }
