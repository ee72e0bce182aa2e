package verify

import (
	"archive/tar"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/zip"

	"k8s.io/publisher/git"
	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
)

// modules finds and hashes the versions of the modules in one mirror, as the
// go command would that fetches from it.
//
// Which files a module has is for golang.org/x/mod/zip to say, once for all
// versions that have the same names. Their hashes are remembered by blob, since
// most versions have most files in common. Git archives the version, as the go
// command has it do, where attributes may make files differ from their blobs,
// for whatever is wrong before it is reported, and for what the default
// branch's tip requires.
type modules struct {
	run         *run
	destination string
	h           *history

	mu       sync.Mutex
	releases map[module.Version]*release
	blobs    map[object.ID]content
	trees    map[object.ID][]file
	listings map[[sha256.Size]byte]*listing
	attrs    map[object.ID]bool // whether a .gitattributes may convert files
}

// content is what a zip needs of a blob.
type content struct {
	size int64
	sum  [sha256.Size]byte
}

// file is a file of a module, by its path.
type file struct {
	path string
	mode object.Mode
	blob object.ID
}

// listing says which of the files with certain paths and modes belong into a
// zip: their indexes, sorted by path. Where the go command refuses, unfit says
// why.
type listing struct {
	files []int
	unfit string
}

// converting finds the words that can, in git attributes, make an archive's
// files differ from their blobs, given the settings of the go command.
var converting = regexp.MustCompile(`eol|ident|encoding|filter`)

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

func newModules(r *run, h *history) *modules {
	return &modules{
		run: r, destination: h.destination, h: h,
		releases: make(map[module.Version]*release), blobs: make(map[object.ID]content), trees: make(map[object.ID][]file),
		listings: make(map[[sha256.Size]byte]*listing), attrs: make(map[object.ID]bool),
	}
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
		found, why := sibling.modules.resolve(c.reader, v)
		if found != nil {
			return found, "", nil
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

func (m *modules) resolve(reader *odb.Reader, v module.Version) (*release, string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r, ok := m.releases[v]; ok {
		return r, ""
	}
	n, why := m.find(v)
	if n == none {
		return nil, why
	}
	commit, err := commitOf(reader, m.h.ids[n])
	if err != nil {
		return nil, err.Error()
	}
	if module.IsPseudoVersion(v.Version) {
		want, err1 := module.PseudoVersionTime(v.Version)
		have, err2 := commit.CommitTime()
		if err1 != nil || err2 != nil || !want.Equal(have) {
			return nil, fmt.Sprintf("commit %s of %s is of another time, %s", m.h.ids[n], m.destination, have.Format(time.RFC3339))
		}
	}
	r := &release{of: m, version: v, commit: m.h.ids[n], tree: commit.Tree}
	root, err := reader.Tree(commit.Tree)
	if err != nil {
		return nil, err.Error()
	}
	mode, id, ok, err := object.FindEntry(root, "go.mod")
	if err != nil || !ok || !mode.IsRegular() {
		return nil, fmt.Sprintf("commit %s of %s has no go.mod", r.commit, m.destination)
	}
	if r.goMod, err = reader.Blob(id); err != nil {
		return nil, err.Error()
	}
	if modfile.ModulePath(r.goMod) != v.Path {
		return nil, "" // It is another sibling's.
	}
	m.releases[v] = r
	return r, ""
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
func (r *release) hash(reader *odb.Reader, version, claimed string, archive bool) (hash, why string, err error) {
	if strings.HasSuffix(version, "/go.mod") {
		hash, err = dirhash.Hash1([]string{"go.mod"}, func(string) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(r.goMod)), nil })
		return hash, "", err
	}
	r.of.mu.Lock()
	defer r.of.mu.Unlock()
	if r.quick == "" && r.unfit == "" {
		plain, err := r.summarize(reader)
		if err != nil {
			return "", err.Error(), nil // The mirror is damaged.
		}
		archive = archive || !plain
	}
	if r.archived == "" && r.unfit == "" && (archive || r.quick != claimed) {
		if r.archived, r.unfit, err = r.archive(); err != nil {
			return "", "", err
		}
	}
	return cmp.Or(r.archived, r.quick), r.unfit, nil
}

// summarize computes the hash from the blobs. It is not plain where git
// attributes may make an archive's files differ from the blobs.
func (r *release) summarize(reader *odb.Reader) (plain bool, err error) {
	m := r.of
	files, err := m.files(reader, r.tree)
	if err != nil {
		return false, err
	}
	plain = true
	shape := sha256.New()
	var total int64
	for _, f := range files {
		blob, err := m.content(reader, f.blob)
		if err != nil {
			return false, err
		}
		total += blob.size
		if path.Base(f.path) == ".gitattributes" {
			converts, err := m.converts(reader, f.blob)
			if err != nil {
				return false, err
			}
			plain = plain && !converts && f.mode.IsRegular()
		}
		if strings.Contains(f.path, "vendor/") {
			shape.Write(r.goMod) // The go version decides what of it is left out.
		}
		fmt.Fprintf(shape, "%o %s\x00", f.mode, f.path)
	}
	key := [sha256.Size]byte(shape.Sum(nil))
	l := m.listings[key]
	if l == nil || total > zip.MaxGoMod { // No limit is smaller than that.
		if l, err = r.list(files); err != nil {
			return false, err
		}
		m.listings[key] = l
	}
	if r.unfit = l.unfit; r.unfit != "" {
		return plain, nil
	}
	// This is what dirhash.Hash1 hashes.
	sum := sha256.New()
	var line []byte
	for _, i := range l.files {
		blob := m.blobs[files[i].blob]
		line = hex.AppendEncode(line[:0], blob.sum[:])
		line = append(append(line, "  "...), r.version.String()...)
		line = append(append(append(line, '/'), files[i].path...), '\n')
		sum.Write(line)
	}
	r.quick = "h1:" + base64.StdEncoding.EncodeToString(sum.Sum(nil))
	return plain, nil
}

// list has golang.org/x/mod/zip choose from files.
func (r *release) list(files []file) (*listing, error) {
	all := make([]zip.File, len(files))
	index := make(map[string]int, len(files))
	for i, f := range files {
		all[i] = treeFile{path: f.path, mode: f.mode, size: r.of.blobs[f.blob].size, goMod: r.goMod}
		index[f.path] = i
	}
	valid, unfit, err := choose(all)
	l := &listing{unfit: unfit}
	for _, name := range valid {
		l.files = append(l.files, index[name])
	}
	return l, err
}

// choose returns the names of the files that belong into a module's zip, sorted.
func choose(files []zip.File) (valid []string, unfit string, err error) {
	checked, err := zip.CheckFiles(files)
	if err == nil {
		err = checked.Err()
	}
	if bad := (zip.FileErrorList)(nil); errors.As(err, &bad) {
		return nil, bad.Error(), nil
	}
	slices.Sort(checked.Valid)
	return checked.Valid, "", err
}

// files lists the files below a tree. Submodules are empty folders in an archive.
func (m *modules) files(reader *odb.Reader, tree object.ID) ([]file, error) {
	if files, ok := m.trees[tree]; ok {
		return files, nil
	}
	data, err := reader.Tree(tree)
	if err != nil {
		return nil, err
	}
	var files []file
	for len(data) > 0 {
		mode, name, id, rest, err := object.NextEntry(data)
		if err != nil {
			return nil, fmt.Errorf("tree %s: %w", tree, err)
		}
		data = rest
		switch {
		case mode.IsDir():
			below, err := m.files(reader, id)
			if err != nil {
				return nil, err
			}
			for _, f := range below {
				files = append(files, file{string(name) + "/" + f.path, f.mode, f.blob})
			}
		case mode != object.ModeSubmodule:
			files = append(files, file{string(name), mode, id})
		}
	}
	if len(m.trees) > mostTrees {
		clear(m.trees)
	}
	m.trees[tree] = files
	return files, nil
}

func (m *modules) content(reader *odb.Reader, blob object.ID) (content, error) {
	if c, ok := m.blobs[blob]; ok {
		return c, nil
	}
	data, err := reader.Blob(blob)
	if err != nil {
		return content{}, err
	}
	c := content{int64(len(data)), sha256.Sum256(data)}
	m.blobs[blob] = c
	return c, nil
}

func (m *modules) converts(reader *odb.Reader, attributes object.ID) (bool, error) {
	if converts, ok := m.attrs[attributes]; ok {
		return converts, nil
	}
	data, err := reader.Blob(attributes)
	if err == nil {
		m.attrs[attributes] = converting.Match(data)
	}
	return m.attrs[attributes], err
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
	valid, unfit, err := choose(files)
	if err != nil || unfit != "" {
		return "", unfit, err
	}
	prefix := r.version.String() + "/"
	for i, name := range valid {
		valid[i] = prefix + name
	}
	hash, err = dirhash.Hash1(valid, func(name string) (io.ReadCloser, error) {
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
