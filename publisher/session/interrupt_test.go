package session_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// gitThat puts a git in front of the real one that runs a shell script first;
// the script can tell the invocations apart by their number, $n. The real git
// is $git.
func (w *world) gitThat(cmd *exec.Cmd, script string) {
	w.Helper()
	git, err := exec.LookPath("git")
	w.must(err)
	bin := w.TempDir()
	w.write(filepath.Join(bin, "git"), fmt.Sprintf(`#!/bin/sh
git=%s
exec 9>>%[2]s/lock; flock 9
n=$(($(cat %[2]s/count 2>/dev/null || echo 0) + 1)); echo $n >%[2]s/count
exec 9>&-
%[3]s
exec "$git" "$@"
`, git, bin, script))
	w.must(os.Chmod(filepath.Join(bin, "git"), 0o777))
	cmd.Env = append(cmd.Env, "PATH="+bin+":"+os.Getenv("PATH"))
}

// looseRef has git make a ref in a mirror that is a file of its own: before it
// publishes there, the publisher has git pack it.
func (w *world) looseRef(destination string) {
	w.Helper()
	w.git(w.mirror(destination), "branch", "someone", "master")
}

// TestKillAroundEachGitCommand kills the publisher right before and right
// after each command that it runs.
func TestKillAroundEachGitCommand(t *testing.T) {
	t.Parallel()
	w := small(t, releaseRules)
	first := filepath.Join(w.dir, "first")
	w.sync()
	w.copyDir(w.mirrors, first)
	for i := range 40 { // Enough that mirrors are repacked.
		w.commit(commit{files: files{"staging/a/a.go": fmt.Sprintf("package a\n// %d %x\n", i, i*i*i*7919), "staging/c/c.go": fmt.Sprintf("package c\n// %x\n", i*i*104729)}})
	}
	want := w.scratch()
	// Someone's loose ref makes the publisher pack refs, too.
	w.git(filepath.Join(first, "a", "mirror.git"), "branch", "someone", "master")
	want = strings.Replace(want, "refs/heads/release-1.0 \n", "refs/heads/release-1.0 \n"+w.git(filepath.Join(first, "a", "mirror.git"), "rev-parse", "master")+" refs/heads/someone \n", 1)
	for _, when := range []struct{ name, script string }{
		{"before", `if [ $n = %d ]; then kill -9 $PPID; exit 1; fi`},
		{"after", `if [ $n = %d ]; then "$git" "$@"; kill -9 $PPID; exit 1; fi`},
	} {
		for n := 1; ; n++ {
			w.remove(w.mirrors)
			w.copyDir(first, w.mirrors)
			cmd := w.publisher("sync")
			w.gitThat(cmd, fmt.Sprintf(when.script, n))
			out, err := cmd.CombinedOutput()
			if err == nil {
				if n < 3 {
					t.Errorf("only %d git commands ran:\n%s", n-1, out)
				}
				break
			}
			w.survivorsEnd() // A repack in progress is not sound to git fsck.
			w.sound()
			w.sync()
			if got := w.refs(); got != want {
				t.Fatalf("killed %s command %d: the mirrors have\n%s\nundisturbed they would have\n%s", when.name, n, got, want)
			}
			w.sound()
		}
	}
}

// TestGitCommandThatOutlivesAKilledRunLeavesNothing has git at work for a killed
// run when the next one has begun. That one waits and says for what.
func TestGitCommandThatOutlivesAKilledRunLeavesNothing(t *testing.T) {
	t.Parallel()
	w := small(t, standardRules)
	w.sync()
	w.looseRef("a")
	w.commit(commit{files: files{"staging/a/x.go": "package a\n"}})
	killed := w.publisher("sync")
	stay := filepath.Join(w.dir, "stay")
	w.write(stay, "")
	w.gitThat(killed, fmt.Sprintf(`if [ "$1" = pack-refs ]; then
	kill -9 $PPID
	while [ -e %s ]; do sleep 0.01; done
fi`, stay))
	if err := killed.Run(); err == nil {
		t.Fatal("the publisher was not killed")
	}
	next := w.publisher("sync")
	stderr, err := next.StderrPipe()
	w.must(err)
	w.must(next.Start())
	lines := bufio.NewScanner(stderr)
	waits := false
	for !waits && lines.Scan() {
		waits = strings.Contains(lines.Text(), "waiting for git commands") &&
			strings.Contains(lines.Text(), fmt.Sprintf("process %d on ", killed.Process.Pid))
	}
	w.remove(stay)
	for lines.Scan() { // Let it log.
	}
	if err := next.Wait(); err != nil || !waits {
		t.Errorf("the next run waited: %v; it ended with %v", waits, err)
	}
	w.noLeftovers()
	w.git(w.mirror("a"), "branch", "-D", "someone")
	w.sameAsFromScratch()
}

func TestFailingGitCommandLeavesTheMirrorAsItWas(t *testing.T) {
	t.Parallel()
	w := small(t, standardRules)
	w.sync()
	w.commit(commit{files: files{"staging/a/x.go": "package a\n", "staging/b/x.go": "package b\n", "staging/c/x.go": "package c\n"}})
	w.looseRef("a")
	w.looseRef("org/c")
	cmd := w.publisher("sync")
	w.gitThat(cmd, `if [ "$1" = pack-refs ]; then echo fatal: I broke >&2; exit 128; fi`)
	w.unchanged(func() { w.fails(cmd, "I broke", w.mirror("a"), w.mirror("org/c")) })
	w.noLeftovers()
	w.sync()
	w.git(w.mirror("a"), "branch", "-D", "someone")
	w.git(w.mirror("org/c"), "branch", "-D", "someone")
	w.sameAsFromScratch()
}

// TestFailingRepackOnlyCostsSpace: a mirror is published before it is repacked.
func TestFailingRepackOnlyCostsSpace(t *testing.T) {
	t.Parallel()
	w := small(t, standardRules)
	for i := 0; ; i++ {
		w.commit(commit{files: files{"staging/a/a.go": fmt.Sprintf("package a\n\nconst A = %d\n", i)}})
		cmd := w.publisher("sync")
		w.gitThat(cmd, `if [ "$1" = repack ]; then
	echo half >"$GIT_DIR/objects/pack/tmp_pack_x"; echo half >"$GIT_DIR/objects/pack/.tmp-1-pack-x.pack"; echo fatal: I broke >&2; exit 128
fi`)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("sync: %v\n%s", err, out)
		}
		if strings.Contains(string(out), "I broke") {
			break
		}
		if i == 50 {
			t.Fatal("nothing was ever repacked")
		}
	}
	w.noLeftovers()
	w.sameAsFromScratch()
}

// TestLeftoversOfAKilledRunAreRemoved puts there what a machine that went down
// at the worst moment leaves.
func TestLeftoversOfAKilledRunAreRemoved(t *testing.T) {
	t.Parallel()
	w := small(t, standardRules)
	w.sync()
	w.write(filepath.Join(w.work(), "lock"), "process 1 on elsewhere, since long ago\n\"a/mirror.git\"\n")
	for _, name := range []string{
		"packed-refs.lock", "objects/pack/tmp_pack_abcdef", "objects/pack/tmp_idx_abcdef", "objects/pack/tmp_rev_abcdef",
		"objects/pack/.tmp-123-pack-0123.pack", "objects/pack/.tmp-123-pack-0123.idx",
	} {
		w.write(filepath.Join(w.mirror("a"), name), "half")
	}
	w.write(filepath.Join(w.work(), "incoming-1", "pack", "tmp_pack_1"), "half")
	w.write(filepath.Join(w.work(), "run-1", "objects", "pack", "incoming"), "half")
	w.commit(commit{files: files{"staging/a/x.go": "package a\n"}})
	// The run that comes next fails before it gets to the mirrors.
	away := w.source + ".away"
	w.must(os.Rename(w.source, away))
	w.failSync(w.source)
	w.must(os.Rename(away, w.source))
	w.sync()
	w.noLeftovers()
	w.sameAsFromScratch()
}

func TestLockedRefsAreAClearError(t *testing.T) {
	t.Parallel()
	w := small(t, standardRules)
	w.sync()
	w.commit(commit{files: files{"staging/a/x.go": "package a\n", "staging/c/x.go": "package c\n"}})
	lock := filepath.Join(w.mirror("a"), "packed-refs.lock")
	w.write(lock, "")
	before := w.snapshot("a", "b")
	w.failSync(lock+" exists", "a git process is at work")
	if after := w.snapshot("a", "b"); after != before {
		t.Errorf("the mirrors changed from\n%s\nto\n%s", before, after)
	}
	if got, want := w.git(w.mirror("org/c"), "ls-tree", "--name-only", "master"), "c.go\ngo.mod\nx.go"; got != want {
		t.Errorf("c, which does not depend on a, has %q", got)
	}
	w.remove(lock)
	w.sync()
	w.sameAsFromScratch()
}

// TestSomeoneElsesChangeIsNotLost changes a mirror while a run is about to change
// it: when all is staged, and right before the refs are locked.
func TestSomeoneElsesChangeIsNotLost(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]string{
		"a branch":             `git update-ref refs/heads/someone refs/heads/master`,
		"a branch that packed": `git update-ref refs/heads/someone refs/heads/master && git pack-refs --all`,
		"a branch that went":   `git branch --quiet -D loose`,
		"a tag":                `git -c user.name=S -c user.email=s@example.com tag -a -m Note note refs/heads/master`,
	} {
		for _, when := range []string{"smoke tests run", "the mirror is noted in the lock"} {
			t.Run(name+" when "+when, func(t *testing.T) {
				t.Parallel()
				w := small(t, standardRules)
				w.sync()
				w.git(w.mirror("a"), "branch", "loose", "master")
				w.commit(commit{files: files{"staging/a/x.go": "package a\n"}})
				change := fmt.Sprintf("cd %s && %s && git for-each-ref >%s", w.mirror("a"), change, filepath.Join(w.dir, "theirs"))
				if when == "smoke tests run" {
					w.write(w.rules, strings.Replace(standardRules, "destination: a\n", fmt.Sprintf("destination: a\n  smoke-test: %q\n", change), 1))
					// Isolated, it could not reach the mirror.
					w.fails(w.publisher("sync", "--isolation", "limits-only"), "was changed by someone else")
				} else {
					out, err := w.meanwhile(w.publisher("sync"), step{"fsync", ".publisher/lock", 1}, func() {
						if out, err := w.command(w.dir, "", "bash", "-c", change).CombinedOutput(); err != nil {
							t.Errorf("%v\n%s", err, out)
						}
					})
					if err == nil || !strings.Contains(out, "was changed by someone else") {
						t.Errorf("%v\n%s", err, out)
					}
				}
				data, err := os.ReadFile(filepath.Join(w.dir, "theirs"))
				w.must(err)
				theirs := string(data)
				if now := w.git(w.mirror("a"), "for-each-ref") + "\n"; now != theirs {
					t.Errorf("it left\n%s\nof\n%s", now, theirs)
				}
				w.write(w.rules, standardRules)
				w.sync()
				now := w.git(w.mirror("a"), "for-each-ref") + "\n"
				for line := range strings.Lines(theirs) {
					if !strings.Contains(line, "refs/heads/master") && !strings.Contains(now, line) {
						t.Errorf("%q is not in\n%s", line, now)
					}
				}
				w.sound()
				w.unchanged(func() { w.sync() })
			})
		}
	}
}

// TestGarbageCollectionMeanwhileLosesNothing has git remove all that no ref leads
// to when a run has moved its objects into a mirror and refs do not name them yet.
func TestGarbageCollectionMeanwhileLosesNothing(t *testing.T) {
	t.Parallel()
	w := small(t, standardRules)
	w.sync()
	w.commit(commit{files: files{"staging/a/x.go": "package a\n"}})
	out, err := w.meanwhile(w.publisher("sync"), step{"fsync", "a/mirror.git/objects/pack", 1}, func() {
		w.git(w.mirror("a"), "repack", "-a", "-d", "-q")
		w.git(w.mirror("a"), "prune", "--expire=now")
		w.git(w.mirror("a"), "update-server-info")
	})
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	w.noLeftovers()
	w.listsServed("a")
	w.sameAsFromScratch()
}

// TestPeeledTagsOfOthersStayPeeled: what git shows of an annotated tag to those
// who fetch comes from packed-refs, where the publisher writes it anew.
func TestPeeledTagsOfOthersStayPeeled(t *testing.T) {
	t.Parallel()
	w := small(t, standardRules)
	w.sync()
	w.git(w.mirror("a"), "tag", "-a", "-m", "Note", "note", "master")
	before := w.git(w.dir, "ls-remote", w.mirror("a"), "refs/tags/note*")
	w.commit(commit{files: files{"staging/a/x.go": "package a\n"}})
	w.sync()
	if after := w.git(w.dir, "ls-remote", w.mirror("a"), "refs/tags/note*"); after != before || !strings.Contains(after, "^{}") {
		t.Errorf("the tag was shown as\n%s\nand now as\n%s", before, after)
	}
}

func TestSecondRunAtOnceFailsAndNamesTheFirst(t *testing.T) {
	t.Parallel()
	w := small(t, standardRules)
	w.sync()
	w.commit(commit{files: files{"staging/a/x.go": "package a\n"}})
	first := w.publisher("sync")
	out, err := w.meanwhile(first, step{"openat", "a/mirror.git/packed-refs.lock", 1}, func() {
		host, err := os.Hostname()
		w.must(err)
		pattern := fmt.Sprintf(`another run holds %s: process \d+ on %s, since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`, regexp.QuoteMeta(filepath.Join(w.work(), "lock")), regexp.QuoteMeta(host))
		if said := w.failSync(); !regexp.MustCompile(pattern).MatchString(said) {
			t.Errorf("it says\n%s", said)
		}
		// Plans read only.
		if out, err := w.publisher("plan").CombinedOutput(); err != nil {
			t.Errorf("plan: %v\n%s", err, out)
		}
	})
	if err != nil {
		t.Errorf("the first run: %v\n%s", err, out)
	}
	w.noLeftovers()
	w.sameAsFromScratch()
}
