package checksumdb

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"k8s.io/publisher/durable"
)

// files writes into a folder so that each file appears whole. The files are on disk once
// sync has returned.
type files struct {
	dir      string
	unsynced []string
	// before, where not nil, is called before each file is put in place.
	before func(name string) error
}

// newFolder has the files that are being written, and is there as long as any are. It is
// hidden: names with a dot are not served.
const newFolder = ".new"

// unfinished tells whether a process was killed before it finished.
func (f *files) unfinished() bool {
	_, err := os.Lstat(filepath.Join(f.dir, newFolder))
	return err == nil
}

// finish ends what a process writes.
func (f *files) finish() error {
	if err := f.sync(); err != nil {
		return err
	}
	return os.RemoveAll(filepath.Join(f.dir, newFolder))
}

func (f *files) write(name string, data []byte) (err error) {
	if f.before != nil {
		if err := f.before(name); err != nil {
			return err
		}
	}
	target := filepath.Join(f.dir, filepath.FromSlash(name))
	create := func() (*os.File, error) { return os.CreateTemp(filepath.Join(f.dir, newFolder), "") }
	temp, err := create()
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(filepath.Join(f.dir, newFolder), 0o700); err != nil {
			return err
		}
		temp, err = create()
	}
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(temp.Name())
		}
	}()
	_, err = temp.Write(data)
	if err := errors.Join(err, temp.Chmod(0o644), temp.Close()); err != nil {
		return err
	}
	err = os.Rename(temp.Name(), target)
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(filepath.Dir(target), 0o777); err != nil {
			return err
		}
		err = os.Rename(temp.Name(), target)
	}
	if err == nil {
		f.unsynced = append(f.unsynced, target)
	}
	return err
}

// syncs is false in tests that no loss of power can befall.
var syncs = true

// sync waits until all that was written is on disk.
func (f *files) sync() error {
	if !syncs {
		return nil
	}
	if err := durable.Files(context.Background(), f.dir, f.unsynced); err != nil {
		return err
	}
	f.unsynced = nil
	return nil
}
