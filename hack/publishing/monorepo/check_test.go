package monorepo

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// check proves that git finds no fault with the repository, and that at each
// revision every staged module builds from its neighbours, without a network.
func check(t *testing.T, r Repository, revisions ...string) {
	t.Helper()
	git := gitIn(t.Context(), r.Source)
	if err := run(git("fsck", "--full", "--strict", "--no-dangling")); err != nil {
		t.Error(err)
	}
	for _, revision := range revisions {
		tree := t.TempDir()
		archive := filepath.Join(t.TempDir(), "tree.tar")
		if err := run(git("archive", "-o", archive, revision)); err != nil {
			t.Fatal(err)
		}
		if err := run(exec.CommandContext(t.Context(), "tar", "-xf", archive, "-C", tree)); err != nil {
			t.Fatal(err)
		}
		staged, err := filepath.Glob(filepath.Join(tree, "staging/src/example.test/*"))
		if err != nil || len(staged) == 0 {
			t.Fatalf("modules at %s: %v, %v", revision, staged, err)
		}
		for _, dir := range staged {
			build := exec.CommandContext(t.Context(), "go", "build", "./...")
			build.Dir = dir
			build.Env = append(os.Environ(), "GOWORK=off", "GOPROXY=off", "GOFLAGS=-mod=readonly")
			if err := run(build); err != nil {
				t.Errorf("%s at %s: %v", filepath.Base(dir), revision, err)
			}
		}
	}
}
