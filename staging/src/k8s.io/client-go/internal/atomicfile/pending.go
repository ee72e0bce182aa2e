package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Pending is a file that is written piece by piece, and is at its path only once it is
// whole. It is for what can be had again, such as a cache: nobody waits for the disk.
type Pending struct {
	*os.File
	path string
}

// Begin creates a pending file for path, for the user alone. A directory that is
// missing is made with mode dirPerm, before umask.
func Begin(path string, dirPerm fs.FileMode) (*Pending, error) {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, filepath.Base(path)+".*")
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(dir, dirPerm); err != nil {
			return nil, err
		}
		f, err = os.CreateTemp(dir, filepath.Base(path)+".*")
	}
	if err != nil {
		return nil, err
	}
	return &Pending{f, path}, nil
}

// Commit puts the file in its place. If err says that something went wrong before, it
// removes the file instead, and returns err.
func (p *Pending) Commit(err error) error {
	if closing := p.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(p.Name(), p.path)
	}
	if err != nil {
		os.Remove(p.Name())
	}
	return err
}

// Link makes path a symbolic link to target, in the place of whatever link or file is
// there.
func Link(target, path string) error {
	temporary := beside(path)
	if err := os.Symlink(target, temporary); err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		os.Remove(temporary)
		return err
	}
	return nil
}
