package projection_test

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/publisher/gittest"
	"k8s.io/publisher/modhash"
	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
	"k8s.io/publisher/past"
	"k8s.io/publisher/projection"
	"k8s.io/publisher/publication"
	"k8s.io/publisher/rules"
	"k8s.io/publisher/source"
	"k8s.io/publisher/spec"
)

// target is a destination of the rules that the random histories are
// published by: the directories of its two branches.
type target struct {
	name          string
	main, release []string
}

var targets = []target{
	{"a", []string{"a"}, []string{"a"}},
	{"b", []string{"a/b"}, []string{"a/b"}},
	{"c", []string{"a/b/c"}, []string{"a/b/c"}},
	{"moved", []string{"a/b"}, []string{"x/sub"}},
	{"root", []string{""}, []string{""}},
	{"union", []string{"x", "y"}, []string{"y", "x"}},
}

var patterns = [][]string{
	nil, nil, {"BUILD", "*/BUILD"}, {"f", "b/"}, {"g", ":(glob)**/deep"}, {":(exclude)b", "*BUILD"},
}

func (t target) dirs(branch string) []string {
	if branch == "main" {
		return t.main
	}
	return t.release
}

// ruleSet writes the rules down in an order of the targets.
func ruleSet(patterns []string, order []target) string {
	var b strings.Builder
	b.WriteString("recursive-delete-patterns:")
	for _, p := range patterns {
		fmt.Fprintf(&b, "\n- %q", p)
	}
	b.WriteString("\nrules:\n")
	for _, t := range order {
		fmt.Fprintf(&b, "- destination: %s\n  branches:\n", t.name)
		for _, branch := range []string{"main", "release"} {
			fmt.Fprintf(&b, "  - name: %s\n    source:\n      branch: %s\n", branch, branch)
			if dirs := t.dirs(branch); dirs[0] != "" {
				fmt.Fprintf(&b, "      dirs: [%s]\n", strings.Join(dirs, ", "))
			}
			if t.name == "union" {
				fmt.Fprintf(&b, "    dependencies:\n    - {repository: a, branch: %s}\n", branch)
			}
		}
	}
	return b.String()
}

func parseRules(t testing.TB, text string) *rules.Rules {
	t.Helper()
	r, err := rules.Parse("rules.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// computed is a publication with the objects that were made for it.
type computed struct {
	*publication.Publication
	scratch *odb.Scratch
}

// compute computes a publication from scratch.
func compute(t testing.TB, dir string, r *rules.Rules) computed {
	t.Helper()
	repo, err := source.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(repo.Close)
	scratch, err := odb.NewScratch(filepath.Join(t.TempDir(), "objects"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { scratch.Close() })
	specs, err := spec.New(r)
	if err != nil {
		t.Fatal(err)
	}
	nothing, err := past.Read(t.Context(), past.Input{Source: repo, Specs: specs, Trailer: r.Trailer, Mirrors: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nothing.Close)
	p, err := publication.Compute(t.Context(), publication.Config{Source: repo, Rules: r, Specs: specs, Past: nothing, Scratch: scratch, Keep: true, Sums: new(modhash.MemorySums)})
	if err != nil {
		t.Fatal(err)
	}
	return computed{p, scratch}
}

// expectation is what the reference makes of a history.
type expectation struct {
	heads map[string]object.ID
	refs  map[string]map[string]*reference // by target and branch
}

func expect(t testing.TB, h *history, patterns []string) *expectation {
	e := &expectation{
		heads: map[string]object.ID{"main": h.commits[h.main], "release": h.commits[h.release]},
		refs:  make(map[string]map[string]*reference),
	}
	objects := func(name string) (stored, bool) {
		o, ok := h.repo.Objects[plumbingID(name)]
		return stored{o.Type.String(), string(o.Data)}, ok
	}
	for _, target := range targets {
		e.refs[target.name] = make(map[string]*reference)
		for _, branch := range []string{"main", "release"} {
			e.refs[target.name][branch] = newReference(t, objects, target.dirs(branch), patterns)
		}
	}
	return e
}

// conflicts reports whether directories that are published together clash
// somewhere in what a target's branches reach.
func (e *expectation) conflicts(target string) bool {
	for branch, r := range e.refs[target] {
		for commit := range r.reachable(e.heads[branch].String(), r.sourceParents) {
			r.tree(commit)
			if r.trees[commit].conflict {
				return true
			}
		}
	}
	return false
}

// check compares all commits of all branches.
func (e *expectation) check(t testing.TB, p computed) {
	t.Helper()
	for _, target := range targets {
		d := p.Destination(target.name)
		if e.conflicts(target.name) {
			if _, ok := errors.AsType[*projection.ConflictError](d.Err); !ok {
				t.Errorf("%s: got error %v, want a conflict", d.Name, d.Err)
			}
			continue
		}
		if d.Err != nil {
			t.Errorf("%s: %v", d.Name, d.Err)
			continue
		}
		for _, b := range d.Branches {
			r := e.refs[target.name][b.Name]
			for commit := range r.reachable(e.heads[b.Name].String(), r.sourceParents) {
				n, _ := p.Graph.Node(plumbingID(commit))
				got := ""
				if i := b.Projection.At[n]; i != projection.None {
					c, err := b.Projection.Commit(i)
					if err != nil {
						t.Fatal(err)
					}
					got = c.ID.String()
				}
				if want := r.project(commit); got != want {
					t.Errorf("%s, branch %s: source commit %s is %q, want %q:\n%s", d.Name, b.Name, commit, got, want, r.content[want])
					return
				}
				if present := r.tree(commit) != ""; b.Projection.Present[n] != present {
					t.Errorf("%s, branch %s: at source commit %s present is %v", d.Name, b.Name, commit, !present)
				}
			}
			if want := r.project(e.heads[b.Name].String()); b.Tip != plumbingID(want) {
				t.Errorf("%s: branch %s is at %s, want %q", d.Name, b.Name, b.Tip, want)
			}
			if (b.Skipped == "") != (b.Tip != object.ID{}) {
				t.Errorf("%s: branch %s is at %s and skipped %q", d.Name, b.Name, b.Tip, b.Skipped)
			}
		}
	}
}

func plumbingID(hex string) (id object.ID) {
	if hex != "" {
		id, _ = object.ParseID([]byte(hex))
	}
	return id
}

func checkSeed(t testing.TB, repo *gittest.Repo, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 1))
	remove := patterns[random.IntN(len(patterns))]
	h := newHistory(repo, random, seed%4 > 0)
	e := expect(t, h, remove)
	order := slices.Clone(targets)
	random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	e.check(t, compute(t, h.repo.Dir, parseRules(t, ruleSet(remove, order))))
	if t.Failed() {
		t.Logf("seed %d:\n%s", seed, h.repo.Git("log", "--graph", "--oneline", "--name-status", "--no-renames", "main", "release"))
	}
}

// TestProjectionIsTheReferences compares with the definition on random
// histories of every shape.
func TestProjectionIsTheReferences(t *testing.T) {
	t.Parallel()
	seeds := uint64(300)
	if testing.Short() {
		seeds = 60
	}
	const groups = 4
	for group := range uint64(groups) {
		t.Run(fmt.Sprint(group), func(t *testing.T) {
			t.Parallel()
			repo := gittest.New(t)
			for seed := group; seed < seeds && !t.Failed(); seed += groups {
				checkSeed(t, repo, seed)
			}
			// The reference had the objects from memory.
			repo.Git("fsck", "--connectivity-only", "--no-dangling")
			objects := readObjects(t, repo.Dir)
			for id, o := range repo.Objects {
				if got := objects[id.String()]; got.kind != o.Type.String() || got.data != string(o.Data) {
					t.Fatalf("git has %s %q where %s %q was put", got.kind, got.data, o.Type, o.Data)
				}
			}
		})
	}
}

func FuzzProjection(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(seed + 1000)
	}
	f.Fuzz(func(t *testing.T, seed uint64) { checkSeed(t, gittest.New(t), seed) })
}
