// Package goproxy writes module versions that are in git trees as a directory
// that the go command can use as its module proxy:
//
//	GOPROXY=file:///srv/proxy GONOSUMDB=k8s.io/* go get k8s.io/client-go@v0.36.6
//
// So what is about to be pushed, or has been pushed only to a mirror that is
// not public, can already be required and built. The layout, specified in
// https://go.dev/ref/mod#goproxy-protocol, is
//
//	<module>/@v/list            releases and pre-releases, one a line
//	<module>/@v/<version>.info  version, commit and its time as JSON
//	<module>/@v/<version>.mod   go.mod
//	<module>/@v/<version>.zip   the module's files
//	<module>/@latest            the .info of the version to use by default
//
// where upper-case letters of modules and versions are written as "!" and the
// lower-case letter. There are no files for branch names and commit hashes.
//
// The zip has the files of the tree with the bytes of their blobs. The go
// command gets its files from git archive, which obeys git attributes: where
// a tree has export-ignore, export-subst or eol, the caller has to hand in a
// tree to which they have been applied already.
package goproxy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
	"golang.org/x/mod/zip"

	"k8s.io/publisher/object"
)

// Objects gives the content of git objects.
type Objects interface {
	Tree(id object.ID) ([]byte, error)
	Blob(id object.ID) ([]byte, error)
}

// Writer adds module versions to a directory. Several goroutines can use it at
// once while others read the directory: every file appears whole, and those
// that a version needs appear before the version is listed. Only one Writer
// should have a directory.
type Writer struct {
	Dir     string
	Objects Objects

	indexing sync.Mutex // held from listing a directory to having written it down
}

// ConflictError reports a version that the directory has already, from another
// commit or with another time.
type ConflictError struct {
	Module     module.Version
	Have, Want string // the .info files' content
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("%s is in the module proxy as %s, not as %s", e.Module, e.Have, e.Want)
}

// Add writes the files of version m, which is tree as of a commit with that
// date. What is there already is left alone.
//
// The error is a [*ConflictError] where m is there with another commit or date,
// and a [zip.FileErrorList] where the tree has files that the go command does
// not accept in a module.
func (w *Writer) Add(m module.Version, date time.Time, commit, tree object.ID) error {
	dir, version, err := w.escape(m)
	if err != nil {
		return err
	}
	want, err := (&Info{m.Version, date.UTC(), &Origin{VCS: "git", Hash: commit.String()}}).Encode()
	if err != nil {
		return fmt.Errorf("describe %s: %w", m, err)
	}
	infoFile := filepath.Join(dir, version+".info")
	switch have, err := os.ReadFile(infoFile); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case !bytes.Equal(have, want):
		return &ConflictError{m, string(have), string(want)}
	default:
		return w.index(dir) // An earlier run may have been stopped before it.
	}

	files, err := treeFiles(w.Objects, tree)
	if err != nil {
		return fmt.Errorf("list the files of %s: %w", m, err)
	}
	goMod, err := goModOf(m, files)
	if err != nil {
		return fmt.Errorf("read go.mod of %s: %w", m, err)
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	err = writeFile(filepath.Join(dir, version+".zip"), func(f io.Writer) error {
		return zip.Create(f, m, files)
	})
	if err != nil {
		return fmt.Errorf("write %s: %w", m, err)
	}
	if err := writeBytes(filepath.Join(dir, version+".mod"), goMod); err != nil {
		return err
	}
	if err := writeBytes(infoFile, want); err != nil {
		return err
	}
	return w.index(dir)
}

// escape returns the @v directory of a module and the name of a version's
// files in it.
func (w *Writer) escape(m module.Version) (dir, version string, err error) {
	if err := module.Check(m.Path, m.Version); err != nil {
		return "", "", err
	}
	path, err := module.EscapePath(m.Path)
	if err != nil {
		return "", "", err
	}
	if version, err = module.EscapeVersion(m.Version); err != nil {
		return "", "", err
	}
	return filepath.Join(w.Dir, filepath.FromSlash(path), "@v"), version, nil
}

// Files returns the names of a version's zip and go.mod, which need not be there.
func (w *Writer) Files(m module.Version) (zip, goMod string, err error) {
	dir, version, err := w.escape(m)
	return filepath.Join(dir, version+".zip"), filepath.Join(dir, version+".mod"), err
}

// goModOf returns the root go.mod, or for a module that has none the one that
// the go command makes up.
func goModOf(m module.Version, files []zip.File) ([]byte, error) {
	for _, f := range files {
		if file := f.(*treeFile); file.path == "go.mod" && file.mode.IsRegular() {
			return file.read()
		}
	}
	return GoMod(m.Path), nil
}

// index brings list and @latest in line with the .info files, which are the
// truth: so it does not matter in which order versions come, nor who wrote
// them.
func (w *Writer) index(dir string) error {
	w.indexing.Lock()
	defer w.indexing.Unlock()
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var list []string
	latest := ""
	for _, e := range entries {
		escaped, ok := strings.CutSuffix(e.Name(), ".info")
		if !ok {
			continue
		}
		version, err := module.UnescapeVersion(escaped)
		if err != nil {
			return fmt.Errorf("%s: %w", filepath.Join(dir, e.Name()), err)
		}
		if !module.IsPseudoVersion(version) {
			list = append(list, version)
		}
		if latest == "" || preferred(version, latest) {
			latest = version
		}
	}
	semver.Sort(list)
	var lines strings.Builder
	for _, version := range list {
		lines.WriteString(version + "\n")
	}
	if err := writeBytes(filepath.Join(dir, "list"), []byte(lines.String())); err != nil {
		return err
	}
	escaped, err := module.EscapeVersion(latest)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(filepath.Join(dir, escaped+".info"))
	if err != nil {
		return err
	}
	return writeBytes(filepath.Join(filepath.Dir(dir), "@latest"), data)
}

// preferred reports whether the go command would rather use version a than b
// when it is asked for the latest one: releases go before pre-releases, and
// both before pseudo-versions (https://go.dev/ref/mod#version-queries).
func preferred(a, b string) bool {
	rank := func(version string) int {
		switch {
		case module.IsPseudoVersion(version):
			return 0
		case semver.Prerelease(version) != "":
			return 1
		}
		return 2
	}
	if rank(a) != rank(b) {
		return rank(a) > rank(b)
	}
	return semver.Compare(a, b) > 0
}

func writeBytes(name string, data []byte) error {
	if have, err := os.ReadFile(name); err == nil && bytes.Equal(have, data) {
		return nil
	}
	return writeFile(name, func(f io.Writer) error {
		_, err := f.Write(data)
		return err
	})
}

// writeFile puts a file in place at once, when all of it has been written.
func writeFile(name string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), ".new-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if err := write(f); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
