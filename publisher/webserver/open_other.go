//go:build !linux

package webserver

import (
	"os"
	"syscall"
)

func openBelow(root *os.Root, _ *os.File, name string) (*os.File, error) {
	return root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
}
