package pages

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
)

// owned are the folders in which all files are pages.
var owned = []string{"modules", "commits", "docs", "assets"}

// output is the folder of the site. New files wait beside it until all are complete.
type output struct {
	dir, staged string

	mutex  sync.Mutex
	files  map[string]bool // all there is to be
	fresh  []string        // those that wait
	kept   []string        // prefixes of names that stay as they are
	folder map[string]bool // of those that wait, made already
}

// stagedPrefix begins the name of the folder in which new files wait.
const stagedPrefix = ".pages-"

func newOutput(dir string) (*output, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	// A run that was killed may have left one.
	left, err := filepath.Glob(filepath.Join(dir, stagedPrefix+"*"))
	if err != nil {
		return nil, err
	}
	for _, name := range left {
		if err := os.RemoveAll(name); err != nil {
			return nil, err
		}
	}
	staged, err := os.MkdirTemp(dir, stagedPrefix)
	if err != nil {
		return nil, err
	}
	return &output{dir: dir, staged: staged, files: make(map[string]bool), folder: make(map[string]bool)}, nil
}

func (o *output) discard() { os.RemoveAll(o.staged) }

// keep leaves all files as they are whose names begin so.
func (o *output) keep(prefix string) { o.kept = append(o.kept, prefix) }

// write gives a file its content. The name has slashes.
func (o *output) write(name string, data []byte) error {
	o.mutex.Lock()
	o.files[name] = true
	o.mutex.Unlock()
	is, err := os.ReadFile(filepath.Join(o.dir, filepath.FromSlash(name)))
	if err == nil && bytes.Equal(is, data) {
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	staged := filepath.Join(o.staged, filepath.FromSlash(name))
	o.mutex.Lock()
	o.fresh = append(o.fresh, name)
	made := o.folder[path.Dir(name)]
	o.folder[path.Dir(name)] = true
	if !made {
		err = os.MkdirAll(filepath.Dir(staged), 0o777)
	}
	o.mutex.Unlock()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.WriteFile(staged, data, 0o666)
}

// commit moves the files into place, and removes those that are no more. What is deep
// comes first: pages link downwards.
func (o *output) commit(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4 * runtime.GOMAXPROCS(0)) // a file system takes many at once
	for _, name := range o.fresh {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return toDisk(filepath.Join(o.staged, filepath.FromSlash(name)))
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	slices.SortFunc(o.fresh, func(a, b string) int {
		if n := strings.Count(b, "/") - strings.Count(a, "/"); n != 0 {
			return n
		}
		return strings.Compare(a, b)
	})
	for _, name := range o.fresh {
		to := filepath.Join(o.dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
			return err
		}
		if err := os.Rename(filepath.Join(o.staged, filepath.FromSlash(name)), to); err != nil {
			return err
		}
	}
	return o.removeOld()
}

// toDisk has the machine write down what a file has, so that no crash leaves a page empty.
func toDisk(name string) error {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// removeOld removes pages of what is no more, and folders that are empty then.
func (o *output) removeOld() error {
	for _, folder := range owned {
		var folders []string
		err := fs.WalkDir(os.DirFS(o.dir), folder, func(name string, entry fs.DirEntry, err error) error {
			switch {
			case errors.Is(err, fs.ErrNotExist):
				return nil
			case err != nil:
				return err
			case entry.IsDir():
				folders = append(folders, name)
				return nil
			case o.files[name] || slices.ContainsFunc(o.kept, func(prefix string) bool { return strings.HasPrefix(name, prefix) }):
				return nil
			}
			return os.Remove(filepath.Join(o.dir, filepath.FromSlash(name)))
		})
		if err != nil {
			return err
		}
		for _, name := range slices.Backward(folders) {
			// One that is not empty stays.
			_ = os.Remove(filepath.Join(o.dir, filepath.FromSlash(name)))
		}
	}
	return nil
}
