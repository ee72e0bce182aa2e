package verify

import (
	"cmp"
	"fmt"
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
	releases map[module.Version]resolution
	// hasher remembers what directories contribute. It reads with objects, which
	// are whose turn it is.
	hasher  *modhash.Hasher
	objects struct{ *odb.Reader }
}

func newModules(destination string, h *history, sums modhash.Sums) *modules {
	m := &modules{destination: destination, h: h, releases: make(map[module.Version]resolution)}
	m.hasher = modhash.New(&m.objects, sums)
	return m
}

// resolution is a release, or why there is none; nothing where it is another
// sibling's.
type resolution struct {
	*release
	why string
}

// release is a version of a module that its mirror has.
type release struct {
	of      *modules
	version module.Version
	commit  object.ID
	tree    object.ID
	goMod   []byte

	quick, archived string // the hash of the zip, once it was needed
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
		found, why, err := sibling.modules.resolve(c.reader, v)
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
	r, known := m.releases[v]
	if !known {
		var err error
		if r.release, r.why, err = m.release(reader, v); err != nil {
			return nil, "", err
		}
		m.releases[v] = r
	}
	return r.release, r.why, nil
}

func (m *modules) release(reader *odb.Reader, v module.Version) (*release, string, error) {
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
func (r *release) hash(reader *odb.Reader, version, claimed string, archive bool) (hash, why string, err error) {
	if strings.HasSuffix(version, "/go.mod") {
		return modhash.GoMod(r.goMod), "", nil
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
	if err != nil && !ofMachine(err) {
		return "", err.Error(), nil // The tree is unfit, or the mirror damaged.
	}
	if err != nil {
		return "", "", err
	}
	return cmp.Or(r.archived, r.quick), "", nil
}
