package dirsync

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"syscall"
	"time"
)

const (
	// scratch is where files are written before they are moved into place.
	scratch = ".dirsync"

	// recent is how old a file must be for its modification time to tell
	// whether it changed. Some file systems count in steps of two seconds.
	recent = 2 * time.Second
)

// Dirs are a source directory and the target that is to equal it. Nothing is
// ever written outside the target, symbolic links in it notwithstanding.
type Dirs struct {
	Source, Target string
}

// A Change says what Reconcile did.
type Change string

const (
	Unchanged Change = "unchanged"
	Written   Change = "written"
	Removed   Change = "removed"
)

// Diff returns the paths, relative to the two directories and separated by
// slashes, for which they differ. Of a directory that is to be removed, only
// its own path is returned. If parts of the directories could not be read, the
// differences in the other parts are returned together with the error.
func (d Dirs) Diff() ([]string, error) {
	source, target, err := d.open()
	if err != nil {
		return nil, err
	}
	defer source.Close()
	defer target.Close()

	var differing []string
	var errs []error
	visit := func(root *os.Root, look func(name string, entry fs.DirEntry) error) {
		errs = append(errs, fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				if !absent(err) { // something may vanish under our eyes
					errs = append(errs, fmt.Errorf("reading %s: %w", root.Name(), err))
				}
				return nil
			case name == ".":
				return nil
			case name == scratch:
				return skip(entry)
			}
			return look(name, entry)
		}))
	}
	visit(source, func(name string, _ fs.DirEntry) error {
		same, err := same(source, target, name)
		if err != nil {
			errs = append(errs, err)
		} else if !same {
			differing = append(differing, name)
		}
		return nil
	})
	visit(target, func(name string, entry fs.DirEntry) error {
		want, err := lstat(source, name)
		switch {
		case absent(err):
			differing = append(differing, name)
			return skip(entry)
		case err == nil && !want.IsDir():
			return skip(entry) // it is replaced as a whole
		}
		return nil
	})
	return differing, errors.Join(errs...)
}

// skip passes over what is below entry. SkipDir alone would pass over what is
// beside a file.
func skip(entry fs.DirEntry) error {
	if entry.IsDir() {
		return fs.SkipDir
	}
	return nil
}

// Reconcile makes the target equal to the source at name, which is a path as
// Diff returns it. For a directory that includes what the target has below it
// only if the directory is removed. It can be called at any time for any path,
// and by several goroutines: it looks at what is there, not at what there was.
//
// The error is an [errors.ErrUnsupported] if name is a file of a type that is
// not supported.
func (d Dirs) Reconcile(name string) (Change, error) {
	if !fs.ValidPath(name) || name == "." {
		return Unchanged, fmt.Errorf("reconciling %q: %w", name, fs.ErrInvalid)
	}
	// A source that is gone is an error here, and not a reason to remove
	// everything.
	source, target, err := d.open()
	if err != nil {
		return Unchanged, err
	}
	defer source.Close()
	defer target.Close()

	change, err := reconcile(source, target, name)
	if err != nil {
		return Unchanged, fmt.Errorf("reconciling %s: %w", name, err)
	}
	return change, nil
}

func (d Dirs) open() (source, target *os.Root, err error) {
	if source, err = os.OpenRoot(d.Source); err != nil {
		return nil, nil, fmt.Errorf("opening the source: %w", err)
	}
	if target, err = os.OpenRoot(d.Target); err != nil {
		source.Close()
		return nil, nil, fmt.Errorf("opening the target: %w", err)
	}
	return source, target, nil
}

func reconcile(source, target *os.Root, name string) (Change, error) {
	if same, err := same(source, target, name); same || err != nil {
		return Unchanged, err
	}
	want, err := lstat(source, name)
	if absent(err) {
		return Removed, target.RemoveAll(name)
	}
	if err != nil {
		return Unchanged, err
	}
	// A worker may come to a file before another one has come to its directory.
	if dir := path.Dir(name); dir != "." {
		if _, err := reconcile(source, target, dir); err != nil {
			return Unchanged, err
		}
	}
	if err := makeWay(target, name, want); err != nil {
		return Unchanged, err
	}
	switch {
	case want.IsDir():
		return Written, makeDir(target, name, want)
	case isLink(want):
		return Written, copyLink(source, target, name)
	case want.Mode().IsRegular():
		return Written, copyFile(source, target, name)
	}
	return Unchanged, unsupported(want)
}

// makeWay removes what cannot be overwritten by what is wanted.
func makeWay(target *os.Root, name string, want fs.FileInfo) error {
	have, err := target.Lstat(name)
	switch {
	case absent(err):
		return nil
	case err != nil:
		return err
	case have.Mode().Type() == want.Mode().Type() && !isLink(have):
		return nil
	case have.IsDir():
		return target.RemoveAll(name)
	}
	// Not with all below it: by now it may be the directory that another
	// worker has made there and filled.
	return target.Remove(name)
}

// same reports whether nothing is to be done about name.
func same(source, target *os.Root, name string) (bool, error) {
	want, err := lstat(source, name)
	wanted := !absent(err)
	if wanted && err != nil {
		return false, err
	}
	have, err := lstat(target, name)
	if absent(err) {
		return !wanted, nil
	}
	if err != nil || !wanted {
		return false, err
	}
	if want.Mode().Type() != have.Mode().Type() {
		return false, nil
	}
	switch {
	case want.IsDir():
		return have.Mode().Perm() == dirPerm(want), nil
	case isLink(want):
		a, errA := source.Readlink(name)
		b, errB := target.Readlink(name)
		return a == b, errors.Join(errA, errB)
	case !want.Mode().IsRegular():
		return false, nil // Reconcile says that it is unsupported
	}
	if want.Size() != have.Size() || want.Mode().Perm() != have.Mode().Perm() || !want.ModTime().Equal(have.ModTime()) {
		return false, nil
	}
	if time.Since(want.ModTime()) >= recent {
		return true, nil
	}
	return sameContent(source, target, name)
}

func sameContent(source, target *os.Root, name string) (bool, error) {
	a, err := source.Open(name)
	if err != nil {
		return false, err
	}
	defer a.Close()
	b, err := target.Open(name)
	if err != nil {
		return false, err
	}
	defer b.Close()
	const block = 64 << 10
	bufA, bufB := make([]byte, block), make([]byte, block)
	for {
		n, errA := io.ReadFull(a, bufA)
		m, errB := io.ReadFull(b, bufB)
		if !bytes.Equal(bufA[:n], bufB[:m]) {
			return false, nil
		}
		if ended(errA) && ended(errB) {
			return true, nil
		}
		if errA != nil || errB != nil {
			return false, errors.Join(errA, errB)
		}
	}
}

func ended(err error) bool {
	return err == io.EOF || err == io.ErrUnexpectedEOF
}

func makeDir(target *os.Root, name string, want fs.FileInfo) error {
	if err := target.Mkdir(name, dirPerm(want)); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return target.Chmod(name, dirPerm(want)) // whatever the umask is
}

func copyLink(source, target *os.Root, name string) error {
	text, err := source.Readlink(name)
	if err != nil {
		return err
	}
	return target.Symlink(text, name)
}

func copyFile(source, target *os.Root, name string) (err error) {
	from, err := source.Open(name)
	if err != nil {
		return err
	}
	defer from.Close()
	// The time is read before the content: if that changes meanwhile, the
	// times differ afterwards.
	want, err := from.Stat()
	if err != nil {
		return err
	}
	if !want.Mode().IsRegular() {
		return unsupported(want)
	}
	if err := target.MkdirAll(scratch, 0o700); err != nil {
		return err
	}
	temporary := path.Join(scratch, rand.Text())
	to, err := target.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, target.Remove(temporary))
		}
	}()
	_, err = io.Copy(to, from)
	if err := errors.Join(err, to.Chmod(want.Mode().Perm()), to.Close()); err != nil {
		return err
	}
	if err := target.Chtimes(temporary, want.ModTime(), want.ModTime()); err != nil {
		return err
	}
	return target.Rename(temporary, name)
}

// clean removes what an interrupted copy left behind.
func (d Dirs) clean() error {
	target, err := os.OpenRoot(d.Target)
	if err != nil {
		return fmt.Errorf("opening the target: %w", err)
	}
	defer target.Close()
	if err := target.RemoveAll(scratch); err != nil {
		return fmt.Errorf("cleaning the target: %w", err)
	}
	return nil
}

// lstat is [os.Root.Lstat], but does not follow links above name either: there
// is nothing below a link.
func lstat(root *os.Root, name string) (fs.FileInfo, error) {
	for i, c := range name {
		if c != '/' {
			continue
		}
		dir, err := root.Lstat(name[:i])
		if err != nil {
			return nil, err
		}
		if !dir.IsDir() {
			return nil, &fs.PathError{Op: "lstat", Path: name, Err: fs.ErrNotExist}
		}
	}
	return root.Lstat(name)
}

func isLink(info fs.FileInfo) bool {
	return info.Mode().Type() == fs.ModeSymlink
}

func dirPerm(info fs.FileInfo) fs.FileMode {
	return info.Mode().Perm() | 0o700
}

func unsupported(info fs.FileInfo) error {
	return fmt.Errorf("file of type %v: %w", info.Mode().Type(), errors.ErrUnsupported)
}

// absent reports whether err says that there is no such file, be it because
// what should be its directory is not one.
func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}
