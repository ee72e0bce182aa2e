package goproxy

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"path"
	"time"

	"golang.org/x/mod/zip"

	"k8s.io/publisher/object"
)

// treeFile is a file or symbolic link in a git tree, as zip.Create takes it.
type treeFile struct {
	objects Objects
	path    string
	mode    object.Mode
	id      object.ID

	data []byte // once loaded
	done bool
}

// treeFiles lists a tree and those in it. Submodules are left out: in a git
// archive they are empty directories.
func treeFiles(objects Objects, root object.ID) ([]zip.File, error) {
	var files []zip.File
	var walk func(prefix string, id object.ID) error
	walk = func(prefix string, id object.ID) error {
		data, err := objects.Tree(id)
		if err != nil {
			return fmt.Errorf("tree %s of %q: %w", id, prefix, err)
		}
		entries, err := object.ParseTree(data)
		if err != nil {
			return fmt.Errorf("tree %s of %q: %w", id, prefix, err)
		}
		for _, e := range entries {
			name := prefix + e.Name
			switch {
			case e.Mode.IsDir():
				if err := walk(name+"/", e.ID); err != nil {
					return err
				}
			case e.Mode != object.ModeSubmodule:
				files = append(files, &treeFile{objects: objects, path: name, mode: e.Mode, id: e.ID})
			}
		}
		return nil
	}
	return files, walk("", root)
}

// read returns the content. It is kept, as its size is asked for first.
func (f *treeFile) read() ([]byte, error) {
	if f.done {
		return f.data, nil
	}
	data, err := f.objects.Blob(f.id)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.path, err)
	}
	f.data, f.done = data, true
	return data, nil
}

// Path, Lstat and Open implement [zip.File].

func (f *treeFile) Path() string { return f.path }

func (f *treeFile) Lstat() (fs.FileInfo, error) {
	if !f.mode.IsRegular() {
		return fileInfo{f}, nil
	}
	_, err := f.read()
	return fileInfo{f}, err
}

func (f *treeFile) Open() (io.ReadCloser, error) {
	data, err := f.read()
	return io.NopCloser(bytes.NewReader(data)), err
}

type fileInfo struct{ file *treeFile }

func (i fileInfo) Name() string       { return path.Base(i.file.path) }
func (i fileInfo) Size() int64        { return int64(len(i.file.data)) }
func (i fileInfo) ModTime() time.Time { return time.Time{} }
func (i fileInfo) IsDir() bool        { return false }
func (i fileInfo) Sys() any           { return nil }

func (i fileInfo) Mode() fs.FileMode {
	switch m := i.file.mode; {
	case m.IsRegular():
		return fs.FileMode(m & 0o777)
	case m == object.ModeSymlink:
		return fs.ModeSymlink
	}
	return fs.ModeIrregular
}
