package mirror

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func acquire(t *testing.T, mirrors string) *Lock {
	t.Helper()
	l, err := Acquire(t.Context(), mirrors, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func release(t *testing.T, l *Lock) {
	t.Helper()
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
}

func TestSecondLockNamesTheFirst(t *testing.T) {
	dir := t.TempDir()
	first := acquire(t, dir)
	if first.Crashed {
		t.Error("nobody held it before")
	}
	_, err := Acquire(t.Context(), dir, slog.New(slog.DiscardHandler))
	var locked *LockedError
	if !errors.As(err, &locked) || !strings.HasPrefix(locked.Holder, fmt.Sprintf("process %d on ", os.Getpid())) {
		t.Errorf("got %v", err)
	}
	release(t, first)
	second := acquire(t, dir)
	if second.Crashed {
		t.Error("the first was released")
	}
	// The system releases the lock of a process that dies; its name stays.
	if err := second.file.Close(); err != nil {
		t.Fatal(err)
	}
	third := acquire(t, dir)
	if !third.Crashed {
		t.Error("the second was not released")
	}
	third.Crashed = false
	release(t, third)
}

// TestCrashIsNeverForgotten: a run that fails before it has cleaned up leaves
// that to the next one.
func TestCrashIsNeverForgotten(t *testing.T) {
	mirrors := t.TempDir()
	killed := acquire(t, mirrors)
	var left []string
	for _, name := range []string{"a", "org/b\nc"} {
		m := &Mirror{Dir: Path(mirrors, name)}
		left = append(left, filepath.Join(m.Dir, "packed-refs.lock"), filepath.Join(m.Dir, "objects/pack/tmp_pack_1"))
		if err := errors.Join(os.MkdirAll(filepath.Join(m.Dir, "objects/pack"), 0o777), killed.changes(m)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range left {
		if err := os.WriteFile(name, nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := killed.file.Close(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		failed := acquire(t, mirrors)
		if !failed.Crashed {
			t.Fatal("it is forgotten")
		}
		release(t, failed)
	}
	for _, name := range left {
		if _, err := os.Lstat(name); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is left: %v", name, err)
		}
	}
	// What cannot be cleaned up stays noted.
	killed = acquire(t, mirrors)
	if err := errors.Join(killed.changes(&Mirror{Dir: Path(mirrors, "a")}), os.MkdirAll(filepath.Join(left[0], "full"), 0o777), killed.file.Close()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := Acquire(t.Context(), mirrors, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), left[0]) {
			t.Errorf("got %v", err)
		}
	}
	if err := os.Remove(filepath.Join(left[0], "full")); err != nil {
		t.Fatal(err)
	}
	last := acquire(t, mirrors)
	last.Crashed = false
	release(t, last)
	if next := acquire(t, mirrors); next.Crashed {
		t.Error("all was cleaned up")
	}
}

// TestLockIsWaitedForOnlyWhereItsRunHasEnded has the lock held under several
// names. Whoever waits is told to stop by what it logs.
func TestLockIsWaitedForOnlyWhereItsRunHasEnded(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	ended := exec.Command("git", "--version")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	const since = "2000-01-01T00:00:00Z\n"
	for _, test := range []struct {
		name, holder string
		waits        bool
	}{
		{"one that has ended", processOn(ended.Process.Pid, host) + since, true},
		{"one at work", processOn(os.Getpid(), host) + since, false},
		{"another user's", processOn(1, host) + since, false},
		{"on another host", processOn(ended.Process.Pid, host+"x") + since, false},
		{"without a name yet", "", false},
		{"someone else", "what is this\n", false},
		{"no process", processOn(0, host) + since, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			holder := acquire(t, dir)
			defer holder.file.Close()
			if err := os.WriteFile(holder.file.Name(), []byte(test.holder), 0o666); err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(t.Context())
			said := whenWritten(stop)
			_, err := Acquire(ctx, dir, slog.New(slog.NewTextHandler(said, nil)))
			var locked *LockedError
			switch {
			case test.waits && (!errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), holder.file.Name())):
				t.Errorf("got %v", err)
			case !test.waits && !errors.As(err, &locked):
				t.Errorf("got %v", err)
			}
			if !test.waits {
				return
			}
			said = whenWritten(func() { holder.file.Close() })
			next, err := Acquire(t.Context(), dir, slog.New(slog.NewTextHandler(said, nil)))
			if err != nil {
				t.Fatal(err)
			}
			if !next.Crashed {
				t.Error("the run that has ended did not release it")
			}
			release(t, next)
		})
	}
}

// whenWritten is a function to call when something is written.
type whenWritten func()

func (f whenWritten) Write(data []byte) (int, error) {
	f()
	return len(data), nil
}

// TestWhatAKilledGitStartedKeepsTheLock: a run that is interrupted kills git, but
// not what git has started.
func TestWhatAKilledGitStartedKeepsTheLock(t *testing.T) {
	dir := t.TempDir()
	first := acquire(t, dir)
	stay := filepath.Join(dir, "stay")
	if err := os.WriteFile(stay, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	err := first.Git(t.Context(), new(Mirror), "-c", fmt.Sprintf(
		`alias.stay=!exec >/dev/null 2>&1; kill -9 $PPID; while [ -e %s ]; do sleep 0.01; done; :`, stay), "stay")
	if err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("git was not killed: %v", err)
	}
	release(t, first)
	_, err = Acquire(t.Context(), dir, slog.New(slog.DiscardHandler))
	var locked *LockedError
	if !errors.As(err, &locked) {
		t.Fatalf("got %v", err)
	}
	if err := os.Remove(stay); err != nil {
		t.Fatal(err)
	}
	// This process lives, so that Acquire would not wait.
	file, err := os.Open(first.file.Name())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(unix.Flock(int(file.Fd()), unix.LOCK_EX), unix.Flock(int(file.Fd()), unix.LOCK_UN), file.Close()); err != nil {
		t.Fatal(err)
	}
	next := acquire(t, dir)
	if !next.Crashed {
		t.Error("nobody is to clean up after git")
	}
	release(t, next)
}
