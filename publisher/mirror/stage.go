package mirror

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"k8s.io/publisher/object"
)

// Staged is a change to a mirror whose objects are all written, but not seen
// by anyone yet.
type Staged struct {
	mirror *Mirror
	dir    string // the folder of what is staged
	repo   string // the repository that git works in: the mirror, or a new one
	refs   map[string]Ref
}

// Stage packs what the refs need and the mirror lacks. The objects are looked
// for in the mirror and in the other object directories; scratch, an existing
// folder on the mirror's file system, takes what is written. Refs that the
// mirror has and refs does not name stay.
func (m *Mirror) Stage(ctx context.Context, refs map[string]Ref, objectDirs []string, head, scratch string) (*Staged, error) {
	dir, err := os.MkdirTemp(scratch, "incoming-")
	if err != nil {
		return nil, fmt.Errorf("stage %s: %w", m.Dir, err)
	}
	s := &Staged{mirror: m, dir: dir, repo: m.Dir, refs: refs}
	if err := s.pack(ctx, objectDirs, head); err != nil {
		return nil, fmt.Errorf("stage %s: %w", m.Dir, errors.Join(err, s.Discard()))
	}
	return s, nil
}

func (s *Staged) pack(ctx context.Context, objectDirs []string, head string) error {
	target := filepath.Join(s.dir, "pack")
	if !s.mirror.Exists {
		s.repo = filepath.Join(s.dir, "mirror.git")
		target = filepath.Join(s.repo, "objects", "pack")
		if _, err := Git(ctx, nil, nil, "init", "--quiet", "--bare", "--template=", "--initial-branch="+head, s.repo); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(target, 0o777); err != nil {
		return err
	}
	var want bytes.Buffer
	for name, ref := range s.refs {
		if old, ok := s.mirror.refs[name]; !ok || old.ID != ref.ID {
			fmt.Fprintln(&want, ref.ID)
		}
	}
	if want.Len() == 0 {
		return nil
	}
	fmt.Fprintln(&want, "--not")
	for _, ref := range s.mirror.refs {
		fmt.Fprintln(&want, ref.ID)
	}
	env := []string{"GIT_DIR=" + s.repo, "GIT_ALTERNATE_OBJECT_DIRECTORIES=" + alternates(objectDirs)}
	_, err := Git(ctx, env, &want, "pack-objects", "--revs", "--quiet", "--delta-base-offset", "--threads=1", filepath.Join(target, "pack"))
	return err
}

// alternates joins directories as git's environment variable has them.
func alternates(dirs []string) string {
	quoted := make([]string, len(dirs))
	for i, dir := range dirs {
		quoted[i] = dir
		if strings.ContainsAny(dir, ":\"\\") {
			quoted[i] = strconv.Quote(dir)
		}
	}
	return strings.Join(quoted, ":")
}

// ObjectDirs are the directories that hold all objects of the staged refs.
func (s *Staged) ObjectDirs() []string {
	if !s.mirror.Exists {
		return []string{filepath.Join(s.repo, "objects")}
	}
	// What is staged is an object directory without loose objects.
	return []string{s.dir, s.mirror.ObjectsDir()}
}

// Commit makes the change visible: the objects first, then all refs at once.
func (s *Staged) Commit(ctx context.Context) error {
	refs := maps.Clone(s.mirror.refs)
	if refs == nil {
		refs = make(map[string]Ref)
	}
	maps.Copy(refs, s.refs)
	var err error
	if s.mirror.Exists {
		err = s.merge(ctx, refs)
	} else {
		err = s.create(refs)
	}
	if err != nil {
		return fmt.Errorf("publish to %s: %w", s.mirror.Dir, errors.Join(err, s.Discard()))
	}
	s.mirror.refs, s.mirror.Exists = refs, true
	return s.Discard()
}

func (s *Staged) create(refs map[string]Ref) error {
	if err := writeRefs(s.repo, refs); err != nil {
		return err
	}
	parent := filepath.Dir(s.mirror.Dir)
	if err := os.MkdirAll(parent, 0o777); err != nil {
		return err
	}
	if err := os.Rename(s.repo, s.mirror.Dir); err != nil {
		return err
	}
	return syncDir(parent)
}

func (s *Staged) merge(ctx context.Context, refs map[string]Ref) error {
	to := filepath.Join(s.mirror.ObjectsDir(), "pack")
	if err := os.MkdirAll(to, 0o777); err != nil {
		return err
	}
	// An index makes its pack seen, so it moves last.
	for _, pattern := range []string{"*.pack", "*.rev", "*.idx"} {
		names, err := filepath.Glob(filepath.Join(s.dir, "pack", pattern))
		if err != nil {
			return err
		}
		for _, name := range names {
			if err := os.Rename(name, filepath.Join(to, filepath.Base(name))); err != nil {
				return err
			}
		}
	}
	if err := syncDir(to); err != nil {
		return err
	}
	loose := false
	if err := s.mirror.eachLoose(func(string, object.ID) { loose = true }); err != nil {
		return err
	}
	if loose {
		// A loose ref would hide its line in packed-refs.
		if _, err := Git(ctx, []string{"GIT_DIR=" + s.mirror.Dir}, nil, "pack-refs", "--all", "--prune"); err != nil {
			return err
		}
	}
	return writeRefs(s.mirror.Dir, refs)
}

// Discard removes what is staged.
func (s *Staged) Discard() error { return os.RemoveAll(s.dir) }

// Tidy repacks a mirror whose later packs together have grown to a fifth of
// its largest one. That bounds both their number and what is lost to deltas
// that do not cross packs, and as the threshold grows with the mirror, each
// object is repacked a few times only, however many syncs there are.
func (m *Mirror) Tidy(ctx context.Context) error {
	names, err := filepath.Glob(filepath.Join(m.ObjectsDir(), "pack", "pack-*.pack"))
	if err != nil {
		return err
	}
	var sum, largest int64
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			return err
		}
		sum += info.Size()
		largest = max(largest, info.Size())
	}
	const most = 50 // packs: git itself slows down with many
	if (sum-largest)*5 < largest && len(names) < most {
		return nil
	}
	_, err = Git(ctx, []string{"GIT_DIR=" + m.Dir}, nil, "repack", "-a", "-d", "-q", "-l")
	return err
}

