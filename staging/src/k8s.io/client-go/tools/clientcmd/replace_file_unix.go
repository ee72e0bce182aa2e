//go:build unix

package clientcmd

import (
	"io/fs"
	"os"
	"syscall"
)

// replaceable tells whether a new file of ours can stand for the old one.
func replaceable(old fs.FileInfo) bool {
	if !old.Mode().IsRegular() || old.Mode().Perm()&0o200 == 0 {
		return false
	}
	stat, ok := old.Sys().(*syscall.Stat_t)
	return ok && stat.Nlink == 1 && int(stat.Uid) == os.Geteuid() && int(stat.Gid) == os.Getegid()
}
