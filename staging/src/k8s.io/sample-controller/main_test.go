package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The test binary is the program itself where this variable is set.
const asProgram = "SAMPLE_CONTROLLER_TEST"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

type program struct {
	*exec.Cmd
	stdout, stderr bytes.Buffer
}

func newProgram(t *testing.T, args ...string) *program {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &program{Cmd: exec.CommandContext(t.Context(), exe, args...)}
	p.Env = append(os.Environ(), asProgram+"=1")
	p.Stdout, p.Stderr = &p.stdout, &p.stderr
	return p
}

// status returns the exit status that err, of Run or Wait, tells of.
func status(t *testing.T, err error) int {
	t.Helper()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if exit != nil {
		return exit.ExitCode()
	}
	return 0
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func waitFor(t *testing.T, path, content string) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if got, err := os.ReadFile(path); err == nil && string(got) == content {
			return
		}
	}
	t.Fatalf("%s never became %q", path, content)
}

func TestCommandLine(t *testing.T) {
	source, target := t.TempDir(), t.TempDir()
	write(t, filepath.Join(source, "a"), "1")
	for name, c := range map[string]struct {
		args           []string
		status         int
		stdout, stderr string // what is in them; "" stands for nothing
	}{
		"help":             {[]string{"--help"}, 0, "-workers", ""},
		"no arguments":     {nil, 2, "", "SOURCE and TARGET"},
		"one argument":     {[]string{source}, 2, "", "SOURCE and TARGET"},
		"unknown flag":     {[]string{"--twice", source, target}, 2, "", "twice"},
		"no workers":       {[]string{"--workers=0", source, target}, 2, "", "--workers=0"},
		"no interval":      {[]string{"--interval=0s", source, target}, 2, "", "--interval=0s"},
		"negative retries": {[]string{"--retries=-1", source, target}, 2, "", "--retries=-1"},
		"no such level":    {[]string{"--log-level=loud", source, target}, 2, "", "loud"},
		"no source":        {[]string{"--once", filepath.Join(source, "none"), target}, 1, "", "none"},
		"no source to run": {[]string{filepath.Join(source, "none"), target}, 1, "", "none"},
		"overlap":          {[]string{"--once", source, source}, 1, "", "overlap"},
		"once":             {[]string{"--once", "--workers=3", source, target}, 0, "", "path=a"},
		"quietly":          {[]string{"--once", "--log-level=error", source, t.TempDir()}, 0, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProgram(t, c.args...)
			if got := status(t, p.Run()); got != c.status {
				t.Errorf("exit status %d, want %d", got, c.status)
			}
			for _, out := range []struct{ name, got, want string }{
				{"stdout", p.stdout.String(), c.stdout}, {"stderr", p.stderr.String(), c.stderr},
			} {
				if !strings.Contains(out.got, out.want) || out.want == "" && out.got != "" {
					t.Errorf("%s is %q, want %q in it", out.name, out.got, out.want)
				}
			}
		})
	}
	waitFor(t, filepath.Join(target, "a"), "1")
}

func TestOnceFailsWhereAFileCannotBeCopied(t *testing.T) {
	source, target := t.TempDir(), t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(source, "pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(source, "a"), "1")
	p := newProgram(t, "--once", "--retries=1", source, target)
	if got := status(t, p.Run()); got != 1 {
		t.Errorf("exit status %d, want 1", got)
	}
	if log := p.stderr.String(); !strings.Contains(log, "will try again") || !strings.Contains(log, "gave up") {
		t.Errorf("the log is\n%s", log)
	}
	waitFor(t, filepath.Join(target, "a"), "1")
}

func TestSignalEndsTheProgramGracefully(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			source, target := t.TempDir(), t.TempDir()
			write(t, filepath.Join(source, "a"), "1")
			p := newProgram(t, "--interval=5ms", source, target)
			if err := p.Start(); err != nil {
				t.Fatal(err)
			}
			waitFor(t, filepath.Join(target, "a"), "1")
			write(t, filepath.Join(source, "a"), "2")
			waitFor(t, filepath.Join(target, "a"), "2")
			if err := p.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			if got := status(t, p.Wait()); got != 0 {
				t.Errorf("exit status %d, want 0", got)
			}
			if log := p.stderr.String(); !strings.Contains(log, "msg=done") {
				t.Errorf("the log is\n%s", log)
			}
		})
	}
}
