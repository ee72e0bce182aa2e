package mirror

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Git runs a git command with the given input and returns what it prints.
// Nothing outside its arguments and env decides what it does: no configuration
// of the user or the system is read.
func Git(ctx context.Context, env []string, stdin *bytes.Buffer, args ...string) ([]byte, error) {
	return run(ctx, append(Environment(), env...), nil, stdin, args...)
}

// Git is [Git] for a command that writes below the mirrors. It holds the lock
// too, and so does what it starts in turn: should they outlive the run, the next
// one does not work beside them. A nil Lock is not held.
func (l *Lock) Git(ctx context.Context, env []string, stdin *bytes.Buffer, args ...string) ([]byte, error) {
	if l == nil {
		return Git(ctx, env, stdin, args...)
	}
	out, err := run(ctx, append(Environment(), env...), []*os.File{l.file}, stdin, args...)
	var exit *exec.ExitError
	if errors.As(err, &exit) && !exit.Exited() || errors.Is(err, exec.ErrWaitDelay) {
		l.unfinished.Store(true)
	}
	return out, err
}

// GitAsUser runs a git command that needs the user's configuration: to reach
// a remote repository takes credentials, proxies and keys. It holds no lock:
// what it starts to keep a password or a connection is to outlive the run.
func GitAsUser(ctx context.Context, env []string, args ...string) ([]byte, error) {
	return run(ctx, append(append(os.Environ(), "GIT_TERMINAL_PROMPT=0"), env...), nil, nil, args...)
}

func run(ctx context.Context, env []string, held []*os.File, stdin *bytes.Buffer, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Env, cmd.ExtraFiles = env, held
	// What git itself started may outlive it and hold its output open.
	cmd.WaitDelay = 5 * time.Second
	if stdin != nil {
		cmd.Stdin = stdin
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("git %s: %w: %s", args[0], err, bytes.TrimSpace(stderr.Bytes()))
	}
	return stdout.Bytes(), nil
}

// Environment is this process's environment without what would direct git to
// another repository or configuration.
func Environment() []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "GIT_") {
			env = append(env, v)
		}
	}
	return append(env, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_NO_REPLACE_OBJECTS=1", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C")
}
