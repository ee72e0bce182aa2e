package modhash

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"

	"k8s.io/publisher/object"
)

// realModule is what the go command knows of a module in its cache.
type realModule struct {
	Path, Version, Dir, GoMod, Sum, GoModSum, Error string
}

func downloadReal(t testing.TB, m string) realModule {
	t.Helper()
	cmd := exec.Command("go", "mod", "download", "-json", m)
	cmd.Dir = t.TempDir()
	cmd.Env = append(cmd.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
	out, err := cmd.Output()
	var r realModule
	if jsonErr := json.Unmarshal(out, &r); err != nil || jsonErr != nil || r.Error != "" {
		t.Fatalf("go mod download %s: %v, %v: %s", m, err, jsonErr, r.Error)
	}
	return r
}

// TestPublishedModulesHaveTheirPublishedSums has one Hasher see two modules
// that the public checksum database knows.
func TestPublishedModulesHaveTheirPublishedSums(t *testing.T) {
	s := newStore()
	h := New(s, new(MemorySums))
	for _, name := range []string{"k8s.io/client-go@v0.36.6", "k8s.io/api@v0.36.6"} {
		r := downloadReal(t, name)
		tree := s.dirTree(t, r.Dir)
		got, err := h.Zip(module.Version{Path: r.Path, Version: r.Version}, tree)
		if err != nil || got != r.Sum {
			t.Errorf("%s: got %q, %v; want %s", name, got, err, r.Sum)
		}
		_, id, ok, err := object.FindEntry(s.data[tree], "go.mod")
		if !ok || err != nil {
			t.Fatal(ok, err)
		}
		if got := GoMod(s.data[id]); got != r.GoModSum {
			t.Errorf("%s: go.mod: got %q, want %s", name, got, r.GoModSum)
		}
		if root, err := h.root(tree, nil); err != nil || root.needsGit {
			t.Errorf("%s: not hashed in process: %v", name, err)
		}
	}
}

func TestNextVersionReadsOnlyWhatChanged(t *testing.T) {
	s := newStore()
	h := New(s, new(MemorySums))
	first := s.tree(base)
	second := s.tree(base.with(files{"a/deep/down.go": "package changed\n"}))
	if _, err := h.Zip(testModule, first); err != nil {
		t.Fatal(err)
	}
	s.trees, s.blobs = 0, 0
	if _, err := h.Zip(testModule, second); err != nil {
		t.Fatal(err)
	}
	// The root, a and a/deep; down.go, and go.mod for its language version.
	if s.trees != 3 || s.blobs != 2 {
		t.Errorf("read %d trees and %d blobs, want 3 and 2", s.trees, s.blobs)
	}
	s.trees, s.blobs = 0, 0
	if _, err := h.Zip(module.Version{Path: "mods.test/m.git", Version: "v1.2.4"}, first); err != nil {
		t.Fatal(err)
	}
	if s.trees != 0 || s.blobs != 0 {
		t.Errorf("read %d trees and %d blobs of a known version", s.trees, s.blobs)
	}
}

func TestKnownSumsSpareReadingBlobs(t *testing.T) {
	s := newStore()
	sums := new(MemorySums)
	tree := s.tree(base)
	want, err := New(s, sums).Zip(testModule, tree)
	if err != nil {
		t.Fatal(err)
	}
	s.blobs = 0
	if got, err := New(s, sums).Zip(testModule, tree); err != nil || got != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	if s.blobs != 1 { // go.mod
		t.Errorf("read %d blobs, want 1", s.blobs)
	}
}

func TestModulesTooLargeAreUnfetchable(t *testing.T) {
	tests := []struct {
		name  string
		files files
		sizes map[string]int64
		path  string
		fail  bool
	}{
		{"just right", base, map[string]int64{"go.mod": zip.MaxGoMod, "LICENSE": zip.MaxLICENSE}, "", false},
		{"go.mod", base, map[string]int64{"go.mod": zip.MaxGoMod + 1}, "go.mod", true},
		{"LICENSE", base, map[string]int64{"LICENSE": zip.MaxLICENSE + 1}, "LICENSE", true},
		{"license below the root", files{"a/LICENSE": "free"}, map[string]int64{"a/LICENSE": zip.MaxLICENSE + 1}, "", false},
		{"all", files{"a/x": "1", "a/y": "2", "b/z": "3"}, map[string]int64{"a/x": zip.MaxZipFile / 2, "a/y": zip.MaxZipFile / 2, "b/z": 1}, "", true},
		{"all just right", files{"a/x": "1", "a/y": "2", "b/z": "3"}, map[string]int64{"a/x": zip.MaxZipFile / 2, "a/y": zip.MaxZipFile/2 - 1, "b/z": 1}, "", false},
		{"nested module", files{"a": "1", "n/go.mod": "", "n/y": "2"}, map[string]int64{"n/y": zip.MaxZipFile}, "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newStore()
			tree := s.tree(test.files)
			sums := new(MemorySums)
			for id, data := range s.data {
				sums.Put(id, NewBlob(data))
			}
			for name, size := range test.sizes {
				id := s.blob(test.files[name])
				b, _ := sums.Get(id)
				b.Size = size
				sums.Put(id, b)
			}
			_, err := New(s, sums).Zip(testModule, tree)
			unfetchable, ok := errors.AsType[*UnfetchableError](err)
			if ok != test.fail || ok && unfetchable.Path != test.path || !ok && err != nil {
				t.Errorf("got %v, want an error %v about %q", err, test.fail, test.path)
			}
		})
	}
}

func TestVersionAndPathMustBeValid(t *testing.T) {
	s := newStore()
	tree := s.tree(base)
	for _, m := range []module.Version{
		{Path: "mods.test/m", Version: "v1.2"},
		{Path: "mods.test/m", Version: "v2.0.0"},
		{Path: "mods.test/m", Version: "main"},
		{Path: "mods test", Version: "v1.0.0"},
	} {
		if sum, err := New(s, new(MemorySums)).Zip(m, tree); err == nil {
			t.Errorf("%s: got %s", m, sum)
		}
	}
}

func TestMissingObjectsAreErrorsThatNameThem(t *testing.T) {
	s := newStore()
	tree := s.tree(base.with(files{".gitattributes": "* eol=crlf\n"}))
	for _, lost := range []object.ID{tree, s.blob(newMod), s.blob("package down\n"), s.blob("* eol=crlf\n"), s.tree(files{"x.go": "package ab\n"})} {
		data := s.data[lost]
		delete(s.data, lost)
		_, err := New(s, new(MemorySums)).Zip(testModule, tree)
		if _, ok := errors.AsType[*UnfetchableError](err); err == nil || ok || !strings.Contains(err.Error(), lost.String()) {
			t.Errorf("without %s: got %v", lost, err)
		}
		s.data[lost] = data
	}
}

func TestHashersShareSums(t *testing.T) {
	sums := new(MemorySums)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			s := newStore()
			h := New(s, sums)
			for i := range 50 {
				if _, err := h.Zip(testModule, s.tree(base.with(files{"n.go": fmt.Sprint(i)}))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for i := range 50 {
		content := []byte(fmt.Sprint(i))
		if got, ok := sums.Get(object.Hash(object.BlobType, content)); !ok || got != NewBlob(content) {
			t.Errorf("of %q it knows %v, %v", content, got, ok)
		}
	}
}

// wideModule has 2,500 files in 320 directories, as client-go has.
func wideModule(s *store, change int) object.ID {
	f := files{"go.mod": newMod, "LICENSE": "free\n"}
	for i := range 2498 {
		f[fmt.Sprintf("applyconfigurations/group%d/v%d/somelongtypename%d.go", i%40, i/40%8, i)] = fmt.Sprintf("package v%d\n", i)
	}
	f["applyconfigurations/group7/v1/somelongtypename47.go"] = fmt.Sprint(change)
	return s.tree(f)
}

func BenchmarkKnownTree(b *testing.B) {
	s := newStore()
	h := New(s, new(MemorySums))
	tree := wideModule(s, 0)
	for b.Loop() {
		if _, err := h.Zip(testModule, tree); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkNextVersion hashes versions that change one file each, and go.mod's
// directory with it.
func BenchmarkNextVersion(b *testing.B) {
	s := newStore()
	h := New(s, new(MemorySums))
	var trees []object.ID
	for i := range 200 {
		trees = append(trees, wideModule(s, i))
	}
	i := 0
	for b.Loop() {
		if i%len(trees) == 0 {
			h.shared.nodes.Store(nil)
			if _, err := h.Zip(testModule, wideModule(s, -1)); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := h.Zip(testModule, trees[i%len(trees)]); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

func BenchmarkRealModule(b *testing.B) {
	r := downloadReal(b, "k8s.io/client-go@v0.36.6")
	s := newStore()
	tree := s.dirTree(b, r.Dir)
	m := module.Version{Path: r.Path, Version: r.Version}
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			if _, err := New(s, new(MemorySums)).Zip(m, tree); err != nil {
				b.Fatal(err)
			}
		}
	})
	h := New(s, new(MemorySums))
	b.Run("known", func(b *testing.B) {
		for b.Loop() {
			if _, err := h.Zip(m, tree); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("git archive", func(b *testing.B) {
		for b.Loop() {
			if _, err := archiveSum(s, m, tree); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// TestTreeThatUnfoldsWithoutEndIsUnfetchable hashes trees that a few objects
// make so large or so deep that nobody could fetch them, whatever is in them.
func TestTreeThatUnfoldsWithoutEndIsUnfetchable(t *testing.T) {
	s := newStore()
	nest := func(tree object.ID, levels, width int) object.ID {
		for range levels {
			var entries []object.Entry
			for i := range width {
				entries = append(entries, object.Entry{Mode: object.ModeDir, Name: fmt.Sprint("d", i), ID: tree})
			}
			tree = s.put(object.TreeType, object.EncodeTree(entries))
		}
		return tree
	}
	file, empty := s.tree(files{"x.go": "package x\n"}), s.tree(nil)
	nested := s.tree(files{"go.mod": "", "x.go": ""})
	crlf := s.tree(files{".gitattributes": "* eol=crlf\n"})
	bad := s.tree(files{"bad\nname": ""})
	for name, test := range map[string]struct {
		tree object.ID
		want string // empty where it is fetchable
	}{
		"wide":                      {nest(file, 20, 100), "so many files"},
		"wide and empty":            {nest(empty, 40, 100), "so many files"},
		"wide in nested modules":    {nest(nested, 20, 100), "so many files"},
		"wide and converted":        {nest(crlf, 20, 100), "so many files"},
		"wide and not so deep":      {nest(file, 3, 20), ""},
		"as deep as it may be":      {nest(file, object.MaxTreeDepth, 1), ""},
		"too deep":                  {nest(file, object.MaxTreeDepth+1, 1), "deep inside one another"},
		"too deep and empty":        {nest(empty, 100_000, 1), "deep inside one another"},
		"too deep and converted":    {nest(crlf, 100_000, 2), "deep inside one another"},
		"bad name at the very deep": {nest(bad, object.MaxTreeDepth, 1), "invalid char"},
	} {
		t.Run(name, func(t *testing.T) {
			// The second time, what is below is known.
			h := New(s, new(MemorySums))
			for _, tree := range []object.ID{test.tree, s.put(object.TreeType, append(s.data[test.tree], s.data[s.tree(files{"z": ""})]...))} {
				_, err := h.Zip(testModule, tree)
				if test.want == "" {
					if err != nil {
						t.Error(err)
					}
					continue
				}
				if _, ok := errors.AsType[*UnfetchableError](err); !ok || !strings.Contains(err.Error(), test.want) || len(err.Error()) > 1000 {
					t.Errorf("got %.2000v, want %q", err, test.want)
				}
			}
		})
	}
	// An error deep down is one of reading, and tells where.
	lost := s.tree(files{"lost": ""})
	deep := nest(lost, 1000, 1)
	delete(s.data, lost)
	if _, err := New(s, new(MemorySums)).Zip(testModule, deep); err == nil || !strings.Contains(err.Error(), "d0/d0: reading tree "+lost.String()) || len(err.Error()) > 1000 {
		t.Errorf("got %.2000v", err)
	}
}
