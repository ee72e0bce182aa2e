package mirror

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/publisher/git"
	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
)

// repository makes a bare repository with commits, branches and tags, some of
// whose refs are packed, and some both.
func repository(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "mirror.git")
	gitIn(t, "", "init", "--quiet", "--bare", "--initial-branch=master", dir)
	tree := gitIn(t, dir, "mktree")
	first := gitIn(t, dir, "commit-tree", "-m", "First", tree)
	second := gitIn(t, dir, "commit-tree", "-m", "Second", "-p", first, tree)
	gitIn(t, dir, "update-ref", "refs/heads/master", first)
	gitIn(t, dir, "update-ref", "refs/heads/release/1.0", first)
	gitIn(t, dir, "tag", "-a", "-m", "Tag", "v1", first)
	gitIn(t, dir, "tag", "light", first)
	gitIn(t, dir, "pack-refs", "--all")
	gitIn(t, dir, "update-ref", "refs/heads/master", second)
	gitIn(t, dir, "tag", "-a", "-m", "Tag", "v2", second)
	gitIn(t, dir, "update-ref", "refs/other/x", second)
	return dir
}

// objects opens a repository's objects.
func objects(t testing.TB, dir string) *odb.Store {
	t.Helper()
	store, err := odb.Open(filepath.Join(dir, "objects"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	return store
}

func gitIn(t testing.TB, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Env = append(git.Command{}.Environment(), "GIT_ALLOW_PROTOCOL=file", "GIT_AUTHOR_NAME=T", "GIT_AUTHOR_EMAIL=t@x", "GIT_COMMITTER_NAME=T", "GIT_COMMITTER_EMAIL=t@x")
	if dir != "" {
		cmd.Env = append(cmd.Env, "GIT_DIR="+dir)
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func TestRefsAreThoseThatGitSees(t *testing.T) {
	dir := repository(t)
	m, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for name, ref := range m.Refs() {
		got = append(got, ref.ID.String()+" "+name)
	}
	want := strings.Split(gitIn(t, dir, "for-each-ref", "--format=%(objectname) %(refname)"), "\n")
	if len(got) != len(want) {
		t.Errorf("got %q, git sees %q", got, want)
	}
	for _, line := range want {
		id, name, _ := strings.Cut(line, " ")
		if have, ok := m.Ref(name); !ok || have.String() != id {
			t.Errorf("%s is at %s, %v; git sees %s", name, have, ok, id)
		}
	}
}

func TestMirrorThatDoesNotExistIsEmpty(t *testing.T) {
	m, err := Open(filepath.Join(t.TempDir(), "none", "mirror.git"))
	if err != nil || m.Exists || len(m.Refs()) > 0 {
		t.Errorf("got %+v, %v", m, err)
	}
}

// TestPackedRefsReadAndWrittenAreTheSame: what the publisher writes is what
// git writes, byte for byte.
func TestPackedRefsReadAndWrittenAreTheSame(t *testing.T) {
	dir := repository(t)
	gitIn(t, dir, "pack-refs", "--all", "--prune")
	name := filepath.Join(dir, "packed-refs")
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	update, err := lockRefs(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lockRefs(dir); err == nil || !strings.Contains(err.Error(), "packed-refs.lock exists") {
		t.Errorf("a second lock: %v", err)
	}
	if err := errors.Join(update.write(m.Refs()), update.commit()); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(name); err != nil || !bytes.Equal(got, want) {
		t.Errorf("it was\n%s\nand is\n%s\n%v", want, got, err)
	}
	if update, err = lockRefs(dir); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(update.write(nil), update.abandon()); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(name); err != nil || !bytes.Equal(got, want) {
		t.Errorf("abandoned, it is\n%s\n%v", got, err)
	}
	if _, err := os.Stat(name + ".lock"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the lock is left: %v", err)
	}
}

func FuzzPackedRefs(f *testing.F) {
	f.Add("# pack-refs with: peeled fully-peeled sorted \n0123456789012345678901234567890123456789 refs/heads/x\n")
	f.Add("0123456789012345678901234567890123456789 refs/tags/x\n^0123456789012345678901234567890123456789\n")
	f.Add("^0123456789012345678901234567890123456789\n")
	f.Add("x\n")
	f.Add(strings.Repeat("x", 70000))
	dir := f.TempDir()
	for _, name := range []string{"HEAD", "objects/x", "refs/heads/.keep.lock"} {
		if err := errors.Join(os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o777), os.WriteFile(filepath.Join(dir, name), nil, 0o666)); err != nil {
			f.Fatal(err)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(filepath.Join(dir, "packed-refs"), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		m, err := Open(dir)
		if err != nil {
			if !strings.Contains(err.Error(), "packed-refs") && !strings.Contains(err.Error(), "token too long") {
				t.Errorf("the error does not name the file: %v", err)
			}
			return
		}
		for name, ref := range m.Refs() {
			if !strings.Contains(strings.ToLower(text), strings.ToLower(ref.ID.String()+" "+name)) {
				t.Errorf("%q makes %s %s", text, ref.ID, name)
			}
		}
	})
}

func TestStagedRefsAreSeenAfterCommitOnly(t *testing.T) {
	ctx := t.Context()
	mirrors := t.TempDir()
	source, dir := repository(t), Path(mirrors, "a")
	scratch := t.TempDir()
	lock := acquire(t, mirrors)
	defer release(t, lock)
	id := func(ref string) object.ID {
		t.Helper()
		parsed, err := object.ParseID([]byte(gitIn(t, source, "rev-parse", ref)))
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	m, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	steps := []map[string]Ref{
		{"refs/heads/master": {ID: id("v1^{}")}},
		{"refs/heads/master": {ID: id("master")}, "refs/tags/v2": {ID: id("v2"), Peeled: id("v2^{}")}},
		{"refs/heads/again": {ID: id("master")}}, // There is nothing to pack.
	}
	for i, refs := range steps {
		before, has := m.Exists, len(m.Refs())
		s, err := m.Stage(ctx, lock, refs, objects(t, source), "master", scratch)
		if err != nil {
			t.Fatal(err)
		}
		if now, err := Open(dir); err != nil || now.Exists != before || len(now.Refs()) != len(m.Refs()) {
			t.Errorf("step %d: before the commit: %+v, %v", i, now, err)
		}
		discarded, err := m.Stage(ctx, lock, refs, objects(t, source), "master", scratch)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(discarded.Discard(), s.Commit(ctx)); err != nil {
			t.Fatal(err)
		}
		now, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		for name, ref := range refs {
			if have, _ := now.Ref(name); have != ref.ID {
				t.Errorf("step %d: %s is at %s", i, name, have)
			}
		}
		if m.Exists != before || len(m.Refs()) != has {
			t.Errorf("step %d: what was read before has changed: %+v", i, m)
		}
		m = now
		gitIn(t, dir, "fsck", "--full", "--strict")
		if left, err := os.ReadDir(scratch); err != nil || len(left) > 0 {
			t.Errorf("step %d: left over: %v, %v", i, left, err)
		}
	}
	// What is nowhere cannot be staged.
	nowhere, err := object.ParseID([]byte("0123456789012345678901234567890123456789"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Stage(ctx, lock, map[string]Ref{"refs/heads/x": {ID: nowhere}}, nil, "master", scratch); err == nil || !strings.Contains(err.Error(), nowhere.String()) {
		t.Errorf("got %v", err)
	}
	if left, err := os.ReadDir(scratch); err != nil || len(left) > 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
}

// TestTrackingRefsAreNeverOurs: git writes refs/remotes where someone pushes from
// a mirror. They are neither read nor lost.
func TestTrackingRefsAreNeverOurs(t *testing.T) {
	mirrors := t.TempDir()
	dir := Path(mirrors, "a")
	if err := os.CopyFS(dir, os.DirFS(repository(t))); err != nil {
		t.Fatal(err)
	}
	gitIn(t, dir, "update-ref", "refs/remotes/hub/packed", "master")
	gitIn(t, dir, "pack-refs", "--all")
	gitIn(t, dir, "update-ref", "refs/remotes/hub/loose", "master")
	gitIn(t, dir, "symbolic-ref", "refs/remotes/hub/HEAD", "refs/remotes/hub/packed")
	tracking := gitIn(t, dir, "for-each-ref", "refs/remotes")
	m, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for name := range m.Refs() {
		if strings.HasPrefix(name, "refs/remotes/") {
			t.Errorf("%s is taken for published", name)
		}
	}
	lock := acquire(t, mirrors)
	defer release(t, lock)
	master, _ := m.Ref("refs/heads/master")
	s, err := m.Stage(t.Context(), lock, map[string]Ref{"refs/heads/new": {ID: master}}, nil, "master", t.TempDir())
	if err == nil {
		err = s.Commit(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	if now := gitIn(t, dir, "for-each-ref", "refs/remotes"); now != tracking {
		t.Errorf("they were\n%s\nand are\n%s", tracking, now)
	}
	gitIn(t, dir, "symbolic-ref", "refs/heads/symbolic", "refs/heads/master")
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "refs/heads/symbolic is a symbolic ref") {
		t.Errorf("a symbolic branch: %v", err)
	}
}

// TestLostObjectIsNeverPassedOver takes the objects of a mirror away.
func TestLostObjectIsNeverPassedOver(t *testing.T) {
	dir := repository(t)
	m, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	check := func() error {
		store, err := odb.Open(m.ObjectsDir())
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		return m.CheckObjects(store)
	}
	if err := check(); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"refs/tags/v2", "refs/heads/release/1.0"} {
		id := gitIn(t, dir, "rev-parse", name)
		if err := os.Remove(filepath.Join(dir, "objects", id[:2], id[2:])); err != nil {
			t.Fatal(err)
		}
		var lost *LostObjectError
		if err := check(); !errors.As(err, &lost) || lost.ID.String() != id || lost.Dir != dir {
			t.Errorf("without %s of %s: %v", id, name, err)
		}
	}
}

// TestPackThatArrivesIsNeverDropped has git tidy up a mirror before refs name
// what has just arrived.
func TestPackThatArrivesIsNeverDropped(t *testing.T) {
	mirrors := t.TempDir()
	source, dir := repository(t), Path(mirrors, "a")
	gitIn(t, "", "clone", "--quiet", "--bare", "--no-local", "--single-branch", "--no-tags", "--branch=release/1.0", source, dir)
	m, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	lock := acquire(t, mirrors)
	defer release(t, lock)
	master, err := object.ParseID([]byte(gitIn(t, source, "rev-parse", "master")))
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.Stage(t.Context(), lock, map[string]Ref{"refs/heads/master": {ID: master}}, objects(t, source), "master", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	keeps, err := s.moveObjects()
	if err != nil || len(keeps) != 1 {
		t.Fatalf("got %q, %v", keeps, err)
	}
	gitIn(t, dir, "repack", "-a", "-d", "-q")
	gitIn(t, dir, "gc", "--quiet", "--prune=now")
	gitIn(t, dir, "cat-file", "-e", master.String())
	// A run that dies here leaves the file; the next one takes it away.
	theirs := filepath.Join(dir, "objects", "pack", "pack-0123456789012345678901234567890123456789.keep")
	if err := errors.Join(os.WriteFile(theirs, []byte("mine"), 0o666), m.recover()); err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "objects", "pack", "*.keep")); err != nil || len(left) != 1 || left[0] != theirs {
		t.Errorf("left over: %q, %v", left, err)
	}
}
