package verify

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/zip"

	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
)

// modules finds and hashes the versions of the modules in one mirror, as the
// go command would that fetches from it.
//
// Which files a module has is for golang.org/x/mod/zip to say. Their hashes are
// remembered by blob, since most versions have most files in common; whatever
// is wrong by that is hashed again from a real archive and a real zip before
// it is reported, and so are the versions that branches' tips require.
type modules struct {
	run         *run
	destination string
	h           *history

	mu       sync.Mutex
	reader   *odb.Reader
	releases map[module.Version]*release
	blobs    map[object.ID]*content
	trees    map[object.ID][]object.Entry
	attrs    map[object.ID]bool // whether a .gitattributes may convert files
	archive  string             // a repository to archive from, once there is one
}

// content is what a zip needs of a blob.
type content struct {
	size int64
	sum  [sha256.Size]byte
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

	quick, whole string // the hash of the zip, once it was needed
	unfit        string // why there is no zip
}

func newModules(r *run, h *history) *modules {
	return &modules{
		run: r, destination: h.destination, h: h, reader: h.store.Reader(),
		releases: make(map[module.Version]*release), blobs: make(map[object.ID]*content), trees: make(map[object.ID][]object.Entry),
		attrs: make(map[object.ID]bool),
	}
}

// resolve finds a version in the mirrors of some destinations. Where none has
// it, why says so.
func (r *run) resolve(v module.Version, destinations []string) (found *release, why string, err error) {
	var reasons []string
	for _, name := range destinations {
		m := r.modules[name]
		if m == nil {
			continue
		}
		found, why, err := m.resolve(v)
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

func (m *modules) resolve(v module.Version) (*release, string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r, ok := m.releases[v]; ok {
		return r, "", nil
	}
	n, why := m.find(v)
	if n == none {
		return nil, why, nil
	}
	commit, err := commitOf(m.reader, m.h.ids[n])
	if err != nil {
		return nil, err.Error(), nil
	}
	if module.IsPseudoVersion(v.Version) {
		want, err1 := module.PseudoVersionTime(v.Version)
		have, err2 := commit.CommitTime()
		if err1 != nil || err2 != nil || !want.Equal(have) {
			return nil, fmt.Sprintf("commit %s of %s is of another time, %s", m.h.ids[n], m.destination, have.Format(time.RFC3339)), nil
		}
	}
	entries, err := m.entries(commit.Tree)
	if err != nil {
		return nil, err.Error(), nil
	}
	r := &release{of: m, version: v, commit: m.h.ids[n], tree: commit.Tree}
	i := slices.IndexFunc(entries, func(e object.Entry) bool { return e.Name == "go.mod" && e.Mode.IsRegular() })
	if i < 0 {
		return nil, fmt.Sprintf("commit %s of %s has no go.mod", r.commit, m.destination), nil
	}
	if r.goMod, err = m.reader.Blob(entries[i].ID); err != nil {
		return nil, err.Error(), nil
	}
	if modfile.ModulePath(r.goMod) != v.Path {
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

func (m *modules) entries(tree object.ID) ([]object.Entry, error) {
	if entries, ok := m.trees[tree]; ok {
		return entries, nil
	}
	data, err := m.reader.Tree(tree)
	if err != nil {
		return nil, err
	}
	entries, err := object.ParseTree(data)
	if err != nil {
		return nil, fmt.Errorf("tree %s: %w", tree, err)
	}
	if len(m.trees) > mostTrees {
		clear(m.trees)
	}
	m.trees[tree] = entries
	return entries, nil
}

// hash returns the hash of the release's zip, or of its go.mod where version
// ends in /go.mod. Where it cannot be fetched at all, why says so. The hash that
// is claimed decides how much work that is worth.
func (r *release) hash(version string, tip bool, claimed string) (hash, why string, err error) {
	if strings.HasSuffix(version, "/go.mod") {
		hash, err = dirhash.Hash1([]string{"go.mod"}, func(string) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(r.goMod)), nil })
		return hash, "", err
	}
	r.of.mu.Lock()
	defer r.of.mu.Unlock()
	if r.quick == "" && r.unfit == "" {
		var plain bool
		if plain, err = r.summarize(); err != nil {
			return "", err.Error(), nil // The mirror is damaged.
		}
		tip = tip || !plain
	}
	if r.whole == "" && r.unfit == "" && (tip || r.quick != claimed) {
		r.whole, r.unfit, err = r.build()
	}
	if r.whole != "" {
		return r.whole, r.unfit, err
	}
	return r.quick, r.unfit, err
}

// summarize computes the hash from the blobs, without making a zip. It is not
// plain where git attributes may make an archive's files differ from the blobs.
func (r *release) summarize() (plain bool, err error) {
	var files []zip.File
	byName := make(map[string]*content)
	plain = true
	var walk func(tree object.ID, prefix string) error
	walk = func(tree object.ID, prefix string) error {
		entries, err := r.of.entries(tree)
		if err != nil {
			return err
		}
		for _, e := range entries {
			name := prefix + e.Name
			switch {
			case e.Mode.IsDir():
				if err := walk(e.ID, name+"/"); err != nil {
					return err
				}
				continue
			case e.Mode == object.ModeSubmodule:
				continue // An empty directory in an archive.
			}
			blob, err := r.of.content(e.ID)
			if err != nil {
				return err
			}
			if e.Name == ".gitattributes" {
				converts, err := r.of.converts(e.ID)
				if err != nil {
					return err
				}
				plain = plain && !converts && e.Mode.IsRegular()
			}
			byName[name] = blob
			file := treeFile{path: name, mode: e.Mode, size: blob.size}
			if name == "go.mod" {
				file.data = r.goMod
			}
			files = append(files, file)
		}
		return nil
	}
	if err := walk(r.tree, ""); err != nil {
		return false, err
	}
	checked, err := zip.CheckFiles(files)
	if err == nil {
		err = checked.Err()
	}
	if err != nil {
		return false, nil // Building it will tell.
	}
	// This is what dirhash.Hash1 hashes.
	slices.Sort(checked.Valid)
	sum := sha256.New()
	for _, name := range checked.Valid {
		fmt.Fprintf(sum, "%x  %s/%s\n", byName[name].sum, r.version, name)
	}
	r.quick = "h1:" + base64.StdEncoding.EncodeToString(sum.Sum(nil))
	return plain, nil
}

func (m *modules) content(blob object.ID) (*content, error) {
	if c, ok := m.blobs[blob]; ok {
		return c, nil
	}
	data, err := m.reader.Blob(blob)
	if err != nil {
		return nil, err
	}
	c := &content{int64(len(data)), sha256.Sum256(data)}
	m.blobs[blob] = c
	return c, nil
}

func (m *modules) converts(attributes object.ID) (bool, error) {
	if converts, ok := m.attrs[attributes]; ok {
		return converts, nil
	}
	data, err := m.reader.Blob(attributes)
	if err == nil {
		m.attrs[attributes] = converting.Match(data)
	}
	return m.attrs[attributes], err
}

// treeFile is a file for zip.CheckFiles, which opens no other one than go.mod.
type treeFile struct {
	path string
	mode object.Mode
	size int64
	data []byte // of go.mod
}

// Path, Lstat and Open implement [zip.File]; the rest is [fs.FileInfo].

func (f treeFile) Path() string                 { return f.path }
func (f treeFile) Lstat() (fs.FileInfo, error)  { return f, nil }
func (f treeFile) Open() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(f.data)), nil }

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
