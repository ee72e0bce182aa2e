package session_test

import (
	"strings"
	"testing"
)

// TestConflictStopsADestinationAndItsDependents moves something, in the mirror
// of a or in the source, such that publishing would move what is published.
func TestConflictStopsADestinationAndItsDependents(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		// conflict returns what the error must say, and how to repair it.
		conflict func(w *world) (says []string, repair func())
		all      bool // also c cannot be published
	}{
		"a tag at another commit": {conflict: func(w *world) ([]string, func()) {
			w.git(w.mirror("a"), "tag", "-f", "-a", "-m", "Mine", "v0.21.0", "master~1")
			id := w.git(w.mirror("a"), "rev-parse", "v0.21.0")
			w.tag("v1.21.0")
			return []string{"refs/tags/v0.21.0 of a", id, "v1.21.0", "a published tag never moves"}, func() { w.git(w.mirror("a"), "tag", "-d", "v0.21.0") }
		}},
		"a published tag moved": {conflict: func(w *world) ([]string, func()) {
			old := w.git(w.mirror("a"), "rev-parse", "v0.20.0")
			w.git(w.mirror("a"), "tag", "-f", "v0.20.0", "master~1")
			id := w.git(w.mirror("a"), "rev-parse", "v0.20.0")
			return []string{"refs/tags/v0.20.0 of a", id, old}, func() { w.git(w.mirror("a"), "update-ref", "refs/tags/v0.20.0", old) }
		}},
		"a source tag moved": {all: true, conflict: func(w *world) ([]string, func()) {
			old, source := w.git(w.mirror("a"), "rev-parse", "kubernetes-1.20.0"), w.git(w.source, "rev-parse", "v1.20.0")
			w.git(w.source, "tag", "-f", "-a", "-m", "Moved", "v1.20.0", "master")
			return []string{"refs/tags/", old, "v1.20.0"}, func() { w.git(w.source, "update-ref", "refs/tags/v1.20.0", source) }
		}},
		"a commit on top": {conflict: func(w *world) ([]string, func()) {
			id, old := w.onTop("a", "Mine"), w.git(w.mirror("a"), "rev-parse", "master~1")
			return []string{"refs/heads/master of a is at " + id, old}, func() { w.git(w.mirror("a"), "update-ref", "refs/heads/master", old) }
		}},
		"two commits on top, one with a trailer": {conflict: func(w *world) ([]string, func()) {
			old := w.git(w.mirror("a"), "rev-parse", "master")
			w.onTop("a", "Mine")
			id := w.onTop("a", "Also mine\n\nKubernetes-commit: "+w.git(w.source, "rev-parse", "master"))
			return []string{"refs/heads/master of a is at " + id, old}, func() { w.git(w.mirror("a"), "update-ref", "refs/heads/master", old) }
		}},
		"the source branch rewritten": {all: true, conflict: func(w *world) ([]string, func()) {
			old, published := w.git(w.source, "rev-parse", "master"), w.git(w.mirror("a"), "rev-parse", "master")
			w.git(w.source, "update-ref", "refs/heads/master", "master~2")
			w.commit(commit{files: files{"staging/a/other.go": "package a\n", "staging/b/other.go": "package b\n", "staging/c/other.go": "package c\n"}})
			return []string{"refs/heads/master of a is at " + published}, func() { w.git(w.source, "update-ref", "refs/heads/master", old) }
		}},
		"the source branch rewound": {all: true, conflict: func(w *world) ([]string, func()) {
			old, published := w.git(w.source, "rev-parse", "master"), w.git(w.mirror("a"), "rev-parse", "master")
			w.git(w.source, "update-ref", "refs/heads/master", "master~3")
			return []string{"refs/heads/master of a is at " + published}, func() { w.git(w.source, "update-ref", "refs/heads/master", old) }
		}},
	} {
		for _, cached := range []string{"with the cache", "without the cache"} {
			t.Run(name+" "+cached, func(t *testing.T) {
				t.Parallel()
				w := small(t, standardRules)
				w.sync()
				published := w.tips()
				if !test.all {
					w.commit(commit{files: files{"staging/a/x.go": "package a\n", "staging/b/x.go": "package b\n", "staging/c/x.go": "package c\n"}})
				}
				says, repair := test.conflict(w)
				if cached == "without the cache" {
					w.remove(w.work())
				}
				before := w.snapshot("a", "b")
				said := w.failSync(says...)
				if after := w.snapshot("a", "b"); after != before {
					t.Errorf("the mirrors changed from\n%s\nto\n%s", before, after)
				}
				for line := range strings.Lines(said) {
					if strings.Contains(line, "refs/heads/master of a is at") && len(hashes(line)) < 2 {
						t.Errorf("not both commits are named in %s", line)
					}
				}
				if !strings.Contains(said, "b") || !strings.Contains(said, "depends on a") && !test.all {
					t.Errorf("nothing is said of b:\n%s", said)
				}
				if !test.all && !strings.Contains(w.git(w.mirror("org/c"), "ls-tree", "--name-only", "master"), "x.go") {
					t.Errorf("c got no news:\n%s", said)
				}
				repair()
				w.commit(commit{files: files{"staging/b/y.go": "package b\n"}})
				w.sync()
				w.sameAsFromScratch()
				w.forward(published)
				w.unchanged(func() { w.sync() })
			})
		}
	}
}

// hashes returns the words of a text that are full hashes.
func hashes(text string) (found []string) {
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return !strings.ContainsRune("0123456789abcdef", r) }) {
		if len(word) == 40 {
			found = append(found, word)
		}
	}
	return found
}

// onTop puts someone's commit on top of a mirror's master, and returns it.
func (w *world) onTop(destination, message string) string {
	w.Helper()
	id := w.git(w.mirror(destination), "commit-tree", "-p", "master", "-m", message, "master^{tree}")
	w.git(w.mirror(destination), "update-ref", "refs/heads/master", id)
	return id
}

func TestMirrorOfNobodyKnowsWhatIsAnError(t *testing.T) {
	t.Parallel()
	w := small(t, standardRules)
	w.git(w.dir, "init", "--quiet", "--bare", "--initial-branch=master", w.mirror("a"))
	id := w.git(w.mirror("a"), "commit-tree", "-m", "Import", w.gitIn(w.mirror("a"), "", "mktree"))
	w.git(w.mirror("a"), "update-ref", "refs/heads/master", id)
	before := w.refsOf("a")
	w.failSync("refs/heads/master of a is at "+id, "no trailer")
	if after := w.refsOf("a"); after != before {
		t.Errorf("the refs changed from\n%s\nto\n%s", before, after)
	}
	// A trailer that names a commit of another source does not help.
	id = w.onTop("a", "Import\n\nKubernetes-commit: "+nowhere)
	w.failSync("refs/heads/master of a is at "+id, nowhere)
}
