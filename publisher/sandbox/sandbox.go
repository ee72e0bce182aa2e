// Package sandbox runs a command that is not trusted: one that a source or its
// rules say, or that works on what they hold.
//
// The command has the environment that it is given and nothing of the publisher's.
// It has limits of time, memory, output and tasks. When it ends, all that it has
// started ends with it. On Linux, where the kernel lets an ordinary user make
// namespaces, it is also isolated:
//
//   - Its network has a loopback interface and nothing else. What it can reach is
//     the one listener that [Command.Serve] is handed.
//   - The file system is read-only, but for the folders that it is given. Home
//     directories, temporary files and the sockets of services are not there, nor
//     is what [Command.Hidden] names. Of devices there are null, zero and the like.
//   - It sees no process but its own, and has no capability, in whatever user's
//     name the publisher runs.
//
// Elsewhere the limits and the end of all processes hold, and the rest does not:
// see [Isolation].
//
// Between the publisher and the command stands a supervisor: the same program,
// started with another name, which [init] looks at. Within namespaces it is
// process 1, so that the kernel kills all others when it ends, come what may.
// Without, orphans become its children, which it finds and kills.
package sandbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Limits bound a command and all that it starts. Where one is zero, it is that of
// [Defaults].
type Limits struct {
	// Time is from the start to the end.
	Time time.Duration
	// Memory is how many bytes all processes together may have of their own: what
	// is in files, or shared by them, does not count.
	Memory int64
	// Output is how many bytes may be written to the standard output and error.
	Output int64
	// Tasks is how many threads there may be, in all processes together.
	Tasks int
}

// Defaults are enough for the compiler and the tests of large modules.
var Defaults = Limits{Time: time.Hour, Memory: 8 << 30, Output: 256 << 20, Tasks: 8192}

func (l Limits) orDefaults() Limits {
	return Limits{
		Time: cmp.Or(l.Time, Defaults.Time), Memory: cmp.Or(l.Memory, Defaults.Memory),
		Output: cmp.Or(l.Output, Defaults.Output), Tasks: cmp.Or(l.Tasks, Defaults.Tasks),
	}
}

// Command is what to run, and what it may use.
type Command struct {
	// Args are the program, by its path, and its arguments.
	Args []string
	// Dir is the folder to run in; it is to be one that can be seen.
	Dir string
	// Env is the whole environment.
	Env []string
	// Output gets what the command writes to its standard output and error.
	Output io.Writer
	Limits Limits

	// Writable are folders that may be written to, Readable those that are not to
	// vanish with a folder that they are in.
	Writable, Readable []string
	// Hidden are files and folders that are not to be seen wherever they are, such
	// as those with credentials. Those that do not exist do not matter.
	Hidden []string
	// Serve, where not nil, is handed the only listener that the command can reach,
	// on the loopback interface, and returns variables to be added to Env. The
	// listener is closed when the command has ended.
	Serve func(net.Listener) (env []string)
	// Isolation says how much is asked for.
	Isolation Isolation

	// probe only sets the sandbox up.
	probe bool
}

// Isolation is how much a command is kept apart.
type Isolation string

const (
	// WhereSupported is full isolation where the kernel lets us, and only limits
	// elsewhere. It is the default.
	WhereSupported Isolation = ""
	// Required is an error where there is no full isolation.
	Required Isolation = "required"
	// LimitsOnly does without namespaces.
	LimitsOnly Isolation = "limits-only"
)

// LimitError reports a command that was ended since it went over a limit. Whether
// that is its own fault, or that of a slow machine, is not known.
type LimitError struct {
	// What it had too much of: time, memory, output or tasks.
	What string
	// Limit is in words.
	Limit string
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("it was ended, as it went over the limit of %s, %s", e.What, e.Limit)
}

func tooMuch(what string, l Limits) *LimitError {
	limit := ""
	switch what {
	case "time":
		limit = l.Time.String()
	case "memory":
		limit = mebibytes(l.Memory)
	case "output":
		limit = mebibytes(l.Output)
	case "tasks":
		limit = fmt.Sprint(l.Tasks)
	}
	return &LimitError{what, limit}
}

func mebibytes(n int64) string { return fmt.Sprintf("%d MiB", n>>20) }

// ExitError reports a command that ended otherwise than well.
type ExitError struct {
	// Code is its exit status, or -1 where a signal ended it.
	Code int
	// Signal is its number.
	Signal int
	text   string
}

func (e *ExitError) Error() string { return e.text }

// Exited reports whether the command came to its own end.
func (e *ExitError) Exited() bool { return e.Code >= 0 }

// Run runs a command to its end. The error is an [*ExitError] where it did not end
// well, a [*LimitError] where it had to be stopped, ctx's where that was done, and
// any other one where this machine could not run it.
func Run(ctx context.Context, c Command) error {
	if err := c.resolve(); err != nil {
		return err
	}
	namespaces := false
	if c.Isolation != LimitsOnly {
		err := Supported(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil && c.Isolation == Required {
			return err
		}
		namespaces = err == nil
	}
	return run(ctx, c, namespaces)
}

// resolve follows the symbolic links of all paths, since what is mounted is what
// they lead to.
func (c *Command) resolve() (err error) {
	c.Limits = c.Limits.orDefaults()
	if c.Output == nil {
		c.Output = io.Discard
	}
	for _, list := range []*[]string{&c.Writable, &c.Readable} {
		*list = slices.Clone(*list)
		for i, dir := range *list {
			if (*list)[i], err = real(dir); err != nil {
				return err
			}
		}
	}
	var hidden []string
	for _, path := range c.Hidden {
		if path, err := real(path); err == nil {
			hidden = append(hidden, path)
		}
	}
	c.Hidden = hidden
	c.Dir, err = real(c.Dir)
	return err
}

func real(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err == nil {
		path, err = filepath.EvalSymlinks(path)
	}
	return path, err
}

// counted passes on what a command writes, and stops where that is too much.
type counted struct {
	to    io.Writer
	left  int64
	over  func()
	ended bool
}

func (w *counted) Write(data []byte) (int, error) {
	all := len(data)
	if w.ended {
		return all, nil // Until the command notices, too.
	}
	if int64(len(data)) > w.left {
		data, w.ended = data[:w.left], true
	}
	w.left -= int64(len(data))
	_, err := w.to.Write(data)
	if w.ended {
		w.over()
	}
	return all, err
}

// run starts the supervisor, and talks with it.
func run(ctx context.Context, c Command, namespaces bool) (err error) {
	parent, err := newSupervisor(c, namespaces)
	if err != nil {
		return fmt.Errorf("start a sandbox: %w", err)
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	ctx, cancel := context.WithTimeoutCause(ctx, c.Limits.Time, tooMuch("time", c.Limits))
	defer cancel()

	from, to, err := os.Pipe()
	if err != nil {
		return errors.Join(err, parent.close())
	}
	defer from.Close()
	parent.cmd.Stdout, parent.cmd.Stderr = to, to
	if err := errors.Join(parent.cmd.Start(), to.Close()); err != nil {
		return errors.Join(fmt.Errorf("start a sandbox: %w", err), parent.close())
	}
	parent.started()
	out := &counted{to: c.Output, left: c.Limits.Output, over: func() { stop(tooMuch("output", c.Limits)) }}
	copied := make(chan error, 1)
	go func() {
		_, err := io.Copy(out, from)
		copied <- err
	}()
	kill := context.AfterFunc(ctx, parent.end)
	said, err := parent.talk(c)
	kill()
	parent.end()
	waited := parent.wait()
	// What may live on without namespaces can hold the pipe open.
	if deadline := from.SetReadDeadline(time.Now().Add(time.Second)); deadline != nil {
		return errors.Join(err, deadline)
	}
	if err := <-copied; err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("read what the command wrote: %w", err)
	}
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return fmt.Errorf("the sandbox broke down: %w", errors.Join(err, waited))
	case said.Failed != "":
		return fmt.Errorf("in a sandbox: %s", said.Failed)
	case said.Over != "":
		return tooMuch(said.Over, c.Limits)
	case said.Code != 0:
		return &ExitError{said.Code, said.Signal, said.Text}
	}
	return nil
}

// verdict is how a command ended, as the supervisor says it.
type verdict struct {
	// Failed is why it could not be run; Over which limit it went over.
	Failed, Over string
	Code, Signal int
	Text         string
}
