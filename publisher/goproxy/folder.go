package goproxy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

// Info is what a .info file says.
type Info struct {
	Version string
	Time    time.Time
	Origin  *Origin `json:",omitempty"`
}

// Origin says where a version comes from; go mod download -json shows it.
type Origin struct {
	VCS  string
	URL  string `json:",omitempty"`
	Hash string // of the commit
	// Ref is the ref that was asked for, in full; empty where it was a commit.
	Ref string `json:",omitempty"`
}

// Encode returns what the file holds.
func (i *Info) Encode() ([]byte, error) { return json.Marshal(i) }

// Folder is what a directory has of one module, for who writes many versions and decides
// when they are seen. Which files there are is read once. It is not safe for concurrent
// use but for its Put functions.
type Folder struct {
	dir   string // @v
	names map[string]bool
}

// OpenFolder opens the folder of a module below the directory of a module proxy. It is
// made where it is not there.
func OpenFolder(root, path string) (*Folder, error) {
	f, err := ExistingFolder(root, path)
	if err != nil {
		return nil, err
	}
	return f, os.MkdirAll(f.dir, 0o755)
}

// ExistingFolder is [OpenFolder] for who only reads: where there is none, it has no files.
func ExistingFolder(root, path string) (*Folder, error) {
	escaped, err := module.EscapePath(path)
	if err != nil {
		return nil, err
	}
	f := &Folder{dir: filepath.Join(root, filepath.FromSlash(escaped), "@v"), names: make(map[string]bool)}
	entries, err := os.ReadDir(f.dir)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	for _, e := range entries {
		f.names[e.Name()] = true
	}
	return f, err
}

// Dir is where the module's files are.
func (f *Folder) Dir() string { return f.dir }

// Queryable reports whether the go command asks a module proxy for a branch or tag of
// this name. It asks for none with a slash in it, and takes versions for versions.
func Queryable(name string) bool {
	_, err := module.EscapeVersion(name)
	return err == nil && module.CanonicalVersion(name) == ""
}

// Has reports whether there was a file when the folder was opened. The extension is with
// its dot.
func (f *Folder) Has(version, ext string) bool {
	name, err := module.EscapeVersion(version)
	return err == nil && f.names[name+ext]
}

// Infos are the names that there were .info files for when the folder was opened, in any
// order.
func (f *Folder) Infos() (names []string) {
	for name := range f.names {
		if escaped, ok := strings.CutSuffix(name, ".info"); ok {
			if name, err := module.UnescapeVersion(escaped); err == nil {
				names = append(names, name)
			}
		}
	}
	return names
}

// Zips counts the versions that there were zips of when the folder was opened.
func (f *Folder) Zips() int {
	n := 0
	for name := range f.names {
		if strings.HasSuffix(name, ".zip") {
			n++
		}
	}
	return n
}

// Info reads a .info file; nil where there is none that can be read: it is to be written
// anew.
func (f *Folder) Info(version string) (*Info, error) {
	if !f.Has(version, ".info") {
		return nil, nil
	}
	data, err := os.ReadFile(f.Name(version, ".info"))
	if err != nil {
		return nil, err
	}
	i := new(Info)
	if json.Unmarshal(data, i) != nil {
		return nil, nil
	}
	return i, nil
}

// Name returns the name of a version's file, which need not be there. The version is one
// that can be escaped.
func (f *Folder) Name(version, ext string) string {
	name, _ := module.EscapeVersion(version)
	return filepath.Join(f.dir, name+ext)
}

// Put writes a version's file as a whole.
func (f *Folder) Put(version, ext string, data []byte) error {
	if _, err := module.EscapeVersion(version); err != nil {
		return err
	}
	return writeFile(f.Name(version, ext), func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// PutInfo writes what a name stands for, unless the file says so.
func (f *Folder) PutInfo(name string, i *Info) error {
	data, err := i.Encode()
	if err != nil {
		return err
	}
	if f.Has(name, ".info") {
		if have, err := os.ReadFile(f.Name(name, ".info")); err == nil && bytes.Equal(have, data) {
			return nil
		}
	}
	return f.Put(name, ".info", data)
}

// RemoveInfo removes what a name stood for.
func (f *Folder) RemoveInfo(name string) error {
	if err := os.Remove(f.Name(name, ".info")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// PutList writes the list of versions, and what is answered where none of them will do;
// nil is for nothing.
func (f *Folder) PutList(versions []string, latest *Info) error {
	files, err := f.lists(versions, latest)
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := writeBytes(file.name, file.data); err != nil {
			return err
		}
	}
	return nil
}

// CheckList returns the names of the files that are not as [Folder.PutList] would write
// them.
func (f *Folder) CheckList(versions []string, latest *Info) (bad []string) {
	files, err := f.lists(versions, latest)
	if err != nil {
		return []string{f.dir}
	}
	for _, file := range files {
		if have, err := os.ReadFile(file.name); err != nil || !bytes.Equal(have, file.data) {
			bad = append(bad, file.name)
		}
	}
	return bad
}

type listFile struct {
	name string
	data []byte
}

func (f *Folder) lists(versions []string, latest *Info) ([]listFile, error) {
	var lines strings.Builder
	for _, v := range versions {
		lines.WriteString(v + "\n")
	}
	files := []listFile{{filepath.Join(f.dir, "list"), []byte(lines.String())}}
	if latest == nil {
		return files, nil
	}
	data, err := latest.Encode()
	return append(files, listFile{filepath.Join(filepath.Dir(f.dir), "@latest"), data}), err
}

// GoMod is the go.mod that the go command makes up for a module without one.
func GoMod(path string) []byte { return fmt.Appendf(nil, "module %s\n", modfile.AutoQuote(path)) }
