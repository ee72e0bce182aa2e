package consumer_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/module"

	"k8s.io/publisher/builder"
	"k8s.io/publisher/consumer"
	"k8s.io/publisher/gittest"
	"k8s.io/publisher/goproxy"
	"k8s.io/publisher/modhash"
	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
	"k8s.io/publisher/sandbox"
)

var (
	release = module.Version{Path: "example.com/lib", Version: "v0.20.0"}
	sibling = module.Version{Path: "example.com/sibling", Version: "v0.20.0"}
	other   = module.Version{Path: "example.org/other", Version: "v1.2.3"}
)

// lib is a release that requires a sibling and a module of somebody else's.
func lib() map[string]string {
	return map[string]string{
		"go.mod":           "module example.com/lib\n\ngo 1.24\n\nrequire (\n\texample.com/sibling v0.20.0\n\texample.org/other v1.2.3\n)\n",
		"lib.go":           "package lib\n\nimport (\n\t\"example.com/sibling\"\n\t\"example.org/other\"\n)\n\nvar Lib = sibling.Name + other.Name\n",
		"cgo/cgo.go":       "package cgo\n\n// #error this must never be compiled\nimport \"C\"\n",
		"internal/x/x.go":  "package x\n",
		"cmd/lib/main.go":  "package main\n\nfunc main() {}\n",
		"testdata/bad.go":  "this is no Go\n",
		"lib_test.go":      "package lib\n\nimport _ \"example.org/only-for-tests\"\n",
		"windows_only.go":  "//go:build windows\n\npackage lib\n\nvar X int = \"\"\n",
		"ünïcode/LICENSE":  "x\n",
		"_ignored/bad.go":  "this is no Go\n",
		"docs/README.md":   "x\n",
		"sub/go.mod":       "module example.com/lib/sub\n",
		"sub/other/bad.go": "this is no Go\n",
	}
}

// world has a release in a repository, and what it requires elsewhere.
type world struct {
	*testing.T
	repo    *gittest.Repo
	commits map[module.Version]object.ID
	builder builder.Config
	proven  map[consumer.Key]bool
	goSum   string // as it must be
}

// cache is what all tests share, as compiling the standard library takes long.
var cache string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if cache, err = os.MkdirTemp("", "consumer-cache-"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(cache)
		return m.Run()
	}())
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, repo: gittest.New(t), commits: make(map[module.Version]object.ID), builder: builder.Config{Cache: cache}, proven: make(map[consumer.Key]bool)}
	w.commit(sibling, map[string]string{"go.mod": "module example.com/sibling\n\ngo 1.24\n", "sibling.go": "package sibling\n\nconst Name = \"sibling\"\n"})
	w.commit(other, map[string]string{"go.mod": "module example.org/other\n\ngo 1.24\n", "other.go": "package other\n\nconst Name = \"other\"\n"})
	// The other one is at a proxy, and in no mirror.
	store, err := odb.Open(w.objects())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	elsewhere := t.TempDir()
	tree := w.id(w.commits[other].String() + "^{tree}")
	if err := (&goproxy.Writer{Dir: elsewhere, Objects: store.Reader()}).Add(other, time.Unix(1700000000, 0), w.commits[other], tree); err != nil {
		t.Fatal(err)
	}
	for _, m := range []module.Version{sibling, other} {
		sum, err := modhash.New(store.Reader(), new(modhash.MemorySums)).Zip(m, w.id(w.commits[m].String()+"^{tree}"))
		if err != nil {
			t.Fatal(err)
		}
		w.goSum += fmt.Sprintf("%s %s %s\n%s %s/go.mod %s\n", m.Path, m.Version, sum, m.Path, m.Version, modhash.GoMod([]byte("module "+m.Path+"\n\ngo 1.24\n")))
	}
	delete(w.commits, other)
	t.Setenv("GOPROXY", "file://"+elsewhere)
	t.Setenv("GONOSUMDB", "example.org")
	t.Setenv("GOMODCACHE", filepath.Join(t.TempDir(), "mod"))
	t.Setenv("GOFLAGS", "-modcacherw")
	t.Setenv("GOTOOLCHAIN", "local")
	t.Setenv("TMPDIR", t.TempDir())
	t.Cleanup(func() { _ = exec.Command("chmod", "-R", "u+w", os.Getenv("GOMODCACHE")).Run() })
	return w
}

func (w *world) objects() string { return filepath.Join(w.repo.Dir, "objects") }

func (w *world) id(revision string) object.ID {
	w.Helper()
	id, err := object.ParseID([]byte(strings.TrimSpace(w.repo.Git("rev-parse", revision))))
	if err != nil {
		w.Fatal(err)
	}
	return id
}

func (w *world) commit(m module.Version, files map[string]string) {
	w.Helper()
	tree := make(gittest.Files)
	for name, text := range files {
		tree.Set(name, gittest.Text(text))
	}
	id := strings.TrimSpace(w.repo.Git("-c", "user.name=A", "-c", "user.email=a@example.com", "commit-tree", "-m", "x", w.repo.Tree(tree).String()))
	parsed, err := object.ParseID([]byte(id))
	if err != nil {
		w.Fatal(err)
	}
	w.commits[m] = parsed
}

// prove proves the release with these files.
func (w *world) prove(files map[string]string) error {
	w.Helper()
	w.commit(release, files)
	p, err := consumer.New(w.builder, []string{w.objects()}, func(m module.Version) (object.ID, bool, error) {
		id, ok := w.commits[m]
		return id, ok, nil
	}, w)
	if err != nil {
		w.Fatal(err)
	}
	defer func() {
		if err := p.Close(); err != nil {
			w.Error(err)
		}
		if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
			w.Errorf("left over: %v, %v", left, err)
		}
	}()
	return p.Prove(w.Context(), consumer.Release{Destination: "org/lib", Tag: "v0.20.0", Module: release})
}

func (w *world) Proven(key consumer.Key) bool { return w.proven[key] }
func (w *world) AddProof(key consumer.Key)    { w.proven[key] = true }

func TestReleaseThatBuildsIsConsumable(t *testing.T) {
	w := newWorld(t)
	files := lib()
	files["go.sum"] = w.goSum
	for range 2 {
		if err := w.prove(files); err != nil {
			t.Fatal(err)
		}
		if len(w.proven) != 1 {
			t.Errorf("%d proofs", len(w.proven))
		}
		// It need not be built again.
		w.builder.Limits = sandbox.Limits{Time: 1}
	}
	// Where a sibling is another one, it must be.
	w.commit(sibling, map[string]string{"go.mod": "module example.com/sibling\n\ngo 1.24\n", "sibling.go": "package sibling\n\nconst Name = \"another\"\n"})
	if _, ok := errors.AsType[*sandbox.LimitError](w.prove(files)); !ok {
		t.Error("a proof was taken for that of another release")
	}
}

func TestReleaseThatNobodyCanBuildWithIsUnconsumable(t *testing.T) {
	w := newWorld(t)
	lines := strings.SplitAfter(w.goSum, "\n")
	for name, test := range map[string]struct {
		files map[string]string
		says  string
	}{
		"it does not compile":            {map[string]string{"lib.go": "package lib\n\nvar x int = \"\"\n"}, "lib.go:3:13: cannot use"},
		"a package of it does not":       {map[string]string{"deep/er/er.go": "package er\n\nimport \"example.com/lib/nowhere\"\n\nvar _ = nowhere.X\n"}, "example.com/lib/nowhere"},
		"a program of it does not":       {map[string]string{"cmd/lib/main.go": "package main\n"}, "function main is undeclared"},
		"no go.sum":                      {map[string]string{"go.sum": ""}, "missing go.sum entry"},
		"go.sum lacks a sibling":         {map[string]string{"go.sum": strings.Join(lines[2:], "")}, "missing go.sum entry"},
		"go.sum lacks a module":          {map[string]string{"go.sum": strings.Join(lines[:2], "")}, "missing go.sum entry"},
		"go.sum is wrong on a sibling":   {map[string]string{"go.sum": strings.Replace(w.goSum, "h1:", "h1:A", 1)}, "SECURITY ERROR"},
		"go.sum is wrong on a module":    {map[string]string{"go.sum": strings.Replace(w.goSum, lines[2][:len("example.org/other v1.2.3 h1:")], "example.org/other v1.2.3 h1:A", 1)}, "SECURITY ERROR"},
		"go.mod lacks a requirement":     {map[string]string{"go.mod": "module example.com/lib\n\ngo 1.24\n\nrequire example.com/sibling v0.20.0\n"}, "no required module provides package example.org/other"},
		"go.mod is none":                 {map[string]string{"go.mod": "module example.com/lib\n\nrequire example.com/sibling v0.20.0 // indirect\nfoo bar (\n"}, "go.mod"},
		"it is another module":           {map[string]string{"go.mod": "module example.com/library\n\ngo 1.24\n"}, "example.com/library"},
		"it requires an unknown sibling": {map[string]string{"go.mod": "module example.com/lib\n\ngo 1.24\n\nrequire example.com/sibling v0.20.0\nrequire example.com/lib/v2 v2.0.0\n", "x.go": "package lib\n\nimport _ \"example.com/lib/v2\"\n"}, "lib/v2"},
		"only its replace makes it build": {map[string]string{
			"go.mod": lib()["go.mod"] + "\nrequire example.com/nested v0.0.0\n\nreplace example.com/nested => ./nested\n", "nested/go.mod": "module example.com/nested\n", "x.go": "package lib\n\nimport _ \"example.com/nested\"\n",
		}, "missing go.sum entry"},
	} {
		t.Run(name, func(t *testing.T) {
			files := lib()
			files["go.sum"] = w.goSum
			maps.Copy(files, test.files)
			err := w.prove(files)
			failed, ok := errors.AsType[*consumer.UnconsumableError](err)
			if !ok || !strings.Contains(failed.Said, test.says) {
				t.Fatalf("%v, want that it cannot be consumed, and %q", err, test.says)
			}
			if !strings.HasPrefix(err.Error(), "tag v0.20.0 of org/lib cannot be consumed: ") || strings.Contains(err.Error(), cache) {
				t.Errorf("message %q", err)
			}
		})
	}
	if len(w.proven) > 0 {
		t.Error("it was noted as proven")
	}
}

// TestFaultOfTheMachineIsNotTheReleases: what the module does not have is not known
// where the network, or the machine, is to blame.
func TestFaultOfTheMachineIsNotTheReleases(t *testing.T) {
	for name, fault := range map[string]func(w *world, files map[string]string){
		"the proxy is off":           func(w *world, _ map[string]string) { w.Setenv("GOPROXY", "off"); w.builder.Cache = "" },
		"the proxy is not reachable": func(w *world, _ map[string]string) { w.Setenv("GOPROXY", "http://127.0.0.1:1"); w.builder.Cache = "" },
		"the proxy lacks a module": func(w *world, files map[string]string) {
			files["go.mod"] = strings.Replace(files["go.mod"], "v1.2.3", "v1.2.4", 1)
			files["go.sum"] = strings.ReplaceAll(files["go.sum"], "v1.2.3", "v1.2.4")
		},
		"there is no go command": func(w *world, _ map[string]string) {
			git, err := exec.LookPath("git")
			if err != nil {
				w.Fatal(err)
			}
			dir := w.TempDir()
			if err := os.Symlink(git, filepath.Join(dir, "git")); err != nil {
				w.Fatal(err)
			}
			w.Setenv("PATH", dir)
		},
		"the toolchain is too old": func(w *world, files map[string]string) {
			files["go.mod"] = strings.Replace(files["go.mod"], "go 1.24", "go 1.99", 1)
		},
		"there is no time":   func(w *world, _ map[string]string) { w.builder.Limits.Time = time.Millisecond },
		"there is no memory": func(w *world, _ map[string]string) { w.builder.Limits.Memory = 1 << 20 },
		"a file of the standard library is damaged": func(w *world, _ map[string]string) {
			// Then nothing can be built, whatever it is.
			w.builder.Cache = w.TempDir()
			w.builder.Hidden = []string{filepath.Join(strings.TrimSpace(output(w, "go", "env", "GOROOT")), "src", "runtime")}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			files := lib()
			files["go.sum"] = w.goSum
			fault(w, files)
			err := w.prove(files)
			if _, ok := errors.AsType[*consumer.UnconsumableError](err); ok || err == nil || len(w.proven) > 0 {
				t.Errorf("%v, want another error", err)
			}
		})
	}
}

func output(w *world, name string, args ...string) string {
	w.Helper()
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		w.Fatal(err)
	}
	return string(out)
}
