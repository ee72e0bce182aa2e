package session_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// consumed is a world whose tags are proven before they are published, and whose
// modules need each other. Only the mirrors have them.
func consumed(t *testing.T, rules string) *world {
	t.Helper()
	t.Setenv("GOPROXY", "off")
	t.Setenv("GOTOOLCHAIN", "local")
	t.Setenv("TMPDIR", t.TempDir())
	w := empty(t, rules)
	w.syncFlags = []string{"--consumers", "new"}
	w.commit(
		commit{files: modules()},
		commit{files: files{
			"staging/a/a.go":               "package a\n\nimport \"example.com/a/internal/one\"\n\nfunc One() int { return one.One }\n",
			"staging/a/internal/one/o.go":  "package one\n\nconst One = 1\n",
			"staging/a/cmd/tool/main.go":   "package main\n\nfunc main() {}\n",
			"staging/a/only/only_plan9.go": "package only\n",
			"staging/b/b.go":               "package b\n\nimport \"example.com/a\"\n\nfunc Two() int { return 2 * a.One() }\n",
		}},
	)
	return w
}

// proof is what is logged of a tag with which a consumer builds.
var proof = regexp.MustCompile(`a consumer can build with it" destination=(\S+) tag=(\S+)`)

// wantProofs checks which tags the last sync has proven.
func (w *world) wantProofs(want ...string) {
	w.Helper()
	var got []string
	for _, match := range proof.FindAllStringSubmatch(w.said, -1) {
		got = append(got, match[1]+" "+match[2])
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		w.Errorf("proven are %q, want %q; it said\n%s", got, want, w.said)
	}
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
		w.Errorf("left over: %v, %v", left, err)
	}
}

// wantTags checks which tags a mirror has.
func (w *world) wantTags(destination string, want ...string) {
	w.Helper()
	if got := strings.Fields(w.git(w.mirror(destination), "tag", "--list", "v*")); !slices.Equal(got, want) {
		w.Errorf("%s has the tags %q, want %q", destination, got, want)
	}
}

func TestNewTagsAreProvenOnce(t *testing.T) {
	w := consumed(t, standardRules)
	for _, tag := range []string{"v1.20.0", "v1.20.1", "v1.21.0"} {
		w.tag(tag)
		w.commit(commit{files: files{"staging/a/" + tag: tag, "staging/b/" + tag: tag}})
	}
	// At first, the newest of each minor version.
	w.sync()
	w.wantProofs("a v0.20.1", "a v0.21.0", "b v0.20.1", "b v0.21.0", "org/c v0.20.1", "org/c v0.21.0")
	w.wantTags("b", "v0.20.0", "v0.20.1", "v0.21.0")
	// Then, those that are newer.
	w.tag("v1.20.2")
	w.tag("v1.21.1")
	w.tag("v1.22.0-rc.1")
	w.sync()
	w.wantProofs("a v0.20.2", "a v0.21.1", "a v0.22.0-rc.1", "b v0.20.2", "b v0.21.1", "b v0.22.0-rc.1", "org/c v0.20.2", "org/c v0.21.1", "org/c v0.22.0-rc.1")
	// What was proven is not proven again, whatever became of it.
	refs := w.refs()
	for _, d := range destinations {
		w.remove(w.mirror(d))
	}
	w.sync()
	w.wantProofs()
	// A cache only saves time, and proofs are no part of what is published.
	w.remove(w.work())
	for _, d := range destinations {
		w.remove(w.mirror(d))
	}
	w.syncFlags = []string{"--consumers", "all"}
	w.sync()
	if n := len(proof.FindAllString(w.said, -1)); n != 18 {
		t.Errorf("%d of 18 tags were proven:\n%s", n, w.said)
	}
	if got := w.refs(); got != refs {
		t.Errorf("with other proofs, the mirrors have\n%s\nin the place of\n%s", got, refs)
	}
	w.syncFlags = nil
	w.sameAsFromScratch()
}

func TestTagThatCannotBeConsumedIsWithheld(t *testing.T) {
	w := consumed(t, standardRules)
	w.tag("v1.20.0")
	w.sync()
	w.commit(
		commit{files: files{"staging/b/b.go": "package b\n\nimport \"example.com/a\"\n\nvar Two string = a.One()\n"}},
	)
	w.tag("v1.20.1")
	w.commit(commit{files: files{"staging/b/b.go": "package b\n", "staging/a/more.go": "package a\n"}})
	w.failSync("tag v0.20.1 of b cannot be consumed", "b.go:5:18: cannot use a.One()", "what 1 source tag would make is withheld")
	w.wantProofs("a v0.20.1", "org/c v0.20.1")
	// All else is published, the branch of b too.
	w.wantTags("a", "v0.20.0", "v0.20.1")
	w.wantTags("b", "v0.20.0")
	if tip := w.git(w.mirror("b"), "log", "-1", "--format=%B", "master"); !strings.Contains(tip, w.git(w.source, "rev-parse", "master")) {
		t.Errorf("the branch is at\n%s", tip)
	}
	w.sound()
	// It stays so until the rules say that there is to be no such tag.
	w.commit(commit{files: files{"staging/b/more.go": "package b\n"}})
	w.tag("v1.20.2")
	w.failSync("tag v0.20.1 of b cannot be consumed")
	w.wantProofs("a v0.20.2", "b v0.20.2", "org/c v0.20.2")
	w.wantTags("b", "v0.20.0", "v0.20.2")
	w.write(w.rules, strings.Replace(standardRules, "- destination: b", `- destination: b
  tags: [{constraint: "!=1.20.1, >=1.17", name: "v0.{{.Minor}}.{{.Patch}}"}]`, 1))
	w.sync()
	w.wantTags("b", "v0.20.0", "v0.20.2")
	out, err := w.publisher("verify").CombinedOutput()
	if err != nil && !strings.Contains(string(out), "stray ref") { // kubernetes-1.20.0, which these rules do not make
		t.Errorf("%v\n%s", err, out)
	}
}

func TestTagThatRequiresAWithheldOneIsWithheld(t *testing.T) {
	for _, which := range []string{"new", "all"} {
		w := consumed(t, standardRules)
		w.syncFlags = []string{"--consumers", which}
		w.commit(commit{files: files{"staging/a/a.go": "package a\n\nfunc One() int { return \"\" }\n"}})
		w.tag("v1.20.0")
		w.failSync("tag v0.20.0 of a cannot be consumed", "it requires example.com/a@v0.20.0, which is withheld", "what 2 source tags would make is withheld")
		w.wantTags("a")
		w.wantTags("b")
		w.wantTags("org/c", "v0.20.0")
		w.sound()
	}
}

func TestTagIsNeverWithheldForAFaultOfTheMachine(t *testing.T) {
	for name, test := range map[string]struct {
		fault func(t *testing.T, w *world)
		says  string
	}{
		"no go command": {func(t *testing.T, w *world) {
			dir := t.TempDir()
			for _, name := range []string{"git", "bash"} {
				path, err := exec.LookPath(name)
				w.must(err)
				w.must(os.Symlink(path, filepath.Join(dir, name)))
			}
			t.Setenv("PATH", dir)
		}, "executable file not found in $PATH; install it, or do without this proof by --consumers none"},
		"no module proxy": {func(t *testing.T, w *world) {
			w.commit(commit{files: files{
				"staging/a/go.mod": "module example.com/a\n\ngo 1.24\n\nrequire example.org/elsewhere v1.0.0\n",
				"staging/a/go.sum": "example.org/elsewhere v1.0.0 h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\nexample.org/elsewhere v1.0.0/go.mod h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
				"staging/a/a.go":   "package a\n\nimport _ \"example.org/elsewhere\"\n",
			}})
		}, "module lookup disabled by GOPROXY=off"},
		"no time":   {func(t *testing.T, w *world) { w.syncFlags = append(w.syncFlags, "--limit-time", "1ns") }, "limit of time"},
		"no memory": {func(t *testing.T, w *world) { w.syncFlags = append(w.syncFlags, "--limit-memory", "1") }, "limit of memory"},
		"no room": {func(t *testing.T, w *world) {
			w.syncFlags = append(w.syncFlags, "--build-cache", filepath.Join(w.rules, "no folder"))
		}, "not a directory"},
	} {
		t.Run(name, func(t *testing.T) {
			w := consumed(t, standardRules)
			test.fault(t, w)
			w.tag("v1.20.0")
			said := w.failSync(test.says)
			if strings.Contains(said, "withheld") || strings.Contains(said, "cannot be consumed") {
				t.Errorf("the tag is blamed:\n%s", said)
			}
			if _, err := os.Stat(w.mirror("b")); err == nil {
				t.Error("what depends on it was published")
			}
		})
	}
}

func TestCircleCanBeConsumed(t *testing.T) {
	w := consumed(t, `
rules:
- destination: a
  branches:
  - name: master
    dependencies: [{repository: b, branch: master}]
    source: {branch: master, dir: staging/a}
- destination: b
  branches:
  - name: master
    dependencies: [{repository: a, branch: master}]
    source: {branch: master, dir: staging/b}
- destination: org/c
  branches:
  - name: master
    source: {branch: master, dir: staging/c}
`)
	w.commit(commit{files: files{
		"staging/a/go.mod":      "module example.com/a\n\ngo 1.24\n\nrequire example.com/b v0.0.0\n\nreplace example.com/b => ../b\n",
		"staging/a/more/two.go": "package more\n\nimport \"example.com/b\"\n\nvar Two = b.Two()\n",
	}})
	w.tag("v1.20.0")
	w.sync()
	w.wantProofs("a v0.20.0", "b v0.20.0", "org/c v0.20.0")
}
