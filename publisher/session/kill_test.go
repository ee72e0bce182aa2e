package session_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestKilledRunIsFinishedByTheNext kills runs after ever more milliseconds,
// with the git commands that they started, as a machine that goes down would,
// or without them. Someone repacks the mirrors all the while. They are whole at
// any moment, and the next run makes the same of them as one that nobody disturbed.
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
				stop := w.repacking()
				w.killed(took*3/2*time.Duration(i)/kills, i%2 == 0)
				stop()
				w.wholeAfterKill(before, want[oldHead], want[newHead])
				stop = w.repacking()
				out, err := w.publisher("sync").CombinedOutput()
				stop()
				if err != nil {
					t.Fatalf("kill %d: sync: %v\n%s", i, err, out)
				}
				for _, d := range destinations {
					// A repack that had its files cleaned up failed, and left others.
					w.git(w.mirror(d), "prune", "--expire=now")
				}
				w.noLeftovers()
				if got := w.refs(); got != want[newHead] {
					t.Fatalf("kill %d: the mirrors have\n%s\nundisturbed they would have\n%s", i, got, want[newHead])
				}
				w.sound()
				w.sync()
			}
		})
	}
}

// killed is a run that is killed after some time, unless it has ended by then.
func (w *world) killed(after time.Duration, wholeGroup bool) {
	w.Helper()
	cmd := w.publisher("sync")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	w.must(cmd.Start())
	time.Sleep(after)
	target := cmd.Process.Pid
	if wholeGroup {
		target = -target
	}
	_ = syscall.Kill(target, syscall.SIGKILL) // It may have ended by itself.
	_ = cmd.Wait()
}

// repacking repacks the mirrors over and over, until stop was called.
func (w *world) repacking() (stop func()) {
	stopping, stopped := make(chan bool), make(chan bool)
	go func() {
		defer close(stopped)
		for i := 0; ; i++ {
			select {
			case <-stopping:
				return
			case <-time.After(10 * time.Millisecond): // The mirrors may not be there yet.
			}
			// Who cleans up after a killed run may take away what git is writing.
			_ = w.command(w.mirror(destinations[i%len(destinations)]), "", "git", "repack", "-adq").Run()
		}
	}()
	return func() {
		close(stopping)
		<-stopped
	}
}

// TestManyKilledRunsInARowLoseNothing has news for each of the runs, and lets none
// clean up after all of them but the last.
func TestManyKilledRunsInARowLoseNothing(t *testing.T) {
	t.Parallel()
	kills := 100
	if testing.Short() {
		kills = 20
	}
	w := long(t, 60)
	start := time.Now()
	w.sync()
	took := time.Since(start)
	random := rand.New(rand.NewPCG(3, 4))
	for i := range kills {
		w.commit(commit{files: files{fmt.Sprintf("staging/%c/news%d.go", 'a'+i%3, i): fmt.Sprintf("package %c\n", 'a'+i%3)}})
		before := w.tips()
		w.killed(time.Duration(random.Int64N(int64(took))), i%2 == 0)
		w.survivorsEnd()
		w.forward(before)
		w.wholeAfterKill()
	}
	w.sync()
	w.sameAsFromScratch()
}

// wholeAfterKill checks that git can read all of each mirror, and that it is at one
// of the states, if such are given.
func (w *world) wholeAfterKill(states ...string) {
	w.Helper()
	for _, d := range destinations {
		if _, err := os.Stat(w.mirror(d)); err != nil {
			continue
		}
		w.git(w.mirror(d), "fsck", "--connectivity-only", "--no-dangling")
		got := w.refsOf(d)
		holds := func(state string) bool { return strings.Contains(state, got) }
		if len(states) > 0 && !slices.ContainsFunc(states, holds) {
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
