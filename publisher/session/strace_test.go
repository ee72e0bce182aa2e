package session_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// changing are the system calls by which a run changes files.
const changing = "openat,write,pwrite64,fsync,fdatasync,ftruncate,renameat,unlinkat,mkdirat"

// step is a system call of a run: the nth of its name that is about a path below
// the mirrors.
type step struct {
	call, path string
	nth        int
}

// strace has a run traced by strace(1), which makes a test interfere right there
// where it says.
func strace(cmd *exec.Cmd, options ...string) {
	cmd.Args = slices.Concat([]string{"strace", "-f", "-qq"}, options, []string{"--"}, cmd.Args)
	cmd.Path, cmd.Err = exec.LookPath("strace")
}

// injects has something done to a run as soon as it comes to a step.
func (w *world) injects(cmd *exec.Cmd, s step, injection, log string) {
	strace(cmd, "-o", log, "-P", filepath.Join(w.mirrors, s.path), "-e", "trace="+s.call,
		"-e", fmt.Sprintf("inject=%s:%s:when=%d", s.call, injection, s.nth))
}

// meanwhile runs cmd, which is stopped right after a step until f is done. It
// returns what cmd has written, and its error.
func (w *world) meanwhile(cmd *exec.Cmd, s step, f func()) (string, error) {
	w.Helper()
	log := filepath.Join(w.TempDir(), "strace")
	w.injects(cmd, s, "signal=STOP", log)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	w.must(cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	stopped := regexp.MustCompile(`(?m)^(\d+) +--- stopped by SIGSTOP`)
	done := false
	for {
		text, _ := os.ReadFile(log) // It may not be there yet.
		threads := stopped.FindAllSubmatch(text, -1)
		if len(threads) > 0 && !done {
			f()
			done = true
		}
		// What it starts may come to that step, too, and is stopped on its own.
		for _, found := range threads {
			thread, err := strconv.Atoi(string(found[1]))
			w.must(err)
			_ = syscall.Kill(thread, syscall.SIGCONT) // It may have ended.
		}
		select {
		case err := <-ended:
			if !done {
				w.Fatalf("the run never came to %v: %v\n%s", s, err, &output)
			}
			return output.String(), err
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// steps lists those of a run that change a mirror, the lock or the cache, where
// they have the same names in each run.
func (w *world) steps() []step {
	w.Helper()
	log := filepath.Join(w.TempDir(), "strace")
	cmd := w.publisher("sync")
	strace(cmd, "-y", "-s", "4096", "-o", log, "-e", "trace="+changing)
	if out, err := cmd.CombinedOutput(); err != nil {
		w.Fatalf("strace: %v\n%s", err, out)
	}
	text, err := os.ReadFile(log)
	w.must(err)
	call := regexp.MustCompile(`^\d+ +(\w+)\(`)
	path := regexp.MustCompile(`[<"]` + regexp.QuoteMeta(w.mirrors) + `/([^>"]+)[>"]`)
	seen := make(map[step]int)
	var steps []step
	for line := range strings.Lines(string(text)) {
		name, paths := call.FindStringSubmatch(line), path.FindAllStringSubmatch(line, -1)
		if name == nil || len(paths) == 0 || name[1] == "openat" && !strings.Contains(line, "O_CREAT") {
			continue
		}
		// Of two, the second is where something is moved to.
		s := step{call: name[1], path: paths[len(paths)-1][1]}
		if name[1] == "openat" {
			s.path = paths[0][1]
		}
		own := strings.HasPrefix(s.path, ".publisher/") && s.path != ".publisher/lock" && s.path != ".publisher/cache.db"
		if own || strings.Contains(s.path, "/tmp_") {
			continue
		}
		seen[s]++
		if s.nth = seen[s]; s.nth <= 3 {
			steps = append(steps, s)
		}
		s.nth = 0
	}
	return steps
}

// TestNoStepTearsTheMirrors ends a run right before each step by which it changes
// something, or has the system fail it there. Each mirror is as it was then or as
// it is to be, a run that says it succeeded has told the truth, and the next one
// makes of what is left what one that nobody disturbed does.
func TestNoStepTearsTheMirrors(t *testing.T) {
	t.Parallel()
	w := small(t, standardRules)
	w.sync()
	w.git(w.mirror("a"), "update-server-info")
	w.commit(commit{files: files{"staging/a/x.go": "package a\n", "staging/b/x.go": "package b\n"}})
	before, want := w.refs(), w.scratch()
	base := filepath.Join(w.dir, "base")
	w.copyDir(w.mirrors, base)
	steps := w.steps()
	if got := w.refs(); got != want {
		t.Fatalf("the mirrors have\n%s\nfrom scratch they would have\n%s", got, want)
	}
	every := 1
	if testing.Short() {
		every = 4
	}
	for injection, cause := range map[string]string{"signal=KILL": "signal: killed", "error=EIO": "exit status 1"} {
		t.Run(injection, func(t *testing.T) {
			t.Parallel()
			w := *w
			w.TB, w.mirrors = t, filepath.Join(t.TempDir(), "mirrors")
			met := 0
			for i := 0; i < len(steps); i += every {
				w.remove(w.mirrors)
				w.copyDir(base, w.mirrors)
				cmd := w.publisher("sync")
				w.injects(cmd, steps[i], injection, os.DevNull)
				out, err := cmd.CombinedOutput()
				switch {
				case err != nil && err.Error() != cause || strings.Contains(string(out), "goroutine "):
					t.Errorf("at %v: %v\n%s", steps[i], err, out)
				case err == nil && w.refs() != want:
					t.Errorf("at %v it said that it succeeded, but the mirrors have\n%s\n%s", steps[i], w.refs(), out)
				case err != nil:
					met++
				}
				w.survivorsEnd()
				w.wholeAfterKill(before, want)
				w.sync()
				if got := w.refs(); got != want {
					t.Fatalf("after a run with %s at %v the mirrors have\n%s\nundisturbed they would have\n%s\n%s", injection, steps[i], got, want, out)
				}
				w.sound()
				w.listsServed("a")
			}
			t.Log(met, "of", len(steps)/every, "runs were disturbed")
			if met < len(steps)/every/2 {
				t.Errorf("of %d runs only %d came to their step", len(steps)/every, met)
			}
		})
	}
}

// listsServed returns what git has listed for web servers, if it has, and checks that
// it is up to date.
func (w *world) listsServed(destination string) string {
	w.Helper()
	read := func() (all []string) {
		for _, name := range []string{"info/refs", "objects/info/packs"} {
			data, err := os.ReadFile(filepath.Join(w.mirror(destination), name))
			if os.IsNotExist(err) {
				return nil
			}
			w.must(err)
			all = append(all, string(data))
		}
		return all
	}
	got := read()
	if got == nil {
		return ""
	}
	w.git(w.mirror(destination), "update-server-info")
	if want := read(); !slices.Equal(got, want) {
		w.Errorf("%s lists\n%s\nand should list\n%s", destination, got, want)
	}
	return got[0]
}
