//go:build !linux

package site

import "golang.org/x/sys/unix"

// syncFileSystem has all files on disk.
func syncFileSystem(string) error { return unix.Sync() }
