package projection_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"k8s.io/publisher/gittest"
	"k8s.io/publisher/publishtest"
)

// checkMirrors compares the mirrors with the reference.
func (e *expectation) checkMirrors(w *publishtest.World, when string) {
	w.Helper()
	published := w.Published()
	for _, target := range targets {
		got := make(map[string]string)
		if slices.Contains(published, target.name) {
			got = w.Refs(target.name, "refs/heads")
		}
		for _, branch := range []string{"main", "release"} {
			if want := e.refs[target.name][branch].project(e.heads[branch].String()); got[branch] != want {
				w.Errorf("%s: %s of %s is at %q, want %q", when, branch, target.name, got[branch], want)
			}
		}
	}
}

// TestOlderHeadsFirstMakeNoDifference publishes random histories as they grow:
// each run goes on from the mirrors and the cache of the one before.
func TestOlderHeadsFirstMakeNoDifference(t *testing.T) {
	t.Parallel()
	// In the history of 84, a directory's branch merges commits that until then
	// were on another one only, which is made from another directory.
	seeds := []uint64{84, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	if testing.Short() {
		seeds = seeds[:4]
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 2))
			remove := patterns[random.IntN(len(patterns))]
			w := publishtest.New(t, ruleSet(remove, targets))
			h := newHistory(w.Source, random, true)
			e := expect(t, h, remove)
			mains, releases := h.firstParents(h.main), h.firstParents(h.release)
			at := map[string]int{}
			for step := 3; step >= 0; step-- {
				// Each head is one that it can be forwarded to.
				for branch, line := range map[string][]int{"main": mains, "release": releases} {
					left := len(line) - 1 - at[branch]
					if step == 0 {
						at[branch] += left
					} else if step < 3 {
						at[branch] += left / (step + 1)
					}
					e.heads[branch] = h.commits[line[at[branch]]]
					w.Source.Branch(branch, e.heads[branch])
				}
				w.Publish()
				e.checkMirrors(w, fmt.Sprintf("seed %d, %d steps before the end", seed, step))
				if t.Failed() {
					t.Fatalf("\n%s", w.Source.Git("log", "--graph", "--oneline", "--name-status", "--no-renames", "main", "release"))
				}
			}
			for _, d := range w.Published() {
				w.Git(d, "fsck", "--connectivity-only", "--no-dangling")
			}
		})
	}
}

// TestStorageMakesNoDifference reads one history from each form in which git
// keeps a repository, with one processor and with two.
func TestStorageMakesNoDifference(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 3))
	repo := gittest.New(t)
	var h *history
	for h == nil || len(h.commits) < 30 {
		h = newHistory(repo, random, true)
	}
	repo.Git("symbolic-ref", "HEAD", "refs/heads/main")
	e := expect(t, h, nil)
	r := parseRules(t, ruleSet(nil, targets))
	dir := t.TempDir()
	forms := []struct {
		name string
		make func(to string) // makes a repository at to
	}{
		{"packed", func(to string) { repo.Git("clone", "--quiet", "--mirror", "--no-local", repo.Dir, to) }},
		{"loose", func(to string) {
			repo.Git("clone", "--quiet", "--mirror", "--no-local", repo.Dir, to)
			gittest.Unpack(t, to)
		}},
		{"repacked with deep deltas", func(to string) {
			repo.Git("clone", "--quiet", "--mirror", "--no-local", repo.Dir, to)
			gittest.Git(t, to, "", "repack", "-adfq", "--depth=200", "--window=200")
			gittest.Git(t, to, "", "pack-refs", "--all")
		}},
		{"repacked with deltas by name", func(to string) {
			repo.Git("clone", "--quiet", "--mirror", "--no-local", repo.Dir, to)
			gittest.Git(t, to, "", "-c", "repack.useDeltaBaseOffset=false", "repack", "-adfq")
		}},
		{"borrowed", func(to string) { repo.Git("clone", "--quiet", "--mirror", "--shared", repo.Dir, to) }},
		{"borrowed by way of a borrower", func(to string) {
			repo.Git("clone", "--quiet", "--mirror", "--shared", repo.Dir, to+"-between")
			repo.Git("clone", "--quiet", "--mirror", "--shared", to+"-between", to)
		}},
		{"clone", func(to string) { // It has main alone; the other branch is its origin's.
			repo.Git("clone", "--quiet", "--no-checkout", repo.Dir, to)
		}},
		{"folder of a work tree", func(to string) {
			repo.Git("clone", "--quiet", "--no-checkout", repo.Dir, to+"-main")
			gittest.Git(t, to+"-main", "", "worktree", "add", "--quiet", "--no-checkout", "-b", "side", to)
			if err := os.MkdirAll(filepath.Join(to, "some/folder"), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(to, to+"-moved"); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(filepath.Join(to+"-moved", "some/folder"), to); err != nil {
				t.Fatal(err)
			}
		}},
		{"sparse work tree", func(to string) { // That brings a repository extension.
			repo.Git("clone", "--quiet", "--no-checkout", repo.Dir, to)
			gittest.Git(t, to, "", "sparse-checkout", "init", "--cone")
		}},
		{"symbolic branch", func(to string) {
			repo.Git("clone", "--quiet", "--mirror", "--no-local", repo.Dir, to)
			gittest.Git(t, to, "", "branch", "-m", "main", "trunk")
			gittest.Git(t, to, "", "symbolic-ref", "refs/heads/main", "refs/heads/trunk")
		}},
		{"with a commit graph and a multi-pack index", func(to string) {
			repo.Git("clone", "--quiet", "--mirror", "--no-local", repo.Dir, to)
			gittest.Git(t, to, "", "multi-pack-index", "write")
			gittest.Git(t, to, "", "commit-graph", "write", "--reachable")
		}},
		{"with a replaced commit", func(to string) { // What is published does not depend on this machine's views.
			repo.Git("clone", "--quiet", "--mirror", "--no-local", repo.Dir, to)
			gittest.Git(t, to, "", "replace", h.commits[h.main].String(), h.commits[h.firstParents(h.main)[0]].String())
		}},
	}
	for i, form := range forms {
		t.Run(form.name, func(t *testing.T) {
			to := filepath.Join(dir, fmt.Sprint(i))
			form.make(to)
			for _, processors := range []int{1, 2} {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
				e.check(t, compute(t, to, r))
			}
		})
	}
}
