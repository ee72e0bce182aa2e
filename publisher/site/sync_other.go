//go:build !linux

package site

import "golang.org/x/sys/unix"

// syncFiles has all files on disk.
func syncFiles(string) error { return unix.Sync() }
