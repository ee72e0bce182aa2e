package webserver

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// openBelow opens a file below a folder, wherever symbolic links lead, in one step. A kernel
// that does not know how, or a sandbox that does not let it, leaves that to [openByStep].
func openBelow(root *os.Root, folder *os.File, name string) (int, error) {
	fd, err := unix.Openat2(int(folder.Fd()), name, &unix.OpenHow{
		Flags: unix.O_RDONLY | unix.O_NONBLOCK | unix.O_CLOEXEC, Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_MAGICLINKS,
	})
	switch {
	case err == nil:
		return fd, nil
	case errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EPERM), errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
		return openByStep(root, name)
	}
	return -1, &fs.PathError{Op: "openat2", Path: name, Err: err}
}
