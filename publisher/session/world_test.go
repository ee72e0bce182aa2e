package session_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/publisher/gittest"
)

// binary is the publisher as it is shipped: what a kill, a full disk and a
// second run do to it can only be seen from outside.
var binary string

// buildCache is shared by all tests, as compiling the standard library takes long.
var buildCache string

// buildFlags are what the publisher is built with.
var buildFlags []string

func TestMain(m *testing.M) {
	os.Exit(build(m))
}

func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "publisher-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary, buildCache = filepath.Join(dir, "publisher"), filepath.Join(dir, "cache")
	if out, err := exec.Command("go", slices.Concat([]string{"build", "-o", binary}, buildFlags, []string{"k8s.io/publisher"})...).CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the publisher: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// world is a source with its rules, and a folder of mirrors.
type world struct {
	testing.TB
	dir, source, mirrors, rules string
	clock                       int
	syncFlags                   []string
	said                        string // by the last sync
}

// standardRules publish three modules, of which b requires a and c is on its
// own, from two branches.
const standardRules = `
rules:
- destination: a
  branches:
  - name: master
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
`

const releaseRules = `
rules:
- destination: a
  branches:
  - name: master
    source: {branch: master, dir: staging/a}
  - name: release-1.0
    source: {branch: release-1.0, dir: staging/a}
- destination: b
  branches:
  - name: master
    dependencies: [{repository: a, branch: master}]
    source: {branch: master, dir: staging/b}
  - name: release-1.0
    dependencies: [{repository: a, branch: release-1.0}]
    source: {branch: release-1.0, dir: staging/b}
- destination: org/c
  branches:
  - name: master
    source: {branch: master, dir: staging/c}
`

var destinations = []string{"a", "b", "org/c"}

// files are written by a commit; one without content is removed.
type files map[string]string

// commit is one of the source's.
type commit struct {
	branch string // master unless said otherwise
	from   string // the branch that a new one starts at
	merge  string // another branch to merge
	files  files
	title  string
}

// empty makes a world whose source has no commits.
func empty(t testing.TB, rules string) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{TB: t, dir: dir, source: filepath.Join(dir, "source"), mirrors: filepath.Join(dir, "mirrors"), rules: filepath.Join(dir, "rules.yaml")}
	w.write(w.rules, rules)
	w.git(dir, "init", "--quiet", "--initial-branch=master", w.source)
	return w
}

// small makes a world with a few commits, a merge, and a tag.
func small(t testing.TB, rules string) *world {
	t.Helper()
	w := empty(t, rules)
	w.commit(
		commit{files: files{"README": "root\n"}},
		commit{files: modules()},
		commit{files: files{"staging/a/a.go": "package a\n\nconst A = 1\n"}},
		commit{branch: "feature", from: "master", files: files{"staging/a/feature.go": "package a\n\nconst F = 1\n"}},
		commit{files: files{"staging/b/b.go": "package b\n\nconst B = 1\n"}},
		commit{merge: "feature"},
		commit{branch: "release-1.0", from: "master", files: files{"staging/a/release.go": "package a\n"}},
		commit{files: files{"staging/c/c.go": "package c\n\nconst C = 1\n", "other": "1\n"}},
	)
	w.tag("v1.20.0")
	w.commit(commit{files: files{"staging/a/a.go": "package a\n\nconst A = 2\n", "staging/b/b.go": "package b\n\nconst B = 2\n"}})
	return w
}

func modules() files {
	return files{
		"staging/a/go.mod": "module example.com/a\n\ngo 1.24\n",
		"staging/a/a.go":   "package a\n",
		"staging/b/go.mod": "module example.com/b\n\ngo 1.24\n\nrequire example.com/a v0.0.0\n\nreplace example.com/a => ../a\n",
		"staging/b/b.go":   "package b\n",
		"staging/c/go.mod": "module example.com/c\n\ngo 1.24\n",
		"staging/c/c.go":   "package c\n",
	}
}

// long makes a world on whose source a run has something to do: n commits, in
// turn in each directory, and several tags.
func long(t testing.TB, n int) *world {
	t.Helper()
	w := empty(t, standardRules)
	commits := []commit{{files: modules()}}
	for i := range n {
		name := "staging/" + string(rune('a'+i%3)) + fmt.Sprintf("/file%d.go", i%17)
		commits = append(commits, commit{files: files{name: fmt.Sprintf("package %c\n\n// %s\nconst X%d = %d\n", 'a'+i%3, strings.Repeat("lorem ipsum ", i%40), i%17, i)}})
	}
	w.commit(commits...)
	for i := range 4 {
		w.tagAt(fmt.Sprintf("v1.20.%d", i), fmt.Sprintf("master~%d", n-1-i*n/5))
	}
	return w
}

func (w *world) write(file, content string) {
	w.Helper()
	w.must(os.MkdirAll(filepath.Dir(file), 0o777))
	w.must(os.WriteFile(file, []byte(content), 0o666))
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// commit adds commits to the source, without touching its work tree.
func (w *world) commit(commits ...commit) {
	w.Helper()
	var stream bytes.Buffer
	known := make(map[string]bool)
	at := func(branch string) string {
		if known[branch] {
			return "refs/heads/" + branch
		}
		return "refs/heads/" + branch + "^0"
	}
	for _, c := range commits {
		if c.branch == "" {
			c.branch = "master"
		}
		if c.title == "" {
			c.title = fmt.Sprintf("Change %d", w.clock)
		}
		w.clock++
		ref := "refs/heads/" + c.branch
		fmt.Fprintf(&stream, "commit %s\nauthor A U Thor <author@example.com> %d +0200\ncommitter C O Mitter <committer@example.com> %d +0000\ndata %d\n%s\n",
			ref, 1700000000+60*w.clock, 1700000000+60*w.clock+7, len(c.title), c.title)
		switch {
		case known[c.branch]:
		case c.from != "":
			fmt.Fprintf(&stream, "from %s\n", at(c.from))
		case w.has(w.source, ref):
			fmt.Fprintf(&stream, "from %s^0\n", ref)
		}
		known[c.branch] = true
		if c.merge != "" {
			fmt.Fprintf(&stream, "merge %s\n", at(c.merge))
			if len(c.files) == 0 {
				c.files = files{"staging/a/merged": c.title}
			}
		}
		for _, name := range slices.Sorted(maps.Keys(c.files)) {
			if content := c.files[name]; content == "" {
				fmt.Fprintf(&stream, "D %s\n", name)
			} else {
				fmt.Fprintf(&stream, "M 100644 inline %s\ndata %d\n%s\n", name, len(content), content)
			}
		}
		fmt.Fprintln(&stream)
	}
	w.gitIn(w.source, stream.String(), "fast-import", "--quiet", "--date-format=raw-permissive")
}

func (w *world) has(dir, ref string) bool {
	return w.command(dir, "", "git", "rev-parse", "--quiet", "--verify", ref).Run() == nil
}

func (w *world) tag(name string) { w.tagAt(name, "master") }

func (w *world) tagAt(name, at string) {
	w.Helper()
	w.git(w.source, "tag", "-a", "-m", "Release "+name, name, at)
}

// command is a command that no configuration from outside directs.
func (w *world) command(dir, stdin string, args ...string) *exec.Cmd {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = dir
	cmd.Stdin = strings.NewReader(stdin)
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "GIT_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "LC_ALL=C", "HOME="+w.dir)
	return cmd
}

func (w *world) git(dir string, args ...string) string {
	w.Helper()
	return w.gitIn(dir, "", args...)
}

func (w *world) gitIn(dir, stdin string, args ...string) string {
	w.Helper()
	return strings.TrimSpace(string(gittest.Git(w.TB, dir, stdin, args...)))
}

// publisher is a run of the publisher that has not started.
func (w *world) publisher(verb string, more ...string) *exec.Cmd {
	args := append([]string{binary, verb, "--rules", w.rules, "--source", w.source, "--mirrors", w.mirrors}, more...)
	if verb == "sync" {
		args = append(append(args, "--build-cache", buildCache, "--consumers", "none"), w.syncFlags...)
	}
	return w.command(w.dir, "", args...)
}

// sync runs a sync that must succeed, and returns what it logged.
func (w *world) sync(more ...string) string {
	w.Helper()
	out, err := w.publisher("sync", more...).CombinedOutput()
	w.said = string(out)
	if err != nil {
		w.Fatalf("sync: %v\n%s", err, out)
	}
	w.noLeftovers()
	return string(out)
}

// failSync runs a sync that must exit with 1, and returns what it said. All of
// the texts must be in it.
func (w *world) failSync(texts ...string) string {
	w.Helper()
	return w.fails(w.publisher("sync"), texts...)
}

func (w *world) fails(cmd *exec.Cmd, texts ...string) string {
	w.Helper()
	out, err := cmd.CombinedOutput()
	w.said = string(out)
	if err == nil || cmd.ProcessState.ExitCode() != 1 {
		w.Fatalf("%s: %v where exit code 1 was expected\n%s", cmd, err, out)
	}
	for _, text := range texts {
		if !strings.Contains(string(out), text) {
			w.Errorf("the error does not say %q:\n%s", text, out)
		}
	}
	if strings.Contains(string(out), "goroutine ") {
		w.Errorf("it crashed:\n%s", out)
	}
	return string(out)
}

func (w *world) mirror(destination string) string {
	return filepath.Join(w.mirrors, filepath.FromSlash(destination), "mirror.git")
}

func (w *world) work() string { return filepath.Join(w.mirrors, ".publisher") }

// refs lists what git sees in all mirrors: each ref, and the commit behind it.
func (w *world) refs() string {
	w.Helper()
	return w.refsOf(destinations...)
}

func (w *world) refsOf(destinations ...string) string {
	w.Helper()
	var all strings.Builder
	for _, d := range destinations {
		if _, err := os.Stat(w.mirror(d)); err != nil {
			fmt.Fprintf(&all, "%s: none\n", d)
			continue
		}
		fmt.Fprintf(&all, "%s:\n%s\n", d, w.git(w.mirror(d), "for-each-ref", "--format=%(objectname) %(refname) %(*objectname)"))
	}
	return all.String()
}

// scratch publishes the source to another folder, where nothing is known yet,
// and returns its refs.
func (w *world) scratch() string {
	w.Helper()
	other := *w
	other.mirrors = filepath.Join(w.TempDir(), "mirrors")
	other.sync()
	return other.refs()
}

// sameAsFromScratch checks law 1: what the mirrors hold is what the source and
// the rules make.
func (w *world) sameAsFromScratch() {
	w.Helper()
	if got, want := w.refs(), w.scratch(); got != want {
		w.Errorf("the mirrors have\n%s\nfrom scratch they would have\n%s", got, want)
	}
	w.sound()
}

// sound checks that git finds nothing wrong with the mirrors.
func (w *world) sound() {
	w.Helper()
	for _, d := range destinations {
		if _, err := os.Stat(w.mirror(d)); err == nil {
			w.git(w.mirror(d), "fsck", "--full", "--strict", "--no-dangling")
		}
	}
}

// leftovers are files that only a run at work has.
func (w *world) leftovers() []string {
	var found []string
	_ = filepath.WalkDir(w.mirrors, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		name := d.Name()
		for _, pattern := range []string{"incoming-*", "run-*", "tmp_*", ".tmp*", "*.lock", "*.tmp", "*.keep"} {
			if ok, _ := filepath.Match(pattern, name); ok {
				found = append(found, path)
			}
		}
		return nil
	})
	return found
}

func (w *world) noLeftovers() {
	w.Helper()
	if found := w.leftovers(); len(found) > 0 {
		w.Errorf("left over: %s", strings.Join(found, ", "))
	}
}

// snapshot is all that is in the mirrors, byte for byte, without the
// publisher's own folder.
func (w *world) snapshot(of ...string) string {
	w.Helper()
	var all strings.Builder
	if len(of) == 0 {
		of = []string{"."}
	}
	for _, sub := range of {
		root := filepath.Join(w.mirrors, filepath.FromSlash(sub))
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			switch {
			case os.IsNotExist(err):
				return nil
			case err != nil:
				return err
			case d.IsDir() && d.Name() == ".publisher":
				return fs.SkipDir
			case !d.Type().IsRegular():
				return nil
			}
			data, err := os.ReadFile(path)
			fmt.Fprintf(&all, "%s %x\n", path, sha256.Sum256(data))
			return err
		})
		w.must(err)
	}
	return all.String()
}

// unchanged runs f and checks that it left the mirrors as they were.
func (w *world) unchanged(f func()) {
	w.Helper()
	before := w.snapshot()
	f()
	if after := w.snapshot(); after != before {
		w.Errorf("the mirrors changed from\n%s\nto\n%s", before, after)
	}
}

// copyDir copies a folder as it is.
func (w *world) copyDir(from, to string) {
	w.Helper()
	w.must(os.MkdirAll(filepath.Dir(to), 0o777))
	if out, err := exec.Command("cp", "-a", from, to).CombinedOutput(); err != nil {
		w.Fatalf("cp: %v\n%s", err, out)
	}
}

func (w *world) remove(path string) {
	w.Helper()
	w.must(os.RemoveAll(path))
}
