package controlplane

import (
	"fmt"
	"os"
	"path/filepath"
)

const (
	tempPrefix = "controlplane-"
	lockName   = ".lock"
)

// makeDir makes or takes the directory. Its lock is held for as long as the
// control plane lives: it keeps a second one out, and tells what was left behind
// from what is in use.
func (cp *ControlPlane) makeDir() (err error) {
	if cp.opts.Dir != "" {
		if cp.Dir, err = filepath.Abs(cp.opts.Dir); err != nil {
			return err
		}
		if err := os.MkdirAll(cp.Dir, 0o700); err != nil {
			return err
		}
	} else {
		sweep(os.TempDir())
		if cp.Dir, err = os.MkdirTemp("", tempPrefix); err != nil {
			return err
		}
		cp.temporary = true
	}
	cp.unlock, err = lockFile(cp.path(lockName), false)
	if err != nil {
		return fmt.Errorf("%s is in use by another control plane: stop that one, or give another directory: %w", cp.Dir, err)
	}
	if cp.opts.Keep {
		return os.WriteFile(cp.path(keepName), nil, 0o600)
	}
	return nil
}

// keepName marks a temporary directory that somebody wants to look into.
const keepName = ".keep"

// sweep removes the directories of control planes that were killed before they
// could do so themselves: those whose lock nobody holds.
func sweep(temp string) {
	dirs, _ := filepath.Glob(filepath.Join(temp, tempPrefix+"*"))
	for _, dir := range dirs {
		lock := filepath.Join(dir, lockName)
		if _, err := os.Lstat(lock); err != nil {
			continue // none of ours, or not locked yet
		}
		if _, err := os.Lstat(filepath.Join(dir, keepName)); err == nil {
			continue
		}
		if unlock, err := lockFile(lock, false); err == nil {
			os.RemoveAll(dir)
			unlock()
		}
	}
}

// writeSecret writes a file that its owner alone can read.
func writeSecret(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o600)
}
