package oracle_test

import (
	"archive/zip"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

// staged is a module that lives in a directory of a monorepo.
type staged struct {
	name         string   // the directory's and the mirror's
	dependencies []string // the staged modules that it can require
}

func (s staged) path() string { return "k8s.io/" + s.name }

func (s staged) dir() string { return "staging/src/k8s.io/" + s.name }

// module is what go mod download -json says of a module version
// (go help mod download).
type module struct {
	Path, Version, Zip, Dir, Sum, GoModSum string
	Origin                                 struct{ Hash string }
}

// release are the staged modules at one version, by path.
type release map[string]module

// readReleases returns the public modules by version. The go command checks
// them as it is configured to, which is by the checksum database.
func readReleases(t *testing.T) map[string]release {
	t.Helper()
	public := make(map[string]release)
	for _, version := range versions {
		public[version] = download(t, nil, version)
	}
	return public
}

// download has the go command download the staged modules at a version.
func download(t testing.TB, env []string, version string) release {
	t.Helper()
	args := []string{"mod", "download", "-json"}
	for _, m := range modules {
		args = append(args, m.path()+"@"+version)
	}
	out := json.NewDecoder(strings.NewReader(goCommand(t, t.TempDir(), env, args...)))
	all := make(release)
	for out.More() {
		var m module
		if err := out.Decode(&m); err != nil {
			t.Fatalf("go %s: %v", strings.Join(args, " "), err)
		}
		all[m.Path] = m
	}
	return all
}

// files returns the files of a module zip, without "path@version/" in front.
func (m module) files(t testing.TB) map[string]string {
	t.Helper()
	archive, err := zip.OpenReader(m.Zip)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	files := make(map[string]string, len(archive.File))
	for _, f := range archive.File {
		_, name, _ := strings.Cut(f.Name, "@"+m.Version+"/")
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatalf("%s in %s: %v", name, m.Zip, err)
		}
		files[name] = string(data)
	}
	return files
}

// stage gives go.mod and go.sum the form that they have in a monorepo.
func stage(t testing.TB, files map[string]string) {
	t.Helper()
	goMod, err := modfile.Parse("go.mod", []byte(files["go.mod"]), nil)
	if err != nil {
		t.Fatal(err)
	}
	siblings := func(path string) bool {
		return slices.ContainsFunc(modules, func(m staged) bool { return m.path() == path })
	}
	for _, r := range slices.Clone(goMod.Require) {
		if !siblings(r.Mod.Path) {
			continue
		}
		if err := goMod.AddRequire(r.Mod.Path, "v0.0.0"); err != nil {
			t.Fatal(err)
		}
		if err := goMod.AddReplace(r.Mod.Path, "", "../"+strings.TrimPrefix(r.Mod.Path, "k8s.io/"), ""); err != nil {
			t.Fatal(err)
		}
	}
	goMod.Cleanup()
	data, err := goMod.Format()
	if err != nil {
		t.Fatal(err)
	}
	files["go.mod"] = string(data)

	var goSum strings.Builder
	for line := range strings.Lines(files["go.sum"]) {
		if path, _, _ := strings.Cut(line, " "); !siblings(path) {
			goSum.WriteString(line)
		}
	}
	files["go.sum"] = goSum.String()
}

// userModuleCache is where the go command keeps what it downloads.
func userModuleCache(t *testing.T) string {
	t.Helper()
	return strings.TrimSpace(goCommand(t, t.TempDir(), nil, "env", "GOMODCACHE"))
}

// goCommand runs the go command in dir, as it is configured here but for env.
func goCommand(t testing.TB, dir string, env []string, args ...string) string {
	t.Helper()
	return run(t, dir, append([]string{"GOWORK=off", "GOTOOLCHAIN=local", "GOFLAGS="}, env...), "go", args...)
}

func run(t testing.TB, dir string, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", filepath.Base(name), strings.Join(args, " "), err, stderr.String(), out)
	}
	return string(out)
}
