package modhash

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/module"

	"k8s.io/publisher/object"
)

const (
	oldMod = "module mods.test/m.git\n\ngo 1.20\n"
	newMod = "module mods.test/m.git\n\ngo 1.24.0\n"
)

// base is a small module in which everything else is put.
var base = files{
	"go.mod":          newMod,
	"a.go":            "package m\n",
	"LICENSE":         "free\n",
	"a.b/c.go":        "package c\n",
	"a/x.go":          "package a\n",
	"a-b/x.go":        "package ab\n",
	"a/deep/down.go":  "package down\n",
	"a.txt":           "one\ntwo\n",
	"crlf.txt":        "one\r\ntwo\r\n",
	"with ident.c":    "$Id$\n",
	"version/base.go": "package version\n\nconst id = \"$Format:%H$\"\n",
}

var vendored = files{
	"vendor/modules.txt":               "# x\n",
	"vendor/direct.go":                 "package vendor\n",
	"vendor/example.com/x/x.go":        "package x\n",
	"vendor/vendor/v.go":               "package v\n",
	"vendor/bad:name/x.go":             "",
	"a/vendor/modules.txt":             "# x\n",
	"a/vendor/direct.go":               "package vendor\n",
	"a/vendor/example.com/x/x.go":      "package x\n",
	"a/deep/vendor/direct.go":          "package vendor\n",
	"a/deep/vendor/x/vendor/direct.go": "package vendor\n",
	"b/c/vendor":                       "a file\n",
	"vendors/x.go":                     "package vendors\n",
	"a/xvendor/x.go":                   "package xvendor\n",
}

// moduleTests are trees, and whether the go command can fetch them. The path is
// the fault's.
var moduleTests = []struct {
	name  string
	files files
	tree  func(*store) object.ID
	// git is whether the tree must go by git archive; all others must not.
	git  bool
	path string
	fail bool
}{
	{name: "plain", files: base},
	{name: "empty tree", files: files{}},
	{name: "no go.mod", files: files{"a.go": "package m\n", "vendor/x/x.go": "package x\n", "a/vendor/x.go": "package x\n"}},
	{name: "only links", files: files{"link:a": "b", "link:c/d": "e"}},
	{name: "modes", files: base.with(files{"exec:run.sh": "#!/bin/sh\n", "group:old.go": "package m\n"})},
	{name: "links", files: base.with(files{"link:l": "a.go", "link:a/l": "../b", "link:dir": "a", "link:out": "/etc/passwd"})},
	{name: "link to a nested go.mod", files: base.with(files{"link:a/go.mod": "../go.mod"})},
	{name: "submodules", files: base.with(files{"submodule:s": "", "submodule:a/s": "", "submodule:A.go": "", "submodule:con": ""})},
	{name: "submodule called go.mod", files: base.with(files{"submodule:a/go.mod": ""})},
	{name: "empty directories", files: base.with(files{"dir:e": "", "dir:a/e/f": "", "dir:A": "", "dir:aux": ""})},
	{name: "nested modules", files: base.with(files{"n/go.mod": "module n\n", "n/x.go": "package n\n", "n/sub/y.go": "package sub\n", "a/n/go.mod": "", "a/n/x/x.go": ""})},
	{name: "nested modules in other case", files: base.with(files{"n/Go.Mod": "module n\n", "n/x.go": "package n\n", "exec:o/GO.MOD": "", "o/x/x.go": ""})},
	{name: "directory called go.mod", files: base.with(files{"a/go.mod/x.go": "package x\n", "b/GO.MOD/x.go": "package x\n"})},
	// The go command makes the zip, then stumbles over it.
	{name: "root directory called go.mod", files: files{"go.mod/x.go": "package x\n", "y.go": "package y\n"}},
	{name: "bad names in nested modules", files: base.with(files{"n/go.mod": "module n\n", "n/aux.go": "", "n/A": "", "n/a": "", "n/x:y": "", "n/\xff": ""})},
	{name: "bad name of a nested module", files: base.with(files{"aux/go.mod": "module n\n", "A/go.mod": "module n\n", "A/x": ""})},
	{name: "vendored before 1.24", files: base.with(vendored).with(files{"go.mod": oldMod})},
	{name: "vendored from 1.24", files: base.with(vendored)},
	{name: "vendored in 1.24rc1", files: base.with(vendored).with(files{"go.mod": "module mods.test/m.git\ngo 1.24rc1\n"})},
	{name: "vendored in 1.23.9", files: base.with(vendored).with(files{"go.mod": "module mods.test/m.git\ngo 1.23.9\n"})},
	{name: "vendored without go line", files: base.with(vendored).with(files{"go.mod": "module mods.test/m.git\n"})},
	{name: "vendor is a module", files: base.with(vendored).with(files{"vendor/go.mod": "module v\n", "a/vendor/go.mod": "module v\n"})},
	{name: "mercurial", files: base.with(files{".hg_archival.txt": "x", "a/.hg_archival.txt": "y"})},
	{name: "mercurial directory", files: base.with(files{".hg_archival.txt/f": "x"})},
	{name: "harmless git files", files: base.with(files{".gitignore": "x\n", ".gitmodules": "", ".github/x.yml": "", ".gitattributes": "", "git~2": "", ".git-x/y": "", ".gitx": "", "a/.gitkeep": ""})},
	{name: "unicode names", files: base.with(files{"ü/é.go": "package e\n", "日本.go": "package j\n"})},
	{name: "odd but valid names", files: base.with(files{"a b/c d.go": "", "-x": "", "a/~1": "", "#x": "", "@": "", "x=y,z+{}[]()!%^": "", "...x": "", ".x": ""})},
	{name: "licenses", files: base.with(files{"a/LICENSE": "x", "a/license.txt": "y"})},

	{name: "go.mod in capitals", files: files{"GO.MOD": newMod, "a.go": "package m\n"}, fail: true, path: "GO.MOD"},
	{name: "go.mod and a link in capitals", files: base.with(files{"link:Go.mod": "go.mod"}), fail: true, path: "Go.mod"},
	{name: "colliding files", files: base.with(files{"a/X.go": ""}), fail: true, path: "a/x.go"},
	{name: "colliding directories", files: base.with(files{"A/y.go": ""}), fail: true, path: "a"},
	{name: "colliding file and directory", files: base.with(files{"A": ""}), fail: true, path: "a"},
	{name: "colliding link", files: base.with(files{"link:A.go": "x"}), fail: true, path: "a.go"},
	{name: "colliding by Kelvin", files: base.with(files{"k": "", "\u212a": ""}), fail: true, path: "\u212a"},
	{name: "colliding by long s", files: base.with(files{"a/\u017f/x": "", "a/S/y": ""}), fail: true, path: "a/\u017f"},
	{name: "dotted I does not collide", files: base.with(files{"i": "", "\u0130": "", "\u0131": ""})},
	{name: "reserved name", files: base.with(files{"a/aux.go": ""}), fail: true, path: "a/aux.go"},
	{name: "reserved directory", files: base.with(files{"a/Con/x.go": ""}), fail: true, path: "a/Con"},
	{name: "reserved directory of links", files: base.with(files{"link:a/con/x.go": "y"}), fail: true, path: "a/con"},
	{name: "bad link name", files: base.with(files{"link:a/x?": "y"}), fail: true, path: "a/x?"},
	{name: "trailing dot", files: base.with(files{"a/x.": ""}), fail: true, path: "a/x."},
	{name: "colon", files: base.with(files{"a:b": ""}), fail: true, path: "a:b"},
	{name: "quote", files: base.with(files{"a\"b": ""}), fail: true, path: "a\"b"},
	{name: "newline", files: base.with(files{"a/b\nc": ""}), fail: true, path: "a/b\nc"},
	{name: "invalid UTF-8", files: base.with(files{"a/\xff": ""}), fail: true, path: "a/\xff"},
	{name: "emoji", files: base.with(files{"a/\U0001F600": ""}), fail: true, path: "a/\U0001F600"},
	{name: "three dots", files: base.with(files{"...": ""}), fail: true, path: "..."},
	{name: "backslash", files: base.with(files{`a\b`: ""}), fail: true, git: true, path: `a\b`},

	{name: "git directory", files: base.with(files{".git/x": ""}), git: true, fail: true},
	{name: "git directory in a nested module", files: base.with(files{"n/go.mod": "", "n/.GIT": ""}), git: true, fail: true},
	{name: "git directory when vendored", files: base.with(files{"vendor/x/.git/x": ""}), git: true, fail: true},
	{name: "git directory for NTFS", files: base.with(files{"a/GIT~1/x": ""}), git: true, fail: true},
	{name: "git directory with trailing space", files: base.with(files{"a/.git /x": ""}), git: true, fail: true},
	{name: "git stream", files: base.with(files{"vendor/a/.git::$INDEX_ALLOCATION/x": ""}), git: true, fail: true},
	{name: "empty git directory", files: base.with(files{"dir:.git": ""}), git: true},
	{name: "git submodule called git", files: base.with(files{"submodule:.git": ""}), git: true, fail: true},
	{name: "link called gitmodules", files: base.with(files{"link:.gitmodules": "x"}), git: true, fail: true},
	{name: "link called gitmodules for NTFS", files: base.with(files{"link:a/GITMOD~1": "x"}), git: true, fail: true},
	{name: "link called by hash for NTFS", files: base.with(files{"link:a/gi7eba~1": "x"}), git: true, fail: true},
	{name: "link in a directory called gitmodules", files: base.with(files{"link:.gitmodules/a/x": "y"}), git: true, fail: true},
	{name: "link in a directory called gitmodules for NTFS", files: base.with(files{"link:GITMOD~1/x": "y"}), git: true},
	{name: "parent directory", files: base.with(files{"a/../x": ""}), git: true, fail: true},

	{name: "unsorted tree", git: true, tree: func(s *store) object.ID {
		return s.rawTree(
			object.Entry{Mode: object.ModeRegular, Name: "z.go", ID: s.blob("package m\n")},
			object.Entry{Mode: object.ModeRegular, Name: "go.mod", ID: s.blob(newMod)},
			object.Entry{Mode: object.ModeRegular, Name: "a.go", ID: s.blob("package m\n")})
	}},
	{name: "directory sorted as a file", git: true, tree: func(s *store) object.ID {
		return s.rawTree(
			object.Entry{Mode: object.ModeDir, Name: "a", ID: s.tree(files{"x": "1"})},
			object.Entry{Mode: object.ModeRegular, Name: "a.b", ID: s.blob("2")},
			object.Entry{Mode: object.ModeRegular, Name: "go.mod", ID: s.blob(newMod)})
	}},
	{name: "duplicate entries", git: true, fail: true, path: "a", tree: func(s *store) object.ID {
		return s.rawTree(
			object.Entry{Mode: object.ModeRegular, Name: "a", ID: s.blob("1")},
			object.Entry{Mode: object.ModeRegular, Name: "a", ID: s.blob("2")})
	}},
	{name: "file and directory of one name", git: true, fail: true, path: "a/x", tree: func(s *store) object.ID {
		return s.rawTree(
			object.Entry{Mode: object.ModeRegular, Name: "a", ID: s.blob("1")},
			object.Entry{Mode: object.ModeRegular, Name: "a.b", ID: s.blob("1")},
			object.Entry{Mode: object.ModeDir, Name: "a", ID: s.tree(files{"x": "1"})})
	}},
	{name: "unknown file type", git: true, tree: func(s *store) object.ID {
		return s.rawTree(
			object.Entry{Mode: object.ModeRegular, Name: "a", ID: s.blob("1")},
			object.Entry{Mode: 0o060000, Name: "device", ID: object.Hash(object.BlobType, []byte("nowhere"))})
	}},

	{name: "export attributes", files: base.with(files{
		".gitattributes":         "a export-ignore\n*.txt export-ignore\nversion/** export-subst\n/a.b/ export-ignore\n",
		"version/.gitattributes": "base.go export-subst\n",
		"a/.gitattributes":       "* export-ignore\n"})},
	{name: "export macros", files: base.with(files{".gitattributes": "[attr]gone export-ignore export-subst\n* gone\n"})},
	{name: "harmless attributes", files: base.with(files{
		".gitattributes": "\ufeff# eol=crlf ident\n  # ident\n*.go text diff=golang merge=union linguist-generated=true eol=lf\n" +
			"*.txt text=auto whitespace=cr-at-eol -crlf\n*.c crlf=input -ident !eol !working-tree-encoding filter=lfs diff=lfs merge=lfs\n" +
			"* binary\nident text\n*.bin -text -diff -merge -delta\n* crlf text=input\n*.x -eol=crlf\n",
		"ident": "$Id$\n"})},
	{name: "line endings taken in only", files: base.with(files{".gitattributes": "* text=auto\n*.txt crlf\n*.go text eol=lf\ncrlf.txt crlf=input\n*.c filter=unknown\n"})},
	{name: "eol", files: base.with(files{".gitattributes": "*.txt eol=crlf\n"}), git: true},
	{name: "text and eol", files: base.with(files{".gitattributes": "* text=auto eol=crlf\na/** -text\n"}), git: true},
	{name: "legacy crlf and eol", files: base.with(files{".gitattributes": "*.txt crlf eol=crlf\n*.go -crlf eol=crlf\n"}), git: true},
	{name: "eol of go.mod", files: base.with(files{".gitattributes": "go.mod text eol=crlf\n"}), git: true},
	{name: "eol of files that are not there", files: base.with(files{".gitattributes": "*.bat eol=crlf\n*.{cmd,[cC][mM][dD]} text eol=crlf\na/*.txt ident\n/x.go eol=crlf\n"}), git: true},
	{name: "eol of a kind of files that is not there", files: base.with(files{".gitattributes": "*.bat eol=crlf\n*.{cmd,[cC][mM][dD]} text eol=crlf\n", "a/.gitattributes": "*.txt ident\n", "run.bat/go": "1\n"})},
	{name: "eol of a file further down", files: base.with(files{".gitattributes": "*.bat eol=crlf\n", "a/deep/run.bat": "1\n"}), git: true},
	{name: "eol in a directory", files: base.with(files{"a/deep/.gitattributes": "*.go text eol=crlf\n"}), git: true},
	{name: "eol in a nested module", files: base.with(files{"n/go.mod": "module n\n", "n/.gitattributes": "* eol=crlf\n"}), git: true},
	{name: "ident", files: base.with(files{".gitattributes": "*.c ident\n"}), git: true},
	{name: "ident of a quoted pattern", files: base.with(files{".gitattributes": "\"with ident.c\"ident\n"}), git: true},
	{name: "encoding", files: base.with(files{".gitattributes": "*.txt working-tree-encoding=UTF-16LE\n"}), git: true},
	{name: "encoding that fails", files: base.with(files{".gitattributes": "*.txt text working-tree-encoding=ASCII\n", "a.txt": "é\n"}), git: true},
	{name: "encoding without a name", files: base.with(files{".gitattributes": "*.txt working-tree-encoding\n"}), git: true, fail: true},
	{name: "encoding that is false", files: base.with(files{".gitattributes": "*.txt -working-tree-encoding\n"})},
	{name: "eol without a value", files: base.with(files{".gitattributes": "*.txt text eol\n"}), git: true},
	{name: "eol that is not one", files: base.with(files{".gitattributes": "*.txt text eol=CRLF\n"}), git: true},
	{name: "macro", files: base.with(files{".gitattributes": "[attr]dos text eol=crlf\n*.txt dos\n"}), git: true},
	{name: "macro in a directory", files: base.with(files{"a/.gitattributes": "[attr]dos text eol=crlf\n*.go dos\n"}), git: true},
	{name: "attributes by link", files: base.with(files{"link:.gitattributes": "* eol=crlf"}), git: true},
	{name: "attributes by harmless link", files: base.with(files{"link:.gitattributes": "other/file", "other/file": "* eol=crlf\n"})},
	{name: "attributes directory", files: base.with(files{".gitattributes/x": "* eol=crlf\n"})},
	{name: "attributes in other case", files: base.with(files{".GitAttributes": "* eol=crlf\n"})},
	{name: "converted and vendored", files: base.with(vendored).with(files{"go.mod": oldMod, ".gitattributes": "* text eol=crlf\n"}), git: true},
	{name: "converted and invalid", files: base.with(files{"a/aux.go": "", ".gitattributes": "* text eol=crlf\n"}), git: true, fail: true, path: "a/aux.go"},
}

// TestSumsAreTheGoCommands asks the go command about each tree.
func TestSumsAreTheGoCommands(t *testing.T) {
	s := newStore()
	trees := make(map[string]object.ID)
	for i, test := range moduleTests {
		if test.tree != nil {
			trees[testPath(i)] = test.tree(s)
		} else {
			trees[testPath(i)] = s.tree(test.files)
		}
	}
	want := goModDownload(t, s, trees)
	h := New(s, new(MemorySums))
	for i, test := range moduleTests {
		t.Run(test.name, func(t *testing.T) {
			m := module.Version{Path: testPath(i), Version: testVersion}
			tree := trees[m.Path]
			got, err := h.Zip(m, tree)
			want := want[m.Path]
			if (want.Sum == "") != test.fail {
				t.Fatalf("the go command says %q, %q", want.Sum, want.Error)
			}
			if test.fail {
				unfetchable, ok := errors.AsType[*UnfetchableError](err)
				if !ok || unfetchable.Module != m || unfetchable.Path != test.path {
					t.Errorf("got %q, %v; want an error about %q, as the go command says %s", got, err, test.path, want.Error)
				}
			} else if got != want.Sum || err != nil {
				t.Errorf("got %q, %v; the go command says %s", got, err, want.Sum)
			}
			root, err := h.root(tree, nil)
			if err != nil {
				t.Fatal(err)
			}
			if root.needsGit != test.git {
				t.Errorf("by git archive: %v, want %v", root.needsGit, test.git)
			}
			if test.fail {
				return
			}
			goMod := []byte("module " + m.Path + "\n")
			if text, ok := test.files["go.mod"]; ok {
				goMod = []byte(text)
			} else if test.tree != nil && want.GoModSum != GoMod(goMod) {
				goMod = []byte(newMod)
			}
			if got := GoMod(goMod); got != want.GoModSum {
				t.Errorf("go.mod: got %s, the go command says %s", got, want.GoModSum)
			}
		})
	}
}

const testVersion = "v1.2.3"

func testPath(i int) string {
	return "mods.test/m" + string(rune('a'+i/26)) + string(rune('a'+i%26)) + ".git"
}

// download is what go mod download -json tells of a module.
type download struct {
	Path, Error, Sum, GoModSum string
}

// goModDownload publishes each tree as a version of the module of that path and
// has the go command fetch it from there, with nothing between.
func goModDownload(t *testing.T, s *store, trees map[string]object.ID) map[string]download {
	t.Helper()
	dir := t.TempDir()
	paths := slices.Sorted(maps.Keys(trees))
	args := []string{"mod", "download", "-json", "-modcacherw"}
	for _, path := range paths {
		s.publish(t, filepath.Join(dir, strings.TrimPrefix(path, "mods.test/")), trees[path], testVersion)
		args = append(args, path+"@"+testVersion)
	}
	home := t.TempDir()
	cmd := exec.Command("go", args...)
	cmd.Dir = t.TempDir()
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + home,
		"GOPATH=" + filepath.Join(home, "go"),
		"GOMODCACHE=" + t.TempDir(),
		"GOCACHE=" + filepath.Join(home, "cache"),
		"GOPROXY=direct", "GOPRIVATE=mods.test/*", "GONOSUMDB=mods.test/*",
		"GOFLAGS=-mod=mod", "GOWORK=off", "GOTOOLCHAIN=local", "GOENV=off", "GIT_TERMINAL_PROMPT=0",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull,
		"GIT_CONFIG_COUNT=1",
		"GIT_CONFIG_KEY_0=url.file://" + dir + "/.insteadOf", "GIT_CONFIG_VALUE_0=https://mods.test/",
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		t.Fatal(err)
	}
	downloads := make(map[string]download)
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var d download
		if err := dec.Decode(&d); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("%v\n%s", err, stderr.Bytes())
		}
		downloads[d.Path] = d
	}
	if len(downloads) != len(trees) {
		t.Fatalf("go %v told of %d modules:\n%s%s", args, len(downloads), out, stderr.Bytes())
	}
	return downloads
}
