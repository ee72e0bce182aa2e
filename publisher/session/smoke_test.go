package session_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// smokeRules have a smoke test for each destination, and another one for a
// branch of b. Each leaves a line about what it was run on.
const smokeRules = `
rules:
- destination: a
  smoke-test: |
    echo "ran a $(git rev-parse HEAD)"
    go build ./...
    go vet ./...
  branches:
  - name: master
    source: {branch: master, dir: staging/a}
  - name: release-1.0
    source: {branch: release-1.0, dir: staging/a}
- destination: b
  smoke-test: |
    echo "ran b $(git rev-parse HEAD)"
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
      echo "ran b-release $(git rev-parse HEAD)"
      go test ./...
- destination: org/c
  branches:
  - name: master
    source: {branch: master, dir: staging/c}
    smoke-test: 'echo "ran c $(git rev-parse HEAD)"'
`

// smokeWorld is a world whose module b needs what module a has. Only the
// mirrors have either.
func smokeWorld(t *testing.T) *world {
	t.Helper()
	t.Setenv("GOMODCACHE", filepath.Join(t.TempDir(), "mod"))
	t.Setenv("GOFLAGS", "-modcacherw")
	t.Setenv("GOPROXY", "off")
	t.Setenv("TMPDIR", t.TempDir())
	w := empty(t, smokeRules)
	w.syncFlags = []string{"--log-level", "debug"}
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

// ran is what a smoke test says of what it runs on.
var ran = regexp.MustCompile("smoke test: ran ([a-z-]+ [0-9a-f]{40})")

// runs lists the smoke tests that the last sync ran.
func (w *world) runs() (found []string) {
	for _, match := range ran.FindAllStringSubmatch(w.said, -1) {
		found = append(found, match[1])
	}
	return found
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

	w.commit(mended)
	w.sync()
	w.wantRuns("a "+w.tip("a", "master"), "a "+w.tip("a", "release-1.0"), "b "+w.tip("b", "master"), "b-release "+w.tip("b", "release-1.0"))
	if got := w.tip("org/c", "master"); got != c {
		t.Errorf("c went from %s to %s", c, got)
	}
	w.sameAsFromScratch()

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
	out, err := w.publisher("plan", "--log-level", "debug").CombinedOutput()
	if err != nil {
		t.Fatalf("plan: %v\n%s", err, out)
	}
	w.said = string(out)
	w.wantRuns()
}

func TestInterruptEndsTheSmokeTestAndPublishesNothing(t *testing.T) {
	w := smokeWorld(t)
	word := fmt.Sprintf("interrupted-%d", os.Getpid())
	w.write(w.rules, `
rules:
- destination: a
  smoke-test: "setsid bash -c 'echo started; sleep 1000; : `+word+`' & wait"
  branches:
  - name: master
    source: {branch: master, dir: staging/a}
`)
	cmd := w.publisher("sync")
	pipe, err := cmd.StderrPipe()
	w.must(err)
	w.must(cmd.Start())
	var output strings.Builder
	for lines := bufio.NewScanner(pipe); lines.Scan(); {
		fmt.Fprintln(&output, lines.Text())
		if strings.Contains(lines.Text(), "smoke test: started") {
			w.must(cmd.Process.Signal(os.Interrupt))
		}
	}
	if err := cmd.Wait(); err == nil {
		t.Errorf("it was interrupted, but succeeded:\n%s", &output)
	}
	if !strings.Contains(output.String(), "smoke test: started") {
		t.Fatalf("the smoke test did not start:\n%s", &output)
	}
	if out, err := exec.Command("pgrep", "-f", word).Output(); err == nil {
		t.Errorf("processes live on: %s", out)
	}
	if _, err := os.Stat(w.mirror("a")); err == nil {
		t.Error("it was published")
	}
	w.wantRuns()
	w.noLeftovers()
}
