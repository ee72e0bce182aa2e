package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// devices are those that the command has.
var devices = []string{"null", "zero", "full", "random", "urandom"}

// held is a part of the file system that is put back after what it was in got hidden.
type held struct {
	path     string
	fd       int
	writable bool
}

// mount makes the file system that the command sees: in a mount namespace, so that
// nobody else notices.
func (s *overseer) mount() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("separate the mounts: %w", err)
	}
	kept, err := s.hold()
	if err != nil {
		return err
	}
	var nodes []held
	for _, name := range devices {
		fd, err := unix.OpenTree(unix.AT_FDCWD, "/dev/"+name, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
		if err != nil {
			return fmt.Errorf("open /dev/%s: %w", name, err)
		}
		nodes = append(nodes, held{path: "/dev/" + name, fd: fd})
	}
	// In a container parts of /proc may be covered, and then the kernel lets nobody
	// show them by mounting another one: then the one that is there has to do.
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil && !errors.Is(err, unix.EPERM) {
		return fmt.Errorf("mount /proc: %w", err)
	}
	if err := setAttributes("/", unix.AT_RECURSIVE, unix.MOUNT_ATTR_RDONLY|unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_NOSUID); err != nil {
		return fmt.Errorf("make all read-only: %w", err)
	}
	for _, dir := range s.Cover {
		if err := cover(dir, "size=1m"); err != nil {
			return err
		}
	}
	for _, h := range kept {
		if err := h.putBack(); err != nil {
			return fmt.Errorf("put %s back: %w", h.path, err)
		}
	}
	for _, path := range s.Hidden {
		if err := hide(path); err != nil {
			return err
		}
	}
	for _, dir := range s.Cover {
		if err := setAttributes(dir, 0, unix.MOUNT_ATTR_RDONLY); err != nil {
			return fmt.Errorf("make %s read-only: %w", dir, err)
		}
	}
	return makeDev(nodes)
}

// hold takes hold of what is to be put back, the outermost first.
func (s *overseer) hold() (kept []held, err error) {
	for _, path := range s.Readable {
		kept = append(kept, held{path: path})
	}
	for _, path := range s.Writable {
		kept = append(kept, held{path: path, writable: true})
	}
	slices.SortStableFunc(kept, func(a, b held) int { return strings.Compare(a.path, b.path) })
	for i := range kept {
		kept[i].fd, err = unix.OpenTree(unix.AT_FDCWD, kept[i].path, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
		if err != nil {
			return nil, fmt.Errorf("open %s: %w", kept[i].path, err)
		}
	}
	return kept, nil
}

func (h held) putBack() error {
	if _, err := os.Lstat(h.path); err != nil {
		if err := os.MkdirAll(h.path, 0o755); err != nil {
			return err
		}
	}
	if err := unix.MoveMount(h.fd, "", unix.AT_FDCWD, h.path, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
		return err
	}
	attributes := uint64(unix.MOUNT_ATTR_NODEV | unix.MOUNT_ATTR_NOSUID)
	if !h.writable {
		attributes |= unix.MOUNT_ATTR_RDONLY
	}
	return errors.Join(setAttributes(h.path, unix.AT_RECURSIVE, attributes), unix.Close(h.fd))
}

func setAttributes(path string, flags uint, attributes uint64) error {
	return unix.MountSetattr(unix.AT_FDCWD, path, flags, &unix.MountAttr{Attr_set: attributes})
}

// cover mounts an empty folder.
func cover(dir, options string) error {
	err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=755,"+options)
	if err != nil {
		err = fmt.Errorf("cover %s: %w", dir, err)
	}
	return err
}

// hide covers a file or a folder that is there still.
func hide(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err == nil && info.IsDir() {
		if err = cover(path, "size=4k"); err == nil {
			err = setAttributes(path, 0, unix.MOUNT_ATTR_RDONLY)
		}
		return err
	}
	if err == nil {
		err = unix.Mount("/dev/null", path, "", unix.MS_BIND, "")
	}
	if err != nil {
		err = fmt.Errorf("hide %s: %w", path, err)
	}
	return err
}

// makeDev makes a /dev of a few devices.
func makeDev(nodes []held) error {
	if err := cover("/dev", "size=64m"); err != nil {
		return err
	}
	for _, node := range nodes {
		if err := os.WriteFile(node.path, nil, 0o666); err != nil {
			return err
		}
		if err := unix.MoveMount(node.fd, "", unix.AT_FDCWD, node.path, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
			return fmt.Errorf("mount %s: %w", node.path, err)
		}
		if err := unix.Close(node.fd); err != nil {
			return err
		}
	}
	if err := os.Mkdir("/dev/shm", 0o777); err != nil {
		return err
	}
	if err := os.Chmod("/dev/shm", 0o1777); err != nil {
		return err
	}
	for name, target := range map[string]string{"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2"} {
		if err := os.Symlink(target, filepath.Join("/dev", name)); err != nil {
			return err
		}
	}
	return nil
}
