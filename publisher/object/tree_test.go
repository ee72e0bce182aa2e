package object_test

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"k8s.io/publisher/object"
)

// rawTree returns a tree's content as it is given: "mode name", in that order.
func rawTree(entries ...string) []byte {
	var data []byte
	for _, e := range entries {
		data = append(data, e+"\x00"+strings.Repeat("\x01", 20)...)
	}
	return data
}

// TestMalformedTreeIsNeverTakenForGood says which trees must not be published.
// Each that is refused is one that git fsck has something to say about too.
func TestMalformedTreeIsNeverTakenForGood(t *testing.T) {
	repo := newRepository(t)
	long := strings.Repeat("n", 1<<20)
	refused := make(map[string]string)
	for _, test := range []struct {
		tree []byte
		want string // part of the error; empty where there is none
	}{
		{nil, ""},
		{rawTree("100644 a", "40000 a.b", "120000 b", "160000 c", "100755 d"), ""},
		{rawTree("100644 a.b", "40000 a", "100644 a0"), ""},
		{rawTree("100664 group-writable"), ""},
		{rawTree("0100644 zero"), ""},
		{rawTree("040000 zero"), ""},
		{rawTree("100644 ...", "100644 .gitignore"), ""},
		{rawTree("100644 .."), `".."`},
		{rawTree("40000 ."), `"."`},
		{rawTree("100644 "), "without a name"},
		{rawTree("40000 .git"), `".git"`},
		{rawTree("100644 .GiT"), `".GiT"`},
		{rawTree("100644 a/b"), `"a/b"`},
		{rawTree("100644 /"), `"/"`},
		{rawTree("100644 b", "100644 a"), `"a" does not stand`},
		{rawTree("40000 a", "100644 a.b"), `"a.b" does not stand`},
		{rawTree("100644 a", "100644 a"), `"a" is there twice`},
		{rawTree("100644 a", "40000 a"), `"a" is there twice`},
		{rawTree("40000 a", "120000 a"), `"a"`},
		{rawTree("160000 a", "100644 a.b", "40000 a"), `"a" is there twice`},
		{rawTree("0 a"), "mode 0"},
		{rawTree("777 a"), "mode 777"},
		{rawTree("170000 a"), "mode 170000"},
		{rawTree("x a"), "mode"},
		{rawTree("100644 z", "100644 "+long), "..."},
	} {
		err := object.CheckTree(test.tree)
		name := fmt.Sprintf("%.60q", test.tree)
		if test.want == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		format, ok := errors.AsType[*object.FormatError](err)
		if !ok || format.Type != object.TreeType || !strings.Contains(err.Error(), test.want) || len(err.Error()) > 300 {
			t.Errorf("%s: got %.300v, want %q", name, err, test.want)
		}
		refused[repo.write("tree", string(test.tree))] = name
	}
	fsck := exec.Command("git", "fsck", "--strict", "--no-dangling")
	fsck.Dir = repo.dir
	said, err := fsck.CombinedOutput()
	if err == nil {
		t.Error("git fsck finds nothing wrong")
	}
	for id, name := range refused {
		if !strings.Contains(string(said), id) {
			t.Errorf("%s: git fsck has nothing to say about it", name)
		}
	}
}

// TestSubtree follows paths that lead to trees, to files and nowhere.
func TestSubtree(t *testing.T) {
	trees := make(map[object.ID][]byte)
	put := func(entries ...object.Entry) object.ID {
		data := object.EncodeTree(entries)
		id := object.Hash(object.TreeType, data)
		trees[id] = data
		return id
	}
	file := object.Hash(object.BlobType, nil)
	c := put(object.Entry{Mode: object.ModeRegular, Name: "f", ID: file}, object.Entry{Mode: object.ModeSymlink, Name: "l", ID: file})
	root := put(object.Entry{Mode: object.ModeDir, Name: "a", ID: put(object.Entry{Mode: object.ModeDir, Name: "b", ID: c})})
	read := func(id object.ID) ([]byte, error) {
		if data, ok := trees[id]; ok {
			return data, nil
		}
		return nil, errors.New("there is no such tree")
	}
	for dir, want := range map[string]object.ID{"": root, "a/b": c, "a/b/f": {}, "a/x": {}, "x/b": {}} {
		if got, err := object.Subtree(read, root, dir); got != want || err != nil {
			t.Errorf("%q: got %s, %v; want %s", dir, got, err, want)
		}
	}
	if _, err := object.Subtree(read, file, "a"); err == nil {
		t.Error("what cannot be read is absent")
	}
	for name, want := range map[string]object.ID{"f": file, "l": {}, "x": {}} {
		if got, err := object.FindFile(trees[c], name); got != want || err != nil {
			t.Errorf("%q: got %s, %v; want %s", name, got, err, want)
		}
	}
}
