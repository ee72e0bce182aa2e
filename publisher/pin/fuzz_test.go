package pin_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/tools/txtar"

	"k8s.io/publisher/pin"
)

// fuzzFamily is what fuzzed files have as siblings.
func fuzzFamily(t *testing.T) family {
	return parseFamily(t, `
example.com/a v1.0.0 requires example.com/b@v0.8.0
example.com/b v0.10.0 unpruned requires example.com/c@v0.7.0
example.com/b v0.8.0
example.com/c v0.0.0-20240102030405-0123456789ab
example.com/c v0.7.0
example.com/d
k8s.io/api v0.36.6
`[1:])
}

// editedMod makes a pinned go.mod the slow way: for these versions alone, all
// of it with modfile. It returns source itself where there is nothing to do,
// and false for what modfile takes as a dependency's file only.
func editedMod(siblings family, source []byte) ([]byte, bool) {
	file, err := modfile.Parse("go.mod", source, nil)
	if err != nil {
		return nil, false
	}
	own := ""
	if file.Module != nil {
		own = file.Module.Mod.Path
	}
	required := make(map[string]bool)
	for _, r := range file.Require {
		required[r.Mod.Path] = r.Mod.Path != own
	}
	applies := false
	for _, path := range siblings.paths {
		if m := siblings.versions[path]; m != nil && required[path] {
			if err := file.AddRequire(path, m.Version); err != nil {
				panic(err)
			}
			applies = true
		}
	}
	for _, r := range slices.Clone(file.Replace) {
		if old := r.Old; goesAway(siblings, required, r) {
			if countReplaces(file, old) > 1 {
				return nil, false // DropReplace would take others with it.
			}
			if err := file.DropReplace(old.Path, old.Version); err != nil {
				panic(err)
			}
			applies = true
		}
	}
	if !applies {
		return source, true
	}
	file.Cleanup()
	edited, err := file.Format()
	if err != nil {
		panic(err)
	}
	return edited, true
}

// goesAway reports whether a replace has no place in a mirror: it is by a directory
// that is not there, or of a sibling that is required at a version.
func goesAway(siblings family, required map[string]bool, r *modfile.Replace) bool {
	if r.New.Version != "" || !modfile.IsDirectoryPath(r.New.Path) {
		return false
	}
	const mirror = "/a folder/that has/any name/"
	target := strings.ReplaceAll(r.New.Path, "\\", "/")
	outside := target[0] != '.' || !strings.HasPrefix(path.Join(mirror, target), mirror)
	return outside || required[r.Old.Path] && siblings.versions[r.Old.Path] != nil
}

func countReplaces(file *modfile.File, old module.Version) int {
	n := 0
	for _, r := range file.Replace {
		if r.Old == old {
			n++
		}
	}
	return n
}

func FuzzModIsWhatModfileMakes(f *testing.F) {
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range archive.Files {
			if file.Name == "go.mod" {
				f.Add(file.Data)
			}
		}
	}
	f.Add([]byte("module example.com/a\nrequire example.com/a v1.0.0\nrequire example.com/b v1.0.0 // \x00\x00 x"))
	f.Add([]byte("module example.com/m\ngo 1.21.x\nrequire `example.com/b` \"v1\"\nx (\n)\n"))
	f.Add([]byte("module example.com/m\nmodule x (\n\ty\n)\nrequire example.com/a v0\n"))
	f.Add([]byte("replace example.com/a => 0\nreplace(\nexample.com/a => (//0\n)\nreplace example.com/a => ."))
	f.Add([]byte("module example.com/m\ngodebug (\n\trequire (\n)\nrequire example.com/a v1.0.0\n"))
	f.Fuzz(func(t *testing.T, source []byte) {
		siblings := fuzzFamily(t)
		pinned, _, err := pinFiles(siblings, source, nil)
		want, strict := editedMod(siblings, source)
		if err != nil {
			var syntax *pin.SyntaxError
			if !errors.As(err, &syntax) || syntax.Line < 1 || syntax.Line > bytes.Count(source, []byte("\n"))+1 {
				t.Errorf("error %v without a line", err)
			}
			if _, err := modfile.ParseLax("go.mod", source, nil); err == nil {
				t.Errorf("error %v for what the go command takes", syntax)
			}
			return
		}
		if strict && !bytes.Equal(pinned, want) {
			t.Errorf("pinned: %q\nwant: %q", pinned, want)
		}
		file, err := modfile.ParseLax("go.mod", pinned, nil)
		if err != nil {
			t.Fatalf("pinned %q: %v", pinned, err)
		}
		for _, r := range file.Require {
			m := siblings.versions[r.Mod.Path]
			own := file.Module != nil && file.Module.Mod.Path == r.Mod.Path
			if m != nil && !own && r.Mod.Version != m.Version {
				t.Errorf("requires %v", r.Mod)
			}
		}
		if again, _, err := pinFiles(siblings, pinned, nil); err != nil || !bytes.Equal(again, pinned) {
			t.Errorf("pinned: %q\npinned again: %q, %v", pinned, again, err)
		}
	})
}

// tidySum makes a go.sum the slow way, as the go command writes it: all lines
// are read into a map and come out sorted, each once.
func tidySum(goSum []byte, sums map[module.Version]string) []byte {
	lines := make(map[module.Version][]string)
	for line := range strings.Lines(string(goSum)) {
		if f := strings.Fields(line); len(f) > 0 {
			mod := module.Version{Path: f[0], Version: f[1]}
			if !slices.Contains(lines[mod], f[2]) {
				lines[mod] = append(lines[mod], f[2])
			}
		}
	}
	for mod, sum := range sums {
		delete(lines, mod)
		if sum != "" {
			lines[mod] = []string{sum}
		}
	}
	var mods []module.Version
	for mod := range lines {
		mods = append(mods, mod)
	}
	module.Sort(mods)
	var b bytes.Buffer
	for _, mod := range mods {
		slices.Sort(lines[mod])
		for _, hash := range lines[mod] {
			fmt.Fprintf(&b, "%s %s %s\n", mod.Path, mod.Version, hash)
		}
	}
	return b.Bytes()
}

// fuzzMod requires all of [fuzzFamily]; fuzzSums is what its go.sum must have.
const fuzzMod = `module example.com/m

go 1.26

require (
	example.com/a v0.0.0
	example.com/b v0.0.0
	example.com/c v0.0.0
	example.com/d v0.0.0
	k8s.io/api v0.0.0
)
`

func fuzzSums(siblings family) map[module.Version]string {
	sums := map[module.Version]string{
		{Path: "example.com/c", Version: "v0.7.0"}:        "",
		{Path: "example.com/c", Version: "v0.7.0/go.mod"}: "h1:example.com/c@v0.7.0/go.mod",
	}
	for name, m := range siblings.versions {
		sums[module.Version{Path: name, Version: m.Version}] = m.Sum
		sums[module.Version{Path: name, Version: m.Version + "/go.mod"}] = m.GoModSum
	}
	return sums
}

func TestSortedSumIsWhatTheGoCommandWrites(t *testing.T) {
	siblings := fuzzFamily(t)
	sums := fuzzSums(siblings)
	random := rand.New(rand.NewPCG(1, 2))
	paths := []string{"cloud.google.com/go", "example.com/a", "example.com/a/v2", "example.com/b", "example.com/b-c", "example.com/c", "k8s.io/api", "k8s.io/apimachinery", "k8s.io", "z"}
	versions := []string{"v0.7.0", "v0.9.0", "v0.10.0", "v0.36.6", "v1.0.0", "v1.0.0-rc.1", "v0.0.0-20240102030405-0123456789ab", "v0.0.0-20240102030406-0123456789ab", "v3.0.0+incompatible"}
	for range 3000 {
		var source bytes.Buffer
		for range random.IntN(30) {
			fmt.Fprintf(&source, "%s %s%s h1:%d\n", paths[random.IntN(len(paths))], versions[random.IntN(len(versions))],
				[]string{"", "/go.mod"}[random.IntN(2)], random.IntN(3))
		}
		sorted := tidySum(source.Bytes(), nil)
		_, got, err := pinFiles(siblings, []byte(fuzzMod), sorted)
		if err != nil {
			t.Fatal(err)
		}
		if want := tidySum(sorted, sums); !bytes.Equal(got, want) {
			t.Fatalf("source:\n%s\ngo.sum:\n%s\nwant:\n%s", sorted, got, want)
		}
		_, got, err = pinFiles(siblings, []byte(fuzzMod), source.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if got, want := tidySum(got, nil), tidySum(source.Bytes(), sums); !bytes.Equal(got, want) {
			t.Fatalf("source:\n%s\ngo.sum, sorted:\n%s\nwant:\n%s", source.Bytes(), got, want)
		}
	}
}

func FuzzSumKeepsForeignLines(f *testing.F) {
	f.Add([]byte("example.com/a v1.0.0 h1:x\nexample.com/b v0.9.0 h1:y\r\n\n z z z"))
	f.Add([]byte("example.com/a v1.0.0+incompatible h1:x\nexample.com/a v1.0.0/x h1:y\nexample.com/a v1.0.0-0 h1:y"))
	f.Add([]byte("malformed line"))
	f.Fuzz(func(t *testing.T, source []byte) {
		siblings := fuzzFamily(t)
		_, pinned, err := pinFiles(siblings, []byte(fuzzMod), source)
		if err != nil {
			var syntax *pin.SyntaxError
			if !errors.As(err, &syntax) {
				t.Errorf("error %v", err)
			}
			return
		}
		ours := fuzzSums(siblings)
		isOurs := func(line []byte) bool {
			f := strings.Fields(string(line))
			if len(f) == 0 {
				return false
			}
			version, _, _ := strings.Cut(f[1], "/")
			_, ok := ours[module.Version{Path: f[0], Version: version}]
			return ok
		}
		foreign := func(file []byte) (lines []string) {
			for line := range bytes.Lines(file) {
				if !isOurs(line) {
					lines = append(lines, strings.TrimSuffix(string(line), "\n"))
				}
			}
			return lines
		}
		if got, want := foreign(pinned), foreign(source); !slices.Equal(got, want) {
			t.Errorf("foreign lines %q, want %q", got, want)
		}
		have := make(map[module.Version]string)
		for line := range bytes.Lines(pinned) {
			if f := strings.Fields(string(line)); isOurs(line) {
				mod := module.Version{Path: f[0], Version: f[1]}
				if have[mod] != "" || ours[mod] != f[2] {
					t.Errorf("line %q", line)
				}
				have[mod] = f[2]
			}
		}
		for mod, sum := range ours {
			if have[mod] != sum {
				t.Errorf("%v has sum %q, want %q", mod, have[mod], sum)
			}
		}
		if _, again, err := pinFiles(siblings, []byte(fuzzMod), pinned); err != nil || !bytes.Equal(again, pinned) {
			t.Errorf("pinned: %q\npinned again: %q, %v", pinned, again, err)
		}
	})
}
