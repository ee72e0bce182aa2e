// Package atomicfile writes files so that whoever reads one sees all of what was
// there before or all of what is there now.
package atomicfile

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Write puts data into the file at path. A new file gets mode perm, before umask;
// a file that exists keeps its mode. Directories that are missing are made with
// mode 0755, before umask. A symbolic link stays, and what it leads to is
// written.
//
// Where the directory does not allow files to be replaced, such as one in which
// only that file is writable, the file is written in place.
func Write(path string, data []byte, perm fs.FileMode) error {
	path, err := prepare(path)
	if err != nil {
		return err
	}
	var owned fs.FileInfo
	if _, err := os.Readlink(path); err == nil {
		return os.WriteFile(path, data, perm) // a link to nowhere, yet
	}
	if info, err := os.Stat(path); err == nil {
		if !info.Mode().IsRegular() || info.Mode().Perm()&0o200 == 0 || hasOtherNames(info) {
			// A device or a pipe; one that is not to be written; or one that
			// would be another file than under its other names.
			return os.WriteFile(path, data, perm)
		}
		owned, perm = info, info.Mode().Perm()
	}
	temporary, err := writeBeside(path, data, perm)
	if err != nil {
		return os.WriteFile(path, data, perm)
	}
	if owned != nil {
		err = sameAccess(temporary, owned)
	}
	if err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		os.Remove(temporary)
		return os.WriteFile(path, data, perm)
	}
	return nil
}

// Create is Write for a file that does not exist. Of many who create the same
// file at the same time one succeeds, and the others get an error that is
// [fs.ErrExist].
func Create(path string, data []byte, perm fs.FileMode) error {
	path, err := prepare(path)
	if err != nil {
		return err
	}
	temporary, err := writeBeside(path, data, perm)
	if err != nil {
		return err
	}
	defer os.Remove(temporary)
	err = os.Link(temporary, path)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	// There are file systems without links. There it is not as certain.
	if _, err := os.Lstat(path); err == nil {
		return &fs.PathError{Op: "create", Path: path, Err: fs.ErrExist}
	}
	return os.Rename(temporary, path)
}

// prepare makes the directory of path, and returns the path that it leads to.
func prepare(path string) (string, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		return target, nil
	}
	return path, nil
}

// beside returns a name in the directory of path that nothing has.
func beside(path string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"."+rand.Text())
}

// writeBeside writes data to a new file in the directory of path.
func writeBeside(path string, data []byte, perm fs.FileMode) (name string, err error) {
	name = beside(path)
	// Unlike os.CreateTemp this leaves the mode to umask.
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return "", err
	}
	_, err = file.Write(data)
	if err == nil {
		err = file.Sync()
	}
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err != nil {
		os.Remove(name)
		return "", err
	}
	return name, nil
}
