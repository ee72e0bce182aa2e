package session_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/publisher/gittest"
)

func TestSecondSyncChangesNothing(t *testing.T) {
	t.Parallel()
	w := small(t, releaseRules)
	w.sync()
	w.sound()
	w.unchanged(func() { w.sync() })
	w.remove(w.work())
	w.unchanged(func() { w.sync() })
}

func TestPlanWritesNothing(t *testing.T) {
	t.Parallel()
	w := small(t, standardRules)
	if out, err := w.publisher("plan").CombinedOutput(); err != nil {
		t.Fatalf("plan: %v\n%s", err, out)
	}
	if _, err := os.Stat(w.mirrors); !os.IsNotExist(err) {
		t.Errorf("plan made the folder of the mirrors: %v", err)
	}
	w.sync()
	w.unchanged(func() {
		if out, err := w.publisher("plan").CombinedOutput(); err != nil {
			t.Fatalf("plan: %v\n%s", err, out)
		}
	})
}

// TestMirrorsDoNotDependOnWhatIsRemembered damages, removes and restores what
// earlier runs left. A sync makes the same of it as one from scratch.
func TestMirrorsDoNotDependOnWhatIsRemembered(t *testing.T) {
	t.Parallel()
	// Each case starts from the mirrors of a source that was synced twice;
	// "before" is a copy of them after the first time.
	w := small(t, releaseRules)
	w.sync()
	before := filepath.Join(w.dir, "before")
	w.copyDir(w.mirrors, before)
	w.commit(
		commit{branch: "release-1.0", files: files{"staging/a/fix.go": "package a\n"}},
		commit{files: files{"staging/a/more.go": "package a\n", "staging/c/more.go": "package c\n"}},
		commit{files: files{"staging/b/more.go": "package b\n"}},
	)
	w.tag("v1.20.1")
	w.sync()
	changes := map[string]func(w *world){
		"nothing":                     func(*world) {},
		"all mirrors removed":         func(w *world) { w.removeMirrors(destinations...) },
		"own folder removed":          func(w *world) { w.remove(w.work()) },
		"everything removed":          func(w *world) { w.remove(w.mirrors) },
		"a dependency removed":        func(w *world) { w.removeMirrors("a") },
		"a dependent removed":         func(w *world) { w.removeMirrors("b") },
		"an old dependency restored":  func(w *world) { w.restore(before, "a/mirror.git") },
		"an old dependent restored":   func(w *world) { w.restore(before, "b/mirror.git") },
		"all old mirrors restored":    func(w *world) { w.restore(before, "a", "b", "org") },
		"an old cache restored":       func(w *world) { w.restore(before, ".publisher") },
		"old cache, mirror removed":   func(w *world) { w.restore(before, ".publisher"); w.removeMirrors("a") },
		"a branch deleted":            func(w *world) { w.git(w.mirror("b"), "update-ref", "-d", "refs/heads/master") },
		"a branch deleted and pruned": func(w *world) { w.prune("a", "refs/heads/release-1.0") },
		"tags deleted and pruned":     func(w *world) { w.prune("b", "refs/tags/v0.20.0", "refs/tags/kubernetes-1.20.0") },
		"a dependency's tag deleted":  func(w *world) { w.prune("a", "refs/tags/v0.20.0") },
		"everything deleted":          func(w *world) { w.pruneAll("a") },
		"mirrors garbage collected":   func(w *world) { w.git(w.mirror("a"), "gc", "--quiet", "--prune=now") },
		"mirrors with loose objects":  func(w *world) { gittest.Unpack(w.TB, w.mirror("a")); gittest.Unpack(w.TB, w.mirror("b")) },
	}
	nexts := map[string]func(w *world){
		"no news":                func(*world) {},
		"news in the dependency": func(w *world) { w.commit(commit{files: files{"staging/a/next.go": "package a\n"}}) },
		"news in the dependent": func(w *world) {
			w.commit(commit{files: files{"staging/b/next.go": "package b\n"}})
			w.tag("v1.20.2")
		},
	}
	for what, next := range nexts {
		source := *w
		source.source = filepath.Join(t.TempDir(), "source")
		w.copyDir(w.source, source.source)
		next(&source)
		want := source.scratch()
		for name, change := range changes {
			t.Run(name+"/"+what, func(t *testing.T) {
				t.Parallel()
				w := source
				w.TB, w.dir = t, t.TempDir()
				w.mirrors = filepath.Join(w.dir, "mirrors")
				w.copyDir(source.mirrors, w.mirrors)
				change(&w)
				w.sync()
				if got := w.refs(); got != want {
					w.Errorf("the mirrors have\n%s\nfrom scratch they would have\n%s", got, want)
				}
				if name != "nothing" {
					w.sound()
				}
				w.unchanged(func() { w.sync() })
			})
		}
	}
}

func (w *world) removeMirrors(destinations ...string) {
	w.Helper()
	for _, d := range destinations {
		w.remove(w.mirror(d))
	}
}

func (w *world) restore(before string, names ...string) {
	w.Helper()
	for _, name := range names {
		w.remove(filepath.Join(w.mirrors, name))
		w.copyDir(filepath.Join(before, name), filepath.Join(w.mirrors, name))
	}
}

func (w *world) prune(destination string, refs ...string) {
	w.Helper()
	for _, ref := range refs {
		w.git(w.mirror(destination), "update-ref", "-d", ref)
	}
	w.git(w.mirror(destination), "gc", "--quiet", "--prune=now")
}

func (w *world) pruneAll(destination string) {
	w.Helper()
	w.prune(destination, strings.Fields(w.git(w.mirror(destination), "for-each-ref", "--format=%(refname)"))...)
}

// TestDamagedCacheOnlyCostsTime overwrites and cuts short the cache in many
// ways.
func TestDamagedCacheOnlyCostsTime(t *testing.T) {
	t.Parallel()
	w := long(t, 60)
	w.sync()
	w.commit(commit{files: files{"staging/a/next.go": "package a\n", "staging/b/next.go": "package b\n"}})
	want := w.scratch()
	file := filepath.Join(w.work(), "cache.db")
	good, err := os.ReadFile(file)
	w.must(err)
	mirrors := filepath.Join(w.dir, "before")
	w.copyDir(w.mirrors, mirrors)
	random := rand.New(rand.NewPCG(1, 2))
	damages := [][]byte{nil, []byte("not a database"), make([]byte, len(good)), good[:4096], good[:8192], good[:12288], good[:len(good)/2], good[:len(good)/2+100], good[:len(good)-4096]}
	for range 8 {
		damaged := append([]byte(nil), good...)
		for range 1 + random.IntN(200) {
			damaged[random.IntN(len(damaged))] ^= byte(1 + random.IntN(255))
		}
		damages = append(damages, damaged)
	}
	for range 3 { // a page lost, another twice
		damaged := append([]byte(nil), good...)
		from, to := random.IntN(len(good)/4096), random.IntN(len(good)/4096)
		copy(damaged[to*4096:(to+1)*4096], good[from*4096:])
		damages = append(damages, damaged)
	}
	for i, damaged := range damages {
		w.remove(w.mirrors)
		w.copyDir(mirrors, w.mirrors)
		w.must(os.WriteFile(file, damaged, 0o666))
		if out, err := w.publisher("plan").CombinedOutput(); err != nil {
			t.Fatalf("damage %d: plan: %v\n%s", i, err, out)
		}
		out, err := w.publisher("sync").CombinedOutput()
		if err != nil {
			t.Fatalf("damage %d: sync: %v\n%s", i, err, out)
		}
		if got := w.refs(); got != want {
			t.Errorf("damage %d: the mirrors have\n%s\nfrom scratch they would have\n%s", i, got, want)
		}
		w.unchanged(func() { w.sync() })
	}
}

func TestChangedRulesGiveWhatTheySayFromScratch(t *testing.T) {
	t.Parallel()
	w := small(t, standardRules)
	w.sync()
	w.sameAsFromScratch()
	steps := []string{
		releaseRules,
		releaseRules + "tags: [{constraint: '>=1.0.0-0', name: 'v0.{{.Minor}}.{{.Patch}}{{.Suffix}}'}, {constraint: '>=1.0.0-0', name: 'extra-{{.Version}}'}]\n",
	}
	for _, rules := range steps {
		w.write(w.rules, rules)
		w.sync()
		w.sound()
		w.unchanged(func() { w.sync() })
	}
	// Refs that rules no longer ask for stay; all others are as from scratch.
	for line := range strings.Lines(w.scratch()) {
		if !strings.Contains(w.refs(), line) {
			t.Errorf("%q is missing from\n%s", line, w.refs())
		}
	}
	// What the rules change in published commits is not rewritten: it is an
	// error, or holds from now on, as one chooses.
	before := w.tips()
	w.write(w.rules, releaseRules+"recursive-delete-patterns: [a.go]\n")
	w.unchanged(func() {
		w.failSync("refs/heads/master of a is at "+before["a refs/heads/master"], "under other rules", "rules take-over")
	})
	w.takeOver()
	w.sync()
	w.commit(commit{files: files{"staging/a/z.go": "package a\n"}})
	w.sync()
	w.forward(before)
	if got := w.git(w.mirror("a"), "ls-tree", "--name-only", "master"); got != "go.mod\nmerged\nz.go" {
		t.Errorf("a has %q", got)
	}
	w.unchanged(func() { w.sync() })
}

// A rule that changes later commits only leaves earlier ones as they are in the
// mirror, which must not be in the way of continuing on top.
func TestRulesThatChangeLaterCommitsCanBeContinued(t *testing.T) {
	t.Parallel()
	w := small(t, releaseRules)
	w.commit(commit{files: files{"staging/a/late.go": "package a\n"}})
	w.sync()
	before := w.tips()
	w.write(w.rules, releaseRules+"recursive-delete-patterns: [late.go]\n")
	w.unchanged(func() {
		w.failSync("refs/heads/master of a is at "+before["a refs/heads/master"], "under other rules", "rules take-over")
	})
	w.takeOver()
	w.sync()
	w.commit(commit{files: files{"staging/a/z.go": "package a\n"}})
	w.sync()
	w.forward(before)
	if got := w.git(w.mirror("a"), "ls-tree", "--name-only", "master"); strings.Contains(got, "late.go") || !strings.Contains(got, "z.go") {
		t.Errorf("a has %q", got)
	}
	w.unchanged(func() { w.sync() })
}

// tips returns all refs of all mirrors.
func (w *world) tips() map[string]string {
	w.Helper()
	tips := make(map[string]string)
	for _, d := range destinations {
		if _, err := os.Stat(w.mirror(d)); err != nil {
			continue
		}
		for line := range strings.Lines(w.git(w.mirror(d), "for-each-ref", "--format=%(refname) %(objectname)")) {
			ref, id, _ := strings.Cut(strings.TrimSpace(line), " ")
			tips[d+" "+ref] = id
		}
	}
	return tips
}

// forward checks law 3: since before, branches went only forward, and all else
// stayed.
func (w *world) forward(before map[string]string) {
	w.Helper()
	now := w.tips()
	for name, old := range before {
		d, ref, _ := strings.Cut(name, " ")
		switch {
		case now[name] == "" && !strings.HasPrefix(ref, "refs/publisher/"):
			w.Errorf("%s is gone", name)
		case now[name] == old:
		case strings.HasPrefix(ref, "refs/publisher/"): // A clone without them makes them anew.
		case !strings.HasPrefix(ref, "refs/heads/"):
			w.Errorf("%s moved from %s to %s", name, old, now[name])
		case w.command(w.mirror(d), "", "git", "merge-base", "--is-ancestor", old, now[name]).Run() != nil:
			w.Errorf("%s did not go forward from %s to %s", name, old, now[name])
		}
	}
}
