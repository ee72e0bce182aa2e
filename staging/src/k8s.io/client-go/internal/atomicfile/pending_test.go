package atomicfile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"k8s.io/client-go/internal/atomicfile"
)

func TestPendingFileIsThereOnceItIsCommitted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b", "file")
	for _, content := range []string{"one", "another one"} {
		before, _ := os.ReadFile(path)
		f, err := atomicfile.Begin(path, 0o700)
		if err != nil {
			t.Fatal(err)
		}
		for piece := range strings.SplitAfterSeq(content, " ") {
			if _, err := f.WriteString(piece); err != nil {
				t.Fatal(err)
			}
		}
		if now, _ := os.ReadFile(path); string(now) != string(before) {
			t.Errorf("%q was seen before it was committed", now)
		}
		if err := f.Commit(nil); err != nil {
			t.Fatal(err)
		}
		expect(t, path, content, 0o600)
		expectAlone(t, path)
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory is %v, %v", info, err)
	}
}

func TestPendingFileThatFailsLeavesWhatWasThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := atomicfile.Write(path, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := atomicfile.Begin(path, 0o700)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("half"); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("the connection broke")
	if err := f.Commit(broken); err != broken {
		t.Errorf("got error %v", err)
	}
	expect(t, path, "before", 0o600)
	expectAlone(t, path)
}

func TestPendingFileThatCannotBePutInItsPlaceIsRemoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	f, err := atomicfile.Begin(path, 0o700)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := f.Commit(nil); err == nil {
		t.Error("a directory was replaced")
	}
	expectAlone(t, path)
}

func TestPendingFileNeedsADirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := atomicfile.Begin(filepath.Join(file, "x", "y"), 0o700); err == nil {
		t.Error("there is no error")
	}
}

func TestLastOfSeveralPendingFilesStays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "file")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			f, err := atomicfile.Begin(path, 0o700)
			if err != nil {
				t.Error(err)
				return
			}
			_, err = f.WriteString("whole")
			if err := f.Commit(err); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	expect(t, path, "whole", 0o600)
	expectAlone(t, path)
}

func TestLinkTakesThePlaceOfALinkOrFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "link")
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), "old"), []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, prepare := range []func() error{
		func() error { return nil },
		func() error { return atomicfile.Link("old", path) },
		func() error { return errors.Join(os.Remove(path), os.WriteFile(path, nil, 0o600)) },
	} {
		if err := prepare(); err != nil {
			t.Fatal(err)
		}
		if err := atomicfile.Link("target", path); err != nil {
			t.Fatal(err)
		}
		if got, err := os.Readlink(path); got != "target" || err != nil {
			t.Errorf("the link leads to %q, %v", got, err)
		}
	}
	expectAlone(t, path, "old")
	expect(t, filepath.Join(filepath.Dir(path), "old"), "old", 0o600)
}

func TestLinkIsNeverMissing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "link")
	if err := atomicfile.Link("0", path); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for _, target := range []string{"1", "2", "3"} {
		all.Go(func() {
			for range 50 {
				if err := atomicfile.Link(target, path); err != nil {
					t.Error(err)
				}
				if _, err := os.Readlink(path); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	expectAlone(t, path)
}

func TestLinkThatCannotBeMadeLeavesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dir")
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.Link("target", path); err == nil {
		t.Error("a directory was replaced")
	}
	expectAlone(t, path)
	if err := atomicfile.Link("target", filepath.Join(path, "missing", "link")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got error %v", err)
	}
}

// expectAlone checks that nothing but path, and what else is named, is in its
// directory.
func expectAlone(t *testing.T, path string, others ...string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1+len(others) {
		t.Errorf("there are %v", entries)
	}
}
