package verify

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"

	"k8s.io/publisher/modhash"
	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
)

// modules finds and hashes the versions of the modules in one mirror, as the
// go command would that fetches from it.
//
// What is wrong is hashed again from an archive that git makes, before it is
// reported, and so is what the default branch's tip requires.
type modules struct {
	destination string
	h           *history

	mu       sync.Mutex
	releases map[string]*release // by version
}

func newModules(destination string, h *history) *modules {
	return &modules{destination: destination, h: h, releases: make(map[string]*release)}
}

// release is a version of the module that its mirror has. Errors that are not of this
// machine say why it has none, or none that can be fetched.
type release struct {
	of     *modules
	commit object.ID

	read     sync.Once
	err      error
	version  module.Version // with the path that its go.mod declares
	tree     object.ID
	goModSum string

	mu              sync.Mutex
	quick, archived string // the hash of the zip, once it was needed
}

// reader is what one goroutine reads the mirrors with. Its hasher shares with the
// others what directories contribute.
type reader struct {
	*odb.Reader
	hasher *modhash.Hasher
}

// errElsewhere tells that a version is another sibling's.
var errElsewhere = errors.New("no sibling's mirror has it")

// absentError is a version that a mirror does not have.
type absentError struct{ destination, version string }

func (e *absentError) Error() string {
	if rev, err := module.PseudoVersionRev(e.version); err == nil {
		return fmt.Sprintf("no branch or tag of %s has a commit %s", e.destination, rev)
	}
	return e.destination + " has no such tag"
}

// inCircle reports whether the mirror depends on one that depends on it.
func (c *checker) inCircle() bool {
	return slices.ContainsFunc(c.d.DependsOn, func(name string) bool { return c.run.circular(c.d.Name, name) })
}

// resolve finds a version in the mirrors that this one depends on.
func (c *checker) resolve(v module.Version) (*release, error) {
	var reasons []string
	on := c.d.DependsOn
	if c.inCircle() {
		on = append(slices.Clip(on), c.d.Name)
	}
	for _, name := range on {
		sibling := c.run.checkers[name]
		if sibling == nil || sibling.modules == nil {
			continue
		}
		switch r, err := sibling.modules.resolve(c.reader, v); {
		case err == nil || ofMachine(err):
			return r, err
		case err != errElsewhere:
			reasons = append(reasons, err.Error())
		}
	}
	if len(reasons) == 0 {
		return nil, errElsewhere
	}
	return nil, errors.New(strings.Join(reasons, "; "))
}

func (m *modules) resolve(reader *reader, v module.Version) (*release, error) {
	m.mu.Lock()
	r, known := m.releases[v.Version]
	if !known {
		n, err := m.find(v.Version)
		if err != nil {
			m.mu.Unlock()
			return nil, err
		}
		r = &release{of: m, commit: m.h.IDs[n], version: module.Version{Version: v.Version}}
		m.releases[v.Version] = r
	}
	m.mu.Unlock()
	r.read.Do(func() { r.err = r.readFrom(reader) })
	if r.err == nil && r.version.Path != v.Path {
		return nil, errElsewhere
	}
	return r, r.err
}

// readFrom reads the release in its mirror.
func (r *release) readFrom(reader *reader) error {
	n, _ := r.of.h.Node(r.commit)
	commit, err := r.of.h.commit(n)
	if err != nil {
		return err
	}
	r.tree = commit.Tree
	if module.IsPseudoVersion(r.version.Version) {
		want, err1 := module.PseudoVersionTime(r.version.Version)
		have, err2 := commit.CommitTime()
		if err1 != nil || err2 != nil || !want.Equal(have) {
			return fmt.Errorf("commit %s of %s is of another time, %s", r.commit, r.of.destination, have.Format(time.RFC3339))
		}
	}
	root, err := reader.Tree(r.tree)
	if err != nil {
		return err
	}
	mode, id, _, err := object.FindEntry(root, "go.mod")
	if err != nil {
		return err
	}
	if !mode.IsRegular() {
		return fmt.Errorf("commit %s of %s has no go.mod", r.commit, r.of.destination)
	}
	goMod, err := reader.Blob(id)
	r.version.Path, r.goModSum = modfile.ModulePath(goMod), modhash.GoMod(goMod)
	return err
}

// find returns the commit that a version names. The go command fetches branches
// and tags, so one of them has to reach it.
func (m *modules) find(version string) (int32, error) {
	if !module.IsPseudoVersion(version) {
		at, ok := m.h.targets["refs/tags/"+version]
		if !ok || at.commit == none {
			return none, &absentError{m.destination, version}
		}
		return at.commit, nil
	}
	rev, err := module.PseudoVersionRev(version)
	if err != nil {
		return none, err
	}
	switch found := m.h.byPrefix[rev]; len(found) {
	case 0:
		return none, &absentError{m.destination, version}
	case 1:
		return found[0], nil
	default:
		return none, fmt.Errorf("%s has %d commits %s", m.destination, len(found), rev)
	}
}

// hash returns the hash of the release's zip, or of its go.mod where version
// ends in /go.mod. It is that of git's archive where archive asks for it, or
// another hash is claimed.
func (r *release) hash(reader *reader, version, claimed string, archive bool) (hash string, err error) {
	if strings.HasSuffix(version, "/go.mod") {
		return r.goModSum, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.quick == "" {
		r.quick, err = reader.hasher.Zip(r.version, r.tree)
	}
	if err == nil && r.archived == "" && (archive || r.quick != claimed) {
		r.archived, err = modhash.Archived(reader, r.version, r.tree)
	}
	return cmp.Or(r.archived, r.quick), err // The tree can be unfit, or the mirror damaged.
}
