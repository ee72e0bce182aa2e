//go:build !unix

package clientcmd

import (
	"io/fs"
)

// replaceable tells whether a new file of ours can stand for the old one.
func replaceable(old fs.FileInfo) bool {
	return old.Mode().IsRegular() && old.Mode().Perm()&0o200 != 0
}
