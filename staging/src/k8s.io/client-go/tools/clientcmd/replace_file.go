package clientcmd

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// replaceFile makes content the contents of the file.
//
// It writes a new file next to the old one and renames it. What cannot be
// replaced without losing something (devices, files that others own, files with
// several names, mounts, directories that are not writable) is overwritten.
func replaceFile(filename string, content []byte) error {
	// A link stays, and what it links to is replaced.
	target, err := filepath.EvalSymlinks(filename)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		target = filename
		if err := os.MkdirAll(filepath.Dir(filename), 0o755); err != nil {
			return err
		}
		if _, err := os.Lstat(filename); err == nil { // a link to nowhere
			return os.WriteFile(filename, content, 0o600)
		}
	case err != nil:
		return err
	}

	mode := fs.FileMode(0o600)
	if old, err := os.Stat(target); err == nil {
		if !replaceable(old) {
			return os.WriteFile(target, content, mode)
		}
		mode = old.Mode().Perm()
	}
	if err := writeAndRename(target, content, mode); err != nil {
		// Nothing has happened to the file yet.
		return os.WriteFile(target, content, mode)
	}
	return nil
}

// writeAndRename leaves the file as it was if it fails.
func writeAndRename(target string, content []byte, mode fs.FileMode) (err error) {
	temporary, err := os.CreateTemp(filepath.Dir(target), "."+filepath.Base(target)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			temporary.Close()
			os.Remove(temporary.Name())
		}
	}()
	if _, err := temporary.Write(content); err != nil {
		return err
	}
	if err := temporary.Chmod(mode); err != nil {
		return err
	}
	// Without it a crash could leave an empty file under the name.
	if err := temporary.Sync(); err != nil {
		return err
	}
	if err := temporary.Close(); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), target)
}
