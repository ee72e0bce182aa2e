package verify

import (
	"archive/tar"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/zip"

	"k8s.io/publisher/git"
	"k8s.io/publisher/modhash"
	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
)

// modules finds and hashes the versions of the modules in one mirror, as the
// go command would that fetches from it.
//
// Package modhash hashes most of them, since only it is fast enough for all. Git
// archives the version, as the go command has it do, and golang.org/x/mod/zip
// chooses from the archive's files, for whatever is wrong before it is reported
// and for what the default branch's tip requires.
type modules struct {
	run         *run
	destination string
	h           *history

	mu       sync.Mutex
	releases map[module.Version]*release
}

// worker is what each processor reads the mirrors with.
type worker struct {
	*odb.Reader
	hasher *modhash.Hasher
}

// release is a version of a module that its mirror has.
type release struct {
	of      *modules
	version module.Version
	commit  object.ID
	tree    object.ID
	goMod   []byte

	quick, archived string // the hash of the zip, once it was needed
	unfit           string // why there is no zip
}

// resolve finds a version in the mirrors that this one depends on. Where none
// has it, why says so.
func (c *checker) resolve(v module.Version) (found *release, why string, err error) {
	var reasons []string
	for _, name := range c.d.DependsOn {
		sibling := c.run.checkers[name]
		if sibling == nil || sibling.modules == nil {
			continue
		}
		found, why, err := sibling.modules.resolve(c.worker.Reader, v)
		if err != nil || found != nil {
			return found, "", err
		}
		if why != "" {
			reasons = append(reasons, why)
		}
	}
	if len(reasons) == 0 {
		return nil, "no sibling's mirror has it", nil
	}
	return nil, strings.Join(reasons, "; "), nil
}

func (m *modules) resolve(reader *odb.Reader, v module.Version) (*release, string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r, ok := m.releases[v]; ok {
		return r, "", nil
	}
	n, why := m.find(v)
	if n == none {
		return nil, why, nil
	}
	commit, err := m.h.commit(n)
	if err != nil {
		return nil, err.Error(), nil
	}
	if module.IsPseudoVersion(v.Version) {
		want, err1 := module.PseudoVersionTime(v.Version)
		have, err2 := commit.CommitTime()
		if err1 != nil || err2 != nil || !want.Equal(have) {
			return nil, fmt.Sprintf("commit %s of %s is of another time, %s", m.h.IDs[n], m.destination, have.Format(time.RFC3339)), nil
		}
	}
	r := &release{of: m, version: v, commit: m.h.IDs[n], tree: commit.Tree}
	root, err := reader.Tree(commit.Tree)
	var mode object.Mode
	var id object.ID
	if err == nil {
		mode, id, _, err = object.FindEntry(root, "go.mod")
	}
	if err == nil && !mode.IsRegular() {
		return nil, fmt.Sprintf("commit %s of %s has no go.mod", r.commit, m.destination), nil
	}
	if err == nil {
		r.goMod, err = reader.Blob(id)
	}
	switch {
	case err != nil && ofMachine(err):
		return nil, "", err
	case err != nil:
		return nil, err.Error(), nil
	case modfile.ModulePath(r.goMod) != v.Path:
		return nil, "", nil // It is another sibling's.
	}
	m.releases[v] = r
	return r, "", nil
}

// find returns the commit that a version names. The go command fetches branches
// and tags, so one of them has to reach it.
func (m *modules) find(v module.Version) (int32, string) {
	if !module.IsPseudoVersion(v.Version) {
		at, ok := m.h.targets["refs/tags/"+v.Version]
		if !ok || at.commit == none {
			return none, fmt.Sprintf("%s has no such tag", m.destination)
		}
		return at.commit, ""
	}
	rev, err := module.PseudoVersionRev(v.Version)
	if err != nil {
		return none, err.Error()
	}
	switch found := m.h.byPrefix[rev]; len(found) {
	case 0:
		return none, fmt.Sprintf("no branch or tag of %s has a commit %s", m.destination, rev)
	case 1:
		return found[0], ""
	default:
		return none, fmt.Sprintf("%s has %d commits %s", m.destination, len(found), rev)
	}
}

// hash returns the hash of the release's zip, or of its go.mod where version
// ends in /go.mod. Where it cannot be fetched at all, why says so. It is that of
// git's archive where archive asks for it, or another hash is claimed.
func (r *release) hash(w *worker, version, claimed string, archive bool) (hash, why string, err error) {
	if strings.HasSuffix(version, "/go.mod") {
		return modhash.GoMod(r.goMod), "", nil
	}
	r.of.mu.Lock()
	defer r.of.mu.Unlock()
	if r.quick == "" && r.unfit == "" {
		r.quick, err = w.hasher.Zip(r.version, r.tree)
		if unfetchable := (*modhash.UnfetchableError)(nil); errors.As(err, &unfetchable) {
			r.unfit, err = err.Error(), nil
		}
		if err != nil && ofMachine(err) {
			return "", "", err
		}
		if err != nil {
			return "", err.Error(), nil
		}
	}
	if r.archived == "" && (archive || r.quick != claimed) {
		if r.archived, r.unfit, err = r.archive(); err != nil {
			return "", "", err
		}
	}
	return cmp.Or(r.archived, r.quick), r.unfit, nil
}

// archive computes the hash in the way in which the go command does: git
// archives the commit, and golang.org/x/mod/zip chooses from what is in there.
// Where one of the two refuses, unfit says why.
func (r *release) archive() (hash, unfit string, err error) {
	view := r.of.h.view
	// The go command gives these to each repository that it fetches.
	if err := os.WriteFile(filepath.Join(view, "info", "attributes"), []byte("* -export-subst -export-ignore\n"), 0o666); err != nil {
		return "", "", err
	}
	archive, err := git.Command{
		Dir:    view,
		Config: []git.Setting{{Key: "core.autocrlf", Value: "input"}, {Key: "core.eol", Value: "lf"}},
	}.Output(r.of.run.ctx, "archive", "--format=tar", "--end-of-options", r.commit.String())
	if failed, ok := errors.AsType[*git.Error](err); ok && failed.Refused() {
		return "", err.Error(), nil
	}
	if err != nil {
		return "", "", err
	}
	var files []zip.File
	contents := make(map[string][]byte)
	for reader := tar.NewReader(bytes.NewReader(archive)); ; {
		header, err := reader.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return "", "", err
		}
		f := treeFile{path: header.Name, mode: object.ModeRegular, size: header.Size}
		switch header.Typeflag {
		case tar.TypeReg:
			if contents[f.path], err = io.ReadAll(reader); err != nil {
				return "", "", err
			}
		case tar.TypeSymlink:
			f.mode = object.ModeSymlink
		default:
			continue
		}
		f.goMod = contents["go.mod"]
		files = append(files, f)
	}
	checked, err := zip.CheckFiles(files)
	if err == nil {
		err = checked.Err()
	}
	if bad := (zip.FileErrorList)(nil); errors.As(err, &bad) {
		return "", bad.Error(), nil
	}
	if err != nil {
		return "", "", err
	}
	prefix := r.version.String() + "/"
	for i, name := range checked.Valid {
		checked.Valid[i] = prefix + name
	}
	hash, err = dirhash.Hash1(checked.Valid, func(name string) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(contents[strings.TrimPrefix(name, prefix)])), nil
	})
	return hash, "", err
}

// treeFile is a file for zip.CheckFiles, which opens no other one than the go.mod
// at the root.
type treeFile struct {
	path  string
	mode  object.Mode
	size  int64
	goMod []byte
}

// Path, Lstat and Open implement [zip.File]; the rest is [fs.FileInfo].

func (f treeFile) Path() string                 { return f.path }
func (f treeFile) Lstat() (fs.FileInfo, error)  { return f, nil }
func (f treeFile) Open() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(f.goMod)), nil }

func (f treeFile) Name() string       { return path.Base(f.path) }
func (f treeFile) Size() int64        { return f.size }
func (f treeFile) ModTime() time.Time { return time.Time{} }
func (f treeFile) IsDir() bool        { return false }
func (f treeFile) Sys() any           { return nil }

func (f treeFile) Mode() fs.FileMode {
	if f.mode.IsRegular() {
		return fs.FileMode(f.mode & 0o777)
	}
	return fs.ModeSymlink
}
