package pin_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/publisher/pin"
)

// release is a published module: its public files, and the same as they are in
// the monorepo.
type release struct {
	goMod, goSum             []byte
	stagingGoMod, stagingSum []byte
	siblings                 family
}

// readRelease has the go command download a module of Kubernetes. All siblings
// have the same version there, and nothing else has it.
func readRelease(t testing.TB, path, version string) release {
	t.Helper()
	cmd := exec.Command("go", "mod", "download", "-json", path+"@"+version)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go mod download %s@%s: %v\n%s", path, version, err, out)
	}
	var download struct{ Dir string }
	if err := json.Unmarshal(out, &download); err != nil {
		t.Fatal(err)
	}
	var r release
	for name, data := range map[string]*[]byte{"go.mod": &r.goMod, "go.sum": &r.goSum} {
		if *data, err = os.ReadFile(filepath.Join(download.Dir, name)); err != nil {
			t.Fatal(err)
		}
	}

	r.siblings.versions = make(map[string]*pin.Module)
	for line := range strings.Lines(string(r.goSum)) {
		f := strings.Fields(line)
		sibling, file, _ := strings.Cut(f[1], "/")
		if sibling != version {
			r.stagingSum = append(r.stagingSum, line...)
			continue
		}
		m := r.siblings.versions[f[0]]
		if m == nil {
			m = &pin.Module{Path: f[0], Version: version}
			r.siblings.versions[f[0]] = m
			r.siblings.paths = append(r.siblings.paths, f[0])
		}
		if file == "" {
			m.Sum = f[2]
		} else {
			m.GoModSum = f[2]
		}
	}
	var staging strings.Builder
	staging.WriteString(strings.ReplaceAll(string(r.goMod), " "+version, " v0.0.0"))
	staging.WriteString("\nreplace (\n")
	for _, sibling := range append(slices.Clone(r.siblings.paths), path) {
		fmt.Fprintf(&staging, "\t%s => ../%s\n", sibling, strings.TrimPrefix(sibling, "k8s.io/"))
	}
	staging.WriteString(")\n")
	r.stagingGoMod = []byte(staging.String())
	r.siblings.paths = append(r.siblings.paths, path)
	return r
}

func TestReleasesAreWhatWasPublished(t *testing.T) {
	for _, version := range []string{"v0.36.6", "v0.36.0", "v0.32.0"} {
		for path, siblings := range map[string]int{
			"k8s.io/api":                     1,
			"k8s.io/client-go":               2,
			"k8s.io/apiextensions-apiserver": 7,
		} {
			r := readRelease(t, path, version)
			if got := len(r.siblings.versions); got < siblings {
				t.Errorf("%s@%s has %d siblings, want at least %d", path, version, got, siblings)
			}
			goMod, goSum, err := pinFiles(r.siblings, r.stagingGoMod, r.stagingSum)
			if err != nil {
				t.Errorf("%s@%s: %v", path, version, err)
				continue
			}
			if string(goMod) != string(r.goMod) {
				t.Errorf("%s@%s: go.mod:\n%s\npublished:\n%s", path, version, goMod, r.goMod)
			}
			if string(goSum) != string(r.goSum) {
				t.Errorf("%s@%s: go.sum:\n%s\npublished:\n%s", path, version, goSum, r.goSum)
			}
		}
	}
}

// A file seen before, with siblings at other versions: what pinning costs for
// almost every commit.
func BenchmarkPin(b *testing.B) {
	r := readRelease(b, "k8s.io/apiextensions-apiserver", "v0.36.6")
	store := make(blobs)
	goMod, goSum := store.add(r.stagingGoMod), store.add(r.stagingSum)
	p := pin.New(store, r.siblings.paths)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Pin(goMod, goSum, 0, r.siblings.versions); err != nil {
			b.Fatal(err)
		}
	}
}

// Files that are new: parsing included.
func BenchmarkPinFirst(b *testing.B) {
	r := readRelease(b, "k8s.io/apiextensions-apiserver", "v0.36.6")
	siblings := make(map[string]bool)
	for _, path := range r.siblings.paths {
		siblings[path] = true
	}
	b.ReportAllocs()
	for b.Loop() {
		mod, err := pin.ParseMod(r.stagingGoMod, siblings)
		if err != nil {
			b.Fatal(err)
		}
		sum, err := pin.ParseSum(r.stagingSum)
		if err != nil {
			b.Fatal(err)
		}
		mod.Pin(sum, 0, r.siblings.versions)
	}
}
