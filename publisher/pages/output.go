package pages

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"k8s.io/publisher/durable"
)

// owned are the folders in which all files are pages.
var owned = []string{"modules", "commits", "docs", "assets"}

// output is the folder of the site. New files wait beside it until all are complete.
type output struct {
	dir, staged string

	mutex  sync.Mutex
	files  map[string]bool // all there is to be
	fresh  []string        // those that wait
	folder map[string]bool // of those that wait, made already

	before, now *made
}

// stagedPrefix begins the name of the folder in which new files wait.
const stagedPrefix = ".pages-"

// newOutput takes the folder, and what all pages depend on.
func newOutput(dir, common string) (*output, error) {
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
	before, err := readMade(dir, common)
	if err != nil {
		return nil, err
	}
	staged, err := os.MkdirTemp(dir, stagedPrefix)
	if err != nil {
		return nil, err
	}
	return &output{
		dir: dir, staged: staged, files: make(map[string]bool), folder: make(map[string]bool),
		before: before, now: &made{Site: common, Pages: make(map[string]string)},
	}, nil
}

func (o *output) discard() { os.RemoveAll(o.staged) }

// has reports whether a file is there that was made from the same, and then leaves it as
// it is. If not, it is to be written.
func (o *output) has(name string, from digest) bool {
	is := from.String()
	o.mutex.Lock()
	o.now.Pages[name] = is
	was := o.before.Pages[name]
	o.mutex.Unlock()
	if is != was {
		return false
	}
	if _, err := os.Lstat(filepath.Join(o.dir, filepath.FromSlash(name))); err != nil {
		return false // Writing it says what is wrong.
	}
	o.mutex.Lock()
	defer o.mutex.Unlock()
	o.files[name] = true
	return true
}

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
	if err := durable.Files(ctx, o.staged, o.in(o.staged)); err != nil {
		return err
	}
	if err := o.forget(); err != nil {
		return err
	}
	slices.SortFunc(o.fresh, func(a, b string) int {
		if n := strings.Count(b, "/") - strings.Count(a, "/"); n != 0 {
			return n
		}
		return strings.Compare(a, b)
	})
	for _, name := range o.fresh {
		if err := o.move(name); err != nil {
			return err
		}
	}
	if err := o.removeOld(); err != nil {
		return err
	}
	if o.now.Site == o.before.Site && maps.Equal(o.now.Pages, o.before.Pages) {
		return nil
	}
	// What is noted must not outlive the pages.
	if err := durable.Files(ctx, o.dir, o.in(o.dir)); err != nil {
		return err
	}
	return o.now.write(o.dir)
}

// in returns where the new files are in a folder.
func (o *output) in(dir string) []string {
	names := make([]string, len(o.fresh))
	for i, name := range o.fresh {
		names[i] = filepath.Join(dir, filepath.FromSlash(name))
	}
	return names
}

// move gives a file its place.
func (o *output) move(name string) error {
	to := filepath.Join(o.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
		return err
	}
	return os.Rename(filepath.Join(o.staged, filepath.FromSlash(name)), to)
}

// forget notes nothing more of pages that are about to be replaced: a run that is killed
// meanwhile leaves nothing noted that is not so.
func (o *output) forget() error {
	n := len(o.before.Pages)
	maps.DeleteFunc(o.before.Pages, func(name, from string) bool { return o.now.Pages[name] != from })
	if len(o.before.Pages) == n {
		return nil
	}
	return o.before.write(o.dir)
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
			case o.files[name]:
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
