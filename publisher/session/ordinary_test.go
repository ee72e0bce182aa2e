package session_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMirrorsAreOrdinaryRepositories looks at mirrors after many syncs as
// anyone's git would.
func TestMirrorsAreOrdinaryRepositories(t *testing.T) {
	t.Parallel()
	w := long(t, 300)
	w.sync()
	ordinary := func(when string) {
		t.Helper()
		for _, d := range destinations {
			mirror := w.mirror(d)
			if got := w.git(mirror, "symbolic-ref", "HEAD"); got != "refs/heads/master" {
				t.Errorf("%s: HEAD of %s names %s", when, d, got)
			}
			if out := w.git(mirror, "fsck", "--full", "--strict", "--no-dangling"); out != "" {
				t.Errorf("%s: fsck of %s says %s", when, d, out)
			}
			if got := w.git(mirror, "count-objects", "-v"); !strings.HasPrefix(got, "count: 0\n") || !strings.Contains(got, "garbage: 0") {
				t.Errorf("%s: %s has objects that are not packed:\n%s", when, d, got)
			}
			loose := w.sizeOf(filepath.Join(mirror, "refs"))
			if loose != 0 {
				t.Errorf("%s: %s has loose refs", when, d)
			}
			clone := filepath.Join(t.TempDir(), "clone")
			w.git(w.dir, "clone", "--quiet", mirror, clone)
			if got, want := w.git(clone, "rev-parse", "HEAD^{tree}"), w.git(mirror, "rev-parse", "master^{tree}"); got != want {
				t.Errorf("%s: the clone of %s has the tree %s, not %s", when, d, got, want)
			}
			bare := filepath.Join(t.TempDir(), "bare")
			w.git(w.dir, "clone", "--quiet", "--bare", "--no-local", mirror, bare)
			got, want := w.sizeOf(filepath.Join(mirror, "objects")), w.sizeOf(filepath.Join(bare, "objects"))
			t.Logf("%s: %s has %d bytes, its clone %d", when, d, got, want)
			if got > want*5/4 {
				t.Errorf("%s: %s has %d bytes, its clone %d", when, d, got, want)
			}
		}
	}
	ordinary("after one sync")
	for i := range 30 {
		dir := string(rune('a' + i%3))
		w.commit(
			commit{files: files{fmt.Sprintf("staging/%s/news%d.go", dir, i%4): fmt.Sprintf("package %s\n\n// %s\n", dir, strings.Repeat(fmt.Sprint(i*7919), 20))}},
			commit{files: files{"staging/a/a.go": fmt.Sprintf("package a\n\nconst A = %d\n", i)}},
		)
		w.sync()
	}
	ordinary("after 30 more")
	w.sameAsFromScratch()
}

// TestListsForWebServersAreUpToDate: git gc makes them, in a mirror as anywhere.
func TestListsForWebServersAreUpToDate(t *testing.T) {
	t.Parallel()
	w := small(t, standardRules)
	w.sync()
	w.git(w.mirror("a"), "gc", "--quiet")
	w.commit(commit{files: files{"staging/a/x.go": "package a\n", "staging/b/x.go": "package b\n"}})
	w.tag("v1.21.0")
	w.sync()
	if w.listsServed("a") == "" || w.listsServed("b") != "" {
		t.Error("not a alone has a list")
	}
	if out, err := w.publisher("verify").CombinedOutput(); err != nil {
		t.Errorf("verify: %v\n%s", err, out)
	}
}

func (w *world) sizeOf(dir string) (size int64) {
	w.Helper()
	w.must(filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	}))
	return size
}

// TestOddFolderNames: paths end up in patterns and in git's lists of folders.
func TestOddFolderNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"with space", "a:b", "a[b]c*?", `back\slash`, `quo"te`, "ünï", "-dash", "$HOME"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := small(t, standardRules)
			want := w.scratch()
			source := filepath.Join(w.dir, name, "source")
			w.must(os.MkdirAll(filepath.Dir(source), 0o777))
			w.must(os.Rename(w.source, source))
			w.source, w.mirrors = source, filepath.Join(w.dir, name, "mirrors")
			w.sync()
			if got := w.refs(); got != want {
				t.Errorf("the mirrors have\n%s\nelsewhere they have\n%s", got, want)
			}
			w.commit(commit{files: files{"staging/a/x.go": "package a\n"}})
			w.sync()
			w.sound()
			w.unchanged(func() { w.sync() })
		})
	}
}
