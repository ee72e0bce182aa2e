//go:build unix

package atomicfile

import (
	"io/fs"
	"os"
	"syscall"
)

// sameAccess gives the file of that name the mode and the owners of another one.
func sameAccess(name string, as fs.FileInfo) error {
	if err := os.Chmod(name, as.Mode().Perm()); err != nil {
		return err
	}
	own, err := os.Stat(name)
	if err != nil {
		return err
	}
	mine, ok := own.Sys().(*syscall.Stat_t)
	theirs, ok2 := as.Sys().(*syscall.Stat_t)
	if !ok || !ok2 || mine.Uid == theirs.Uid && mine.Gid == theirs.Gid {
		return nil
	}
	return os.Chown(name, int(theirs.Uid), int(theirs.Gid))
}

// hasOtherNames reports whether there are hard links to the file.
func hasOtherNames(file fs.FileInfo) bool {
	stat, ok := file.Sys().(*syscall.Stat_t)
	return ok && stat.Nlink > 1
}
