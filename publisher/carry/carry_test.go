package carry_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/publisher/carry"
	"k8s.io/publisher/gittest"
	"k8s.io/publisher/publishtest"
)

const rules = `
rules:
- destination: a
  branches:
  - name: master
    source: {branch: master, dir: staging/a}
- destination: c
  branches:
  - name: master
    source: {branch: master, dir: staging/c}
- destination: b
  branches:
  - name: master
    dependencies: [{repository: a, branch: master}, {repository: c, branch: master}]
    source: {branch: master, dir: staging/b}
`

// parts is a second directory of the mirror.
const parts = "more/parts"

// severalRules are the rules with it.
var severalRules = strings.Replace(rules, "dir: staging/b}", "dirs: [staging/b, "+parts+"]}", 1)

// world is a monorepo that is published, with clones of it and of a mirror.
type world struct {
	*publishtest.World
	source, clone string
	directories   []string // of the mirror
}

func newWorld(t *testing.T, goMod string) *world {
	w := publishtest.New(t, rules)
	w.Source.Add("first", nil, first(goMod))
	w.Source.Branch("master", w.Source.Commits["first"])
	return clone(w, "staging/b")
}

// newSeveral is newWorld with a mirror of two directories: both have the folder dir, and the second one
// alone has the folder only.
func newSeveral(t *testing.T, goMod string) *world {
	w := publishtest.New(t, severalRules)
	w.Source.Add("first", nil, func(f gittest.Files) {
		first(goMod)(f)
		f.Set(parts+"/parts.go", gittest.Text("package b\n"))
		f.Set(parts+"/dir/part", gittest.Text("a part\n"))
		f.Set(parts+"/only/file", gittest.Text(strings.Repeat("a line\n", 30)))
	})
	w.Source.Branch("master", w.Source.Commits["first"])
	return clone(w, "staging/b", parts)
}

// first has the files of the first commit.
func first(goMod string) func(gittest.Files) {
	return func(f gittest.Files) {
		for _, m := range []string{"a", "c"} {
			f.Set("staging/"+m+"/go.mod", gittest.Text("module example.org/"+m+"\n\ngo 1.24\n"))
			f.Set("staging/"+m+"/m.go", gittest.Text("package m\n"))
		}
		f.Set("staging/b/go.mod", gittest.Text(goMod))
		f.Set("staging/b/go.sum", gittest.Text("example.com/x v1.0.0 h1:x=\nexample.com/x v1.0.0/go.mod h1:xm=\n"))
		f.Set("staging/b/b.go", gittest.Text("package b\n\nconst B = 1\n"))
		f.Set("staging/b/dir/file", gittest.Text(strings.Repeat("a line\n", 30)))
		f.Set("README", gittest.Text("all\n"))
	}
}

func clone(w *publishtest.World, directories ...string) *world {
	w.Publish()
	dir := w.TempDir()
	c := &world{w, filepath.Join(dir, "source"), filepath.Join(dir, "clone"), directories}
	gittest.Git(w, dir, "", "clone", "--quiet", "--branch", "master", w.Source.Dir, c.source)
	gittest.Git(w, dir, "", "clone", "--quiet", "--branch", "master", w.Mirror("b"), c.clone)
	return c
}

// write writes a file of the clone, in the place of whatever is in its way.
func (w *world) write(name, text string) {
	w.Helper()
	for above := filepath.Dir(name); above != "."; above = filepath.Dir(above) {
		if info, err := os.Lstat(filepath.Join(w.clone, above)); err == nil && !info.IsDir() {
			w.Must(os.Remove(filepath.Join(w.clone, above)))
		}
	}
	name = filepath.Join(w.clone, name)
	if info, err := os.Lstat(name); err == nil && info.IsDir() {
		w.Must(os.RemoveAll(name))
	}
	w.Must(os.MkdirAll(filepath.Dir(name), 0o777))
	w.Must(os.WriteFile(name, []byte(text), 0o666))
}

func (w *world) read(name string) string {
	w.Helper()
	data, err := os.ReadFile(name)
	w.Must(err)
	return string(data)
}

func (w *world) git(dir string, args ...string) string {
	w.Helper()
	args = append([]string{"-c", "user.name=Zoë Müller", "-c", "user.email=zoe@example.org"}, args...)
	return strings.TrimSpace(string(gittest.Git(w, dir, "", args...)))
}

func (w *world) commit(message string) {
	w.Helper()
	w.git(w.clone, "add", "-A")
	w.git(w.clone, "commit", "--quiet", "--allow-empty", "--cleanup=verbatim", "-m", message, "--author=Ann Ö. <ann@example.org>", "--date=1700000000 +0530")
}

func (w *world) carry() (*carry.Series, error) {
	return carry.Carry(w.Context(), carry.Input{
		Source: []string{filepath.Join(w.Source.Dir, "objects")}, Repository: w.clone, Range: "origin/master..HEAD",
		Directories: w.directories, Siblings: append([]string{"staging/a", "staging/c"}, w.directories...), Trailer: "Kubernetes-commit",
	})
}

// comesBack applies the series in the source, publishes, and compares.
func (w *world) comesBack() {
	w.Helper()
	s, err := w.carry()
	w.Must(err)
	if s.Commits == 0 {
		return
	}
	gittest.Git(w, w.source, string(s.Patches), "-c", "user.name=C", "-c", "user.email=c@example.org", "am", "--quiet", "--keep-non-patch")
	w.git(w.source, "push", "--quiet", "origin", "master")
	w.Publish()
	describe := func(dir, tip string) string {
		return w.git(dir, "log", "--reverse", "--format=%an <%ae> %ad%n%B", "--date=raw", fmt.Sprintf("-%d", s.Commits), tip, "--", ".")
	}
	published := w.Mirror("b")
	if got, want := w.git(published, "ls-tree", "-r", "--full-tree", "master"), w.git(w.clone, "ls-tree", "-r", "--full-tree", "HEAD"); got != want {
		w.Errorf("published, there are other files:\n%s\nand not:\n%s", got, want)
		w.Logf("go.mod:\n%s\nand not:\n%s", w.git(published, "show", "master:go.mod"), w.git(w.clone, "show", "HEAD:go.mod"))
		w.Logf("%s", s.Patches)
	}
	if got, want := describe(w.source, "HEAD"), describe(w.clone, "HEAD"); got != want {
		w.Errorf("the commits are\n%s\nand not\n%s", got, want)
	}
}

const withReplace = `module example.org/b

go 1.24

require (
	example.com/x v1.0.0
	example.org/a v0.0.0
)

replace example.org/a => ../a
`

const withoutReplace = `module example.org/b

go 1.24

require (
	example.com/x v1.0.0
	example.org/a v0.0.0
	example.org/c v0.0.0
)
`

func TestAPullRequestComesBack(t *testing.T) {
	for name, goMod := range map[string]string{"replaced siblings": withReplace, "a workspace": withoutReplace} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, goMod)
			mod := w.read(filepath.Join(w.clone, "go.mod"))
			if strings.Contains(mod, "v0.0.0\n") || strings.Contains(mod, "replace") {
				t.Fatalf("the mirror's go.mod is not pinned:\n%s", mod)
			}
			w.write("b.go", "package b\n\nconst B = 2\n")
			w.write("binary", "\x00\x01\xff\r\n\x00")
			w.write("a \"file\" with [a] *name\\ü", "1\r\n2\r\n")
			w.commit("[b] fix: B is 2\n\nFrom here on.\n\nFixes: nothing")
			w.write("go.mod", strings.Replace(mod, "example.com/x v1.0.0", "example.com/x v1.1.0\n\texample.com/y v1.0.0 // for y", 1))
			sum := w.read(filepath.Join(w.clone, "go.sum"))
			sum = strings.Replace(sum, "example.com/x v1.0.0 h1:x=\nexample.com/x v1.0.0/go.mod h1:xm=\n", "example.com/x v1.1.0 h1:y=\nexample.com/x v1.1.0/go.mod h1:ym=\nexample.com/y v1.0.0/go.mod h1:ym=\n", 1)
			w.write("go.sum", sum)
			w.commit("x v1.1.0")
			w.Must(os.Chmod(filepath.Join(w.clone, "b.go"), 0o777))
			w.Must(os.Remove(filepath.Join(w.clone, "binary")))
			w.Must(os.Symlink("b.go", filepath.Join(w.clone, "link")))
			w.write("a \"file\" with [a] *name\\ü", "1\r\n2\r\n3\r\n")
			w.commit("modes, a link")
			w.comesBack()
			got := w.read(filepath.Join(w.source, "staging/b/go.mod"))
			if want := strings.Replace(goMod, "example.com/x v1.0.0", "example.com/x v1.1.0\n\texample.com/y v1.0.0 // for y", 1); got != want {
				t.Errorf("in the source, go.mod is\n%s\nand not\n%s", got, want)
			}
		})
	}
}

func TestASiblingThatIsRequiredForTheFirstTime(t *testing.T) {
	w := newWorld(t, withReplace)
	mod := w.read(filepath.Join(w.clone, "go.mod"))
	i := strings.Index(mod, "example.org/a ")
	w.write("go.mod", mod[:i]+"example.org/c v0.0.0-20200101000000-0123456789ab\n\t"+mod[i:])
	w.commit("require c")
	s, err := w.carry()
	w.Must(err)
	gittest.Git(w, w.source, string(s.Patches), "-c", "user.name=C", "-c", "user.email=c@example.org", "am", "--quiet")
	got := w.read(filepath.Join(w.source, "staging/b/go.mod"))
	for _, want := range []string{"example.org/c v0.0.0\n", "example.org/c => ../c\n", "example.org/a => ../a\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("go.mod has no %q:\n%s", want, got)
		}
	}
}

func TestWhatIsNoChangeForTheSource(t *testing.T) {
	w := newWorld(t, withReplace)
	w.write("go.mod", strings.Replace(w.read(filepath.Join(w.clone, "go.mod")), "example.org/a v0.0.0-", "example.org/a v0.9.0-", 1))
	w.write("b.go", "package b\n")
	w.commit("a newer sibling\n\nKubernetes-commit: 0123456789abcdef0123456789abcdef01234567")
	s, err := w.carry()
	w.Must(err)
	if text := string(s.Patches); strings.Contains(text, "go.mod") || strings.Contains(text, "Kubernetes-commit") {
		t.Errorf("the series is\n%s", text)
	}
}

func TestWhatCannotBeCarriedIsNamed(t *testing.T) {
	w := newWorld(t, withReplace)
	w.git(w.clone, "checkout", "--quiet", "-b", "side")
	w.write("side", "1\n")
	w.commit("side")
	w.git(w.clone, "checkout", "--quiet", "master")
	w.write("main", "1\n")
	w.commit("main")
	w.git(w.clone, "merge", "--quiet", "--no-edit", "side")
	_, err := w.carry()
	if _, ok := errors.AsType[*carry.MergeError](err); !ok {
		t.Errorf("of a merge, the error is %v", err)
	}
	w.git(w.clone, "checkout", "--quiet", "--orphan", "other")
	w.commit("a root")
	_, err = w.carry()
	if _, ok := errors.AsType[*carry.UnpublishedError](err); !ok {
		t.Errorf("of a branch that begins by itself, the error is %v", err)
	}
}

// A mirror of several directories does not tell of a new file to which of them it belongs. What
// is said of other files of its folder counts.
func TestNewFilesGoWhereTheirFoldersAre(t *testing.T) {
	w := newSeveral(t, withReplace)
	want := map[string]string{
		"only/new": parts, "only/deep/new": parts, "dir/new": "staging/b", "new": "staging/b", "other/new": "staging/b",
	}
	for name := range want {
		w.write(name, "new\n")
	}
	w.write("only/file", "changed\n")
	w.commit("new files")
	w.write("other/second", "new\n")
	w.Must(os.RemoveAll(filepath.Join(w.clone, "only", "deep")))
	w.write("only/deep", "a file in a folder's place\n")
	w.Must(os.RemoveAll(filepath.Join(w.clone, "dir")))
	w.write("dir", "a file in the place of a folder of both\n")
	w.commit("a file for a folder")
	w.write("parts.go", "package parts\n")
	w.Must(os.Remove(filepath.Join(w.clone, "dir")))
	w.write("dir/sub/new", "and back\n")
	w.commit("a folder for a file")
	w.comesBack()
	want["other/second"], want["only/deep"], want["only/file"], want["parts.go"], want["dir/sub/new"] = "staging/b", parts, parts, parts, "staging/b"
	delete(want, "only/deep/new")
	delete(want, "dir/new")
	for name, dir := range want {
		if got, want := w.read(filepath.Join(w.source, dir, name)), w.read(filepath.Join(w.clone, name)); got != want {
			t.Errorf("%s is %q, not %q", name, got, want)
		}
	}
}

// The go command looks for go.sum where go.mod is.
func TestGoSumGoesBesideGoMod(t *testing.T) {
	w := publishtest.New(t, severalRules)
	w.Source.Add("first", nil, func(f gittest.Files) {
		first(withoutReplace)(f)
		f.Set(parts+"/go.mod", gittest.Text("module example.org/b\n\ngo 1.24\n"))
		f.Set(parts+"/sub/go.mod", gittest.Text("module example.org/b/sub\n\ngo 1.24\n"))
		f.Set("staging/b/sub/file", gittest.Text("1\n"))
		f.Remove("staging/b/go.mod")
		f.Remove("staging/b/go.sum")
	})
	w.Source.Branch("master", w.Source.Commits["first"])
	c := clone(w, "staging/b", parts)
	sum := "example.com/x v1.1.0/go.mod h1:ym=\n"
	c.write("go.sum", sum)
	c.write("sub/go.sum", sum)
	c.commit("sums")
	c.comesBack()
	for _, dir := range []string{parts, parts + "/sub"} {
		if got := c.read(filepath.Join(c.source, dir, "go.sum")); got != sum {
			t.Errorf("%s/go.sum is %q", dir, got)
		}
	}
}

// Whatever people do to a clone of a mirror, applied to the source and published, it is what
// they did.
func TestRandomChangesComeBack(t *testing.T) {
	rounds := 6
	if testing.Short() {
		rounds = 2
	}
	for i := range rounds {
		seed := rand.Uint64()
		make := []func(*testing.T, string) *world{newWorld, newSeveral}[i%2]
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 0))
			w := make(t, []string{withReplace, withoutReplace}[r.IntN(2)])
			for n := range 1 + r.IntN(5) {
				for range r.IntN(4) {
					w.edit(r)
				}
				w.commit([]string{"change %d", "[tag] change %d\n\nWith a body.", "Ünicode %d\n\n  indented\n\nSigned-off-by: A <a@example.org>"}[r.IntN(3)] + fmt.Sprint(n))
			}
			w.comesBack()
		})
	}
}

func (w *world) edit(r *rand.Rand) {
	names := []string{"b.go", "dir/file", "dir/new", "x/y/z", "doc ü.md", "sub/go.mod", "parts.go", "dir/part", "only/file", "only/new", "only", "dir", "only/file/below"}
	name := names[r.IntN(len(names))]
	full := filepath.Join(w.clone, name)
	data, _ := os.ReadFile(full)
	lines := strings.SplitAfter(string(data), "\n")
	switch r.IntN(6) {
	case 0:
		_ = os.RemoveAll(full) // What is above it may be a file.
	case 1:
		w.write(name, string(data)+fmt.Sprintf("more %d", r.IntN(100))+[]string{"", "\n", "\r\n"}[r.IntN(3)])
	case 2:
		i := r.IntN(len(lines))
		w.write(name, strings.Join(lines[:i], "")+"inserted\n"+strings.Join(lines[i:], ""))
	case 3:
		if len(data) > 0 {
			w.Must(os.Chmod(full, []os.FileMode{0o644, 0o755}[r.IntN(2)]))
		}
	case 4:
		mod := w.read(filepath.Join(w.clone, "go.mod"))
		lines := strings.SplitAfter(mod, "\n")
		for i, line := range lines {
			if strings.HasPrefix(line, "\texample.com/x") {
				lines[i] = fmt.Sprintf("\texample.com/x v1.%d.0\n", r.IntN(9))
			}
		}
		w.write("go.mod", strings.Join(lines, ""))
	case 5:
		sum := w.read(filepath.Join(w.clone, "go.sum"))
		line := fmt.Sprintf("example.com/x v1.%d.5/go.mod h1:%d=\n", 1+r.IntN(3), r.IntN(3))
		if strings.Contains(sum, line) {
			sum = strings.Replace(sum, line, "", 1)
		} else if !strings.Contains(sum, strings.Fields(line)[1]) {
			sum += line
		}
		lines := strings.SplitAfter(sum, "\n")
		slices.Sort(lines) // which is the go command's order, here
		w.write("go.sum", strings.Join(lines, ""))
	}
}
