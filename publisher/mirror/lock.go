package mirror

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
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

// Lock keeps two runs from writing the same mirrors. The operating system
// releases it when the process ends, however it ends.
type Lock struct {
	file *os.File
	// Crashed tells that the last run ended without releasing the lock.
	Crashed bool
}

// Acquire takes the lock of a folder of mirrors, or fails at once with a
// [LockedError].
func Acquire(mirrors string) (*Lock, error) {
	dir := WorkDir(mirrors)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("lock mirrors: %w", err)
	}
	name := filepath.Join(dir, "lock")
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
	me := fmt.Sprintf("process %d on %s, since %s\n", os.Getpid(), host, time.Now().UTC().Format(time.RFC3339))
	if err = errors.Join(err, f.Truncate(0)); err == nil {
		_, err = f.WriteAt([]byte(me), 0)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", name, err)
	}
	return &Lock{file: f, Crashed: len(holder) > 0}, nil
}

// Release gives the lock back. Closing the file alone would not: a process that
// is being started at this moment has it open too, until it runs its own program.
func (l *Lock) Release() error {
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
