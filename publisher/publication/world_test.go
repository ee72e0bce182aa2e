package publication_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"

	"k8s.io/publisher/gittest"
	"k8s.io/publisher/object"
	"k8s.io/publisher/pin"
	"k8s.io/publisher/publishtest"
)

// world is a monorepo of modules. The mirror of a destination is the repository of
// module mirrors.test/<destination>.git.
type world struct{ publishtest.World }

func newWorld(t *testing.T, rules string) *world {
	t.Helper()
	return &world{*publishtest.New(t, rules)}
}

// host is where modules are said to be.
const host = "mirrors.test/"

// source returns the ID of a commit of the source.
func (w *world) source(name string) string {
	w.Helper()
	id, ok := w.Source.Commits[name]
	if !ok {
		w.Fatalf("no commit %s", name)
	}
	return id.String()
}

// file reads a file of a mirror.
func (w *world) file(destination, revision, name string) string {
	w.Helper()
	return w.Git(destination, "cat-file", "blob", revision+":"+name)
}

// environment is that of a machine on which nothing is configured but where
// the mirrors are.
func (w *world) environment(cache string) []string {
	destinations := w.Destinations()
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + cache, "GOPATH=" + filepath.Join(cache, "go"), "GOMODCACHE=" + filepath.Join(cache, "mod"),
		"GOCACHE=" + goCache(), "GOPROXY=direct", "GOPRIVATE=*", "GONOSUMDB=*", "GOVCS=*:git",
		"GOFLAGS=-modcacherw", "GOWORK=off", "GOTOOLCHAIN=local", "GOENV=off", "GIT_TERMINAL_PROMPT=0",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull, fmt.Sprintf("GIT_CONFIG_COUNT=%d", len(destinations)),
	}
	for i, d := range destinations {
		env = append(env,
			fmt.Sprintf("GIT_CONFIG_KEY_%d=url.file://%s.insteadOf", i, w.Mirror(d)),
			fmt.Sprintf("GIT_CONFIG_VALUE_%d=https://%s%s", i, host, d))
	}
	return env
}

// goCache is where this machine has compiled packages; they depend on nothing.
func goCache() string {
	out, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		panic(err)
	}
	return strings.TrimSpace(string(out))
}

// goIn runs the go command.
func (w *world) goIn(dir, cache string, args ...string) (string, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir, cmd.Env = dir, w.environment(cache)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	return stdout.String(), nil
}

// checkout writes the files of a mirror's revision into a new folder.
func (w *world) checkout(destination, revision string) string {
	w.Helper()
	dir := w.TempDir()
	gittest.Git(w.TB, w.Mirror(destination), "", "clone", "--quiet", "--shared", "--no-checkout", ".", dir)
	gittest.Git(w.TB, dir, "", "checkout", "--quiet", "--detach", revision)
	return dir
}

// builds has the go command build a published module as it is, with the
// go.sum that it came with.
func (w *world) builds(cache, destination, revision string) {
	w.Helper()
	dir := w.checkout(destination, revision)
	for _, args := range [][]string{{"list", "-mod=readonly", "-m", "all"}, {"build", "-mod=readonly", "./..."}, {"mod", "verify"}} {
		if _, err := w.goIn(dir, cache, args...); err != nil {
			goMod, _ := os.ReadFile(filepath.Join(dir, "go.mod"))
			goSum, _ := os.ReadFile(filepath.Join(dir, "go.sum"))
			w.Errorf("%s at %s: %v\n%s\n%s", destination, revision, err, goMod, goSum)
			return
		}
	}
}

// download is what go mod download -json tells of a module.
type download struct {
	Path, Version, Error, Sum, GoModSum string
	Origin                              struct{ Hash string }
}

// downloads has the go command fetch modules, given as path@version, from the
// mirrors. The result is by the same names.
func (w *world) downloads(cache string, modules ...string) map[string]download {
	w.Helper()
	// It fails where one module fails; which one did is in the output.
	out, err := w.goIn(w.TempDir(), cache, append([]string{"mod", "download", "-json"}, modules...)...)
	found := make(map[string]download)
	for dec := json.NewDecoder(strings.NewReader(out)); ; {
		var d download
		if err := dec.Decode(&d); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			w.Fatal(err, out)
		}
		found[d.Path+"@"+d.Version] = d
	}
	for _, m := range modules {
		if _, ok := found[m]; !ok {
			w.Fatalf("the go command told nothing of %s: %v", m, err)
		}
	}
	return found
}

// checkPins has the go command fetch every version that a go.sum in the history
// of a mirror names. It returns how many there were, and, by mirror commit,
// what each go.mod requires of siblings.
func (w *world) checkPins(cache string) (versions int, pins map[string]map[string]string) {
	w.Helper()
	sums := make(map[string]map[string]string) // by path@version, by "" and "/go.mod"
	pins = make(map[string]map[string]string)
	for _, d := range w.Published() {
		for line := range strings.Lines(w.Git(d, "log", "--all", "--format=%H")) {
			commit := strings.TrimSpace(line)
			names := w.Git(d, "ls-tree", "--name-only", commit)
			if !slices.Contains(strings.Fields(names), "go.mod") {
				continue
			}
			f, err := modfile.ParseLax("go.mod", []byte(w.file(d, commit, "go.mod")), nil)
			if err != nil {
				continue
			}
			pins[commit] = make(map[string]string)
			for _, r := range f.Require {
				if strings.HasPrefix(r.Mod.Path, host) {
					pins[commit][r.Mod.Path] = r.Mod.Version
				}
			}
			goSum := ""
			if slices.Contains(strings.Fields(names), "go.sum") {
				goSum = w.file(d, commit, "go.sum")
			}
			for path, version := range pins[commit] {
				if module.IsPseudoVersion(version) && !module.IsZeroPseudoVersion(version) &&
					!(strings.Contains(goSum, path+" "+version+" h1:") && strings.Contains(goSum, path+" "+version+"/go.mod h1:")) {
					w.Errorf("%s at %s requires %s %s, which go.sum lacks:\n%s", d, commit, path, version, goSum)
				}
			}
			for line := range strings.Lines(goSum) {
				fields := strings.Fields(line)
				if len(fields) != 3 || !strings.HasPrefix(fields[0], host) {
					continue
				}
				version, isMod := strings.CutSuffix(fields[1], "/go.mod")
				m := fields[0] + "@" + version
				kind := map[bool]string{true: "/go.mod"}[isMod]
				if sums[m] == nil {
					sums[m] = make(map[string]string)
				}
				if other := sums[m][kind]; other != "" && other != fields[2] {
					w.Errorf("%s has two hashes in go.sum files: %s and %s", m+kind, other, fields[2])
				}
				sums[m][kind] = fields[2]
			}
		}
	}
	var modules []string
	for m := range sums {
		modules = append(modules, m)
	}
	if len(modules) == 0 {
		return 0, pins
	}
	slices.Sort(modules)
	for m, got := range w.downloads(cache, modules...) {
		if got.Error != "" {
			w.Errorf("%s: %s", m, got.Error)
			continue
		}
		if want := sums[m][""]; want != "" && got.Sum != want {
			w.Errorf("%s: go.sum has %s, the go command %s", m, want, got.Sum)
		}
		if want := sums[m]["/go.mod"]; want != "" && got.GoModSum != want {
			w.Errorf("%s/go.mod: go.sum has %s, the go command %s", m, want, got.GoModSum)
		}
	}
	return len(modules), pins
}

// of returns the mirror commit that stands for a source commit, by its trailer.
func (w *world) of(destination, name string) string {
	w.Helper()
	out := w.Git(destination, "log", "--all", "--format=%H %(trailers:key=Kubernetes-commit,valueonly,separator=%x2C)")
	var found []string
	for line := range strings.Lines(out) {
		if id, from, _ := strings.Cut(strings.TrimSpace(line), " "); from == w.source(name) {
			found = append(found, id)
		}
	}
	if len(found) != 1 {
		w.Fatalf("%s: %d commits stand for %s", destination, len(found), name)
	}
	return found[0]
}

// pinnedTo is the version of a mirror commit on a branch.
func (w *world) pinnedTo(path, destination, commit string) string {
	w.Helper()
	var unix int64
	_, err := fmt.Sscan(w.Git(destination, "show", "--no-patch", "--format=%ct", commit), &unix)
	w.Must(err)
	id, err := object.ParseID([]byte(commit))
	w.Must(err)
	return pin.PseudoVersion(path, id, unix)
}

// add makes a commit of the source: the files of a txtar archive come in
// addition to the first parent's; a file whose text is "gone" goes, and what
// edits says, as [gittest.Repo.History] has it, is done afterwards.
func (w *world) add(name, parents, archive string, edits ...string) {
	w.Helper()
	var on []string
	if parents != "" {
		on = strings.Split(parents, ", ")
	}
	w.Source.Add(name, on, func(files gittest.Files) {
		for path, file := range gittest.Archive(archive) {
			if strings.TrimSpace(file.Text) == "gone" {
				files.Remove(path)
			} else {
				files.Set(path, file)
			}
		}
		for _, edit := range edits {
			path, target, _ := strings.Cut(edit, "->")
			files.Set(path, gittest.File{Mode: object.ModeSymlink, Text: target})
		}
	})
}

func (w *world) writeFile(dir, name, text string) {
	w.Helper()
	w.Must(os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666))
}
