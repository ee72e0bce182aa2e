package projection_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"k8s.io/publisher/gittest"
	"k8s.io/publisher/mirror"
	"k8s.io/publisher/session"
)

// syncOnce does what the sync command does.
func syncOnce(t testing.TB, ruleFile, sourceDir, mirrors string) {
	t.Helper()
	ctx := context.Background()
	var log testLog
	s, err := session.Open(ctx, session.Options{
		Rules: ruleFile, Source: sourceDir, Mirrors: mirrors, Write: true, Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	p, pub, err := s.Plan(t.Context())
	if err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	if _, err := s.Apply(ctx, p, pub); err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
}

type testLog []byte

func (l *testLog) Write(b []byte) (int, error) {
	*l = append(*l, b...)
	return len(b), nil
}

// branchesOf reads the branches of all mirrors with git.
func branchesOf(t testing.TB, mirrors string) map[string]string {
	t.Helper()
	refs := make(map[string]string)
	for _, target := range targets {
		dir := mirror.Path(mirrors, target.name)
		if _, err := os.Stat(dir); os.IsNotExist(err) {
			continue
		}
		for line := range bytesLines(gittest.Git(t, dir, "", "for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads")) {
			var branch, id string
			if _, err := fmt.Sscan(line, &branch, &id); err != nil {
				t.Fatal(err)
			}
			refs[target.name+" "+branch] = id
		}
	}
	return refs
}

func bytesLines(b []byte) func(func(string) bool) {
	return func(yield func(string) bool) {
		for len(b) > 0 {
			i := slices.Index(b, '\n')
			if !yield(string(b[:i])) {
				return
			}
			b = b[i+1:]
		}
	}
}

// checkMirrors compares the mirrors with the reference.
func (e *expectation) checkMirrors(t testing.TB, mirrors, when string) {
	t.Helper()
	got := branchesOf(t, mirrors)
	for _, target := range targets {
		for _, branch := range []string{"main", "release"} {
			want := e.refs[target.name][branch].project(e.heads[branch].String())
			key := target.name + " " + branch
			if got[key] != want {
				t.Errorf("%s: %s is at %q, want %q", when, key, got[key], want)
			}
		}
	}
}

func writeRules(t testing.TB, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return name
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
			repo := gittest.New(t)
			h := newHistory(repo, random, true)
			file := writeRules(t, ruleSet(remove, targets))
			mirrors := t.TempDir()
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
					repo.Branch(branch, e.heads[branch])
				}
				syncOnce(t, file, repo.Dir, mirrors)
				e.checkMirrors(t, mirrors, fmt.Sprintf("seed %d, %d steps before the end", seed, step))
				if t.Failed() {
					t.Fatalf("\n%s", repo.Git("log", "--graph", "--oneline", "--name-status", "--no-renames", "main", "release"))
				}
			}
			for _, target := range targets {
				if dir := mirror.Path(mirrors, target.name); e.refs[target.name]["main"].project(e.heads["main"].String()) != "" {
					gittest.Git(t, dir, "", "fsck", "--connectivity-only", "--no-dangling")
				}
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
			repo.Git("init", "--quiet", "--bare", to)
			for _, pack := range glob(t, filepath.Join(repo.Dir, "objects/pack/*.pack")) {
				data, err := os.ReadFile(pack)
				if err != nil {
					t.Fatal(err)
				}
				gittest.Git(t, to, string(data), "unpack-objects", "-q")
			}
			for branch, id := range e.heads {
				gittest.Git(t, to, "", "update-ref", "refs/heads/"+branch, id.String())
			}
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

func glob(t testing.TB, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return names
}
