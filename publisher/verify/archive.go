package verify

import (
	stdzip "archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/zip"

	"k8s.io/publisher/mirror"
)

// build makes the release's zip, in the way in which the go command does: git
// archives the commit, and golang.org/x/mod/zip makes a zip of what is in there.
// Where one of the two refuses, unfit says why.
func (r *release) build() (hash, unfit string, err error) {
	m := r.of
	if m.archive == "" {
		if m.archive, err = archiveRepository(m.run.dir, m.h.mirror.ObjectsDir()); err != nil {
			return "", "", err
		}
	}
	dir, err := os.MkdirTemp(m.run.dir, "zip-")
	if err != nil {
		return "", "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	archive := filepath.Join(dir, "archive.zip")
	cmd := exec.CommandContext(m.run.ctx, "git", "-c", "core.autocrlf=input", "-c", "core.eol=lf",
		"archive", "--format=zip", "-1", "--prefix=prefix/", "--output="+archive, r.commit.String())
	cmd.Env = append(mirror.Environment(), "GIT_DIR="+m.archive, "GIT_ATTR_NOSYSTEM=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		if err := m.run.ctx.Err(); err != nil {
			return "", "", err
		}
		return "", fmt.Sprintf("git archive: %v: %s", err, strings.TrimSpace(string(out))), nil
	}
	made := filepath.Join(dir, "module.zip")
	err = r.zip(archive, made)
	if files := (zip.FileErrorList)(nil); errors.As(err, &files) {
		return "", files.Error(), nil
	}
	if err != nil {
		return "", "", err
	}
	hash, err = dirhash.HashZip(made, dirhash.Hash1)
	return hash, "", err
}

// archiveRepository makes a repository that borrows a mirror's objects and has
// the attributes that the go command gives to each repository that it fetches.
func archiveRepository(dir, objects string) (string, error) {
	dir, err := os.MkdirTemp(dir, "archive-")
	if err != nil {
		return "", err
	}
	if objects, err = filepath.Abs(objects); err != nil {
		return "", err
	}
	for name, text := range map[string]string{
		"HEAD":                    "ref: refs/heads/main\n",
		"config":                  "[core]\n\trepositoryformatversion = 0\n\tbare = true\n",
		"refs/heads/.keep":        "",
		"objects/info/alternates": objects + "\n",
		"info/attributes":         "* -export-subst -export-ignore\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o777); err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			return "", err
		}
	}
	return dir, nil
}

func (r *release) zip(archive, to string) (err error) {
	from, err := stdzip.OpenReader(archive)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	var files []zip.File
	for _, f := range from.File {
		if name := strings.TrimPrefix(f.Name, "prefix/"); name != "" && !strings.HasSuffix(name, "/") {
			files = append(files, archiveFile{name, f})
		}
	}
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	return errors.Join(zip.Create(out, r.version, files), out.Close())
}

// archiveFile is a file in an archive, as zip.Create takes it.
type archiveFile struct {
	name string
	file *stdzip.File
}

func (f archiveFile) Path() string                 { return f.name }
func (f archiveFile) Lstat() (fs.FileInfo, error)  { return f.file.FileInfo(), nil }
func (f archiveFile) Open() (io.ReadCloser, error) { return f.file.Open() }
