package pin_test

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"

	"k8s.io/publisher/goproxy"
	"k8s.io/publisher/object"
	"k8s.io/publisher/pin"
)

// mirrors publishes modules of a monorepo to a module proxy.
type mirrors struct {
	t       *testing.T
	objects objects
	proxy   *goproxy.Writer
	paths   []string
	current map[string]*pin.Module
}

// objects are git objects by their names.
type objects struct{ blobs, trees blobs }

func (o objects) Blob(id object.ID) ([]byte, error) { return o.blobs.Blob(id) }
func (o objects) Tree(id object.ID) ([]byte, error) { return o.trees.Blob(id) }

func newMirrors(t *testing.T, paths ...string) *mirrors {
	objects := objects{make(blobs), make(blobs)}
	return &mirrors{t, objects, &goproxy.Writer{Dir: t.TempDir(), Objects: objects}, paths, make(map[string]*pin.Module)}
}

// publish pins a module that imports others to their current versions, and
// makes the new version current. It returns the files.
func (m *mirrors) publish(path, version, goVersion string, imports, indirect []string) map[string]string {
	m.t.Helper()
	goMod := "module " + path + "\n\n" + goVersion + "\n"
	source := "package " + filepath.Base(path) + "\n"
	for _, i := range imports {
		goMod += "\nrequire " + i + " v0.0.0\n\nreplace " + i + " => ../" + filepath.Base(i) + "\n"
		source += "\nimport _ \"" + i + "\"\n"
	}
	for _, i := range indirect {
		goMod += "\nrequire " + i + " v0.0.0 // indirect\n"
	}
	p := pin.New(m.objects, m.paths)
	goModID := m.objects.blobs.add([]byte(goMod))
	files, err := p.Pin(goModID, object.ID{}, 0, m.current)
	if err != nil {
		m.t.Fatal(err)
	}
	content := map[string]string{"go.mod": goMod, "m.go": source, "version.txt": version + "\n"}
	if files.GoMod != nil {
		content["go.mod"] = string(files.GoMod)
	}
	if files.GoSum != nil {
		content["go.sum"] = string(files.GoSum)
	}

	var entries []object.Entry
	for name, data := range content {
		entries = append(entries, object.Entry{Mode: object.ModeRegular, Name: name, ID: m.objects.blobs.add([]byte(data))})
	}
	tree := object.EncodeTree(entries)
	treeID := object.Hash(object.TreeType, tree)
	m.objects.trees[treeID] = tree
	if err := m.proxy.Add(module.Version{Path: path, Version: version}, time.Unix(1700000000, 0), treeID, treeID); err != nil {
		m.t.Fatal(err)
	}

	mod, err := p.Mod(goModID)
	if err != nil {
		m.t.Fatal(err)
	}
	base := filepath.Join(m.proxy.Dir, filepath.FromSlash(path), "@v", version)
	zipSum, err := dirhash.HashZip(base+".zip", dirhash.Hash1)
	if err != nil {
		m.t.Fatal(err)
	}
	modSum, err := dirhash.Hash1([]string{"go.mod"}, func(string) (io.ReadCloser, error) { return os.Open(base + ".mod") })
	if err != nil {
		m.t.Fatal(err)
	}
	published := &pin.Module{Path: path, Version: version, Sum: zipSum, GoModSum: modSum, Unpruned: mod.Unpruned()}
	for _, r := range mod.Requires {
		published.Requires = append(published.Requires, m.current[r])
	}
	m.current[path] = published
	return content
}

// build builds a published module in its mirror, where go.sum must do.
func (m *mirrors) build(files map[string]string) error {
	m.t.Helper()
	dir := m.t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o666); err != nil {
			m.t.Fatal(err)
		}
	}
	cache := filepath.Join(m.t.TempDir(), "mod")
	for _, args := range [][]string{{"list", "-mod=readonly", "-m", "all"}, {"build", "-mod=readonly", "./..."}, {"mod", "verify"}} {
		cmd := exec.Command("go", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOPROXY=file://"+m.proxy.Dir, "GONOSUMDB=*", "GOPRIVATE=", "GONOPROXY=none",
			"GOFLAGS=-modcacherw", "GOWORK=off", "GOTOOLCHAIN=local", "GOMODCACHE="+cache)
		if out, err := cmd.CombinedOutput(); err != nil {
			return errors.New("go " + strings.Join(args, " ") + ": " + string(out))
		}
	}
	return nil
}

func TestMirrorsBuildWithTheirGoSum(t *testing.T) {
	const bottom, base, middle, top = "example.com/bottom", "example.com/base", "example.com/middle", "example.com/top"
	for name, versions := range map[string]struct{ low, middle, top string }{
		"pruned":           {"go 1.26", "go 1.26", "go 1.26"},
		"unpruned":         {"go 1.16", "go 1.16", "go 1.16"},
		"without go lines": {"", "", ""},
		"unpruned ends":    {"go 1.16", "go 1.17", "go 1.16"},
		"unpruned top":     {"go 1.17", "go 1.17", "go 1.15"},
		"unpruned middle":  {"go 1.17", "go 1.16", "go 1.26"},
		"unpruned below":   {"go 1.15", "go 1.17", "go 1.20"},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMirrors(t, bottom, base, middle, top)
			// From go 1.17 on, go.mod names what the packages below need.
			indirect := func(goVersion string, path ...string) []string {
				if goVersion >= "go 1.17" {
					return path
				}
				return nil
			}
			m.publish(bottom, "v0.1.0", versions.low, nil, nil)
			m.publish(base, "v0.1.0", versions.low, []string{bottom}, nil)
			inMiddle := m.publish(middle, "v0.1.0", versions.middle, []string{base}, indirect(versions.middle, bottom))
			// The middle does not change with those below it, so it keeps
			// requiring their old versions.
			m.publish(bottom, "v0.2.0", versions.low, nil, nil)
			m.publish(base, "v0.2.0", versions.low, []string{bottom}, nil)
			inTop := m.publish(top, "v0.2.0", versions.top, []string{middle, base}, indirect(versions.top, bottom))
			for _, files := range []map[string]string{inMiddle, inTop} {
				if err := m.build(files); err != nil {
					t.Errorf("%s%s\n%v", files["go.mod"], files["go.sum"], err)
				}
			}
			for line := range strings.Lines(inTop["go.sum"]) {
				less := map[string]string{"go.mod": inTop["go.mod"], "m.go": inTop["m.go"], "go.sum": strings.Replace(inTop["go.sum"], line, "", 1)}
				if m.build(less) == nil {
					t.Errorf("it builds without the line %s", line)
				}
			}
		})
	}
}
