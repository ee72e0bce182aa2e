package mirror

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/publisher/git"
)

// ProvenanceRefs is where the refs are that testify to tags; see package provenance.
const ProvenanceRefs = "refs/provenance/"

// Follows reports whether a ref of a mirror is what its remote says: a branch, a tag, or
// what testifies to a tag. Others are this machine's own.
func Follows(ref string) bool {
	return strings.HasPrefix(ref, "refs/heads/") || strings.HasPrefix(ref, "refs/tags/") || strings.HasPrefix(ref, ProvenanceRefs)
}

// Is reports whether the mirror's branches and tags are the given ones.
func (m *Mirror) Is(refs map[string]Ref) bool {
	n := 0
	for name, ref := range m.refs {
		if !Follows(name) {
			continue
		}
		if n++; refs[name].ID != ref.ID {
			return false
		}
	}
	return n == len(refs)
}

// Received is what a mirror lacks of its remote, beside the mirror, on its way there.
type Received struct {
	mirror *Mirror
	dir    string // the folder of all this
	repo   string
}

// Receive makes room, in an existing folder on the mirror's file system, for what a
// mirror lacks of its remote. Head is the branch that HEAD of a new mirror names.
func (m *Mirror) Receive(scratch, head string) (*Received, error) {
	dir, err := os.MkdirTemp(scratch, "incoming-")
	if err != nil {
		return nil, fmt.Errorf("receive for %s: %w", m.Dir, err)
	}
	r := &Received{m, dir, filepath.Join(dir, "mirror.git")}
	if err = initRepository(r.repo, head); err == nil && m.Exists {
		if err = git.Borrow(filepath.Join(r.repo, "objects"), m.ObjectsDir()); err == nil {
			err = writeRefs(r.repo, m.refs)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("receive for %s: %w", m.Dir, errors.Join(err, r.Discard()))
	}
	return r, nil
}

// Dir is a bare repository to fetch into. It has all that the mirror has.
func (r *Received) Dir() string { return r.repo }

// Discard removes what was received.
func (r *Received) Discard() error { return os.RemoveAll(r.dir) }

// Mirror returns what the mirror would be with the given refs in the place of its
// branches and tags. It is in the folder of what was received, and ends with that.
func (r *Received) Mirror(refs map[string]Ref) (*Mirror, error) {
	if err := writeRefs(r.repo, refs); err != nil {
		return nil, err
	}
	return Open(r.repo)
}

// Commit puts what was received, and the given refs, into the place of the mirror's
// branches and tags: all at once, so that the mirror is at each moment what it was or
// what the remote is. The lock is that of the mirrors. It returns the mirror as it is
// then.
func (r *Received) Commit(ctx context.Context, lock *Lock, refs map[string]Ref) (*Mirror, error) {
	s := &Staged{mirror: r.mirror, lock: lock, dir: r.dir, repo: r.repo, packs: filepath.Join(r.repo, "objects", "pack"), refs: refs, whole: true}
	if err := s.Commit(ctx); err != nil {
		return nil, err
	}
	return Open(r.mirror.Dir)
}

// writeRefs makes refs all that a repository has.
func writeRefs(repo string, refs map[string]Ref) error {
	update, err := lockRefs(repo)
	if err != nil {
		return err
	}
	if err := update.write(refs); err != nil {
		return errors.Join(err, update.abandon())
	}
	return update.commit()
}

// set puts the staged refs into those that a mirror has.
func (s *Staged) set(refs map[string]Ref) {
	if s.whole {
		maps.DeleteFunc(refs, func(name string, _ Ref) bool { return Follows(name) })
	}
	maps.Copy(refs, s.refs)
}
