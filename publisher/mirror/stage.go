package mirror

import (
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
)

// Staged is a change to a mirror whose objects are all written, but not seen
// by anyone yet.
type Staged struct {
	mirror *Mirror
	lock   *Lock
	dir    string // the folder of what is staged
	repo   string // the repository that git works in: the mirror, or a new one
	packs  string // where its packs are
	refs   map[string]Ref
	// whole tells that refs are all branches and tags that the mirror is to have.
	whole bool
}

// Stage packs what the refs need and the mirror lacks. The objects are looked for
// in the mirror and in the store, which may be nil; scratch, an existing folder on
// the mirror's file system, takes what is written. Refs that the mirror has and refs
// does not name stay. The mirror's value stays what it was, too: open it again to
// see the change. The lock is that of the mirrors. The error is an [ObjectError]
// where something must not be published.
func (m *Mirror) Stage(ctx context.Context, lock *Lock, refs map[string]Ref, objects *odb.Store, head, scratch string) (*Staged, error) {
	dir, err := os.MkdirTemp(scratch, "incoming-")
	if err != nil {
		return nil, fmt.Errorf("stage %s: %w", m.Dir, err)
	}
	s := &Staged{mirror: m, lock: lock, dir: dir, repo: m.Dir, refs: refs}
	if err := s.pack(ctx, objects, head); err != nil {
		return nil, fmt.Errorf("stage %s: %w", m.Dir, errors.Join(err, s.Discard()))
	}
	return s, nil
}

func (s *Staged) pack(ctx context.Context, objects *odb.Store, head string) error {
	s.packs = filepath.Join(s.dir, "pack")
	if !s.mirror.Exists {
		s.repo = filepath.Join(s.dir, "mirror.git")
		s.packs = filepath.Join(s.repo, "objects", "pack")
		if err := initRepository(s.repo, head); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(s.packs, 0o777); err != nil {
		return err
	}
	choice, err := newChoice(s.mirror, objects)
	if err != nil {
		return err
	}
	defer choice.close()
	if err := choice.choose(ctx, s.refs); err != nil {
		return err
	}
	w, err := odb.NewPackWriter(s.packs, zlib.DefaultCompression)
	if err != nil {
		return err
	}
	if err = choice.copy(ctx, w); err == nil {
		err = w.Finish(true)
	}
	return errors.Join(err, w.Close())
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
	var err error
	if s.mirror.Exists {
		err = s.merge(ctx)
	} else {
		err = s.create()
	}
	if err != nil {
		return fmt.Errorf("publish to %s: %w", s.mirror.Dir, errors.Join(err, s.Discard()))
	}
	return s.Discard()
}

// initRepository makes an empty bare repository, durably.
func initRepository(dir, head string) error {
	for _, sub := range []string{"objects/info", "objects/pack", "refs/heads", "refs/tags"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o777); err != nil {
			return err
		}
	}
	return errors.Join(
		writeNew(filepath.Join(dir, "HEAD"), "ref: refs/heads/"+head+"\n"),
		writeNew(filepath.Join(dir, "config"), "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n"),
		syncDir(filepath.Join(dir, "objects")), syncDir(filepath.Join(dir, "refs")))
}

// create moves a new repository to its place. It is whole in the moment in which
// it appears.
func (s *Staged) create() error {
	if err := writeRefs(s.repo, s.refs); err != nil {
		return err
	}
	if err := syncDir(filepath.Join(s.repo, "objects", "pack")); err != nil {
		return err
	}
	parent := filepath.Dir(s.mirror.Dir)
	if err := os.MkdirAll(parent, 0o777); err != nil {
		return err
	}
	if err := os.Rename(s.repo, s.mirror.Dir); err != nil {
		return err
	}
	// The folders on the way may be new, too.
	for dir := parent; ; dir = filepath.Dir(dir) {
		if err := syncDir(dir); err != nil || dir == s.lock.mirrors() || dir == filepath.Dir(dir) {
			return err
		}
	}
}

func (s *Staged) merge(ctx context.Context) (err error) {
	loose := false
	if err := s.mirror.eachLoose(func(string, object.ID) { loose = true }); err != nil {
		return err
	}
	if loose {
		// A loose ref would hide its line in packed-refs.
		if err := s.lock.Git(ctx, s.mirror, "pack-refs", "--all", "--prune"); err != nil {
			return err
		}
	}
	if err := s.lock.changes(s.mirror); err != nil {
		return err
	}
	update, err := lockRefs(s.mirror.Dir)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.lock.cleaned(update.abandon()))
		}
	}()
	now := &Mirror{Dir: s.mirror.Dir, Exists: true}
	if err := now.read(); err != nil {
		return err
	}
	if err := s.mirror.sameRefs(now); err != nil {
		return err
	}
	s.set(now.refs)
	all := maps.Clone(now.refs)
	maps.Copy(all, now.tracking)
	if err := update.write(all); err != nil {
		return err
	}
	keeps, err := s.moveObjects()
	defer func() {
		for _, name := range keeps {
			err = errors.Join(err, s.lock.cleaned(ignoreMissing(os.Remove(name))))
		}
	}()
	if err != nil {
		return err
	}
	if s.mirror.served, err = now.withdraw(); err != nil {
		return err
	}
	return update.commit()
}

// ChangedError reports that someone else wrote to a mirror after it was
// compared with what is to be published.
type ChangedError struct {
	Ref      string
	Was, Now object.ID // zero where there was or is none
}

func (e *ChangedError) Error() string {
	return fmt.Sprintf("%s was changed by someone else from %s to %s while it was being published; run again", e.Ref, e.Was, e.Now)
}

// sameRefs returns a [ChangedError] where the refs are not what they were.
func (m *Mirror) sameRefs(now *Mirror) error {
	all := maps.Clone(now.refs)
	maps.Copy(all, m.refs)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if was, is := m.refs[name].ID, now.refs[name].ID; was != is {
			return &ChangedError{name, was, is}
		}
	}
	return nil
}

// keepText is what a .keep file of ours holds. It tells a git that repacks the
// mirror meanwhile not to drop a pack that no ref leads to yet.
const keepText = "publisher: refs are about to name what is in this pack\n"

// moveObjects moves what was packed into the mirror, and returns the files that
// keep it there, to be removed once refs name it.
func (s *Staged) moveObjects() (keeps []string, err error) {
	to := filepath.Join(s.mirror.ObjectsDir(), "pack")
	if err := os.MkdirAll(to, 0o777); err != nil {
		return nil, err
	}
	from := s.packs
	packs, err := fs.Glob(os.DirFS(from), "*.pack")
	if err != nil {
		return nil, err
	}
	for _, pack := range packs {
		name := strings.TrimSuffix(pack, ".pack")
		// An index makes its pack seen, so it moves last.
		exts := []string{".keep", ".pack", ".idx"}
		keep := filepath.Join(to, name+".keep")
		if _, err := os.Lstat(keep); err == nil {
			exts = exts[1:] // Someone else's stays theirs.
		} else if err := writeNew(filepath.Join(from, name+".keep"), keepText); err != nil {
			return keeps, err
		} else {
			keeps = append(keeps, keep)
		}
		for _, ext := range exts {
			if err := os.Rename(filepath.Join(from, name+ext), filepath.Join(to, name+ext)); err != nil {
				return keeps, err
			}
		}
	}
	return keeps, syncDir(to)
}

// writeNew writes a file that must not exist, durably.
func writeNew(name, text string) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Sync(), f.Close())
}

// Discard removes what is staged.
func (s *Staged) Discard() error { return os.RemoveAll(s.dir) }

// withdraw removes the list of refs for those who fetch from a web server that
// knows nothing of git, and reports whether there was one: at no moment is it
// to tell of other refs than there are. See git help update-server-info, which
// git gc runs.
func (m *Mirror) withdraw() (bool, error) {
	err := os.Remove(filepath.Join(m.Dir, "info", "refs"))
	return err == nil, ignoreMissing(err)
}

// Tidy brings the lists for web servers up to date where there were such, once
// it has repacked the mirror if that is worth it; see repack. The lock is that
// of the mirrors.
func (m *Mirror) Tidy(ctx context.Context, lock *Lock) error {
	err := m.repack(ctx, lock)
	if m.served {
		err = errors.Join(err, lock.Git(ctx, m, "update-server-info"))
	}
	return err
}

// repack repacks a mirror whose later packs together have grown to a fifth of
// its largest one. That bounds both their number and what is lost to deltas
// that do not cross packs, and as the threshold grows with the mirror, each
// object is repacked a few times only, however many syncs there are.
func (m *Mirror) repack(ctx context.Context, lock *Lock) error {
	packs := os.DirFS(filepath.Join(m.ObjectsDir(), "pack"))
	names, err := fs.Glob(packs, "pack-*.pack")
	if err != nil {
		return err
	}
	var sum, largest int64
	for _, name := range names {
		var size int64
		// In a small mirror the indexes are what is large.
		for _, file := range []string{name, strings.TrimSuffix(name, ".pack") + ".idx"} {
			info, err := fs.Stat(packs, file)
			if err != nil {
				return err
			}
			size += info.Size()
		}
		sum += size
		largest = max(largest, size)
	}
	const most = 50 // packs: git itself slows down with many
	if (sum-largest)*5 < largest && len(names) < most {
		return nil
	}
	if err := lock.changes(m); err != nil {
		return err
	}
	if err = lock.Git(ctx, m, "repack", "-a", "-d", "-q", "-l", "-n"); err != nil {
		return errors.Join(err, m.removeTemporaries())
	}
	return nil
}
