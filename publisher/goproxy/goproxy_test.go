package goproxy_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"

	"k8s.io/publisher/goproxy"
	"k8s.io/publisher/object"
)

// repository is a real git repository. It gives its objects to a Writer.
type repository struct {
	t   *testing.T
	dir string
}

func newRepository(t *testing.T) *repository {
	r := &repository{t, t.TempDir()}
	r.git("init", "-q", "-b", "master")
	return r
}

func (r *repository) git(args ...string) string {
	r.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(),
		"GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_AUTHOR_DATE=1700000000 +0100",
		"GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.com", "GIT_COMMITTER_DATE=1700000000 +0100")
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		errors.As(err, &exit)
		r.t.Fatalf("git %v: %v\n%s", args, err, exit.Stderr)
	}
	return strings.TrimSpace(string(out))
}

func (r *repository) write(name, content string) {
	r.t.Helper()
	name = filepath.Join(r.dir, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o666); err != nil {
		r.t.Fatal(err)
	}
}

// commit commits what has been written and returns the commit and its tree.
func (r *repository) commit() (commit, tree object.ID) {
	r.t.Helper()
	r.git("add", "-A")
	r.git("commit", "-q", "-m", "a commit")
	return r.id("HEAD"), r.id("HEAD^{tree}")
}

func (r *repository) id(rev string) object.ID {
	r.t.Helper()
	id, err := object.ParseID([]byte(r.git("rev-parse", rev)))
	if err != nil {
		r.t.Fatal(err)
	}
	return id
}

func (r *repository) cat(kind string, id object.ID) ([]byte, error) {
	cmd := exec.Command("git", "cat-file", kind, id.String())
	cmd.Dir = r.dir
	return cmd.Output()
}

func (r *repository) Tree(id object.ID) ([]byte, error) { return r.cat("tree", id) }
func (r *repository) Blob(id object.ID) ([]byte, error) { return r.cat("blob", id) }

// goCommand runs the go command in dir, with a module cache of its own.
func goCommand(t *testing.T, dir, proxy string, env []string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOPROXY="+proxy, "GONOSUMDB=*", "GOPRIVATE=", "GONOPROXY=none", "GOFLAGS=-modcacherw",
		"GOWORK=off", "GOTOOLCHAIN=local", "GOMODCACHE="+filepath.Join(t.TempDir(), "mod"),
		"GIT_CONFIG_GLOBAL="+os.DevNull)
	cmd.Env = append(cmd.Env, env...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = errors.New(err.Error() + "\n" + stderr.String() + string(out))
	}
	return string(out), err
}

type download struct {
	Version, Info, GoMod, Zip, Sum, GoModSum string
	Origin                                   struct{ VCS, Hash string }
}

func downloadModule(t *testing.T, proxy string, env []string, query string) download {
	t.Helper()
	out, err := goCommand(t, t.TempDir(), proxy, env, "mod", "download", "-json", query)
	if err != nil {
		t.Fatalf("go mod download %s: %v", query, err)
	}
	var d download
	if err := json.Unmarshal([]byte(out), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

var commitTime = time.Unix(1700000000, 0).In(time.FixedZone("", 3600))

func add(t *testing.T, w *goproxy.Writer, path, version string, commit, tree object.ID) {
	t.Helper()
	if err := w.Add(module.Version{Path: path, Version: version}, commitTime, commit, tree); err != nil {
		t.Fatal(err)
	}
}

func TestModulesAreTheOnesThatTheGoCommandMakesOfTheRepository(t *testing.T) {
	for name, test := range map[string]struct {
		path, version string
		change        func(r *repository)
	}{
		"plain": {"example.com/m.git", "v1.2.3", func(r *repository) {
			r.write("go.mod", "module example.com/m.git\n\ngo 1.20\n")
			r.write("m.go", "package m\n")
			r.write("LICENSE", "free\n")
		}},
		"major version": {"example.com/m.git/v2", "v2.0.0-rc.1", func(r *repository) {
			r.write("go.mod", "module example.com/m.git/v2\n\ngo 1.20\n")
		}},
		"without go.mod": {"example.com/m.git", "v1.0.0", func(r *repository) {
			r.write("m.go", "package m\n")
		}},
		"upper case": {"example.com/BurntSushi/M.git", "v0.1.0-Alpha", func(r *repository) {
			r.write("go.mod", "module example.com/BurntSushi/M.git\n")
		}},
		"executable, symbolic link and submodule": {"example.com/m.git", "v1.0.0", func(r *repository) {
			r.write("go.mod", "module example.com/m.git\n")
			r.write("run.sh", "#!/bin/sh\n")
			if err := os.Chmod(filepath.Join(r.dir, "run.sh"), 0o777); err != nil {
				r.t.Fatal(err)
			}
			if err := os.Symlink("run.sh", filepath.Join(r.dir, "link")); err != nil {
				r.t.Fatal(err)
			}
			r.git("update-index", "--add", "--cacheinfo", "160000,1234567890123456789012345678901234567890,sub")
			if err := os.Mkdir(filepath.Join(r.dir, "sub"), 0o777); err != nil {
				r.t.Fatal(err)
			}
		}},
		"nested module and vendor": {"example.com/m.git", "v1.0.0", func(r *repository) {
			r.write("go.mod", "module example.com/m.git\n\ngo 1.24\n")
			r.write("nested/go.mod", "module example.com/m.git/nested\n")
			r.write("nested/n.go", "package nested\n")
			r.write("vendor/modules.txt", "# nothing\n")
			r.write("vendor/example.com/v/v.go", "package v\n")
			r.write("pkg/vendor/vendor.go", "package vendor\n")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRepository(t)
			test.change(r)
			commit, tree := r.commit()
			r.git("tag", test.version)
			w := &goproxy.Writer{Dir: t.TempDir(), Objects: r}
			add(t, w, test.path, test.version, commit, tree)

			root, _, _ := strings.Cut(test.path, ".git")
			fromGit := downloadModule(t, "direct", []string{
				"GIT_CONFIG_COUNT=1",
				"GIT_CONFIG_KEY_0=url.file://" + r.dir + ".insteadOf",
				"GIT_CONFIG_VALUE_0=https://" + root,
			}, test.path+"@"+test.version)
			fromProxy := downloadModule(t, "file://"+w.Dir, nil, test.path+"@"+test.version)

			if fromProxy.Sum != fromGit.Sum || fromProxy.GoModSum != fromGit.GoModSum {
				t.Errorf("from the proxy: %s %s\nfrom git: %s %s", fromProxy.Sum, fromProxy.GoModSum, fromGit.Sum, fromGit.GoModSum)
			}
			if fromProxy.Origin != fromGit.Origin {
				t.Errorf("origin %+v, want %+v", fromProxy.Origin, fromGit.Origin)
			}
			for _, pair := range [][2]string{{fromProxy.GoMod, fromGit.GoMod}, {fromProxy.Zip, fromGit.Zip}} {
				got, want := readFile(t, pair[0]), readFile(t, pair[1])
				if got != want {
					t.Errorf("%s is %q, want %q", filepath.Base(pair[0]), got, want)
				}
			}
		})
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestConsumerBuildsAgainstTheTree(t *testing.T) {
	r := newRepository(t)
	r.write("go.mod", "module example.com/api\n\ngo 1.20\n")
	r.write("api.go", "package api\n\nconst Answer = 42\n")
	apiCommit, apiTree := r.commit()
	pseudo := module.PseudoVersion("v0", "", commitTime, apiCommit.String()[:12])

	r.write("go.mod", "module example.com/client\n\ngo 1.20\n\nrequire example.com/api "+pseudo+"\n")
	r.write("api.go", "package client\n\nimport \"example.com/api\"\n\nvar Answer = api.Answer\n")
	clientCommit, clientTree := r.commit()

	w := &goproxy.Writer{Dir: t.TempDir(), Objects: r}
	add(t, w, "example.com/api", pseudo, apiCommit, apiTree)
	add(t, w, "example.com/client", "v0.1.0", clientCommit, clientTree)
	proxy := "file://" + w.Dir

	consumer := t.TempDir()
	for name, content := range map[string]string{
		"go.mod":  "module consumer\n\ngo 1.20\n",
		"main.go": "package main\n\nimport \"example.com/client\"\n\nfunc main() { println(client.Answer) }\n",
	} {
		if err := os.WriteFile(filepath.Join(consumer, name), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"get", "example.com/client@latest", "example.com/api@latest"},
		{"build", "-mod=readonly", "-o", os.DevNull, "."},
		{"mod", "verify"},
	} {
		if _, err := goCommand(t, consumer, proxy, nil, args...); err != nil {
			t.Fatalf("go %v: %v", args, err)
		}
	}
	if goMod := readFile(t, filepath.Join(consumer, "go.mod")); !strings.Contains(goMod, "example.com/api "+pseudo) {
		t.Errorf("go.mod lacks the pseudo-version %s:\n%s", pseudo, goMod)
	}
}

func TestVersionsAreListedAsTheGoCommandPrefersThem(t *testing.T) {
	r := newRepository(t)
	r.write("go.mod", "module example.com/m\n")
	commit, tree := r.commit()
	w := &goproxy.Writer{Dir: t.TempDir(), Objects: r}
	pseudo := module.PseudoVersion("v0", "", commitTime, commit.String()[:12])

	for _, step := range []struct{ version, list, latest string }{
		{pseudo, "", pseudo},
		{"v0.10.0-rc.1", "v0.10.0-rc.1", "v0.10.0-rc.1"},
		{"v0.2.0", "v0.2.0 v0.10.0-rc.1", "v0.2.0"},
		{"v0.9.1", "v0.2.0 v0.9.1 v0.10.0-rc.1", "v0.9.1"},
		{"v0.9.0", "v0.2.0 v0.9.0 v0.9.1 v0.10.0-rc.1", "v0.9.1"},
	} {
		add(t, w, "example.com/m", step.version, commit, tree)
		proxy := "file://" + w.Dir
		list, err := goCommand(t, t.TempDir(), proxy, nil, "list", "-m", "-versions", "-f", `{{join .Versions " "}}`, "example.com/m@"+step.version)
		if err != nil {
			t.Fatal(err)
		}
		if list = strings.TrimSpace(list); list != step.list {
			t.Errorf("with %s: versions %q, want %q", step.version, list, step.list)
		}
		if d := downloadModule(t, proxy, nil, "example.com/m@latest"); d.Version != step.latest {
			t.Errorf("with %s: the go command takes %s, want %s", step.version, d.Version, step.latest)
		}
		var latest struct{ Version string }
		if err := json.Unmarshal([]byte(readFile(t, filepath.Join(w.Dir, "example.com/m/@latest"))), &latest); err != nil {
			t.Fatal(err)
		}
		if latest.Version != step.latest {
			t.Errorf("with %s: @latest has %s, want %s", step.version, latest.Version, step.latest)
		}
	}
}

func TestAddingTwiceChangesNothing(t *testing.T) {
	r := newRepository(t)
	r.write("go.mod", "module example.com/m\n")
	r.write("m.go", "package m\n")
	commit, tree := r.commit()
	w := &goproxy.Writer{Dir: t.TempDir(), Objects: r}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() { add(t, w, "example.com/m", "v0.1.0", commit, tree) })
	}
	group.Wait()
	before := snapshot(t, w.Dir)
	want := []string{"@latest", "@v/list", "@v/v0.1.0.info", "@v/v0.1.0.mod", "@v/v0.1.0.zip"}
	var names []string
	for name := range before {
		names = append(names, strings.TrimPrefix(name, "example.com/m/"))
	}
	if slices.Sort(names); !slices.Equal(names, want) {
		t.Errorf("files %v, want %v", names, want)
	}

	add(t, w, "example.com/m", "v0.1.0", commit, tree)
	for name, modified := range snapshot(t, w.Dir) {
		if modified != before[name] {
			t.Errorf("%s was written again", name)
		}
	}
}

func TestStoppedRunIsFinishedByTheNext(t *testing.T) {
	r := newRepository(t)
	r.write("go.mod", "module example.com/m\n")
	commit, tree := r.commit()
	w := &goproxy.Writer{Dir: t.TempDir(), Objects: r}
	add(t, w, "example.com/m", "v0.1.0", commit, tree)
	for _, name := range []string{"@latest", "@v/list"} {
		if err := os.Remove(filepath.Join(w.Dir, "example.com/m", name)); err != nil {
			t.Fatal(err)
		}
	}
	add(t, w, "example.com/m", "v0.1.0", commit, tree)
	if list := readFile(t, filepath.Join(w.Dir, "example.com/m/@v/list")); list != "v0.1.0\n" {
		t.Errorf("list is %q", list)
	}
}

func snapshot(t *testing.T, dir string) map[string]time.Time {
	t.Helper()
	files := make(map[string]time.Time)
	err := filepath.WalkDir(dir, func(name string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		rel, _ := filepath.Rel(dir, name)
		files[filepath.ToSlash(rel)] = info.ModTime()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestVersionNeverMoves(t *testing.T) {
	r := newRepository(t)
	r.write("go.mod", "module example.com/m\n")
	commit, tree := r.commit()
	w := &goproxy.Writer{Dir: t.TempDir(), Objects: r}
	add(t, w, "example.com/m", "v0.1.0", commit, tree)
	before := snapshot(t, w.Dir)

	r.write("m.go", "package m\n")
	commit, tree = r.commit()
	err := w.Add(module.Version{Path: "example.com/m", Version: "v0.1.0"}, commitTime, commit, tree)
	var conflict *goproxy.ConflictError
	if !errors.As(err, &conflict) || !strings.Contains(conflict.Want, commit.String()) {
		t.Errorf("error %v, want a conflict with %s", err, commit)
	}
	for name, modified := range snapshot(t, w.Dir) {
		if modified != before[name] {
			t.Errorf("%s was written again", name)
		}
	}
}

func TestTreeThatIsNoModuleLeavesNothing(t *testing.T) {
	r := newRepository(t)
	r.write("go.mod", "module example.com/m\n")
	r.write("a.go", "package m\n")
	r.write("A.go", "package m\n")
	commit, tree := r.commit()
	w := &goproxy.Writer{Dir: t.TempDir(), Objects: r}
	err := w.Add(module.Version{Path: "example.com/m", Version: "v0.1.0"}, commitTime, commit, tree)
	var files zip.FileErrorList
	if !errors.As(err, &files) || len(files) != 1 {
		t.Errorf("error %v, want one about a.go and A.go", err)
	}
	if left := snapshot(t, w.Dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}

	for _, m := range []module.Version{
		{Path: "example.com/../m", Version: "v0.1.0"},
		{Path: "example.com/m", Version: "v2.0.0"},
		{Path: "example.com/m", Version: "master"},
	} {
		if err := w.Add(m, commitTime, commit, tree); err == nil {
			t.Errorf("%s was added", m)
		}
	}
}
