package modhash

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/zip"

	"k8s.io/publisher/object"
)

var (
	// plainNames are such that git takes them all; among few files of such
	// names most rules find something to do.
	plainNames = []string{
		"vendor", "vendor", "vendor", "Vendor", "go.mod", "go.mod", "Go.mod", "a", "a.b", "a-b", "b", "x.go", "X.go",
		"y.go", "z", "modules.txt", "LICENSE", ".hg_archival.txt", "aux.go", "con", "x.", "\u212a", "k", "ü",
		"bad\nname", "\xff", "a b", "internal", ".gitignore", "doc.go", "doc", "doc.go.x",
	}
	// gitNames are for git to judge.
	gitNames = []string{".git", "GIT~1", ".gitmodules", ".git ", "git~2", ".gitattributes", ".gitattributes", ".gitattributes", "GITMOD~1", ".git.x"}
	contents = []string{
		"", oldMod, newMod, "package x\n", "one\ntwo\n", "one\r\ntwo\r\n", "$Id$\n", "not a go.mod", "go 1.25\n",
		"* text=auto eol=crlf\n", "* export-ignore\n", "*.go ident\n", "x.go text eol=lf\n", "* eol=crlf -text\n",
	}
	modes = []object.Mode{
		object.ModeRegular, object.ModeRegular, object.ModeRegular, object.ModeExecutable, object.ModeSymlink,
		object.ModeSubmodule, 0o100664,
	}
)

// randomTree stores a tree of a few names at each of a few levels.
func randomTree(s *store, r *rand.Rand, names []string, depth int) object.ID {
	taken := make(map[string]bool)
	var entries []object.Entry
	for range r.IntN(5) {
		// Fold-equal names are taken seldom, for most trees to be valid.
		name := names[r.IntN(len(names))]
		if fold := strings.ToLower(name); taken[name] || taken[fold] && r.IntN(4) > 0 {
			continue
		} else {
			taken[name], taken[fold] = true, true
		}
		e := object.Entry{Name: name, Mode: modes[r.IntN(len(modes))]}
		if depth > 0 && r.IntN(2) == 0 {
			e.Mode = object.ModeDir
			e.ID = randomTree(s, r, names, depth-1)
		} else {
			e.ID = s.blob(contents[r.IntN(len(contents))])
		}
		entries = append(entries, e)
	}
	return s.put(object.TreeType, object.EncodeTree(entries))
}

// mutated stores a tree that differs from another one in little.
func mutated(t testing.TB, s *store, r *rand.Rand, names []string, tree object.ID, depth int) object.ID {
	entries, err := object.ParseTree(s.data[tree])
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) == 0 {
		return randomTree(s, r, names, depth)
	}
	i := r.IntN(len(entries))
	switch e := &entries[i]; {
	case r.IntN(6) == 0:
		entries = append(entries[:i], entries[i+1:]...)
	case e.Mode.IsDir():
		e.ID = mutated(t, s, r, names, e.ID, depth-1)
	default:
		e.ID = s.blob(contents[r.IntN(len(contents))])
	}
	return s.put(object.TreeType, object.EncodeTree(entries))
}

// zipFiles lists what git archive gives of a tree that it does not convert.
func zipFiles(t testing.TB, s *store, tree object.ID, dir string) []zip.File {
	entries, err := object.ParseTree(s.data[tree])
	if err != nil {
		t.Fatal(err)
	}
	var list []zip.File
	for _, e := range entries {
		switch {
		case e.Mode.IsDir():
			list = append(list, zipFiles(t, s, e.ID, dir+e.Name+"/")...)
		case e.Mode.IsRegular():
			list = append(list, memoryFile{dir + e.Name, 0o644, s.data[e.ID]})
		case e.Mode == object.ModeSymlink:
			list = append(list, memoryFile{dir + e.Name, fs.ModeSymlink | 0o777, s.data[e.ID]})
		}
	}
	return list
}

type memoryFile struct {
	path string
	mode fs.FileMode
	data []byte
}

func (f memoryFile) Path() string                 { return f.path }
func (f memoryFile) Lstat() (fs.FileInfo, error)  { return f, nil }
func (f memoryFile) Open() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(f.data)), nil }
func (f memoryFile) Name() string                 { return filepath.Base(f.path) }
func (f memoryFile) Size() int64                  { return int64(len(f.data)) }
func (f memoryFile) Mode() fs.FileMode            { return f.mode }
func (f memoryFile) ModTime() time.Time           { return time.Time{} }
func (f memoryFile) IsDir() bool                  { return false }
func (f memoryFile) Sys() any                     { return nil }

// zipSum makes the module zip and hashes it.
func zipSum(t testing.TB, m module.Version, list []zip.File) (string, error) {
	name := filepath.Join(t.TempDir(), "m.zip")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := zip.Create(f, m, list); err != nil {
		return "", err
	}
	sum, err := dirhash.HashZip(name, dirhash.Hash1)
	if err != nil {
		t.Fatal(err)
	}
	return sum, nil
}

var testModule = module.Version{Path: "mods.test/m.git", Version: testVersion}

// checkZip compares Zip with a real zip, sum and faults.
func checkZip(t testing.TB, h *Hasher, s *store, tree object.ID) (valid bool) {
	got, err := h.Zip(testModule, tree)
	want, wantErr := zipSum(t, testModule, zipFiles(t, s, tree, ""))
	if wantErr == nil {
		if err != nil || got != want {
			t.Fatalf("got %q, %v; want %q\n%s", got, err, want, list(t, s, tree, ""))
		}
		return true
	}
	unfetchable, ok := errors.AsType[*UnfetchableError](err)
	if !ok {
		t.Fatalf("got %q, %v; want the error %v\n%s", got, err, wantErr, list(t, s, tree, ""))
	}
	invalid, ok := errors.AsType[zip.FileErrorList](wantErr)
	if !ok {
		t.Fatal(wantErr)
	}
	for _, f := range invalid {
		if f.Path == unfetchable.Path || strings.HasPrefix(f.Path, unfetchable.Path+"/") {
			return false
		}
	}
	t.Fatalf("got the error %v; want one of %v\n%s", err, wantErr, list(t, s, tree, ""))
	return false
}

func list(t testing.TB, s *store, tree object.ID, dir string) string {
	var b strings.Builder
	entries, err := object.ParseTree(s.data[tree])
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Mode.IsDir() {
			fmt.Fprintf(&b, "%o %q\n%s", e.Mode, dir+e.Name, list(t, s, e.ID, dir+e.Name+"/"))
			continue
		}
		fmt.Fprintf(&b, "%o %q %q\n", e.Mode, dir+e.Name, s.data[e.ID])
	}
	return b.String()
}

// TestSumOfAnyTreeIsThatOfItsZip follows random histories with one Hasher, and
// with one that forgets at every version.
func TestSumOfAnyTreeIsThatOfItsZip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	valid, invalid := 0, 0
	s := newStore()
	h := New(s, new(MemorySums))
	forgetful := New(s, new(MemorySums))
	forgetful.shared.limit = -1
	for range 300 {
		tree := randomTree(s, r, plainNames, 3)
		for range 10 {
			if checkZip(t, h, s, tree) {
				valid++
			} else {
				invalid++
			}
			checkZip(t, forgetful, s, tree)
			tree = mutated(t, s, r, plainNames, tree, 3)
		}
	}
	if valid < 500 || invalid < 500 {
		t.Errorf("%d valid and %d invalid trees do not show much", valid, invalid)
	}
}

// TestHashersThatShareAgree hashes the versions of random histories in several
// goroutines at once, which forget time and again.
func TestHashersThatShareAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	s := newStore()
	var trees []object.ID
	for range 30 {
		tree := randomTree(s, r, plainNames, 3)
		for range 10 {
			trees = append(trees, tree)
			tree = mutated(t, s, r, plainNames, tree, 3)
		}
	}
	sums := make([]string, len(trees))
	for i, tree := range trees {
		sums[i], _ = New(s, new(MemorySums)).Zip(testModule, tree)
	}
	first := New(s, new(MemorySums))
	first.shared.limit = 500
	var group sync.WaitGroup
	for range 4 {
		h := first.Another(&store{data: s.data})
		group.Go(func() {
			for i, tree := range trees {
				if sum, _ := h.Zip(testModule, tree); sum != sums[i] {
					t.Errorf("tree %s has %q, and %q by itself", tree, sum, sums[i])
				}
			}
		})
	}
	group.Wait()
}

// TestFastPathKnowsWhenToAskGit compares, for trees in which git refuses and
// converts, what Zip makes of them with what git archive makes of all.
func TestFastPathKnowsWhenToAskGit(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	s := newStore()
	h := New(s, new(MemorySums))
	names := append(append([]string{"a", "b", "x.go", "go.mod"}, plainNames[:16]...), gitNames...)
	fast, slow, refused := 0, 0, 0
	for range 300 {
		tree := randomTree(s, r, names, 2)
		got, err := h.Zip(testModule, tree)
		root, rootErr := h.root(tree, nil)
		if rootErr != nil {
			t.Fatal(rootErr)
		}
		if root.needsGit {
			slow++
			continue
		}
		fast++
		want, wantErr := archiveSum(s, testModule, tree)
		if got != want || (err == nil) != (wantErr == nil) {
			t.Fatalf("got %q, %v; git archive gives %q, %v\n%s", got, err, want, wantErr, list(t, s, tree, ""))
		}
		if err != nil {
			refused++
		}
	}
	if fast < 50 || slow < 50 || fast-refused < 50 {
		t.Errorf("%d fast, %d of them refused, and %d slow trees do not show much", fast, refused, slow)
	}
}

// FuzzSumIsThatOfTheZip has the fuzzer choose the tree.
func FuzzSumIsThatOfTheZip(f *testing.F) {
	f.Add(uint64(1), "vendor", "x")
	f.Add(uint64(7), "Go.mod", "\u017f")
	f.Fuzz(func(t *testing.T, seed uint64, name, other string) {
		names := plainNames
		for _, n := range []string{name, other} {
			e := object.Entry{Mode: object.ModeSymlink, Name: n}
			if n == "" || strings.Contains(n, "\x00") || gitMayRefuse(e) || n == ".gitattributes" {
				return
			}
			names = append([]string{n, n, n, n}, names...)
		}
		r := rand.New(rand.NewPCG(seed, 0))
		s := newStore()
		h := New(s, new(MemorySums))
		tree := randomTree(s, r, names, 3)
		for range 3 {
			checkZip(t, h, s, tree)
			tree = mutated(t, s, r, names, tree, 3)
		}
	})
}

// FuzzHarmlessAttributesConvertNothing has git archive files that everything
// would change in, wherever the attributes are taken for harmless.
func FuzzHarmlessAttributesConvertNothing(f *testing.F) {
	for _, test := range moduleTests {
		if text, ok := test.files[".gitattributes"]; ok {
			f.Add([]byte(text))
		}
	}
	f.Fuzz(func(t *testing.T, attributes []byte) {
		s := newStore()
		tree := s.tree(files{
			"go.mod": newMod, "a.go": "package a\n// $Id$\n", "a/b c.txt": "$Id$\n\r\n", "é.c": "\u00e9\n", "ident": "$Id$\n",
			".gitattributes": string(attributes),
		})
		h := New(s, new(MemorySums))
		if root, err := h.root(tree, nil); err != nil {
			t.Fatal(err)
		} else if root.needsGit {
			return
		}
		got, err := h.Zip(testModule, tree)
		if err != nil {
			t.Fatal(err)
		}
		if want, err := archiveSum(s, testModule, tree); got != want {
			t.Errorf("got %s; git archive gives %s, %v", got, want, err)
		}
	})
}
