package webserver

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// file is an open file of the site. For most of them an [os.File] would take longer to be made
// than what they hold to be read.
type file struct {
	fd   int
	stat unix.Stat_t
	os   *os.File // the same, where the operating system is to copy it
}

// open opens a file. Nothing is waited for: not for who writes into a pipe, either.
func (s *Server) open(name string) (*file, error) {
	fd, err := openBelow(s.root, s.folder, name)
	if err != nil {
		return nil, err
	}
	f := &file{fd: fd}
	if err := unix.Fstat(fd, &f.stat); err != nil {
		return nil, errors.Join(&fs.PathError{Op: "fstat", Path: name, Err: err}, f.Close())
	}
	return f, nil
}

// openByStep opens a file below a folder with a step for each folder in between.
func openByStep(root *os.Root, name string) (int, error) {
	f, err := root.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return -1, err
	}
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	return fd, errors.Join(err, f.Close())
}

func (f *file) isFolder() bool      { return f.stat.Mode&unix.S_IFMT == unix.S_IFDIR }
func (f *file) isRegular() bool     { return f.stat.Mode&unix.S_IFMT == unix.S_IFREG }
func (f *file) size() int64         { return f.stat.Size }
func (f *file) modified() time.Time { return time.Unix(f.stat.Mtim.Unix()) }

// Read implements [io.Reader].
func (f *file) Read(p []byte) (int, error) {
	for {
		n, err := unix.Read(f.fd, p)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return 0, os.NewSyscallError("read", err)
		case n == 0 && len(p) > 0:
			return 0, io.EOF
		}
		return n, nil
	}
}

// skip leaves out the first bytes.
func (f *file) skip(n int64) error {
	_, err := unix.Seek(f.fd, n, io.SeekStart)
	return os.NewSyscallError("lseek", err)
}

// copyTo has the operating system copy the next bytes to a connection.
func (f *file) copyTo(c io.ReaderFrom, n int64) (int64, error) {
	if f.os == nil {
		f.os = os.NewFile(uintptr(f.fd), "")
	}
	return c.ReadFrom(&io.LimitedReader{R: f.os, N: n})
}

// Close implements [io.Closer]. It can be called again.
func (f *file) Close() error {
	fd := f.fd
	f.fd = -1
	switch {
	case fd < 0:
		return nil
	case f.os != nil:
		return f.os.Close()
	}
	return os.NewSyscallError("close", unix.Close(fd))
}
