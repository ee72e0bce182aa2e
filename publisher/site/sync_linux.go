package site

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// syncFileSystem has all files on disk of the file system that a folder is on.
func syncFileSystem(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(unix.Syncfs(int(f.Fd())), f.Close())
}
