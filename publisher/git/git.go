// Package git runs git. No other package starts it.
//
// What git does is decided by its arguments and by what a [Command] says. The
// environment is made from nothing: neither the user's variables nor those of a
// surrounding hook get in, which could name another repository, another index or
// another place for objects. Configuration of the user and of the system is not
// read, nor are their attributes. Grafts and replacements do not count.
//
// A repository's own configuration cannot be kept from git. Settings by which
// git would run a program or ask another machine are overridden, yet some cannot
// be, such as filters, whose names anyone may choose. So whatever checks files
// out or archives them is to run in a repository of our own, which borrows the
// other one's objects: see [Init] and [Borrow].
//
// A fetch is the exception, as [Command.AsUser] says.
package git

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Command is how git is to run. The zero value is good for commands that need no
// repository.
type Command struct {
	// Dir is the repository: GIT_DIR.
	Dir string
	// Env are further variables, each NAME=value.
	Env []string
	// Config are settings that go before all others. They reach git by its
	// environment: arguments can be seen by everyone on the machine.
	Config []Setting
	// AsUser is for reaching other machines, which takes credentials, proxies and
	// keys. The user's and the system's configuration are read, and their
	// variables count, but for those that tie git to a repository.
	AsUser bool

	Stdin  io.Reader
	Stdout io.Writer
	// Stderr gets what git says besides. An [Error] has the end of it anyway.
	Stderr io.Writer
	// Together has what git starts end with it where the context does. That takes a
	// process group, which cannot ask anything at a terminal.
	Together bool
	// Files stay open in git, and in what it starts.
	Files []*os.File
}

// Setting is a line of configuration.
type Setting struct{ Key, Value string }

// Output runs git and returns what it writes to its standard output.
func (c Command) Output(ctx context.Context, args ...string) ([]byte, error) {
	var out bytes.Buffer
	c.Stdout = &out
	err := c.Run(ctx, args...)
	return out.Bytes(), err
}

// Run runs git; the first argument is the subcommand. It fails with an [*Error].
func (c Command) Run(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Env = c.Environment()
	cmd.Stdin, cmd.Stdout, cmd.ExtraFiles = c.Stdin, c.Stdout, c.Files
	said := new(tail)
	cmd.Stderr = said
	if c.Stderr != nil {
		cmd.Stderr = io.MultiWriter(c.Stderr, said)
	}
	if c.Together {
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	}
	// What git itself started may outlive it and hold its output open.
	cmd.WaitDelay = 5 * time.Second
	err := cmd.Run()
	if c.AsUser && errors.Is(err, exec.ErrWaitDelay) {
		return nil // Git itself is done; what it left keeps a connection or a password.
	}
	if err == nil && !c.AsUser && TellsOfFault(said.text()) {
		err = errFault
	}
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != nil {
		err = fmt.Errorf("%w: %w", cause, err)
	}
	return &Error{Command: args[0], Stderr: said.text(), Err: err}
}

var (
	// always are settings for every command.
	always = []Setting{
		{"core.hooksPath", os.DevNull},
		{"core.fsmonitor", "false"},
	}
	// alone are those for commands that need nobody else.
	alone = []Setting{
		{"core.sshCommand", "false"},
		{"core.attributesFile", os.DevNull},
		{"gc.auto", "0"},
	}
	// asUser are those for commands with the user's configuration. What git does
	// to keep the repository tidy is to end with it.
	asUser = []Setting{
		{"gc.autoDetach", "false"},
		{"maintenance.autoDetach", "false"},
	}
)

// Environment is all that git gets of variables.
func (c Command) Environment() []string {
	env := []string{
		"LC_ALL=C",
		"GIT_TERMINAL_PROMPT=0",
		"GIT_NO_REPLACE_OBJECTS=1",
		"GIT_GRAFT_FILE=" + os.DevNull + "/none", // Git would warn of one that exists.
		// What later versions of git take instead is not what we read.
		"GIT_DEFAULT_HASH=sha1",
		"GIT_DEFAULT_REF_FORMAT=files",
	}
	settings, count := alone, ""
	if c.AsUser {
		for _, v := range os.Environ() {
			if name, value, _ := strings.Cut(v, "="); name == "GIT_CONFIG_COUNT" {
				count = value
			} else if usersOwn(name) {
				env = append(env, v)
			}
		}
		settings = asUser
	} else {
		for _, name := range []string{"PATH", "TMPDIR"} {
			if value, ok := os.LookupEnv(name); ok {
				env = append(env, name+"="+value)
			}
		}
		env = append(env,
			"HOME="+os.DevNull,
			"GIT_CONFIG_NOSYSTEM=1",
			"GIT_CONFIG_GLOBAL="+os.DevNull,
			"GIT_ATTR_NOSYSTEM=1",
			// An object that is missing is not to be had from elsewhere.
			"GIT_NO_LAZY_FETCH=1",
			"GIT_ALLOW_PROTOCOL=",
		)
	}
	if c.Dir != "" {
		env = append(env, "GIT_DIR="+c.Dir)
	}
	first, err := strconv.ParseUint(cmp.Or(count, "0"), 10, 16)
	if err != nil {
		return append(env, "GIT_CONFIG_COUNT="+count) // Git will say what is wrong with it.
	}
	settings = slices.Concat(always, settings, c.Config)
	for i, s := range settings {
		n := int(first) + i
		env = append(env, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", n, s.Key), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", n, s.Value))
	}
	return append(append(env, fmt.Sprintf("GIT_CONFIG_COUNT=%d", int(first)+len(settings))), c.Env...)
}

// usersOwn reports whether a variable says how the user reaches other machines,
// or is nothing to git. All others of git's could direct it to a repository.
func usersOwn(name string) bool {
	rest, ok := strings.CutPrefix(name, "GIT_")
	if !ok {
		return name != "LC_ALL"
	}
	return slices.Contains([]string{"ASKPASS", "ALLOW_PROTOCOL", "PROTOCOL_FROM_USER"}, rest) ||
		slices.ContainsFunc([]string{"CONFIG_GLOBAL", "CONFIG_SYSTEM", "CONFIG_NOSYSTEM", "CONFIG_KEY_", "CONFIG_VALUE_", "SSH", "SSL_", "HTTP_", "PROXY_"}, func(prefix string) bool {
			return strings.HasPrefix(rest, prefix)
		})
}
