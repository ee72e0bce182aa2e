package source_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/publisher/gittest"
	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
	"k8s.io/publisher/source"
)

func open(t *testing.T, path string) *source.Repository {
	t.Helper()
	r, err := source.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func TestShallowCloneIsRefused(t *testing.T) {
	t.Parallel()
	repo := gittest.New(t)
	repo.History("A: x=1\nB A: x=2\nC B: x=3\nbranch main C")
	to := filepath.Join(t.TempDir(), "clone")
	repo.Git("clone", "--quiet", "--depth=2", "file://"+repo.Dir, to)
	_, err := source.Open(to)
	shallow, ok := errors.AsType[*source.ShallowError](err)
	if !ok || !slices.Equal(shallow.Boundary, []object.ID{repo.Commits["B"]}) || !strings.Contains(err.Error(), "--unshallow") {
		t.Errorf("got %v", err)
	}
	gittest.Git(t, to, "", "fetch", "--quiet", "--unshallow")
	open(t, to)
}

func TestNoRepository(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, file, filepath.Join(dir, "missing")} {
		if _, err := source.Open(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got error %v", path, err)
		}
	}
}

// TestRefs compares with git for-each-ref, with refs loose, packed, both, and
// symbolic.
func TestRefs(t *testing.T) {
	t.Parallel()
	repo := gittest.New(t)
	repo.History(`
		A: x=1
		B A: x=2
		branch main A
		branch feature/deep/name A
		tag v1.0.0 A
		tag v1.1.0 B
		tag nested/v1 B`)
	repo.Git("pack-refs", "--all")
	repo.History("branch main B\ntag light A")
	repo.Git("update-ref", "refs/tags/light", repo.Commits["B"].String())
	repo.Git("update-ref", "refs/remotes/origin/main", repo.Commits["A"].String())
	repo.Git("update-ref", "refs/remotes/origin/theirs", repo.Commits["A"].String())
	repo.Git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
	repo.Git("symbolic-ref", "refs/heads/alias", "refs/heads/main")
	repo.Git("symbolic-ref", "refs/heads/unborn", "refs/heads/nowhere")

	r := open(t, repo.Dir)
	want := map[string]string{}
	for line := range strings.Lines(repo.Git("for-each-ref", "--format=%(refname) %(objectname)", "refs/heads", "refs/tags")) {
		name, id, _ := strings.Cut(strings.TrimSpace(line), " ")
		want[name] = id
	}
	want["refs/heads/theirs"] = repo.Commits["A"].String()
	got := map[string]string{}
	for _, name := range r.Branches() {
		id, ok := r.Branch(name)
		if !ok {
			t.Errorf("branch %s is listed and not there", name)
		}
		got["refs/heads/"+name] = id.String()
	}
	var names []string
	for _, tag := range r.Tags() {
		got["refs/tags/"+tag.Name] = tag.ID.String()
		names = append(names, tag.Name)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if !slices.IsSorted(names) {
		t.Errorf("tags are not sorted: %q", names)
	}
	if _, ok := r.Branch("unborn"); ok {
		t.Error("a branch that is not born is there")
	}
}

// TestMissingObjectIsNamed removes a commit and a tree far back in a history
// that is longer than what is handed to the readers of trees at once.
func TestMissingObjectIsNamed(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"commit", "tree"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			repo := gittest.New(t)
			var parents []string
			for i := range 2500 {
				name := fmt.Sprint(i)
				repo.Add(name, parents, func(files gittest.Files) { files.Set("d/x", gittest.Text(name)) })
				parents = []string{name}
			}
			victim := repo.Commits["3"]
			if kind == "tree" {
				c, err := object.ParseCommit(repo.Objects[victim].Data)
				if err != nil {
					t.Fatal(err)
				}
				victim = c.Tree
			}
			// Without the object, which the pack cannot lose, all are loose.
			loose := filepath.Join(t.TempDir(), "loose.git")
			repo.Branch("main", repo.Commits["2499"])
			repo.Git("init", "--quiet", "--bare", loose)
			var keep strings.Builder
			for id := range repo.Objects {
				if id != victim {
					fmt.Fprintln(&keep, id)
				}
			}
			repo.GitInput(keep.String(), "pack-objects", "-q", filepath.Join(loose, "objects/pack/pack"))
			r := open(t, loose)
			_, err := source.Load(t.Context(), r.Store, []object.ID{repo.Commits["2499"]}, []string{"d"}, nil, nil)
			missing, ok := errors.AsType[*odb.MissingError](err)
			if !ok || missing.ID != victim {
				t.Errorf("got %v, want %s to be missing", err, victim)
			}
		})
	}
}

// TestLoadEndsAtWhatIsKnown reads a part of a history.
func TestLoadEndsAtWhatIsKnown(t *testing.T) {
	t.Parallel()
	repo := gittest.New(t)
	repo.History(`
		A: d/x=1 e=1
		B A: d/x=2
		C A: e/f/x=1
		M B C: d/x=2
		N M: -d
		O N C: d/e=2
		branch main O`)
	r := open(t, repo.Dir)
	id := func(name string) object.ID { return repo.Commits[name] }
	known := func(c object.ID) bool { return c == id("B") || c == id("C") || c == id("A") }
	calls := 0
	g, err := source.Load(t.Context(), r.Store, []object.ID{id("O"), id("M"), id("B")}, []string{"", "d", "e", "e/f"}, known, func(int) { calls++ })
	if err != nil {
		t.Fatal(err)
	}
	if g.Len() != 5 || calls == 0 || g.AllKnown() {
		t.Errorf("read %d commits, told of it %d times", g.Len(), calls)
	}
	want := map[string]string{"B": "", "C": "", "M": "B C", "N": "M", "O": "N C"}
	names := make(map[object.ID]string)
	for name, id := range repo.Commits {
		names[id] = name
	}
	for n := range int32(g.Len()) {
		var parents []string
		for _, p := range g.Parents[n] {
			if p >= n {
				t.Errorf("parent %d of node %d does not come before it", p, n)
			}
			parents = append(parents, names[g.IDs[p]])
		}
		name := names[g.IDs[n]]
		if expected, ok := want[name]; !ok || strings.Join(parents, " ") != expected {
			t.Errorf("%s has the parents %q", name, parents)
		}
		if g.Known[n] != known(g.IDs[n]) {
			t.Errorf("%s: known is %v", name, g.Known[n])
		}
		for _, dir := range []string{"", "d", "e", "e/f"} {
			got := g.Trees(dir)[n]
			entry := repo.Git("rev-parse", g.IDs[n].String()+"^{tree}")
			if dir != "" {
				entry = repo.Git("ls-tree", "--format=%(objecttype) %(objectname)", g.IDs[n].String(), dir)
			}
			tree := strings.TrimSpace(strings.TrimPrefix(entry, "tree "))
			if strings.HasPrefix(entry, "blob") {
				tree = ""
			}
			if got.IsZero() != (tree == "") || !got.IsZero() && got.String() != tree {
				t.Errorf("%s: %s is %s, want %q", name, dir, got, tree)
			}
		}
	}
}

// TestAncestors marks what heads reach, and nothing else.
func TestAncestors(t *testing.T) {
	t.Parallel()
	repo := gittest.New(t)
	repo.History("A: x=1\nB A: x=2\nC A: x=3\nD B C: x=4\nE C: x=5\nbranch main D\nbranch other E")
	r := open(t, repo.Dir)
	g, err := source.Load(t.Context(), r.Store, []object.ID{repo.Commits["D"], repo.Commits["E"]}, nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for heads, want := range map[string]string{"": "", "A": "A", "B": "AB", "E": "ACE", "BE": "ABCE", "D": "ABCD"} {
		nodes := []int32{-1}
		for _, name := range heads {
			n, _ := g.Node(repo.Commits[string(name)])
			nodes = append(nodes, n)
		}
		reached := g.Ancestors(nodes...)
		got := ""
		for _, name := range repo.Names() {
			if n, _ := g.Node(repo.Commits[name]); reached[n] {
				got += name
			}
		}
		if got != want {
			t.Errorf("%s reach %s, want %s", heads, got, want)
		}
	}
}
