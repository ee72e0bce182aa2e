package mirror

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/publisher/gittest"
	"k8s.io/publisher/object"
)

// publish stages and commits refs of a repository in a mirror as it is now, and
// has git check it.
func publish(t *testing.T, lock *Lock, m *Mirror, from *gittest.Repo, refs ...string) {
	t.Helper()
	from.Git("rev-parse") // What was put is there for others to see then.
	all := make(map[string]Ref)
	for _, ref := range refs {
		id, err := object.ParseID([]byte(strings.TrimSpace(from.Git("rev-parse", ref))))
		if err != nil {
			t.Fatal(err)
		}
		all[ref] = Ref{ID: id}
	}
	m, err := Open(m.Dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.Stage(t.Context(), lock, all, objects(t, from.Dir), "main", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	gitIn(t, m.Dir, "fsck", "--full", "--strict", "--no-dangling")
	packs, err := filepath.Glob(filepath.Join(m.ObjectsDir(), "pack", "*.pack"))
	if err != nil {
		t.Fatal(err)
	}
	for _, pack := range packs {
		gitIn(t, m.Dir, "index-pack", "--verify", pack)
	}
}

// TestWhatIsPublishedIsWhatGitWouldSend publishes a history in steps; after each,
// the mirror has exactly the objects that its refs lead to.
func TestWhatIsPublishedIsWhatGitWouldSend(t *testing.T) {
	source := gittest.New(t)
	source.History(`
		A: go.mod=1 dir/file=1 dir/sub/x=1 link->go.mod module@1
		B A: dir/file=2
		C B: dir/file=1
		D A: dir/sub/x=2 dir/file.go=1 dir/file-x/y=1
		M C D: dir/sub/x=2 dir/file.go=1
		E M: -dir
		F E: ^A
		G B: other=1
		branch main C
		branch merged M
		branch old A
		branch back F
		branch beside G
		tag v1 M
		tag v0 A
	`)
	mirrors := t.TempDir()
	lock := acquire(t, mirrors)
	defer release(t, lock)
	m, err := Open(Path(mirrors, "a"))
	if err != nil {
		t.Fatal(err)
	}
	var refs []string
	for _, step := range [][]string{
		{"refs/heads/main"},
		{"refs/heads/old"},
		{"refs/heads/merged", "refs/tags/v1"},
		{"refs/heads/back", "refs/tags/v0"},
		{"refs/heads/beside"},
	} {
		publish(t, lock, m, source, step...)
		refs = append(refs, step...)
		want := source.GitInput(strings.Join(refs, "\n"), "rev-list", "--objects", "--no-object-names", "--stdin")
		for line := range strings.Lines(want) {
			gitIn(t, m.Dir, "cat-file", "-e", strings.TrimSpace(line))
		}
		have := strings.Split(gitIn(t, m.Dir, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)"), "\n")
		if n := strings.Count(want, "\n"); len(have) != n {
			t.Errorf("after %q the mirror has %d objects, of which its refs need %d", step, len(have), n)
		}
	}
}

// TestNothingIsBuiltOnWhatNoRefLeadsTo has objects lie in a mirror that git may
// remove at any time, and some of which are gone.
func TestNothingIsBuiltOnWhatNoRefLeadsTo(t *testing.T) {
	source := gittest.New(t)
	source.History(`
		A: go.mod=1
		B A: dir/file=2
		C B: dir/file=2 other=1
		branch main A
		branch next C
	`)
	mirrors := t.TempDir()
	lock := acquire(t, mirrors)
	defer release(t, lock)
	m, err := Open(Path(mirrors, "a"))
	if err != nil {
		t.Fatal(err)
	}
	publish(t, lock, m, source, "refs/heads/main")
	// Somebody had B and its tree here once; the file is gone.
	for _, ref := range []string{"next~1", "next~1^{tree}"} {
		id := strings.TrimSpace(source.Git("rev-parse", ref))
		kind := strings.TrimSpace(source.Git("cat-file", "-t", id))
		file := filepath.Join(t.TempDir(), "object")
		if err := os.WriteFile(file, []byte(source.Git("cat-file", kind, id)), 0o666); err != nil {
			t.Fatal(err)
		}
		if got := gitIn(t, m.Dir, "hash-object", "-w", "--literally", "-t", kind, file); got != id {
			t.Fatalf("git stored %s as %s", id, got)
		}
	}
	publish(t, lock, m, source, "refs/heads/next")
	gitIn(t, m.Dir, "prune", "--expire=now")
	gitIn(t, m.Dir, "repack", "-a", "-d", "-q")
	gitIn(t, m.Dir, "fsck", "--full", "--strict")
}

// TestHostileObjectIsNeverPublished: nothing is written for what git would not
// take, and the error says what and where.
func TestHostileObjectIsNeverPublished(t *testing.T) {
	entry := func(mode object.Mode, name string, id object.ID) []byte {
		return append(fmt.Appendf(nil, "%o %s\x00", mode, name), id[:]...)
	}
	for name, test := range map[string]struct {
		tree func(r *gittest.Repo) []byte
		says string
	}{
		"a tree for a file": {func(r *gittest.Repo) []byte {
			return entry(object.ModeRegular, "d", r.Put(object.TreeType, nil))
		}, "is a tree where a blob is needed"},
		"a file for a tree": {func(r *gittest.Repo) []byte {
			return entry(object.ModeDir, "d", r.Put(object.BlobType, nil))
		}, "is a blob where a tree is needed"},
		"both at once": {func(r *gittest.Repo) []byte {
			blob := r.Put(object.BlobType, nil)
			return append(entry(object.ModeRegular, "c", blob), entry(object.ModeDir, "d", blob)...)
		}, "is a blob where a tree is needed"},
		"the folder above": {func(r *gittest.Repo) []byte {
			return entry(object.ModeRegular, "..", r.Put(object.BlobType, nil))
		}, `".."`},
		"out of order": {func(r *gittest.Repo) []byte {
			blob := r.Put(object.BlobType, nil)
			return append(entry(object.ModeRegular, "b", blob), entry(object.ModeRegular, "a", blob)...)
		}, `"a"`},
		"more files than there is room for": {func(r *gittest.Repo) []byte {
			tree := entry(object.ModeRegular, "f", r.Put(object.BlobType, nil))
			for range 8 {
				id := r.Put(object.TreeType, tree)
				tree = nil
				for i := range 10 {
					tree = append(tree, entry(object.ModeDir, fmt.Sprint(i), id)...)
				}
			}
			return tree
		}, "more than 10000000 files"},
		"a missing file": {func(r *gittest.Repo) []byte {
			return entry(object.ModeRegular, "d", object.Hash(object.BlobType, []byte("nowhere")))
		}, "is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			r := gittest.New(t)
			root := r.Put(object.TreeType, entry(object.ModeDir, "top", r.Put(object.TreeType, test.tree(r))))
			ident := []byte("A <a@x> 1 +0000")
			commit := r.Commit(&object.Commit{Tree: root, Author: ident, Committer: ident, Message: []byte("x\n")})
			r.Branch("main", commit)
			mirrors, scratch := t.TempDir(), t.TempDir()
			lock := acquire(t, mirrors)
			defer release(t, lock)
			m := &Mirror{Dir: Path(mirrors, "a")}
			_, err := m.Stage(t.Context(), lock, map[string]Ref{"refs/heads/main": {ID: commit}}, objects(t, r.Dir), "main", scratch)
			var wrong *ObjectError
			if !errors.As(err, &wrong) || wrong.Commit != commit || !strings.HasPrefix(wrong.Path, "top") || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v", err)
			}
			if left, err := os.ReadDir(scratch); err != nil || len(left) > 0 {
				t.Errorf("left over: %v, %v", left, err)
			}
		})
	}
}

// TestPackIsNotMuchLargerThanGits publishes a history of loose objects, and one
// that git has packed.
func TestPackIsNotMuchLargerThanGits(t *testing.T) {
	source := gittest.New(t)
	random := rand.New(rand.NewPCG(1, 2))
	lines := make([]string, 300)
	var parents []string
	for i := range 150 {
		for range 4 {
			lines[random.IntN(len(lines))] = fmt.Sprintf("%x\n", random.Uint64())
		}
		name := fmt.Sprint("C", i)
		source.Add(name, parents, func(files gittest.Files) {
			files.Set("dir/long", gittest.Text(strings.Join(lines, "")))
			files.Set(fmt.Sprintf("dir/sub%d/short", i%40), gittest.Text(fmt.Sprint(i)))
		})
		parents = []string{name}
	}
	source.Branch("main", source.Commits["C149"])
	source.Git("repack", "-adq")
	packs, err := filepath.Glob(filepath.Join(source.Dir, "objects", "pack", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, pack := range packs {
		data, err := os.ReadFile(pack)
		if err = errors.Join(err, os.Remove(pack)); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(pack, ".pack") {
			source.GitInput(string(data), "unpack-objects", "-q")
		}
	}
	for _, packed := range []bool{false, true} {
		if packed {
			source.Git("repack", "-adfq")
		}
		mirrors := t.TempDir()
		lock := acquire(t, mirrors)
		m := &Mirror{Dir: Path(mirrors, "a")}
		publish(t, lock, m, source, "refs/heads/main")
		release(t, lock)
		size := func() (n int64) {
			names, err := filepath.Glob(filepath.Join(m.ObjectsDir(), "pack", "*.pack"))
			if err != nil || len(names) != 1 {
				t.Fatalf("packs: %q, %v", names, err)
			}
			info, err := os.Stat(names[0])
			if err != nil {
				t.Fatal(err)
			}
			return info.Size()
		}
		ours := size()
		gitIn(t, m.Dir, "repack", "-a", "-d", "-f", "-q")
		if gits := size(); 2*ours > 3*gits {
			t.Errorf("packed before: %v; the pack has %d bytes, git's has %d", packed, ours, gits)
		}
	}
}

// TestEachStepOfAChangeCanBeTheLast stops after each step of a change as a killed
// run does; the next one makes of the mirror what it would have.
func TestEachStepOfAChangeCanBeTheLast(t *testing.T) {
	source := gittest.New(t)
	source.History(`
		A: go.mod=1
		B A: dir/file=2
		branch main A
		branch next B
	`)
	next := Ref{ID: source.Commits["B"]}
	for steps := range 5 {
		mirrors := t.TempDir()
		lock := acquire(t, mirrors)
		m, err := Open(Path(mirrors, "a"))
		if err != nil {
			t.Fatal(err)
		}
		publish(t, lock, m, source, "refs/heads/main")
		if m, err = Open(m.Dir); err != nil {
			t.Fatal(err)
		}
		s, err := m.Stage(t.Context(), lock, map[string]Ref{"refs/heads/main": next}, objects(t, source.Dir), "main", t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		var update *refsUpdate
		for i, step := range []func() error{
			func() error { return lock.changes(m) },
			func() (err error) { update, err = lockRefs(m.Dir); return err },
			func() error { return update.write(map[string]Ref{"refs/heads/main": next}) },
			func() error { _, err := s.moveObjects(); return err },
			func() error { return update.commit() },
		} {
			if i > steps {
				break
			}
			if err := step(); err != nil {
				t.Fatal(err)
			}
			gitIn(t, m.Dir, "fsck", "--full", "--strict", "--no-dangling")
		}
		if err := lock.file.Close(); err != nil {
			t.Fatal(err)
		}
		lock = acquire(t, mirrors)
		if !lock.Crashed {
			t.Error("nobody knows that a run was killed")
		}
		if m, err = Open(m.Dir); err != nil {
			t.Fatal(err)
		}
		publish(t, lock, m, source, "refs/heads/next", "refs/heads/main")
		publish(t, lock, m, source, "refs/heads/next")
		for _, pattern := range []string{"*.lock", "objects/pack/*.keep"} {
			if left, err := filepath.Glob(filepath.Join(m.Dir, pattern)); err != nil || len(left) > 0 {
				t.Errorf("after %d steps: left over: %q, %v", steps, left, err)
			}
		}
		release(t, lock)
	}
}
