package dirsync_test

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/sample-controller/dirsync"
)

// A tree maps paths to what is there: "dir", "-> text" for a link, "pipe", or
// the content of a file. Where permissions matter, they are put in front, as
// in "0600 content".
type tree map[string]string

// make makes the tree in a new directory. The files are old enough for their
// times to be trusted.
func (tr tree) make(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range slices.Sorted(maps.Keys(tr)) {
		put(t, filepath.Join(dir, name), tr[name])
	}
	return dir
}

var old = time.Date(2020, 2, 2, 2, 2, 2, 2, time.UTC)

func put(t *testing.T, path, what string) {
	t.Helper()
	var perm fs.FileMode
	if n, err := fmt.Sscanf(what, "0%o", &perm); n == 1 && err == nil {
		_, what, _ = strings.Cut(what, " ")
	}
	link, isLink := strings.CutPrefix(what, "-> ")
	var err error
	switch {
	case isLink:
		err = os.Symlink(link, path)
	case what == "dir":
		err = os.Mkdir(path, 0o755)
	case what == "pipe":
		err = syscall.Mkfifo(path, 0o644)
	default:
		err = errors.Join(os.WriteFile(path, []byte(what), 0o644), os.Chtimes(path, old, old))
	}
	if perm != 0 {
		err = errors.Join(err, os.Chmod(path, perm))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// read returns the tree below dir, with permissions, but not the reserved name.
func read(t *testing.T, dir string) tree {
	t.Helper()
	tr := tree{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		name, _ := filepath.Rel(dir, path)
		if err != nil || name == "." {
			return err
		}
		if name == ".dirsync" {
			return fs.SkipDir
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		what := "pipe"
		switch info.Mode().Type() {
		case fs.ModeDir:
			what = "dir"
		case fs.ModeSymlink:
			text, err := os.Readlink(path)
			tr[filepath.ToSlash(name)] = "-> " + text
			return err
		case 0:
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			what = string(content)
		}
		tr[filepath.ToSlash(name)] = fmt.Sprintf("%04o %s", info.Mode().Perm(), what)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func wantEqual(t *testing.T, dirs dirsync.Dirs) {
	t.Helper()
	if got, want := read(t, dirs.Target), read(t, dirs.Source); !maps.Equal(got, want) {
		t.Errorf("target is %v\nsource is %v", got, want)
	}
	if differing, err := dirs.Diff(); len(differing) != 0 || err != nil {
		t.Errorf("still differing: %v, %v", differing, err)
	}
}

func TestReconcilingWhatDiffersMakesTheDirectoriesEqual(t *testing.T) {
	for name, c := range map[string]struct {
		source, target tree
		differing      []string
	}{
		"nothing": {tree{}, tree{}, nil},
		"equal":   {tree{"a": "1", "d": "dir", "d/l": "-> ../a"}, tree{"a": "1", "d": "dir", "d/l": "-> ../a"}, nil},
		"added": {
			tree{"a": "1", "d": "dir", "d/b": "2", "d/e": "dir", "l": "-> nowhere"}, tree{},
			[]string{"a", "d", "d/b", "d/e", "l"}},
		"removed": {
			tree{"a": "1"}, tree{"a": "1", "b": "2", "d": "dir", "d/c": "3", "l": "-> a"},
			[]string{"b", "d", "l"}},
		"changed": {
			tree{"a": "long", "b": "1", "l": "-> a"}, tree{"a": "short", "b": "1", "l": "-> b"},
			[]string{"a", "l"}},
		"permissions": {
			tree{"a": "0600 1", "b": "0755 1", "d": "0700 dir"}, tree{"a": "0644 1", "b": "0755 1", "d": "0755 dir"},
			[]string{"a", "d"}},
		"a file became a directory": {
			tree{"x": "dir", "x/y": "1"}, tree{"x": "0"}, []string{"x", "x/y"}},
		"a directory became a file": {
			tree{"x": "1"}, tree{"x": "dir", "x/y": "dir", "x/y/z": "0"}, []string{"x"}},
		"a file became a link": {
			tree{"x": "-> y", "y": "1"}, tree{"x": "1", "y": "1"}, []string{"x"}},
		"a link became a directory like the one it led to": {
			tree{"x": "dir", "x/a": "1", "y": "dir", "y/a": "1"}, tree{"x": "-> y", "y": "dir", "y/a": "1"},
			[]string{"x", "x/a"}},
		"a directory became a link": {
			tree{"x": "-> y", "y": "dir", "y/a": "1"}, tree{"x": "dir", "x/a": "1", "y": "dir", "y/a": "1"},
			[]string{"x"}},
		"the reserved name": {tree{".dirsync": "1"}, tree{".dirsync": "dir", ".dirsync/x": "1"}, nil},
	} {
		// In either order: a worker may come to a file before its directory.
		for _, order := range []string{"forwards", "backwards"} {
			t.Run(name+", "+order, func(t *testing.T) {
				dirs := dirsync.Dirs{Source: c.source.make(t), Target: c.target.make(t)}
				differing, err := dirs.Diff()
				if err != nil {
					t.Fatal(err)
				}
				slices.Sort(differing)
				if !slices.Equal(differing, c.differing) {
					t.Fatalf("differing: %v, want %v", differing, c.differing)
				}
				if order == "backwards" {
					slices.Reverse(differing)
				}
				for _, path := range differing {
					if _, err := dirs.Reconcile(path); err != nil {
						t.Error(err)
					}
				}
				if name == "the reserved name" {
					return
				}
				wantEqual(t, dirs)
			})
		}
	}
}

func TestReconcileSaysWhatItDid(t *testing.T) {
	dirs := dirsync.Dirs{Source: tree{"a": "1", "d": "dir"}.make(t), Target: tree{"b": "1"}.make(t)}
	for _, c := range []struct {
		path string
		want dirsync.Change
	}{
		{"a", dirsync.Written}, {"a", dirsync.Unchanged},
		{"b", dirsync.Removed}, {"b", dirsync.Unchanged},
		{"d", dirsync.Written}, {"d/nothing", dirsync.Unchanged}, {"a/nothing", dirsync.Unchanged},
	} {
		if got, err := dirs.Reconcile(c.path); got != c.want || err != nil {
			t.Errorf("%s: %s, %v, want %s", c.path, got, err, c.want)
		}
	}
}

func TestReconcileRefusesWhatItCannotCopy(t *testing.T) {
	dirs := dirsync.Dirs{Source: tree{"pipe": "pipe", "a": "1"}.make(t), Target: t.TempDir()}
	for path, want := range map[string]error{
		"pipe": errors.ErrUnsupported, ".": fs.ErrInvalid, "": fs.ErrInvalid, "../a": fs.ErrInvalid, "/a": fs.ErrInvalid,
	} {
		if _, err := dirs.Reconcile(path); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", path, err, want)
		}
	}
	if got := read(t, dirs.Target); len(got) != 0 {
		t.Errorf("target is %v", got)
	}
}

func TestRecentChangeOfEqualSizeAndTimeIsSeen(t *testing.T) {
	dirs := dirsync.Dirs{Source: tree{"a": "1"}.make(t), Target: tree{"a": "2"}.make(t)}
	if differing, _ := dirs.Diff(); len(differing) != 0 {
		t.Errorf("%v differ, but neither size nor time do", differing)
	}
	now := time.Now()
	for _, dir := range []string{dirs.Source, dirs.Target} {
		if err := os.Chtimes(filepath.Join(dir, "a"), now, now); err != nil {
			t.Fatal(err)
		}
	}
	if differing, _ := dirs.Diff(); !slices.Equal(differing, []string{"a"}) {
		t.Errorf("%v differ, want a", differing)
	}
}

func TestNothingIsWrittenThroughALink(t *testing.T) {
	outside := tree{"a": "precious"}.make(t)
	dirs := dirsync.Dirs{
		Source: tree{"x": "dir", "x/a": "1"}.make(t),
		Target: tree{"x": "-> " + outside}.make(t),
	}
	if _, err := dirs.Reconcile("x/a"); err != nil {
		t.Error(err)
	}
	wantEqual(t, dirs)
	// Where the source has no such path, that below the link is none either.
	dirs.Source = tree{}.make(t)
	dirs.Target = tree{"x": "-> " + outside}.make(t)
	if change, err := dirs.Reconcile("x/a"); change != dirsync.Unchanged || err != nil {
		t.Errorf("%s, %v", change, err)
	}
	if got := read(t, outside); !maps.Equal(got, tree{"a": "0644 precious"}) {
		t.Errorf("outside is %v", got)
	}
}

func TestMissingSourceRemovesNothing(t *testing.T) {
	dirs := dirsync.Dirs{Source: filepath.Join(t.TempDir(), "gone"), Target: tree{"a": "1"}.make(t)}
	if differing, err := dirs.Diff(); len(differing) != 0 || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("differing: %v, %v", differing, err)
	}
	if _, err := dirs.Reconcile("a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("reconciling: %v", err)
	}
	if got := read(t, dirs.Target); len(got) != 1 {
		t.Errorf("target is %v", got)
	}
}
