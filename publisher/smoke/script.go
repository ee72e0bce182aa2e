package smoke

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"k8s.io/publisher/git"
)

// mostLines is how many lines of output a failure shows.
const mostLines = 100

// runScript runs a script and returns the end of what it wrote.
//
// Bash echoes each line of the script as it reads it (-v), so that one sees
// which command failed. It is not told to show commands as it runs them (-x):
// that would write out the values of variables, which can be secrets.
func runScript(ctx context.Context, script, dir string, env []string, log *slog.Logger) (output string, err error) {
	cmd := exec.CommandContext(ctx, "bash", "-v", "-e", "-o", "pipefail", script)
	cmd.Dir, cmd.Env = dir, env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return killGroup(cmd.Process.Pid) }
	// With a pipe of our own, Wait waits for bash alone, and not for what bash
	// has started in the background.
	from, to, err := os.Pipe()
	if err != nil {
		return "", err
	}
	defer from.Close()
	cmd.Stdout, cmd.Stderr = to, to
	if err := errors.Join(cmd.Start(), to.Close()); err != nil {
		return "", err
	}
	end := make(chan string, 1)
	go func() { end <- tail(from, log) }()
	err = cmd.Wait()
	if alive := killGroup(cmd.Process.Pid); alive != nil {
		err = errors.Join(err, alive)
	}
	// A process that has left the group may still hold the pipe open.
	if deadline := from.SetReadDeadline(time.Now().Add(time.Second)); deadline != nil {
		return "", errors.Join(err, deadline)
	}
	return <-end, err
}

// killGroup kills a process group, which may be empty.
func killGroup(id int) error {
	err := syscall.Kill(-id, syscall.SIGKILL)
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}

// tail logs lines as they come and returns the last ones, fit for a terminal. A
// line without end is taken for several.
func tail(r io.Reader, log *slog.Logger) string {
	var last []string
	for lines := bufio.NewReaderSize(r, 16<<10); ; {
		line, _, err := lines.ReadLine()
		if err != nil {
			return strings.Join(last, "")
		}
		text := git.Printable(string(line))
		log.Debug("smoke test: " + text)
		if len(last) == mostLines {
			last = last[1:]
		}
		last = append(last, text+"\n")
	}
}
