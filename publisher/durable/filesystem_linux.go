package durable

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// fileSystem waits for all of the file system that a folder is on: that is much quicker
// than thousands of files one by one. It tells whether it can.
func fileSystem(dir string) (bool, error) {
	f, err := os.Open(dir)
	if err != nil {
		return false, err
	}
	defer f.Close()
	if err := unix.Syncfs(int(f.Fd())); err != nil {
		return false, fmt.Errorf("write the file system of %s to disk: %w", dir, err)
	}
	return true, nil
}
