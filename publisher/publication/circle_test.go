package publication_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/publisher/gittest"
	"k8s.io/publisher/mirror"
)

// circle publishes ring1, ring2 and ring3, which require each other, base, which
// they depend on, and outer, which depends on them.
const circle = `
tags:
- {constraint: ">=1.0.0-0", name: "v{{.Version}}"}
rules:
- destination: outer
  branches:
  - name: main
    source: {branch: main, dir: outer}
    dependencies: [{repository: ring1, branch: main}, {repository: ring2, branch: main}, {repository: ring3, branch: main}, {repository: base, branch: main}]
- destination: ring3
  branches:
  - name: main
    source: {branch: main, dir: ring3}
    dependencies: [{repository: ring1, branch: main}, {repository: base, branch: main}]
- destination: ring1
  branches:
  - name: main
    source: {branch: main, dir: ring1}
    dependencies: [{repository: ring2, branch: main}, {repository: base, branch: main}]
- destination: base
  branches:
  - name: main
    source: {branch: main, dir: base}
- destination: ring2
  branches:
  - name: main
    source: {branch: main, dir: ring2}
    dependencies: [{repository: ring3, branch: main}, {repository: base, branch: main}]
`

// after says which member of the circle each one requires.
var after = map[string]string{"ring1": "ring2", "ring2": "ring3", "ring3": "ring1"}

// member is a module whose package imports sub-packages of others, so that modules
// form a circle and packages do not.
func member(name, goLine string, requires ...string) string {
	mod := "-- " + name + "/go.mod --\nmodule " + host + name + ".git\n\n" + goLine + "\n"
	code := "-- " + name + "/sub/sub.go --\npackage sub\n-- " + name + "/" + name + ".go --\npackage " + name + "\n"
	for _, r := range requires {
		mod += "\nrequire " + host + r + ".git v0.0.0\n\nreplace " + host + r + ".git => ../" + r + "\n"
		code += "\nimport _ \"" + host + r + ".git/sub\"\n"
	}
	return mod + code
}

// touch changes modules.
func touch(text string, names ...string) string {
	var files string
	for _, name := range names {
		files += fmt.Sprintf("-- %s/touched.go --\npackage %s\n\nconst Touched = %q\n", name, name, text)
	}
	return files
}

// TestModulesOfACircleAreWhatTheGoCommandFetches publishes a history in which
// commits touch one, two and all members of a circle, in which one appears late, and
// goes again. What is pinned where is said here; the go command tells whether it
// can be had, and whether go.sum is right.
func TestModulesOfACircleAreWhatTheGoCommandFetches(t *testing.T) {
	t.Parallel()
	w := newWorld(t, circle)
	const now = "go 1.21"
	w.add("base", "", member("base", now))
	w.add("two", "base", member("ring1", now, "ring2", "base")+member("ring3", now, "ring1")+member("ring2", now))
	w.add("one", "two", touch("one", "ring1"))
	w.add("both", "one", touch("both", "ring1", "ring3"))
	w.add("outer", "both", member("outer", now, "ring1", "ring3", "base"))
	w.add("closed", "outer", member("ring2", now, "ring3", "base"))
	w.add("all", "closed", touch("all", "ring1", "ring2", "ring3", "outer", "base"))
	w.add("side", "closed", touch("side", "ring2"))
	w.add("side of side", "side", touch("side of side", "ring1"))
	w.add("merge", "all, side of side", touch("merge", "ring2", "ring1"))
	w.add("elsewhere", "merge", "-- README --\nhello\n")
	w.add("after merge", "elsewhere", touch("after merge", "ring1", "ring2", "ring3", "outer"))
	w.add("open", "after merge", member("ring1", now, "base")+"-- ring2 --\ngone\n")
	w.add("without", "open", touch("without", "ring1", "ring3", "outer"))
	w.add("again", "without", member("ring1", now, "ring2", "base")+member("ring2", now, "ring3")+touch("again", "ring3", "outer"))
	w.add("end", "again", touch("end", "ring1", "ring2", "ring3", "outer"))
	// What is pinned there requires what can be had, too.
	w.add("last", "end", touch("last", "ring1", "ring2", "ring3", "outer"))
	w.Source.Branch("main", w.Source.Commits["last"])
	for i, at := range []string{"two", "both", "closed", "all", "elsewhere", "without", "end"} {
		w.Source.Tag(fmt.Sprintf("v1.%d.0", i), w.Source.Commits[at])
	}
	w.Publish()

	cache := t.TempDir()
	_, pins := w.checkPins(cache)
	for _, test := range []struct{ of, at, requires, as string }{
		{"ring1", "two", "ring2", ""}, // It was not there before.
		{"ring3", "two", "ring1", ""},
		{"ring1", "one", "ring2", "two"},
		{"ring1", "both", "ring2", "two"},
		{"ring3", "both", "ring1", "one"},
		{"outer", "outer", "ring1", "both"},
		{"outer", "outer", "ring3", "both"},
		{"ring2", "closed", "ring3", "both"},
		{"ring1", "all", "ring2", "closed"},
		{"ring1", "all", "base", "all"},
		{"ring2", "all", "ring3", "both"},
		{"ring3", "all", "ring1", "both"},
		{"outer", "all", "ring1", "all"},
		{"ring2", "side", "ring3", "both"},
		{"ring1", "side of side", "ring2", "side"},
		{"ring1", "merge", "ring2", "all"}, // That of the first parent; the other is no newer.
		{"ring2", "merge", "ring3", "all"},
		{"ring1", "after merge", "ring2", "merge"},
		{"ring2", "after merge", "ring3", "all"},
		{"ring3", "after merge", "ring1", "merge"},
		{"outer", "after merge", "ring1", "after merge"},
		{"ring3", "without", "ring1", "open"},
		{"ring1", "again", "ring2", ""},
		{"ring2", "again", "ring3", "without"},
		{"ring3", "again", "ring1", "without"},
		{"ring1", "end", "ring2", "again"},
		{"ring2", "end", "ring3", "again"},
		{"ring3", "end", "ring1", "again"},
		{"outer", "end", "ring3", "end"},
	} {
		path, want := host+test.requires+".git", "v0.0.0"
		if test.as != "" {
			want = w.pinnedTo(path, test.requires, w.branchCommit(test.requires, test.as))
		}
		if got := pins[w.branchCommit(test.of, test.at)][path]; got != want {
			t.Errorf("%s at %q requires %s %s, want %s", test.of, test.at, test.requires, got, want)
		}
	}
	for _, d := range w.Destinations() {
		w.builds(cache, d, "main")
		w.consume(cache, host+d+".git", "main")
	}
	w.builds(cache, "outer", w.branchCommit("outer", "after merge"))
	w.builds(cache, "ring1", w.branchCommit("ring1", "merge"))
	for i := range 7 {
		w.checkCircleAt(cache, fmt.Sprintf("v1.%d.0", i))
	}
	if again := w.Publish(); again.Plan.Changes() {
		t.Error("a second run has something to do")
	}
}

// branchCommit returns the commit of a branch, not of a tag, that stands for a
// source commit.
func (w *world) branchCommit(destination, name string) string {
	w.Helper()
	return strings.TrimSpace(w.Git(destination, "log", "--format=%H", "--grep=Kubernetes-commit: "+w.source(name), "main"))
}

// checkCircleAt checks the modules that a tag yields: each requires the others at
// it, and go.sum has all that can be known of them and nothing else.
func (w *world) checkCircleAt(cache, tag string) {
	w.Helper()
	var modules []string
	for _, d := range w.Destinations() {
		if w.Git(d, "tag", "--list", tag) != "" {
			modules = append(modules, host+d+".git@"+tag)
		}
	}
	sums := w.downloads(cache, modules...)
	for _, d := range w.Destinations() {
		if w.Git(d, "tag", "--list", tag) == "" {
			continue
		}
		var goSum string
		if slices.Contains(strings.Fields(w.Git(d, "ls-tree", "--name-only", tag)), "go.sum") {
			goSum = w.file(d, tag, "go.sum")
		}
		var want []string
		complete := true
		for _, m := range modules {
			path, _, _ := strings.Cut(m, "@")
			if !strings.Contains(w.file(d, tag, "go.mod"), path+" "+tag+"\n") {
				continue
			}
			if sums[m].Error != "" {
				w.Errorf("%s: %s", m, sums[m].Error)
			}
			// Members of a circle are made in the order of their names.
			if other := strings.TrimSuffix(strings.TrimPrefix(path, host), ".git"); after[d] == "" || after[other] == "" || other < d {
				want = append(want, fmt.Sprintf("%s %s %s\n", path, tag, sums[m].Sum))
			} else {
				complete = false
			}
			want = append(want, fmt.Sprintf("%s %s/go.mod %s\n", path, tag, sums[m].GoModSum))
		}
		if want := strings.Join(slices.Sorted(slices.Values(want)), ""); goSum != want {
			w.Errorf("%s at %s has the go.sum\n%s\nwant\n%s\n%s", d, tag, goSum, want, w.file(d, tag, "go.mod"))
		}
		if complete {
			w.builds(cache, d, tag)
		} else {
			dir := w.checkout(d, tag)
			for _, args := range [][]string{{"build", "-mod=mod", "./..."}, {"mod", "verify"}, {"build", "-mod=readonly", "./..."}} {
				if _, err := w.goIn(dir, cache, args...); err != nil {
					w.Errorf("%s at %s: %v", d, tag, err)
				}
			}
			if changed := gittest.Git(w.TB, dir, "", "diff", "--numstat"); string(changed) != "1\t0\tgo.sum\n" {
				w.Errorf("%s at %s: building it changes %s", d, tag, changed)
			}
		}
		w.consume(cache, host+d+".git", tag)
	}
}

// TestGoSumOfACircleSufficesWithoutPruning builds at a tag what is older than go 1.17:
// the go.mod files of all that can be reached are read, the module's own included.
func TestGoSumOfACircleSufficesWithoutPruning(t *testing.T) {
	t.Parallel()
	w := newWorld(t, circle)
	const old = "go 1.16"
	files := member("base", old) + member("outer", old, "ring1")
	for m, next := range after {
		files += member(m, old, next, "base")
	}
	w.add("all", "", files)
	w.Source.Branch("main", w.Source.Commits["all"])
	w.Source.Tag("v1.0.0", w.Source.Commits["all"])
	w.Publish()
	cache := t.TempDir()
	w.checkPins(cache)
	w.builds(cache, "outer", "v1.0.0")
	w.builds(cache, "ring3", "v1.0.0") // The last one, so that all zips are known.
	// Of the others, no line but that of the next one's zip is to come.
	for _, d := range []string{"ring1", "ring2"} {
		dir := w.checkout(d, "v1.0.0")
		if _, err := w.goIn(dir, cache, "list", "-mod=readonly", "-m", "all"); err != nil {
			t.Error(d, err)
		}
		w.consume(cache, host+d+".git", "v1.0.0")
	}
	// What a member's go.sum says of itself is proven, too.
	if r := w.Verify(); r.Mismatches() > 0 {
		t.Errorf("verify finds %d mismatches", r.Mismatches())
	}
}

// TestLostTagOfACircleIsMadeAgainAsItWas loses a tag of each member in turn, while
// those of the others are remembered: it must not have hashes of what was made
// after it.
func TestLostTagOfACircleIsMadeAgainAsItWas(t *testing.T) {
	t.Parallel()
	w := newWorld(t, circle)
	files := member("base", "go 1.21") + member("outer", "go 1.21", "ring1")
	for m, next := range after {
		files += member(m, "go 1.21", next, "base")
	}
	w.add("all", "", files)
	w.Source.Branch("main", w.Source.Commits["all"])
	w.Source.Tag("v1.0.0", w.Source.Commits["all"])
	w.Publish()
	for _, d := range w.Destinations() {
		before := w.Git(d, "for-each-ref")
		w.Git(d, "tag", "--delete", "v1.0.0")
		w.Publish()
		if got := w.Git(d, "for-each-ref"); got != before {
			t.Errorf("%s had\n%sand has\n%s", d, before, got)
		}
	}
}

// growth is how many commits a random history has.
const growth = 18

// ring makes random histories of modules that require each other.
type ring struct {
	w       *world
	random  *rand.Rand
	parents map[string][]string
	names   []string
}

func (r *ring) grow() {
	n := len(r.names)
	var parents []string
	if n > 0 {
		recent := func() string { return r.names[n-1-min(r.random.IntN(n), r.random.IntN(n), r.random.IntN(n))] }
		parents = append(parents, recent())
		if other := recent(); r.random.IntN(3) == 0 && other != parents[0] {
			parents = append(parents, other)
		}
	}
	name := fmt.Sprintf("c%02d", n)
	r.w.Source.Add(name, parents, func(files gittest.Files) {
		for range r.random.IntN(4) {
			m := slices.Sorted(maps.Keys(after))[r.random.IntN(3)]
			switch r.random.IntN(8) {
			case 0:
				files.Remove(m)
			case 1:
				files.Set("README", gittest.Text(name))
			case 2:
				maps.Copy(files, gittest.Archive(touch(name, "outer")))
			case 3, 4:
				goLine := []string{"go 1.21", "go 1.21", "go 1.16"}[r.random.IntN(3)]
				maps.Copy(files, gittest.Archive(member(m, goLine, after[m], "base")))
			case 5:
				maps.Copy(files, gittest.Archive(touch(name, "base", "ring1", "ring2", "ring3")))
			default:
				maps.Copy(files, gittest.Archive(touch(name, m)))
			}
		}
		if n == 0 {
			maps.Copy(files, gittest.Archive(member("base", "go 1.21")+member("outer", "go 1.21", "ring1", "ring2", "base")))
		}
		// Some are gone for a while, which stops others; in the end all are there.
		for m := range after {
			if _, there := files[m+"/go.mod"]; !there && (n == 0 || n == growth-1) {
				maps.Copy(files, gittest.Archive(member(m, "go 1.21", after[m], "base")))
			}
		}
	})
	r.names = append(r.names, name)
	r.parents[name] = parents
}

func (r *ring) mainline() []string {
	name := r.names[len(r.names)-1]
	line := []string{name}
	for len(r.parents[name]) > 0 {
		name = r.parents[name][0]
		line = append(line, name)
	}
	slices.Reverse(line)
	return line
}

// TestPinsWithinACircleDoNotDependOnTheRuns publishes random histories commit by
// commit, with and without what a run remembers, and at once.
func TestPinsWithinACircleDoNotDependOnTheRuns(t *testing.T) {
	t.Parallel()
	seeds := 5
	if testing.Short() {
		seeds = 2
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, circle)
			r := &ring{w: w, random: rand.New(rand.NewPCG(uint64(seed), 9)), parents: make(map[string][]string)}
			for range growth {
				r.grow()
			}
			forgets := *w
			forgets.Mirrors = filepath.Join(t.TempDir(), "mirrors")
			for i, name := range r.mainline() {
				w.Source.Branch("main", w.Source.Commits[name])
				if r.random.IntN(2) == 0 {
					w.Source.Tag(fmt.Sprintf("v1.%d.0", i), w.Source.Commits[r.mainline()[r.random.IntN(i+1)]])
				}
				w.Sync()
				w.Must(os.RemoveAll(filepath.Join(mirror.WorkDir(forgets.Mirrors), "cache.db")))
				forgets.Sync()
			}
			atOnce := *w
			atOnce.Mirrors = filepath.Join(t.TempDir(), "mirrors")
			atOnce.Publish()
			compare := func(how string, got *world) {
				t.Helper()
				for _, d := range w.Destinations() {
					if _, err := os.Stat(atOnce.Mirror(d)); err != nil {
						continue
					}
					if got, want := got.Git(d, "for-each-ref"), atOnce.Git(d, "for-each-ref"); got != want {
						t.Errorf("%s, %s:\n%s\nat once:\n%s", d, how, got, want)
					}
				}
			}
			compare("commit by commit", w)
			compare("without a cache", &forgets)
			versions, _ := w.checkPins(t.TempDir())
			t.Log(versions, "versions are pinned")
		})
	}
}
