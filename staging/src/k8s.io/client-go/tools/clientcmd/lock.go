package clientcmd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// UseModifyConfigLock makes [ModifyConfig] lock the files that it may write.
// Without it, changes made at the same time by others can get lost.
var UseModifyConfigLock = true

const (
	lockPatience = 5 * time.Second       // how long to wait for another's lock
	lockInterval = 20 * time.Millisecond // between attempts
)

// readOnly is the error for writing where nobody can.
const readOnly = syscall.EROFS

// lockFiles creates a lock for each of the files, which is a file named like it
// with ".lock" at the end, as kubectl does, and returns the function that
// removes them. It waits a while for locks of others.
func lockFiles(filenames []string) (unlock func(), err error) {
	var locks []string
	unlock = func() {
		for _, lock := range locks {
			os.Remove(lock)
		}
	}
	// All who take several locks take them in one order, so that no two of
	// them wait for each other.
	names := slices.DeleteFunc(slices.Clone(filenames), func(name string) bool { return name == "" })
	slices.Sort(names)
	deadline := time.Now().Add(lockPatience)
	for _, name := range slices.Compact(names) {
		lock := name + ".lock"
		err := createLock(lock, deadline)
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, readOnly) {
			continue // nobody like us can lock it; writing to it will tell
		}
		if err != nil {
			unlock()
			return nil, fmt.Errorf("locking %s: %w", name, err)
		}
		locks = append(locks, lock)
	}
	return unlock, nil
}

func createLock(lock string, deadline time.Time) error {
	if err := os.MkdirAll(filepath.Dir(lock), 0o755); err != nil {
		return err
	}
	for {
		file, err := os.OpenFile(lock, os.O_CREATE|os.O_EXCL, 0)
		if err == nil {
			return file.Close()
		}
		if !errors.Is(err, fs.ErrExist) {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%w: another program is changing the file; if none is, remove the lock", err)
		}
		time.Sleep(lockInterval)
	}
}
