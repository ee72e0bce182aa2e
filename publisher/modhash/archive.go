package modhash

import (
	stdzip "archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/zip"

	"k8s.io/publisher/git"
	"k8s.io/publisher/object"
)

// archiveSum is [Hasher.Zip] done as the go command does it: git archives the
// tree, and x/mod/zip chooses from the archive's files.
//
// Only what is wrong with the tree makes it unfetchable: a size, a name, or what
// git says of these and nothing else. Git may fail for many more reasons, most of
// them this machine's, and exits alike for all; those end the run. Taken for the
// tree's they would give other hashes to all that requires the module.
func archiveSum(objects Objects, m module.Version, tree object.ID) (sum string, err error) {
	err = archived(objects, m, tree, func(files *archiveFiles) error {
		sum, err = files.sum()
		return err
	})
	return sum, err
}

// archived calls use with the files that the go command would choose from an archive,
// which is gone afterwards.
func archived(objects Objects, m module.Version, tree object.ID, use func(*archiveFiles) error) error {
	dir, err := os.MkdirTemp("", "modhash-")
	if err != nil {
		return err
	}
	err = archivedIn(dir, objects, m, tree, use)
	if removed := os.RemoveAll(dir); removed != nil {
		return removed
	}
	return err
}

func archivedIn(dir string, objects Objects, m module.Version, tree object.ID, use func(*archiveFiles) error) error {
	repo := filepath.Join(dir, "repo.git")
	if err := writeRepo(repo, objects, tree); err != nil {
		return err
	}
	archive := filepath.Join(dir, "archive.zip")
	if err := gitArchive(repo, tree, archive); err != nil {
		return asUnfetchable(m, err)
	}
	return asUnfetchable(m, chooseFiles(m, archive, use))
}

// asUnfetchable tells what git and x/mod/zip find wrong with a tree from what
// goes wrong on this machine.
func asUnfetchable(m module.Version, err error) error {
	if files, ok := errors.AsType[zip.FileErrorList](err); ok && len(files) > 0 {
		return &UnfetchableError{Module: m, Path: files[0].Path, Err: files[0].Err}
	}
	if refused, ok := errors.AsType[*archiveError](err); ok {
		return &UnfetchableError{Module: m, Err: refused}
	}
	return err
}

// archiveError is what is wrong with a tree as a whole.
type archiveError struct{ what string }

func (e *archiveError) Error() string { return e.what }

// gitArchive writes the archive that the go command would fetch.
func gitArchive(repo string, tree object.ID, to string) error {
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	defer out.Close()
	var said bytes.Buffer
	archive := git.Command{
		Dir: repo, Stdout: out, Stderr: &said,
		Config: []git.Setting{{Key: "core.autocrlf", Value: "input"}, {Key: "core.eol", Value: "lf"}},
	}
	if err := archive.Run(context.Background(), "archive", "--format=zip", "--prefix=prefix/", "--end-of-options", tree.String()); err != nil {
		if failed, ok := errors.AsType[*git.Error](err); ok && failed.Code() > 0 {
			if fault := treeFault(said.String()); fault != "" {
				return &archiveError{"git archive: " + fault}
			}
		}
		return err
	}
	info, err := out.Stat()
	if err != nil {
		return err
	}
	if info.Size() > zip.MaxZipFile {
		return &archiveError{fmt.Sprintf("its archive takes %d bytes, more than the %d allowed", info.Size(), zip.MaxZipFile)}
	}
	return out.Close()
}

// treeFault returns the line in which git says that it archives no such tree,
// or nothing if it failed for another reason. Git refuses names that could be
// taken for .git or .gitmodules, and attributes that name no encoding.
func treeFault(said string) string {
	for line := range strings.Lines(said) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "error: invalid path '") ||
			line == "fatal: true/false are no valid working-tree-encodings" {
			return git.Printable(line)
		}
	}
	return ""
}

// archiveFiles are what a module zip takes from an archive.
type archiveFiles struct {
	prefix string   // of the names in the module zip
	names  []string // without it, sorted
	byName map[string]*stdzip.File
}

func (a *archiveFiles) sum() (string, error) {
	names := make([]string, len(a.names))
	for i, name := range a.names {
		names[i] = a.prefix + name
	}
	return dirhash.Hash1(names, func(name string) (io.ReadCloser, error) { return a.byName[strings.TrimPrefix(name, a.prefix)].Open() })
}

// chooseFiles chooses the files of the module zip that would be made of an archive whose
// files are below prefix/.
func chooseFiles(m module.Version, archive string, use func(*archiveFiles) error) error {
	r, err := stdzip.OpenReader(archive)
	if err != nil {
		return err
	}
	defer r.Close()
	chosen := &archiveFiles{prefix: m.Path + "@" + m.Version + "/", byName: make(map[string]*stdzip.File)}
	var files []zip.File
	for _, f := range r.File {
		name := strings.TrimPrefix(f.Name, "prefix/")
		if name == "" || strings.HasSuffix(name, "/") {
			continue
		}
		file := archiveFile{name: name, file: f}
		if name == "go.mod" {
			// x/mod/zip takes one that cannot be read for one that says nothing.
			if file.read, err = readAll(f); err != nil {
				return err
			}
		}
		files = append(files, file)
		chosen.byName[name] = f
	}
	checked, err := zip.CheckFiles(files)
	if checked.SizeError != nil {
		return &archiveError{checked.SizeError.Error()}
	}
	if err != nil {
		return err
	}
	chosen.names = slices.Sorted(slices.Values(checked.Valid))
	return use(chosen)
}

func readAll(f *stdzip.File) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(r)
	return data, errors.Join(err, r.Close())
}

type archiveFile struct {
	name string
	file *stdzip.File
	read []byte // what is in it, if x/mod/zip is going to look
}

func (f archiveFile) Path() string                 { return f.name }
func (f archiveFile) Lstat() (fs.FileInfo, error)  { return f.file.FileInfo(), nil }
func (f archiveFile) Open() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(f.read)), nil }
