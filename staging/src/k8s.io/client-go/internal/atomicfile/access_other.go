//go:build !unix

package atomicfile

import (
	"io/fs"
	"os"
)

// sameAccess gives the file of that name the mode of another one.
func sameAccess(name string, as fs.FileInfo) error {
	return os.Chmod(name, as.Mode().Perm())
}

// hasOtherNames reports whether there are hard links to the file, as far as can be
// told.
func hasOtherNames(fs.FileInfo) bool { return false }
