package source_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/publisher/gittest"
	"k8s.io/publisher/mirror"
	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
	"k8s.io/publisher/source"
)

// TestUnreadableFormIsNamed opens repositories that git can read and the
// publisher cannot, as sources and as mirrors.
func TestUnreadableFormIsNamed(t *testing.T) {
	t.Parallel()
	config := func(text string) func(*testing.T, *gittest.Repo) string {
		return func(t *testing.T, repo *gittest.Repo) string {
			write(t, filepath.Join(repo.Dir, "config"), text)
			return repo.Dir
		}
	}
	for name, test := range map[string]struct {
		make func(*testing.T, *gittest.Repo) string
		want string // part of the error; empty where there is none
	}{
		"SHA-256": {func(t *testing.T, repo *gittest.Repo) string {
			dir := filepath.Join(t.TempDir(), "repo")
			repo.Git("init", "--quiet", "--bare", "--object-format=sha256", dir)
			return dir
		}, "a sha256 repository"},
		"reftable": {func(t *testing.T, repo *gittest.Repo) string {
			repo.Git("config", "core.repositoryformatversion", "1")
			repo.Git("config", "extensions.refStorage", "reftable")
			if err := os.RemoveAll(repo.Dir + "/refs"); err != nil {
				t.Fatal(err)
			}
			write(t, repo.Dir+"/refs/heads", "this repository uses the reftable format\n")
			write(t, repo.Dir+"/HEAD", "ref: refs/heads/.invalid\n")
			write(t, repo.Dir+"/reftable/tables.list", "")
			return repo.Dir
		}, "as reftable"},
		"partial clone": {partialClone, "a partial clone, which lacks objects that remote origin promises"},
		"partial clone without config": {func(t *testing.T, repo *gittest.Repo) string {
			dir := partialClone(t, repo)
			write(t, dir+"/config", "")
			return dir
		}, "a partial clone"},
		"partial clone of old":  {config("[core]\nrepositoryformatversion = 1\n[extensions]\npartialclone = up\n"), "remote up"},
		"any case":              {config("[CORE]\nRepositoryFormatVersion = 1\n[Extensions]\nOBJECTFORMAT = SHA256\n"), "sha256"},
		"version to come":       {config("[core]\nrepositoryformatversion = 2\n"), "format version 2"},
		"extension to come":     {config("[core]\nrepositoryformatversion = 1\n[extensions]\nteleport = true\n"), "extension teleport"},
		"before a fault":        {config("[core]\nrepositoryformatversion = 1\n[extensions]\nobjectformat = sha256\n[user]\nname = J\xfcrgen\n"), "sha256"},
		"word in version 0":     {config("[core]\nrepositoryformatversion = 0\n[extensions]\nteleport = true\n"), ""},
		"harmless extensions":   {config("[core]\nrepositoryformatversion = 1\n[extensions]\nworktreeConfig = true\nobjectFormat = sha1\nrefStorage = files\n"), ""},
		"remote of no promise":  {config("[remote \"origin\"]\npromisor = false\n"), ""},
		"what the parser lacks": {config("[branch.main]\nremote = x\n[user]\nname = J\xfcrgen\n"), ""},
		"no config": {func(t *testing.T, repo *gittest.Repo) string {
			if err := os.Remove(repo.Dir + "/config"); err != nil {
				t.Fatal(err)
			}
			return repo.Dir
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			repo := gittest.At(t, filepath.Join(t.TempDir(), "[r"))
			repo.History("A: x=1\nbranch main A")
			dir := test.make(t, repo)
			_, asMirror := mirror.Open(dir)
			_, asSource := source.Open(dir)
			for _, err := range []error{asSource, asMirror} {
				if test.want == "" {
					if err != nil {
						t.Error(err)
					}
					continue
				}
				format, ok := errors.AsType[*odb.FormatError](err)
				if !ok || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), test.want) || format.Remedy == "" {
					t.Errorf("got %v, want %q", err, test.want)
				}
			}
		})
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o777), os.WriteFile(name, []byte(text), 0o666)); err != nil {
		t.Fatal(err)
	}
}

func partialClone(t *testing.T, repo *gittest.Repo) string {
	dir := filepath.Join(t.TempDir(), "clone")
	repo.Git("config", "uploadpack.allowFilter", "true")
	repo.Git("clone", "--quiet", "--bare", "--filter=blob:none", "file://"+repo.Dir, dir)
	return dir
}

// TestGraftsAndReplacementsHaveNoEffect reads a history as its commits have it,
// whatever the repository asks git to show in their place.
func TestGraftsAndReplacementsHaveNoEffect(t *testing.T) {
	t.Parallel()
	repo := gittest.New(t)
	repo.History("A: d/x=1\nB A: d/x=2\nC B: d/x=3\nother: d/x=4\nbranch main C")
	write(t, repo.Dir+"/info/grafts", repo.Commits["C"].String()+"\n")
	repo.Git("replace", repo.Commits["B"].String(), repo.Commits["other"].String())
	r := open(t, repo.Dir)
	g, err := source.Load(t.Context(), r.Store, []object.ID{repo.Commits["C"]}, []string{"d"}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for n, name := range []string{"A", "B", "C"} {
		want := repo.Tree(gittest.Files{"x": gittest.Text(fmt.Sprint(n + 1))})
		if g.Len() != 3 || g.IDs[n] != repo.Commits[name] || g.Trees("d")[n] != want {
			t.Errorf("node %d is %s with tree %s, want %s with %s", n, g.IDs[n], g.Trees("d")[n], name, want)
		}
	}
}

// TestContentOfAnotherObjectIsNeverRead has the index of a pack lead from each
// kind of object that is read to another one, whole and sound.
func TestContentOfAnotherObjectIsNeverRead(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"commit", "root tree", "tree on the way"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			repo := gittest.New(t)
			repo.History("A: a/b/x=1\nB A: a/b/x=2\nbranch main B\nother: a/b/x=3\nbranch other other")
			repo.Git("repack", "-adfq")
			one, two := repo.Commits["A"].String(), repo.Commits["other"].String()
			suffix := map[string]string{"commit": "", "root tree": "^{tree}", "tree on the way": ":a"}[kind]
			id := strings.TrimSpace(repo.Git("rev-parse", one+suffix))
			swapOffsets(t, repo, id, strings.TrimSpace(repo.Git("rev-parse", two+suffix)))
			_, err := source.Load(t.Context(), open(t, repo.Dir).Store, []object.ID{repo.Commits["B"]}, []string{"a/b"}, nil, nil)
			if corrupt, ok := errors.AsType[*odb.CorruptError](err); !ok || !strings.Contains(corrupt.Error(), id) {
				t.Errorf("got %v, want %s named as damaged", err, id)
			}
		})
	}
}

// TestOddTreeHidesNothingBesideIt looks for directories in roots that have names
// twice, out of order, or such as nobody can check out.
func TestOddTreeHidesNothingBesideIt(t *testing.T) {
	t.Parallel()
	repo := gittest.New(t)
	file, a, b := repo.Put(object.BlobType, nil), repo.Tree(gittest.Files{"x": gittest.Text("1")}), repo.Tree(gittest.Files{"x": gittest.Text("2")})
	dir := func(name string, id object.ID) string { return "40000 " + name + "\x00" + string(id[:]) }
	other := func(name string) string { return "100644 " + name + "\x00" + string(file[:]) }
	for tree, want := range map[string][2]object.ID{
		dir("a", a) + dir("a", b) + dir("b", b):               {a, b},
		other("a") + dir("a", a) + dir("b", b):                {{}, b},
		dir("b", b) + dir("a", a):                             {a, b},
		other("..") + other("a/b") + dir(".git", b):           {},
		"777 a\x00" + string(a[:]) + dir("b", b) + other("b"): {{}, b},
	} {
		root := repo.Put(object.TreeType, []byte(tree))
		who := []byte("A <a@x> 1 +0000")
		commit := repo.Commit(&object.Commit{Tree: root, Author: who, Committer: who, Message: []byte("odd\n")})
		repo.Branch("main", commit)
		r := open(t, repo.Dir)
		g, err := source.Load(t.Context(), r.Store, []object.ID{commit}, []string{"a", "b"}, nil, nil)
		if err != nil {
			t.Errorf("%q: %v", tree, err)
			continue
		}
		got := [2]object.ID{g.Trees("a")[0], g.Trees("b")[0]}
		if got != want {
			t.Errorf("%q: got %s, want %s", tree, got, want)
		}
		for i, dir := range []string{"a", "b"} {
			if sub, err := object.Subtree(r.Store.Reader().Tree, root, dir); sub != got[i] || err != nil {
				t.Errorf("%q: Subtree finds %s, %v", tree, sub, err)
			}
		}
	}
}

// swapOffsets exchanges where a pack's index has two objects.
func swapOffsets(t *testing.T, repo *gittest.Repo, a, b string) {
	t.Helper()
	names, err := filepath.Glob(repo.Dir + "/objects/pack/*.idx")
	if err != nil || len(names) != 1 {
		t.Fatal(names, err)
	}
	data, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	const head = 8 + 256*4
	count := int(binary.BigEndian.Uint32(data[head-4:]))
	offset := func(hexID string) []byte {
		id, err := hex.DecodeString(hexID)
		if err != nil {
			t.Fatal(err)
		}
		for i := range count {
			if bytes.Equal(data[head+20*i:head+20*(i+1)], id) {
				at := head + 24*count + 4*i
				return data[at : at+4]
			}
		}
		t.Fatalf("the index has no %s", hexID)
		return nil
	}
	x, y := offset(a), offset(b)
	saved := bytes.Clone(x)
	copy(x, y)
	copy(y, saved)
	if err := errors.Join(os.Chmod(names[0], 0o666), os.WriteFile(names[0], data, 0o666)); err != nil {
		t.Fatal(err)
	}
}
