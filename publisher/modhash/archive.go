package modhash

import (
	stdzip "archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/zip"

	"k8s.io/publisher/object"
)

// archiveSum is [Hasher.Zip] done as the go command does it: git archives the
// tree, and x/mod/zip chooses from the archive's files.
func archiveSum(objects Objects, m module.Version, tree object.ID) (sum string, err error) {
	dir, err := os.MkdirTemp("", "modhash-")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	repo := filepath.Join(dir, "repo.git")
	if err := writeRepo(repo, objects, tree); err != nil {
		return "", err
	}
	archive := filepath.Join(dir, "archive.zip")
	if err := gitArchive(repo, tree, archive); err != nil {
		return "", asUnfetchable(m, err)
	}
	sum, err = hashArchive(m, archive)
	return sum, asUnfetchable(m, err)
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
	err = git(repo, out, "-c", "core.autocrlf=input", "-c", "core.eol=lf",
		"archive", "--format=zip", "--prefix=prefix/", "--end-of-options", tree.String())
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.Exited() {
		return &archiveError{"git archive: " + strings.TrimSpace(string(exit.Stderr))}
	}
	if err != nil {
		return fmt.Errorf("git archive: %w", err)
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

// git runs git in a bare repository. Nothing of this machine's or this user's
// configuration gets in: whoever checks a sum must come to the same one.
func git(repo string, stdout io.Writer, args ...string) error {
	var stderr bytes.Buffer
	cmd := exec.Command("git", args...)
	cmd.Dir = repo
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + repo,
		"LC_ALL=C",
		"GIT_DIR=" + repo,
		"GIT_CONFIG_NOSYSTEM=1",
		"GIT_CONFIG_GLOBAL=" + os.DevNull,
		"GIT_ATTR_NOSYSTEM=1",
	}
	cmd.Stdout, cmd.Stderr = stdout, &stderr
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		exit.Stderr = stderr.Bytes()
	}
	return err
}

// hashArchive returns the hash of the module zip that would be made of an
// archive whose files are below prefix/.
func hashArchive(m module.Version, archive string) (string, error) {
	r, err := stdzip.OpenReader(archive)
	if err != nil {
		return "", err
	}
	defer r.Close()
	inZip := m.Path + "@" + m.Version + "/"
	var files []zip.File
	byName := make(map[string]*stdzip.File)
	for _, f := range r.File {
		name := strings.TrimPrefix(f.Name, "prefix/")
		if name != "" && !strings.HasSuffix(name, "/") {
			files = append(files, archiveFile{name, f})
			byName[inZip+name] = f
		}
	}
	checked, err := zip.CheckFiles(files)
	if checked.SizeError != nil {
		return "", &archiveError{checked.SizeError.Error()}
	}
	if err != nil {
		return "", err
	}
	names := checked.Valid
	for i := range names {
		names[i] = inZip + names[i]
	}
	return dirhash.Hash1(names, func(name string) (io.ReadCloser, error) { return byName[name].Open() })
}

type archiveFile struct {
	name string
	file *stdzip.File
}

func (f archiveFile) Path() string                 { return f.name }
func (f archiveFile) Lstat() (fs.FileInfo, error)  { return f.file.FileInfo(), nil }
func (f archiveFile) Open() (io.ReadCloser, error) { return f.file.Open() }
