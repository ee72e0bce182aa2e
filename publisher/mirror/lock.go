package mirror

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// WorkDir is the publisher's own folder beside the mirrors: the lock, the
// cache, and what is being written.
func WorkDir(mirrors string) string { return filepath.Join(mirrors, ".publisher") }

// LockedError reports that another run is at work on the same mirrors.
type LockedError struct {
	File   string
	Holder string // "process 123 on host, since …"
}

func (e *LockedError) Error() string {
	return fmt.Sprintf("another run holds %s: %s; wait for it to end", e.File, e.Holder)
}

// Lock keeps two runs from writing the same mirrors. A run holds it together with
// the git commands that it starts by [Lock.Git]. The operating system releases it
// when the last of them has ended, however it ended.
type Lock struct {
	file *os.File
	// Crashed tells that the last run ended without releasing the lock, or
	// that git was killed in it.
	Crashed bool

	// unfinished tells that a git command was killed, and that what it started
	// may be at work still.
	unfinished atomic.Bool
}

// Acquire takes the lock of a folder of mirrors. It fails at once with a
// [LockedError] while another run is at work. Of one that was killed, git
// commands may be left that hold the lock; Acquire tells log of them and waits
// until they have ended, or ctx has.
func Acquire(ctx context.Context, mirrors string, log *slog.Logger) (*Lock, error) {
	dir := WorkDir(mirrors)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("lock mirrors: %w", err)
	}
	name := filepath.Join(dir, "lock")
	for told := false; ; told = true {
		l, err := tryAcquire(name)
		var locked *LockedError
		if !errors.As(err, &locked) || !hasEnded(locked.Holder) {
			return l, err
		}
		if !told {
			log.Info("waiting for git commands that a killed run has left at work", "run", locked.Holder, "lock", name)
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for git commands of a killed run (%s), which hold %s: %w", locked.Holder, name, context.Cause(ctx))
		}
	}
}

// tryAcquire takes the lock, or fails with a [LockedError] if it is held.
func tryAcquire(name string) (*Lock, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, fmt.Errorf("lock mirrors: %w", err)
	}
	taken := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	holder, err := io.ReadAll(f)
	if taken != nil {
		f.Close()
		if errors.Is(taken, unix.EWOULDBLOCK) {
			text := strings.TrimSpace(string(holder))
			if err != nil || text == "" {
				text = "a process that has not given its name yet"
			}
			return nil, &LockedError{File: name, Holder: text}
		}
		return nil, fmt.Errorf("lock %s: %w", name, taken)
	}
	host, _ := os.Hostname()
	me := processOn(os.Getpid(), host) + time.Now().UTC().Format(time.RFC3339) + "\n"
	if err = errors.Join(err, f.Truncate(0)); err == nil {
		_, err = f.WriteAt([]byte(me), 0)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", name, err)
	}
	return &Lock{file: f, Crashed: len(holder) > 0}, nil
}

// processOn is how a lock file names a process, up to the time.
func processOn(pid int, host string) string {
	return fmt.Sprintf("process %d on %s, since ", pid, host)
}

// hasEnded reports whether the process that a lock file names has ended. Of
// another host's nobody here can tell; they count as alive.
func hasEnded(holder string) bool {
	var pid int
	if _, err := fmt.Sscanf(holder, "process %d", &pid); err != nil || pid <= 0 {
		return false
	}
	host, err := os.Hostname()
	if err != nil || !strings.HasPrefix(holder, processOn(pid, host)) {
		return false
	}
	// Any other error is about a process that exists.
	return errors.Is(unix.Kill(pid, 0), unix.ESRCH)
}

// Release gives the lock back. Closing the file alone would not: a process that
// is being started at this moment has it open too, until it runs its own program.
// Where git was killed, closing is what is wanted: what git had started keeps the
// lock until it ends, and the name stays, so that the next run cleans up.
func (l *Lock) Release() error {
	if l.unfinished.Load() {
		return l.file.Close()
	}
	return errors.Join(l.file.Truncate(0), unix.Flock(int(l.file.Fd()), unix.LOCK_UN), l.file.Close())
}

// Recover removes what a run that was killed left in a mirror: files that
// are not part of it yet. The caller holds the lock.
func (m *Mirror) Recover() error {
	if !m.Exists {
		return nil
	}
	err := os.Remove(filepath.Join(m.Dir, "packed-refs.lock"))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err = errors.Join(err, m.removeTemporaries()); err != nil {
		return fmt.Errorf("clean up after a run that was killed: %w", err)
	}
	return nil
}

// removeTemporaries removes the files that git pack-objects and git repack
// leave among the packs when they fail.
func (m *Mirror) removeTemporaries() error {
	var errs []error
	for _, pattern := range []string{"tmp_*", ".tmp-*"} {
		names, err := fs.Glob(os.DirFS(m.Dir), "objects/pack/"+pattern)
		errs = append(errs, err)
		for _, name := range names {
			if err := os.Remove(filepath.Join(m.Dir, name)); !errors.Is(err, fs.ErrNotExist) {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}
