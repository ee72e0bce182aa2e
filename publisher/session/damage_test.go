package session_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/publisher/gittest"
)

// TestUnreadableMirrorStopsOnlyItsDependents damages the mirror of a, which b
// depends on, and of which c knows nothing.
func TestUnreadableMirrorStopsOnlyItsDependents(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		damage func(w *world, dir string)
		says   []string
	}{
		"a file in its place": {
			func(w *world, dir string) { w.remove(dir); w.write(dir, "hello") }, []string{"not a bare git repository"},
		},
		"an empty folder": {
			func(w *world, dir string) { w.remove(dir); w.must(os.Mkdir(dir, 0o777)) }, []string{"not a bare git repository"},
		},
		"no HEAD":                {func(w *world, dir string) { w.remove(filepath.Join(dir, "HEAD")) }, []string{"not a bare git repository", "HEAD"}},
		"no objects":             {func(w *world, dir string) { w.remove(filepath.Join(dir, "objects")) }, []string{"not a bare git repository", "objects"}},
		"garbage in packed-refs": {func(w *world, dir string) { w.write(filepath.Join(dir, "packed-refs"), "x\ny\n") }, []string{"packed-refs:1"}},
		"packed-refs cut short":  {func(w *world, dir string) { w.truncate(filepath.Join(dir, "packed-refs"), -30) }, []string{"packed-refs:"}},
		"a damaged ref":          {func(w *world, dir string) { w.write(filepath.Join(dir, "refs", "heads", "x"), "zz\n") }, []string{"refs/heads/x"}},
		"a symbolic ref": {func(w *world, dir string) {
			w.write(filepath.Join(dir, "refs", "heads", "x"), "ref: refs/heads/master\n")
		}, []string{"refs/heads/x"}},
		"no packs":           {func(w *world, dir string) { w.removeAll(filepath.Join(dir, "objects", "pack", "*")) }, []string{"which is not there"}},
		"a pack cut short":   {func(w *world, dir string) { w.truncate(w.only(filepath.Join(dir, "objects", "pack", "*.pack")), -50) }, []string{".pack is damaged"}},
		"an index cut short": {func(w *world, dir string) { w.truncate(w.only(filepath.Join(dir, "objects", "pack", "*.idx")), -50) }, []string{".pack is damaged"}},
		"an empty pack":      {func(w *world, dir string) { w.truncate(w.only(filepath.Join(dir, "objects", "pack", "*.pack")), 0) }, []string{".pack is damaged"}},
		"a ref to nowhere":   {func(w *world, dir string) { w.write(filepath.Join(dir, "refs", "heads", "master"), nowhere+"\n") }, []string{nowhere}},
		"a takeover from nowhere": {func(w *world, dir string) {
			w.write(filepath.Join(dir, "refs/publisher/takeover/master"), nowhere+"\n")
		}, []string{nowhere}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := small(t, standardRules)
			w.sync()
			w.commit(commit{files: files{"staging/a/x.go": "package a\n", "staging/b/x.go": "package b\n", "staging/c/x.go": "package c\n"}})
			w.copyDir(w.mirror("a"), filepath.Join(w.dir, "good"))
			test.damage(w, w.mirror("a"))
			before := w.snapshot("a", "b")
			said := w.failSync(append(test.says, w.mirror("a"))...)
			if after := w.snapshot("a", "b"); after != before {
				t.Errorf("the mirrors changed from\n%s\nto\n%s", before, after)
			}
			if got := w.git(w.mirror("org/c"), "ls-tree", "--name-only", "master"); !strings.Contains(got, "x.go") {
				t.Errorf("c got no news:\n%s", said)
			}
			w.noLeftovers()
			w.remove(w.mirror("a"))
			w.copyDir(filepath.Join(w.dir, "good"), w.mirror("a"))
			w.sync()
			w.sameAsFromScratch()
		})
	}
}

const nowhere = "1234567890123456789012345678901234567890"

func (w *world) truncate(name string, size int64) {
	w.Helper()
	w.must(os.Chmod(name, 0o666))
	info, err := os.Stat(name)
	w.must(err)
	if size < 0 {
		size += info.Size()
	}
	w.must(os.Truncate(name, size))
}

func (w *world) only(pattern string) string {
	w.Helper()
	names, err := filepath.Glob(pattern)
	w.must(err)
	if len(names) != 1 {
		w.Fatalf("%s: %q", pattern, names)
	}
	return names[0]
}

func (w *world) removeAll(pattern string) {
	w.Helper()
	names, err := filepath.Glob(pattern)
	w.must(err)
	for _, name := range names {
		w.remove(name)
	}
}

// TestIncompleteSourceIsNamedAndNothingChanges takes away what a sync needs.
func TestIncompleteSourceIsNamedAndNothingChanges(t *testing.T) {
	t.Parallel()
	w := small(t, standardRules)
	w.sync()
	w.commit(commit{files: files{"staging/a/x.go": "package a // x\n", "staging/b/x.go": "package b // x\n", "staging/c/x.go": "package c // x\n"}})
	w.tag("v1.21.0")
	for name, test := range map[string]struct {
		source func(w *world, to string)
		says   func(w *world) []string
	}{
		"shallow": {
			func(w *world, to string) { w.git(w.dir, "clone", "--quiet", "--depth=2", "file://"+w.source, to) },
			func(w *world) []string {
				return []string{"is a shallow clone", w.git(w.source, "rev-parse", "HEAD~1"), "--unshallow"}
			},
		},
		"without blobs": {
			func(w *world, to string) {
				w.git(w.source, "config", "uploadpack.allowFilter", "true")
				w.git(w.dir, "clone", "--quiet", "--bare", "--filter=blob:none", "file://"+w.source, to)
			},
			func(*world) []string { return []string{"partial clone"} },
		},
		"without trees": {
			func(w *world, to string) {
				w.git(w.source, "config", "uploadpack.allowFilter", "true")
				w.git(w.dir, "clone", "--quiet", "--bare", "--filter=tree:0", "file://"+w.source, to)
			},
			func(*world) []string { return []string{"partial clone"} },
		},
		"a commit missing":    {lose("HEAD~2"), names("HEAD~2")},
		"the head missing":    {lose("HEAD"), names("HEAD")},
		"a root tree missing": {lose("HEAD^{tree}"), names("HEAD^{tree}")},
		"a directory missing": {lose("HEAD:staging"), names("HEAD:staging")},
		"a tag missing":       {lose("v1.21.0"), names("v1.21.0")},
		"no repository":       {func(w *world, to string) { w.must(os.Mkdir(to, 0o777)) }, func(*world) []string { return []string{"no git repository"} }},
		"nothing there":       {func(*world, string) {}, func(*world) []string { return []string{"no such file"} }},
		"a file":              {func(w *world, to string) { w.write(to, "") }, func(*world) []string { return []string{"not a directory"} }},
		"no branch of that name": {func(w *world, to string) {
			w.git(w.dir, "clone", "--quiet", "--bare", w.source, to)
			w.git(to, "branch", "-m", "master", "main")
		}, func(*world) []string { return []string{"has no such branch", "master"} }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := *w
			v.TB, v.dir = t, t.TempDir()
			v.source, v.mirrors = filepath.Join(v.dir, "source"), filepath.Join(v.dir, "mirrors")
			original := *w
			original.TB, original.dir = t, v.dir
			v.copyDir(w.mirrors, v.mirrors)
			test.source(&original, v.source)
			says := append(test.says(&original), v.source)
			v.unchanged(func() { v.failSync(says...) })
			v.noLeftovers()
			// From scratch there is no mirror to take objects from.
			v.mirrors = filepath.Join(v.dir, "none")
			v.failSync(says...)
			for _, d := range destinations {
				if _, err := os.Stat(v.mirror(d)); err == nil {
					t.Errorf("a mirror of %s was made", d)
				}
			}
			v.source = w.source
			v.sync()
		})
	}
}

// lose makes a copy of the source with loose objects, but for one.
func lose(object string) func(*world, string) {
	return func(w *world, to string) {
		w.Helper()
		id := w.git(w.source, "rev-parse", object)
		w.git(w.dir, "clone", "--quiet", "--mirror", "--no-local", w.source, to)
		gittest.Unpack(w.TB, to)
		w.must(os.Remove(filepath.Join(to, "objects", id[:2], id[2:])))
	}
}

func names(object string) func(*world) []string {
	return func(w *world) []string { return []string{w.git(w.source, "rev-parse", object), "missing"} }
}

// TestLostBlobIsNamed: blobs are not read to be published, unless they are
// hashed; git misses them when it packs.
func TestLostBlobIsNamed(t *testing.T) {
	t.Parallel()
	w := small(t, standardRules)
	w.sync()
	w.commit(commit{files: files{"staging/c/x.go": "package c\n\n// lost\n", "staging/a/x.go": "package a\n"}})
	id := w.git(w.source, "rev-parse", "HEAD:staging/c/x.go")
	whole := w.source
	w.source = filepath.Join(w.dir, "lost")
	original := *w
	original.source = whole
	lose("HEAD:staging/c/x.go")(&original, w.source)
	before := w.snapshot("org/c")
	w.failSync(id)
	if after := w.snapshot("org/c"); after != before {
		t.Errorf("the mirror changed from\n%s\nto\n%s", before, after)
	}
	w.source = whole
	w.sync()
	w.sameAsFromScratch()
}
