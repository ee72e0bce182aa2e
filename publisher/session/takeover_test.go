package session_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// otherBot fills a mirror as some other bot would: without merges, with itself
// as the committer, with a commit of its own here and there, and on top of each
// branch one that touches go.mod.
func (w *world) otherBot(destination, dir string, branches ...string) {
	w.Helper()
	w.botThatSays("", destination, dir, branches...)
}

// botThatSays is an other bot that begins titles of commits in a way of its own.
func (w *world) botThatSays(prefix, destination, dir string, branches ...string) {
	w.Helper()
	mirror := w.mirror(destination)
	w.git(w.dir, "init", "--quiet", "--bare", "--initial-branch=master", mirror)
	w.git(mirror, "config", "user.name", "Bot")
	w.write(filepath.Join(mirror, "objects", "info", "alternates"), filepath.Join(w.source, ".git", "objects")+"\n")
	mirrored := make(map[string]string)
	for _, branch := range branches {
		tip, tree := "", ""
		commit := func(tree, message string) {
			args := []string{"commit-tree", "-m", message}
			if tip != "" {
				args = append(args, "-p", tip)
			}
			tip = w.git(mirror, append(args, tree)...)
		}
		for i, source := range strings.Fields(w.git(w.source, "log", "--first-parent", "--reverse", "--format=%H", branch, "--", dir)) {
			if mirrored[source] != "" {
				tip = mirrored[source]
				continue
			}
			tree = w.git(w.source, "rev-parse", source+":"+dir)
			title := w.git(w.source, "log", "-1", "--format=%s", source)
			commit(tree, prefix+title+"\n\nKubernetes-commit: "+source)
			mirrored[source] = tip
			if i == 1 {
				commit(tree, "A commit of the bot")
			}
		}
		if own := w.git(w.source, "log", "--format=%H", branch, "^master", "--", dir); own == "" && branch != "master" {
			w.git(mirror, "update-ref", "refs/heads/"+branch, tip)
			continue
		}
		blob := w.gitIn(mirror, "module example.com/"+destination+"\n\ngo 1.24\n\n// by the bot\n", "hash-object", "-w", "--stdin")
		listing := w.git(mirror, "ls-tree", tip)
		var kept []string
		for line := range strings.Lines(listing) {
			if !strings.HasSuffix(strings.TrimSpace(line), "\tgo.mod") {
				kept = append(kept, strings.TrimSuffix(line, "\n"))
			}
		}
		kept = append(kept, "100644 blob "+blob+"\tgo.mod")
		commit(w.gitIn(mirror, strings.Join(kept, "\n")+"\n", "mktree"), "Update go.mod")
		w.git(mirror, "update-ref", "refs/heads/"+branch, tip)
	}
	for _, tag := range []string{"v0.20.0", "kubernetes-1.20.0"} {
		w.git(mirror, "tag", "-a", "-m", "Bot's "+tag, tag, branches[0]+"~2")
	}
	w.git(mirror, "repack", "-a", "-d", "-q")
	w.remove(filepath.Join(mirror, "objects", "info", "alternates"))
	w.git(mirror, "fsck", "--strict")
}

// news is what happens in the source after the takeover.
var news = []func(w *world){
	func(w *world) { w.commit(commit{files: files{"staging/a/n1.go": "package a\n"}}) },
	func(w *world) { w.commit(commit{files: files{"staging/b/n1.go": "package b\n"}}) },
	func(w *world) {
		w.commit(
			commit{branch: "late", from: "feature", files: files{"staging/a/late.go": "package a\n"}},
			commit{files: files{"staging/a/n2.go": "package a\n"}},
			commit{merge: "late"},
		)
	},
	func(w *world) { w.tag("v1.21.0") },
	func(w *world) {
		w.commit(
			commit{branch: "release-1.0", files: files{"staging/a/n3.go": "package a\n", "staging/b/n3.go": "package b\n"}},
			commit{files: files{"staging/b/n4.go": "package b\n", "other": "2\n"}},
		)
		w.tagAt("v1.21.1", "release-1.0")
	},
}

// TestTakenOverMirrorIsContinued continues what another bot left of a and b,
// in steps between which different things are lost.
func TestTakenOverMirrorIsContinued(t *testing.T) {
	t.Parallel()
	for name, between := range map[string]func(w *world){
		"with the cache":            func(*world) {},
		"without the cache":         func(w *world) { w.remove(w.work()) },
		"with clones":               func(w *world) { w.remove(w.work()); w.reclone("a", false); w.reclone("b", false) },
		"with full clones":          func(w *world) { w.remove(w.work()); w.reclone("a", true); w.reclone("b", true) },
		"with clones and the cache": func(w *world) { w.reclone("a", false) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := small(t, releaseRules)
			w.otherBot("a", "staging/a", "master", "release-1.0")
			w.otherBot("b", "staging/b", "master", "release-1.0")
			bots := w.tips()
			out, err := w.publisher("plan").CombinedOutput()
			if err == nil || !strings.Contains(string(out), "rules take-over") {
				t.Errorf("plan does not propose to take over: %v\n%s", err, out)
			}
			w.failSync(bots["a refs/heads/master"], "someone else filled it", "rules take-over --destination a")
			w.forward(bots)
			w.takeOver()
			if said := w.sync(); !strings.Contains(said, bots["a refs/heads/master"][:12]) {
				t.Errorf("sync does not report the takeover:\n%s", said)
			}
			w.forward(bots)
			w.sound()
			w.unchanged(func() { w.sync() })
			for i, step := range news {
				before := w.tips()
				step(w)
				between(w)
				w.sync()
				w.forward(bots)
				w.forward(before)
				w.sound()
				w.unchanged(func() { w.sync() })
				if t.Failed() {
					t.Fatalf("after step %d", i)
				}
			}
			w.takenOverRight()
			if out, err := w.publisher("verify").CombinedOutput(); err != nil {
				t.Errorf("verify: %v\n%s", err, out)
			}
		})
	}
}

// takeOver notes in the rules that what is in the mirrors is to be continued.
func (w *world) takeOver() {
	w.Helper()
	cmd := w.command(w.dir, "", binary, "rules", "take-over", "--rules", w.rules, "--source", w.source, "--mirrors", w.mirrors)
	if out, err := cmd.CombinedOutput(); err != nil {
		w.Fatalf("take over: %v\n%s", err, out)
	}
}

// TestEachBranchIsContinuedOnItsOwnCopy takes over a mirror whose branches each have
// a commit of their own for what they have in common.
func TestEachBranchIsContinuedOnItsOwnCopy(t *testing.T) {
	t.Parallel()
	w := small(t, releaseRules)
	w.otherBot("a", "staging/a", "master")
	other := *w
	other.mirrors = filepath.Join(w.dir, "copy")
	w.commit(commit{branch: "release-1.0", files: files{"staging/a/old.go": "package a\n"}})
	// The same source commits, in other words.
	other.botThatSays("Copy: ", "a", "staging/a", "release-1.0")
	w.git(w.mirror("a"), "fetch", "--quiet", other.mirror("a"), "release-1.0:release-1.0")
	w.takeOver()
	bots := w.tips()
	w.commit(
		commit{branch: "late", from: "feature", files: files{"staging/a/late.go": "package a\n"}},
		commit{merge: "late"},
		commit{branch: "release-1.0", files: files{"staging/a/n1.go": "package a\n"}},
		commit{branch: "release-1.1", from: "master", files: files{"staging/a/n2.go": "package a\n"}},
	)
	w.sync()
	w.forward(bots)
	w.sound()
	if log := w.git(w.mirror("a"), "log", "--format=%s", "master"); strings.Contains(log, "Copy:") {
		t.Errorf("master has commits of the release branch:\n%s", log)
	}
	if log := w.git(w.mirror("a"), "log", "--first-parent", "--format=%s", "release-1.0"); strings.Count(log, "Copy:") < 3 {
		t.Errorf("release-1.0 has\n%s", log)
	}
	w.remove(w.work())
	w.unchanged(func() { w.sync() })
	if out, err := w.publisher("verify").CombinedOutput(); err != nil {
		t.Errorf("verify: %v\n%s", err, out)
	}
}

// takenOverRight checks what is in the mirrors in the end.
func (w *world) takenOverRight() {
	w.Helper()
	tips := w.tips()
	for _, tag := range []string{"a refs/tags/v0.21.0", "a refs/tags/v0.21.1", "b refs/tags/v0.21.0", "b refs/tags/kubernetes-1.21.1"} {
		if tips[tag] == "" {
			w.Errorf("there is no tag %s", tag)
		}
	}
	for _, branch := range []string{"master", "release-1.0"} {
		for _, d := range []string{"a", "b"} {
			got := w.git(w.mirror(d), "ls-tree", "-r", branch)
			want := w.git(w.source, "ls-tree", "-r", branch+":staging/"+d)
			if without(got, "go.mod", "go.sum") != without(want, "go.mod", "go.sum") {
				w.Errorf("%s of %s has\n%s\nwhere the source has\n%s", branch, d, got, want)
			}
		}
		// b requires the commit of a that stands for the same source commit.
		goMod := w.git(w.mirror("b"), "show", branch+":go.mod")
		_, version, ok := strings.Cut(goMod, "require example.com/a v0.0.0-")
		if !ok || len(version) < 27 {
			w.Errorf("%s of b requires no version of a:\n%s", branch, goMod)
			continue
		}
		required := w.git(w.mirror("a"), "rev-parse", "--verify", version[15:27]+"^{commit}")
		if w.command(w.mirror("a"), "", "git", "merge-base", "--is-ancestor", required, branch).Run() != nil {
			w.Errorf("%s of b requires %s, which is not on that branch of a", branch, required)
		}
	}
	// Each mainline commit that touched a since is there once, in order.
	log := w.git(w.mirror("a"), "log", "--first-parent", "--format=%s", "master")
	if !strings.HasPrefix(log, w.git(w.source, "log", "--first-parent", "--format=%s", "master", "-3", "--", "staging/a")) {
		w.Errorf("master of a has\n%s", log)
	}
}

// without leaves files out of a listing by git ls-tree.
func without(listing string, names ...string) string {
	var kept []string
next:
	for line := range strings.Lines(listing) {
		for _, name := range names {
			if strings.HasSuffix(strings.TrimSpace(line), "\t"+name) {
				continue next
			}
		}
		kept = append(kept, strings.TrimSpace(line))
	}
	return strings.Join(kept, "\n")
}

// reclone replaces a mirror by a clone: one without what is in other refs than
// branches and tags, or a full one.
func (w *world) reclone(destination string, full bool) {
	w.Helper()
	kind := "--bare"
	if full {
		kind = "--mirror"
	}
	clone := filepath.Join(w.TempDir(), "clone")
	w.git(w.dir, "clone", "--quiet", kind, "--no-local", w.mirror(destination), clone)
	w.remove(w.mirror(destination))
	w.must(os.Rename(clone, w.mirror(destination)))
}

// TestBranchIsTakenOverLater adds a branch to the rules that the other bot
// filled, when another branch of the mirror is taken over already.
func TestBranchIsTakenOverLater(t *testing.T) {
	t.Parallel()
	for _, cached := range []bool{true, false} {
		t.Run(fmt.Sprint("cached ", cached), func(t *testing.T) {
			t.Parallel()
			w := small(t, standardRules)
			w.otherBot("a", "staging/a", "master", "release-1.0")
			bots := w.tips()
			w.takeOver()
			w.sync()
			w.commit(commit{files: files{"staging/a/n1.go": "package a\n"}})
			w.sync()
			if !cached {
				w.remove(w.work())
			}
			w.write(w.rules, releaseRules)
			w.commit(commit{branch: "release-1.0", files: files{"staging/a/n2.go": "package a\n"}})
			w.takeOver()
			w.sync()
			w.forward(bots)
			w.sound()
			w.unchanged(func() { w.sync() })
			w.commit(commit{branch: "release-1.0", files: files{"staging/a/n3.go": "package a\n"}}, commit{files: files{"staging/a/n3.go": "package a\n"}})
			w.sync()
			for _, branch := range []string{"master", "release-1.0"} {
				got, want := w.git(w.mirror("a"), "ls-tree", branch), w.git(w.source, "ls-tree", branch+":staging/a")
				if without(got, "go.mod") != without(want, "go.mod") {
					t.Errorf("%s has\n%s\nwhere the source has\n%s", branch, got, want)
				}
			}
			w.forward(bots)
		})
	}
}

// TestSomeonesCommitOnTopOfATakenOverBranchIsAConflict: the takeover happens
// once, not whenever someone commits.
func TestSomeonesCommitOnTopOfATakenOverBranchIsAConflict(t *testing.T) {
	t.Parallel()
	w := small(t, standardRules)
	w.otherBot("a", "staging/a", "master")
	w.takeOver()
	w.sync()
	w.commit(commit{files: files{"staging/a/n1.go": "package a\n"}})
	w.sync()
	for range 2 {
		good := w.git(w.mirror("a"), "rev-parse", "master")
		id := w.onTop("a", "Mine")
		w.commit(commit{files: files{"staging/a/n2.go": "package a\n"}})
		w.failSync("refs/heads/master of a is at "+id, "on top of "+good)
		w.git(w.mirror("a"), "update-ref", "refs/heads/master", good)
		w.sync()
		w.remove(w.work())
	}
}
