package pin_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
	"golang.org/x/tools/txtar"

	"k8s.io/publisher/object"
	"k8s.io/publisher/pin"
)

// blobs are files by the names that git gives them.
type blobs map[object.ID][]byte

func (b blobs) add(data []byte) object.ID {
	id := object.Hash(object.BlobType, data)
	b[id] = data
	return id
}

func (b blobs) Blob(id object.ID) ([]byte, error) {
	if data, ok := b[id]; ok {
		return data, nil
	}
	return nil, os.ErrNotExist
}

// family is a set of siblings at one source commit.
type family struct {
	paths    []string
	versions map[string]*pin.Module
}

// parseFamily reads lines of the form
//
//	path [version [unpruned] [requires path@version...]]
//
// The first line of a path is the version to pin to. Hashes are made up.
func parseFamily(t *testing.T, text string) family {
	t.Helper()
	f := family{versions: make(map[string]*pin.Module)}
	all := make(map[string]*pin.Module)
	requires := make(map[string][]string)
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		path := fields[0]
		if !slices.Contains(f.paths, path) {
			f.paths = append(f.paths, path)
		}
		if len(fields) == 1 {
			continue
		}
		name := path + "@" + fields[1]
		m := &pin.Module{Path: path, Version: fields[1], Sum: "h1:" + name, GoModSum: "h1:" + name + "/go.mod"}
		if f.versions[path] == nil {
			f.versions[path] = m
		}
		all[name] = m
		m.Unpruned = slices.Contains(fields, "unpruned")
		if i := slices.Index(fields, "requires"); i >= 0 {
			requires[name] = fields[i+1:]
		}
	}
	for name, required := range requires {
		for _, r := range required {
			if all[r] == nil {
				t.Fatalf("%s requires %s, which is not there", name, r)
			}
			all[name].Requires = append(all[name].Requires, all[r])
		}
	}
	return f
}

// pinFiles pins files that may be nil, and returns the whole outcome.
func pinFiles(f family, goMod, goSum []byte) (newMod, newSum []byte, err error) {
	store := make(blobs)
	modID, sumID := store.add(goMod), object.ID{}
	if goSum != nil {
		sumID = store.add(goSum)
	}
	files, err := pin.New(store, f.paths).Pin(modID, sumID, 0, f.versions)
	if err != nil {
		return nil, nil, err
	}
	newMod, newSum = goMod, goSum
	if files.GoMod != nil {
		newMod = files.GoMod
	}
	if files.GoSum != nil {
		newSum = files.GoSum
	}
	return newMod, newSum, nil
}

func TestFilesArePinned(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatal("no test data", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			file := make(map[string][]byte)
			for _, f := range archive.Files {
				file[f.Name] = f.Data
			}
			siblings := parseFamily(t, string(file["siblings"]))
			goMod, goSum, err := pinFiles(siblings, file["go.mod"], file["go.sum"])
			if want := strings.TrimSpace(string(file["want/error"])); want != "" {
				var syntax *pin.SyntaxError
				if !errors.As(err, &syntax) || err.Error() != want {
					t.Errorf("error %v, want %s", err, want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range []struct {
				name string
				got  []byte
			}{{"go.mod", goMod}, {"go.sum", goSum}} {
				want, changed := file["want/"+c.name]
				if !changed {
					want = file[c.name]
				}
				if !bytes.Equal(c.got, want) {
					t.Errorf("%s:\n%s\nwant:\n%s", c.name, c.got, want)
				}
			}
			againMod, againSum, err := pinFiles(siblings, goMod, goSum)
			if err != nil || !bytes.Equal(againMod, goMod) || !bytes.Equal(againSum, goSum) {
				t.Errorf("pinned again it is another:\n%s\n%s\n%v", againMod, againSum, err)
			}
			if _, changed := file["want/go.mod"]; changed {
				compareWithGoModEdit(t, siblings, file["go.mod"], goMod)
			}
		})
	}
}

// compareWithGoModEdit has the go command make the same edits, of a go.mod that
// it accepts as that of a main module. It also sorts blocks.
func compareWithGoModEdit(t *testing.T, siblings family, source, pinned []byte) {
	t.Helper()
	file, err := modfile.Parse("go.mod", source, nil)
	if err != nil {
		return
	}
	args := []string{"mod", "edit"}
	required := make(map[string]bool)
	for _, r := range file.Require {
		required[r.Mod.Path] = true
	}
	for _, path := range siblings.paths {
		if m := siblings.versions[path]; m != nil && required[path] {
			args = append(args, "-require="+path+"@"+m.Version)
		}
	}
	for _, r := range file.Replace {
		if goesAway(siblings, required, r) {
			args = append(args, "-dropreplace="+strings.TrimSuffix(r.Old.Path+"@"+r.Old.Version, "@"))
		}
	}
	name := filepath.Join(t.TempDir(), "go.mod")
	if err := os.WriteFile(name, source, 0o666); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", append(args, name)...)
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOTOOLCHAIN=local")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go %v: %v\n%s", args, err, out)
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if file, err = modfile.Parse("go.mod", pinned, nil); err != nil {
		t.Fatal(err)
	}
	file.SortBlocks()
	if got := modfile.Format(file.Syntax); !bytes.Equal(got, want) {
		t.Errorf("go.mod, sorted:\n%s\ngo mod edit makes:\n%s", got, want)
	}
}

func TestLineEndingsAreTolerated(t *testing.T) {
	siblings := parseFamily(t, "a.example/b v1.0.0")
	goMod := []byte("module a.example/m\r\n\r\ngo 1.26\r\n\r\nrequire a.example/b v0.0.0 // c\r\n")
	wantMod := "module a.example/m\n\ngo 1.26\n\nrequire a.example/b v1.0.0 // c\n"
	const lines = "a.example/b v1.0.0 h1:a.example/b@v1.0.0\na.example/b v1.0.0/go.mod h1:a.example/b@v1.0.0/go.mod\n"
	for _, test := range []struct{ name, goSum, want string }{
		{"CRLF", "a.example/a v1.0.0 h1:a\r\na.example/c v1.0.0 h1:c\r\n", "a.example/a v1.0.0 h1:a\r\n" + lines + "a.example/c v1.0.0 h1:c\r\n"},
		{"no final newline, before", "a.example/c v1.0.0 h1:c", lines + "a.example/c v1.0.0 h1:c"},
		{"no final newline, after", "a.example/a v1.0.0 h1:a", "a.example/a v1.0.0 h1:a\n" + lines},
		{"no final newline, replaced", "a.example/a v1.0.0 h1:a\na.example/b v1.0.0 h1:wrong", "a.example/a v1.0.0 h1:a\n" + lines},
		{"only blank lines", "\n \n", "\n \n" + lines},
		{"blank last line", "a.example/a v1.0.0 h1:a\n\n", "a.example/a v1.0.0 h1:a\n" + lines + "\n"},
		{"empty", "", lines},
	} {
		gotMod, gotSum, err := pinFiles(siblings, goMod, []byte(test.goSum))
		if err != nil {
			t.Fatal(err)
		}
		if string(gotMod) != wantMod {
			t.Errorf("go.mod %q, want %q", gotMod, wantMod)
		}
		if string(gotSum) != test.want {
			t.Errorf("%s: go.sum %q, want %q", test.name, gotSum, test.want)
		}
	}
}

func TestFilesThatStayAreNil(t *testing.T) {
	store := make(blobs)
	goMod := store.add([]byte("module m\n\ngo 1.26\n\nrequire a.example/b v1.0.0\n"))
	goSum := store.add([]byte("a.example/b v1.0.0 h1:a.example/b@v1.0.0\na.example/b v1.0.0/go.mod h1:a.example/b@v1.0.0/go.mod\n"))
	siblings := parseFamily(t, "a.example/b v1.0.0")
	p := pin.New(store, siblings.paths)
	files, err := p.Pin(goMod, goSum, 0, siblings.versions)
	if err != nil || files.GoMod != nil || files.GoSum != nil {
		t.Errorf("%q, %v; want nil", files, err)
	}
	files, err = p.Pin(goMod, object.ID{}, 0, nil)
	if err != nil || files.GoMod != nil || files.GoSum != nil {
		t.Errorf("without versions: %q, %v; want nil", files, err)
	}
}

func TestPinnerReadsABlobOnce(t *testing.T) {
	store := make(blobs)
	goMod := store.add([]byte("module m\n\ngo 1.26\n\nrequire a.example/b v0.0.0\n"))
	goSum := store.add([]byte("a.example/x v1.0.0 h1:x\n"))
	broken := store.add([]byte("module (\n"))
	p := pin.New(store, []string{"a.example/b"})
	for i, version := range []string{"v1.0.0", "v1.1.0"} {
		siblings := parseFamily(t, "a.example/b "+version)
		files, err := p.Pin(goMod, goSum, 0, siblings.versions)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(files.GoMod), "a.example/b "+version) || !strings.Contains(string(files.GoSum), "a.example/b "+version) {
			t.Errorf("%s is not in %s%s", version, files.GoMod, files.GoSum)
		}
		var syntax *pin.SyntaxError
		if _, err := p.Pin(broken, goSum, 0, siblings.versions); !errors.As(err, &syntax) {
			t.Errorf("call %d: error %v, want a syntax error", i, err)
		}
		clear(store)
	}
	var syntax *pin.SyntaxError
	if _, err := p.Mod(object.Hash(object.BlobType, nil)); !errors.Is(err, os.ErrNotExist) || errors.As(err, &syntax) {
		t.Errorf("error %v, want that of the blob that is not there", err)
	}
}

func TestContentOfAnotherFileIsNeverPinned(t *testing.T) {
	const goMod, damaged = "module m\n\nrequire a.example/b v0.0.0\n", "module m\n\nrequire a.example/c v0.0.0\n"
	siblings := parseFamily(t, "a.example/b v1.0.0")
	store := make(blobs)
	id, other := store.add([]byte(goMod)), store.add([]byte(damaged))
	store[id] = store[other]
	var syntax *pin.SyntaxError
	if _, err := pin.New(store, siblings.paths).Pin(id, object.ID{}, 0, siblings.versions); err == nil || errors.As(err, &syntax) || !strings.Contains(err.Error(), other.String()) {
		t.Errorf("error %v; want one that names %s", err, other)
	}
}

func TestModSaysWhatItRequires(t *testing.T) {
	siblings := map[string]bool{"e.example/a": true, "e.example/b": true, "e.example/c": true, "e.example/m": true}
	for _, test := range []struct {
		goMod    string
		want     []string
		unpruned bool
	}{
		{"module e.example/m\ngo 1.26.0\nrequire (\ne.example/b v0.0.0\ne.example/x v1.0.0\ne.example/a v0.0.0\ne.example/m v0.0.0\n)\nreplace e.example/c => ../c\n", []string{"e.example/b", "e.example/a"}, false},
		{"module e.example/m\ngo 1.17\n", nil, false},
		{"module e.example/m\ngo 1.17rc1\n", nil, true},
		{"module e.example/m\ngo 1.16\n", nil, true},
		{"module e.example/m\n", nil, true},
		{"module e.example/m\ngo 1.21.x\n", nil, false},
		{"", nil, true},
	} {
		m, err := pin.ParseMod([]byte(test.goMod), siblings)
		if err != nil {
			t.Errorf("%q: %v", test.goMod, err)
			continue
		}
		if !slices.Equal(m.Requires, test.want) || m.Unpruned() != test.unpruned {
			t.Errorf("%q: requires %v, unpruned %v; want %v, %v", test.goMod, m.Requires, m.Unpruned(), test.want, test.unpruned)
		}
	}
}

func TestNoReplaceLeadsOutOfTheMirror(t *testing.T) {
	const never = 3
	for _, test := range []struct {
		target string
		depth  int // from which one on it stays
	}{
		{".", never},
		{"./", never},
		{"./nested/..", never},
		{"..", 1},
		{"../", 1},
		{"../x", 1},
		{"../../x", 2},
		{"./../x", 1},
		{"./a/../../b", 1},
		{"./a/../../../b", 2},
		{"../x/../../y", 2},
		{"/abs", never},
		{"/", never},
		{`..\x`, 1},
		{`..\..\x`, 2},
		{`\x`, never},
		{`C:\x`, never},
		{"./nested", 0},
		{"./nested/deeper/../sub", 0},
		{"./..nested", 0},
		{"./nested../x", 0},
		{`.\nested`, 0},
		{"example.com/fork v1.0.0", 0},
	} {
		path, version, _ := strings.Cut(test.target, " ")
		quoted := strings.TrimSpace(strconv.Quote(path) + " " + version)
		for _, old := range []string{"example.com/x", "example.com/x v1.2.3", "example.com/m", "example.com/sibling"} {
			for _, replace := range []string{
				"replace " + old + " => " + test.target + "\n",
				"replace " + old + " => " + quoted + " // why\n",
				"replace (\n\texample.com/z => ./z\n\t" + old + " => " + test.target + "\n)\n",
				"future directive\nreplace (\n\t" + old + " => " + quoted + "\n)\n",
			} {
				goMod := "module example.com/m\n\ngo 1.26\n\n" + replace
				m, err := pin.ParseMod([]byte(goMod), map[string]bool{"example.com/sibling": true})
				if err != nil {
					t.Fatalf("%q: %v", replace, err)
				}
				for depth := range never {
					stays := depth >= test.depth
					pinned := m.Pin(nil, depth, nil)
					if unchanged := pinned.GoMod == nil; unchanged != stays || strings.Contains(string(pinned.GoMod), old+" =>") {
						t.Errorf("at depth %d %q\nbecomes %q", depth, goMod, pinned.GoMod)
					}
				}
			}
		}
	}
}

func TestPlaceholdersAreFound(t *testing.T) {
	const zero = "v0.0.0-00010101000000-000000000000"
	for _, test := range []struct {
		name, goMod string
		want        []pin.Requirement
	}{
		{"none", "require e.example/a v0.0.1\n", nil},
		{"a version like one", "require (\n\te.example/a v0.0.0-20240102030405-0123456789ab\n\te.example/b v0.0.0-rc.1\n)\n", nil},
		{"one", "require e.example/a v0.0.0\n", []pin.Requirement{{Path: "e.example/a", Version: "v0.0.0", Line: 3}}},
		{"a zero pseudo-version", "require (\n\te.example/b v1.0.0\n\te.example/a " + zero + " // indirect\n)\n", []pin.Requirement{{Path: "e.example/a", Version: zero, Line: 5}}},
		{"of a later major version", "require e.example/a/v2 v2.0.0-00010101000000-000000000000\n", []pin.Requirement{{Path: "e.example/a/v2", Version: "v2.0.0-00010101000000-000000000000", Line: 3}}},
		{"a sibling", "require e.example/sibling v0.0.0\n", []pin.Requirement{{Path: "e.example/sibling", Version: "v0.0.0", Line: 3}}},
		{"itself", "require e.example/m v0.0.0\n", nil},
		{"replaced next door", "require e.example/a v0.0.0\nreplace e.example/a => ../a\n", []pin.Requirement{{"e.example/a", "v0.0.0", 3, true}}},
		{"replaced inside", "replace \"e.example/a\" v0.0.0 => \"./a\"\nrequire e.example/a v0.0.0\n", []pin.Requirement{{"e.example/a", "v0.0.0", 4, true}}},
		{"replaced by a module", "require e.example/a v0.0.0\nreplace e.example/a => e.example/fork v1.0.0\n", []pin.Requirement{{Path: "e.example/a", Version: "v0.0.0", Line: 3}}},
		{"another replaced", "require e.example/a v0.0.0\nreplace (\n\te.example/b => ../b\n)\n", []pin.Requirement{{Path: "e.example/a", Version: "v0.0.0", Line: 3}}},
		{"as a dependency only", "future directive\nrequire e.example/a v0.0.0\nreplace e.example/a => ../a\n", []pin.Requirement{{"e.example/a", "v0.0.0", 4, true}}},
	} {
		m, err := pin.ParseMod([]byte("module e.example/m\n\n"+test.goMod), map[string]bool{"e.example/sibling": true})
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		} else if !slices.Equal(m.Placeholders, test.want) {
			t.Errorf("%s: %v, want %v", test.name, m.Placeholders, test.want)
		}
	}
}

func TestPinnedSiblingIsNotReplaced(t *testing.T) {
	siblings := parseFamily(t, "e.example/a v1.0.0\ne.example/b\n")
	const head = "module e.example/m\n\ngo 1.26\n\nrequire (\n\te.example/a v0.0.0\n\te.example/b v0.0.0\n)\n"
	goMod, _, err := pinFiles(siblings, []byte(head+"\nreplace (\n\te.example/a => ./a\n\te.example/b => ./b\n)\n"), nil)
	want := strings.Replace(head, "a v0.0.0", "a v1.0.0", 1) + "\nreplace e.example/b => ./b\n"
	if err != nil || string(goMod) != want {
		t.Errorf("%s\nwant: %s%v", goMod, want, err)
	}
}
