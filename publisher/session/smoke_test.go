package session_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// smokeRules have a smoke test for each destination, and another one for a
// branch of b. Each leaves a line about what it was run on.
const smokeRules = `
rules:
- destination: a
  smoke-test: |
    echo a "$(git rev-parse HEAD)" >>"$RUNS"
    go build ./...
    go vet ./...
  branches:
  - name: master
    source: {branch: master, dir: staging/a}
  - name: release-1.0
    source: {branch: release-1.0, dir: staging/a}
- destination: b
  smoke-test: |
    echo b "$(git rev-parse HEAD)" >>"$RUNS"
    go build ./...
    go vet ./...
  branches:
  - name: master
    dependencies: [{repository: a, branch: master}]
    source: {branch: master, dir: staging/b}
  - name: release-1.0
    dependencies: [{repository: a, branch: release-1.0}]
    source: {branch: release-1.0, dir: staging/b}
    smoke-test: |
      echo b-release "$(git rev-parse HEAD)" >>"$RUNS"
      go test ./...
- destination: org/c
  branches:
  - name: master
    source: {branch: master, dir: staging/c}
    smoke-test: echo c "$(git rev-parse HEAD)" >>"$RUNS"
`

// smokeWorld is a world whose module b needs what module a has. Only the
// mirrors have either.
func smokeWorld(t *testing.T) *world {
	t.Helper()
	cache, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOCACHE", strings.TrimSpace(string(cache)))
	t.Setenv("GOMODCACHE", filepath.Join(t.TempDir(), "mod"))
	t.Setenv("GOFLAGS", "-modcacherw")
	t.Setenv("GOPROXY", "off")
	t.Setenv("RUNS", filepath.Join(t.TempDir(), "runs"))
	t.Setenv("TMPDIR", t.TempDir())
	w := empty(t, smokeRules)
	w.commit(
		commit{files: modules()},
		commit{files: files{
			"staging/a/a.go": "package a\n\nfunc One() int { return 1 }\n",
			"staging/b/b.go": "package b\n\nimport \"example.com/a\"\n\nfunc Two() int { return 2 * a.One() }\n",
		}},
		commit{branch: "release-1.0", from: "master", files: files{
			"staging/b/b_test.go": "package b\n\nimport \"testing\"\n\nfunc TestTwo(t *testing.T) {\n\tif Two() != 2 {\n\t\tt.Error(Two())\n\t}\n}\n",
		}},
	)
	return w
}

// runs lists the smoke tests that have run since it was last asked.
func (w *world) runs() []string {
	w.Helper()
	text, err := os.ReadFile(os.Getenv("RUNS"))
	if err != nil && !os.IsNotExist(err) {
		w.Fatal(err)
	}
	w.remove(os.Getenv("RUNS"))
	return slices.Collect(strings.FieldsFuncSeq(string(text), func(r rune) bool { return r == '\n' }))
}

// tip is what a branch of a mirror is at.
func (w *world) tip(destination, branch string) string {
	w.Helper()
	return w.git(w.mirror(destination), "rev-parse", "refs/heads/"+branch)
}

func (w *world) wantRuns(want ...string) {
	w.Helper()
	got := w.runs()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		w.Errorf("smoke tests ran on\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
		w.Errorf("left over: %v, %v", left, err)
	}
}

func TestEachBranchThatMovesIsTestedWithItsNewSiblings(t *testing.T) {
	w := smokeWorld(t)
	w.sync()
	// Both branches of a are at the same commit: testing it once will do.
	w.wantRuns("a "+w.tip("a", "master"), "b "+w.tip("b", "master"), "b-release "+w.tip("b", "release-1.0"), "c "+w.tip("org/c", "master"))

	// A function that is needed at the same commit as it comes.
	w.commit(commit{files: files{
		"staging/a/more.go": "package a\n\nfunc Three() int { return 3 }\n",
		"staging/b/more.go": "package b\n\nimport \"example.com/a\"\n\nfunc Six() int { return 2 * a.Three() }\n",
	}})
	w.sync()
	w.wantRuns("a "+w.tip("a", "master"), "b "+w.tip("b", "master"))

	w.commit(commit{files: files{"staging/b/b.go": "package b\n"}})
	w.sync()
	w.wantRuns("b " + w.tip("b", "master"))

	w.tag("v1.20.0")
	w.sync()
	w.wantRuns()
}

func TestFailedSmokeTestStopsTheDestinationAndItsDependents(t *testing.T) {
	w := smokeWorld(t)
	broken := commit{files: files{
		"staging/a/broken.go": "package a\n\nvar x int = \"\"\n",
		"staging/b/other.go":  "package b\n\nconst Other = 1\n",
		"staging/c/c.go":      "package c\n\nconst C = 1\n",
	}}
	// What b pins moves with commits to b only.
	mended := commit{files: files{"staging/a/broken.go": "", "staging/b/other.go": "package b\n"}}
	w.commit(broken)
	w.failSync("smoke test of a, branch master", "go build ./...", "broken.go:3:13: cannot use", "it depends on a, which failed")
	if _, err := os.Stat(w.mirror("a")); err == nil {
		t.Error("a mirror was made of what failed")
	}
	if _, err := os.Stat(w.mirror("b")); err == nil {
		t.Error("a mirror was made of what depends on what failed")
	}
	c := w.tip("org/c", "master")
	w.noLeftovers()
	w.runs()

	w.commit(mended)
	w.sync()
	w.wantRuns("a "+w.tip("a", "master"), "a "+w.tip("a", "release-1.0"), "b "+w.tip("b", "master"), "b-release "+w.tip("b", "release-1.0"))
	if got := w.tip("org/c", "master"); got != c {
		t.Errorf("c went from %s to %s", c, got)
	}
	w.sameAsFromScratch()
	w.runs()

	// The same again with mirrors that exist.
	before := w.refsOf("a", "b")
	broken.files["staging/b/other.go"] += "\n"
	broken.files["staging/c/c.go"] += "\n"
	w.commit(broken)
	w.failSync("smoke test of a, branch master", "broken.go:3:13: cannot use", "it depends on a, which failed")
	if after := w.refsOf("a", "b"); after != before {
		t.Errorf("the mirrors went from\n%s\nto\n%s", before, after)
	}
	if w.tip("org/c", "master") == c {
		t.Error("c, which has nothing to do with it, was not published")
	}
	w.noLeftovers()
}

func TestOneFailedBranchStopsTheOthersOfItsMirror(t *testing.T) {
	w := smokeWorld(t)
	w.sync()
	w.runs()
	before := w.refsOf("b")
	w.commit(
		commit{files: files{"staging/b/more.go": "package b\n"}},
		commit{branch: "release-1.0", files: files{"staging/b/b.go": "package b\n\nfunc Two() int { return 3 }\n"}},
	)
	w.failSync("smoke test of b, branch release-1.0", "--- FAIL: TestTwo", "b_test.go:7: 3")
	if after := w.refsOf("b"); after != before {
		t.Errorf("the mirror went from\n%s\nto\n%s", before, after)
	}
}

func TestPlanRunsNoSmokeTest(t *testing.T) {
	w := smokeWorld(t)
	if out, err := w.publisher("plan").CombinedOutput(); err != nil {
		t.Fatalf("plan: %v\n%s", err, out)
	}
	w.wantRuns()
}

func TestInterruptEndsTheSmokeTestAndPublishesNothing(t *testing.T) {
	w := smokeWorld(t)
	w.write(w.rules, `
rules:
- destination: a
  smoke-test: 'sleep 100 & echo $! >"$RUNS"; wait'
  branches:
  - name: master
    source: {branch: master, dir: staging/a}
`)
	cmd := w.publisher("sync")
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	w.must(cmd.Start())
	for range 6000 { // two minutes, for a machine that is busy
		if text, err := os.ReadFile(os.Getenv("RUNS")); err == nil && strings.HasSuffix(string(text), "\n") {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	runs := w.runs()
	w.must(cmd.Process.Signal(os.Interrupt))
	if err := cmd.Wait(); err == nil {
		t.Errorf("it was interrupted, but succeeded:\n%s", &output)
	}
	if len(runs) != 1 {
		t.Fatalf("%q, and the output was\n%s", runs, &output)
	}
	pid, err := strconv.Atoi(runs[0])
	w.must(err)
	// One that was killed may wait for init to notice.
	stat, _ := os.ReadFile(filepath.Join("/proc", runs[0], "stat"))
	if err := syscall.Kill(pid, 0); err == nil && !strings.Contains(string(stat), ") Z ") {
		t.Errorf("process %d lives on", pid)
	}
	if _, err := os.Stat(w.mirror("a")); err == nil {
		t.Error("it was published")
	}
	w.wantRuns()
	w.noLeftovers()
}
