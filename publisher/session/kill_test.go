package session_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestKilledRunIsFinishedByTheNext kills runs after ever more milliseconds,
// with the git commands that they started, as a machine that goes down would,
// or without them. The mirrors are whole at any moment, and the next run makes
// the same of them as one that nobody disturbed.
func TestKilledRunIsFinishedByTheNext(t *testing.T) {
	t.Parallel()
	w := long(t, 700)
	want := make(map[string]string) // refs, by the source's head
	first := *w
	first.mirrors = filepath.Join(w.dir, "first")
	start := time.Now()
	first.sync()
	took := time.Since(start)
	head := func() string { return w.git(w.source, "rev-parse", "HEAD") }
	want[head()] = first.refs()
	oldHead := head()
	var more []commit
	for i := range 300 {
		more = append(more, commit{files: files{fmt.Sprintf("staging/%c/more%d.go", 'a'+i%3, i): fmt.Sprintf("package %c\n\nconst Y%d = 1\n", 'a'+i%3, i)}})
	}
	w.commit(more...)
	w.tag("v1.21.0")
	newHead := head()
	want[newHead] = w.scratch()

	const kills = 16
	for name, base := range map[string]string{"a first run": "", "an incremental run": first.mirrors} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := *w
			w.TB = t
			for i := range kills {
				w.mirrors = filepath.Join(t.TempDir(), "mirrors")
				if base != "" {
					w.copyDir(base, w.mirrors)
				}
				before := w.refs()
				cmd := w.publisher("sync")
				cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
				w.must(cmd.Start())
				time.Sleep(took * 3 / 2 * time.Duration(i) / kills)
				target := cmd.Process.Pid
				if i%2 == 0 {
					target = -target // the whole group
				}
				_ = syscall.Kill(target, syscall.SIGKILL) // It may have ended by itself.
				_ = cmd.Wait()
				w.wholeAfterKill(before, want[oldHead], want[newHead])
				w.sync()
				if got := w.refs(); got != want[newHead] {
					t.Fatalf("kill %d: the mirrors have\n%s\nundisturbed they would have\n%s", i, got, want[newHead])
				}
				w.sound()
				w.sync()
			}
		})
	}
}

// wholeAfterKill checks that each mirror is at one of the states before and
// after, and that git can read all of it.
func (w *world) wholeAfterKill(states ...string) {
	w.Helper()
	for _, d := range destinations {
		got := w.refsOf(d)
		if _, err := os.Stat(w.mirror(d)); err != nil {
			continue
		}
		w.git(w.mirror(d), "fsck", "--connectivity-only", "--no-dangling")
		found := false
		for _, state := range states {
			found = found || strings.Contains(state, got)
		}
		if !found {
			w.Errorf("the killed run left %s", got)
		}
	}
}

// survivorsEnd waits for git commands of a killed run. They hold the lock.
func (w *world) survivorsEnd() {
	w.Helper()
	lock, err := os.Open(filepath.Join(w.work(), "lock"))
	w.must(err)
	w.must(syscall.Flock(int(lock.Fd()), syscall.LOCK_EX))
	w.must(lock.Close())
}
