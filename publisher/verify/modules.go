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
	releases map[module.Version]*release
	// hasher remembers what directories contribute. It reads with objects, which
	// are whose turn it is.
	hasher  *modhash.Hasher
	objects struct{ *odb.Reader }
}

func newModules(destination string, h *history, sums modhash.Sums) *modules {
	m := &modules{destination: destination, h: h, releases: make(map[module.Version]*release)}
	m.hasher = modhash.New(&m.objects, sums)
	return m
}

// release is a version of a module that its mirror has. Errors that are not of this
// machine say why it has none, or none that can be fetched.
type release struct {
	err      error
	of       *modules
	version  module.Version
	commit   object.ID
	tree     object.ID
	goModSum string

	quick, archived string // the hash of the zip, once it was needed
}

// errElsewhere tells that a version is another sibling's.
var errElsewhere = errors.New("no sibling's mirror has it")

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
		switch r := sibling.modules.resolve(c.reader, v); {
		case r.err == nil || ofMachine(r.err):
			return r, r.err
		case r.err != errElsewhere:
			reasons = append(reasons, r.err.Error())
		}
	}
	if len(reasons) == 0 {
		return nil, errElsewhere
	}
	return nil, errors.New(strings.Join(reasons, "; "))
}

func (m *modules) resolve(reader *odb.Reader, v module.Version) *release {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, known := m.releases[v]
	if !known {
		r = &release{of: m, version: v}
		r.err = r.read(reader)
		m.releases[v] = r
	}
	return r
}

// read finds the release in its mirror.
func (r *release) read(reader *odb.Reader) error {
	h := r.of.h
	n, err := r.of.find(r.version)
	if err != nil {
		return err
	}
	commit, err := h.commit(n)
	if err != nil {
		return err
	}
	r.commit, r.tree = h.IDs[n], commit.Tree
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
	if err == nil && modfile.ModulePath(goMod) != r.version.Path {
		err = errElsewhere
	}
	r.goModSum = modhash.GoMod(goMod)
	return err
}

// find returns the commit that a version names. The go command fetches branches
// and tags, so one of them has to reach it.
func (m *modules) find(v module.Version) (int32, error) {
	if !module.IsPseudoVersion(v.Version) {
		at, ok := m.h.targets["refs/tags/"+v.Version]
		if !ok || at.commit == none {
			return none, fmt.Errorf("%s has no such tag", m.destination)
		}
		return at.commit, nil
	}
	rev, err := module.PseudoVersionRev(v.Version)
	if err != nil {
		return none, err
	}
	switch found := m.h.byPrefix[rev]; len(found) {
	case 0:
		return none, fmt.Errorf("no branch or tag of %s has a commit %s", m.destination, rev)
	case 1:
		return found[0], nil
	default:
		return none, fmt.Errorf("%s has %d commits %s", m.destination, len(found), rev)
	}
}

// hash returns the hash of the release's zip, or of its go.mod where version
// ends in /go.mod. It is that of git's archive where archive asks for it, or
// another hash is claimed.
func (r *release) hash(reader *odb.Reader, version, claimed string, archive bool) (hash string, err error) {
	if strings.HasSuffix(version, "/go.mod") {
		return r.goModSum, nil
	}
	r.of.mu.Lock()
	defer r.of.mu.Unlock()
	if r.quick == "" {
		r.of.objects.Reader = reader
		r.quick, err = r.of.hasher.Zip(r.version, r.tree)
	}
	if err == nil && r.archived == "" && (archive || r.quick != claimed) {
		r.archived, err = modhash.Archived(reader, r.version, r.tree)
	}
	return cmp.Or(r.archived, r.quick), err // The tree can be unfit, or the mirror damaged.
}
