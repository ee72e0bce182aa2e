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
	"strconv"
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
	// Crashed tells that a run ended without releasing the lock, or that git was
	// killed in it. Acquire cleans the mirrors up; who has cleaned up the rest sets
	// it to false. Until then the file says so, however many runs fail on the way.
	Crashed bool

	// unfinished tells that a git command was killed, and that what it started
	// may be at work still, or that something could not be cleaned up.
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
			text, _, _ := strings.Cut(string(holder), "\n")
			if err != nil || text == "" {
				text = "a process that has not given its name yet"
			}
			return nil, &LockedError{File: name, Holder: text}
		}
		return nil, fmt.Errorf("lock %s: %w", name, taken)
	}
	l := &Lock{file: f, Crashed: len(holder) > 0}
	if err == nil {
		_, changing, _ := strings.Cut(string(holder), "\n")
		err = errors.Join(l.rewrite(changing), l.recover(changing))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", name, err), f.Close())
	}
	return l, nil
}

// rewrite gives the lock file this process's name, and the mirrors that are
// being changed, a line each.
func (l *Lock) rewrite(changing string) error {
	host, _ := os.Hostname()
	text := processOn(os.Getpid(), host) + time.Now().UTC().Format(time.RFC3339) + "\n" + changing
	// In this order no moment is without the mirrors.
	if _, err := l.file.WriteAt([]byte(text), 0); err != nil {
		return err
	}
	return l.file.Truncate(int64(len(text)))
}

// changes notes in the lock file that a mirror is being changed, durably: should
// this run be killed, the next one cleans up in that mirror, wherever the rules
// are by then.
func (l *Lock) changes(m *Mirror) error {
	dir, err := filepath.Rel(l.mirrors(), m.Dir)
	if err != nil {
		return err
	}
	_, err = l.file.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = fmt.Fprintf(l.file, "%q\n", dir)
	}
	if err = errors.Join(err, l.file.Sync()); err != nil {
		return fmt.Errorf("write %s: %w", l.file.Name(), err)
	}
	return nil
}

// cleaned passes on the error of cleaning up in a mirror. Where there is one, the
// mirror stays noted, and the next run tries again.
func (l *Lock) cleaned(err error) error {
	if err != nil {
		l.unfinished.Store(true)
	}
	return err
}

func (l *Lock) mirrors() string { return filepath.Dir(filepath.Dir(l.file.Name())) }

// recover cleans up in the mirrors that runs were changing when they were
// killed.
func (l *Lock) recover(changing string) error {
	for line := range strings.Lines(changing) {
		dir, err := strconv.Unquote(strings.TrimSpace(line))
		if err != nil {
			continue // Its writer was killed, and has changed nothing yet.
		}
		if err := (&Mirror{Dir: filepath.Join(l.mirrors(), dir)}).recover(); err != nil {
			return err
		}
	}
	if changing == "" {
		return nil
	}
	return l.rewrite("")
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
// lock until it ends, and the name stays, so that the next run cleans up. It
// stays, too, where cleaning up failed, and where nobody has done so yet after a
// run before.
func (l *Lock) Release() error {
	if l.unfinished.Load() {
		return l.file.Close()
	}
	var err error
	if !l.Crashed {
		err = l.file.Truncate(0)
	}
	return errors.Join(err, unix.Flock(int(l.file.Fd()), unix.LOCK_UN), l.file.Close())
}

// recover removes what a run that was killed left in a mirror: files that are not
// part of it yet.
func (m *Mirror) recover() error {
	names := []string{"packed-refs.lock"}
	keeps, err := fs.Glob(os.DirFS(m.Dir), "objects/pack/pack-*.keep")
	errs := []error{err}
	for _, name := range keeps {
		text, err := os.ReadFile(filepath.Join(m.Dir, name))
		errs = append(errs, ignoreMissing(err))
		if string(text) == keepText {
			names = append(names, name)
		}
	}
	for _, name := range names {
		errs = append(errs, ignoreMissing(os.Remove(filepath.Join(m.Dir, name))))
	}
	if err := errors.Join(append(errs, m.removeTemporaries())...); err != nil {
		return fmt.Errorf("clean up after a run that was killed: %w", err)
	}
	return nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// removeTemporaries removes the files that git repack leaves among the packs when
// it fails.
func (m *Mirror) removeTemporaries() error {
	var errs []error
	for _, pattern := range []string{"tmp_*", ".tmp-*"} {
		names, err := fs.Glob(os.DirFS(m.Dir), "objects/pack/"+pattern)
		errs = append(errs, err)
		for _, name := range names {
			errs = append(errs, ignoreMissing(os.Remove(filepath.Join(m.Dir, name))))
		}
	}
	return errors.Join(errs...)
}
