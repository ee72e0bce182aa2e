// Package mirror keeps the published repositories: ordinary bare ones, in
// DIR/<destination>/mirror.git.
//
// A mirror changes in two steps. First all new objects are packed beside it,
// where a failure, a full disk or a killed process leaves it as it was. Then
// the pack is moved in and all refs change at once, in one rename of
// packed-refs. Git's own update-ref is atomic against other processes but
// renames one file for each ref, so a machine that fails in between would
// leave branches without their tags; packed-refs as a whole cannot be torn.
package mirror

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
)

// Mirror is one published repository, which need not exist yet.
type Mirror struct {
	// Dir is the bare repository.
	Dir string
	// Exists tells whether there is one.
	Exists bool

	refs map[string]Ref
	// tracking are the packed refs that follow other repositories.
	tracking map[string]Ref
}

// Ref is what a ref names. Peeled is the commit behind an annotated tag, zero
// for other refs.
type Ref struct {
	ID, Peeled object.ID
}

// trackingRefs are made by git where someone pushes or fetches in a mirror. They
// say nothing about what is published, and stay as they are.
const trackingRefs = "refs/remotes/"

// Path returns where a destination's mirror is, below the folder of mirrors.
func Path(mirrors, destination string) string {
	return filepath.Join(mirrors, filepath.FromSlash(destination), "mirror.git")
}

// Open reads the state of the mirror at dir.
func Open(dir string) (*Mirror, error) {
	m := &Mirror{Dir: dir}
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
		return m, nil
	} else if err != nil {
		return nil, fmt.Errorf("open mirror: %w", err)
	}
	for _, name := range []string{"HEAD", "objects", "refs"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return nil, fmt.Errorf("open mirror: %s is not a bare git repository: %w", dir, err)
		}
	}
	if err := odb.CheckFormat(dir); err != nil {
		return nil, fmt.Errorf("open mirror %s: %w", dir, err)
	}
	m.Exists = true
	if err := m.read(); err != nil {
		return nil, fmt.Errorf("open mirror %s: %w", dir, err)
	}
	return m, nil
}

// read reads packed-refs, and the loose refs that others may have made.
func (m *Mirror) read() error {
	m.refs, m.tracking = make(map[string]Ref), make(map[string]Ref)
	f, err := os.Open(filepath.Join(m.Dir, "packed-refs"))
	if err == nil {
		err = m.parse(f)
		err = errors.Join(err, f.Close())
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return m.eachLoose(func(name string, id object.ID) {
		m.refs[name] = Ref{ID: id}
	})
}

func (m *Mirror) parse(f *os.File) error {
	var last string
	var refs map[string]Ref
	lines := bufio.NewScanner(f)
	for number := 1; lines.Scan(); number++ {
		line := lines.Bytes()
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		if line[0] == '^' && last != "" {
			peeled, err := object.ParseID(line[1:])
			if err != nil {
				return fmt.Errorf("packed-refs:%d: %w", number, err)
			}
			refs[last] = Ref{ID: refs[last].ID, Peeled: peeled}
			continue
		}
		hex, name, ok := bytes.Cut(line, []byte(" "))
		if !ok || !bytes.HasPrefix(name, []byte("refs/")) {
			return fmt.Errorf("packed-refs:%d: malformed line", number)
		}
		id, err := object.ParseID(hex)
		if err != nil {
			return fmt.Errorf("packed-refs:%d: %w", number, err)
		}
		last, refs = string(name), m.refs
		if strings.HasPrefix(last, trackingRefs) {
			refs = m.tracking
		}
		refs[last] = Ref{ID: id}
	}
	return lines.Err()
}

func (m *Mirror) eachLoose(visit func(name string, id object.ID)) error {
	root := filepath.Join(m.Dir, "refs")
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, ".lock") {
			return err
		}
		name, err := filepath.Rel(m.Dir, path)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if strings.HasPrefix(name, trackingRefs) {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if bytes.HasPrefix(data, []byte("ref: ")) {
			return fmt.Errorf("%s is a symbolic ref, which a mirror has no use for", name)
		}
		id, err := object.ParseID(bytes.TrimSpace(data))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		visit(name, id)
		return nil
	})
}

// Ref returns what a ref names.
func (m *Mirror) Ref(name string) (object.ID, bool) {
	r, ok := m.refs[name]
	return r.ID, ok
}

// Refs returns all refs by their full names, but for those below refs/remotes.
func (m *Mirror) Refs() map[string]Ref { return m.refs }

// LostObjectError reports a ref that names an object which the mirror does not
// hold.
type LostObjectError struct {
	Dir, Ref string
	ID       object.ID
}

func (e *LostObjectError) Error() string {
	return fmt.Sprintf("%s names %s, which is not there: objects of this mirror were lost; "+
		"fetch them from a clone of it, or move %s away to have it published anew", e.Ref, e.ID, e.Dir)
}

// CheckObjects returns a [LostObjectError] where a ref names an object that is not
// in the mirror's store.
func (m *Mirror) CheckObjects(store *odb.Store) error {
	for _, name := range slices.Sorted(maps.Keys(m.refs)) {
		ref := m.refs[name]
		for _, id := range []object.ID{ref.ID, ref.Peeled} {
			if !id.IsZero() && !store.Has(id) {
				return &LostObjectError{m.Dir, name, id}
			}
		}
	}
	return nil
}

// Head returns the branch that the mirror's HEAD names; empty where it names none.
func (m *Mirror) Head() string {
	data, err := os.ReadFile(filepath.Join(m.Dir, "HEAD"))
	if err != nil {
		return ""
	}
	name, _ := strings.CutPrefix(strings.TrimSpace(string(data)), "ref: refs/heads/")
	return name
}

// ObjectsDir is the mirror's object directory.
func (m *Mirror) ObjectsDir() string { return filepath.Join(m.Dir, "objects") }

// refsUpdate is a packed-refs file in the making. The lock file that it is
// written to is git's own, so that a git process that packs refs meanwhile is
// kept out.
type refsUpdate struct {
	name string
	file *os.File
}

func lockRefs(dir string) (*refsUpdate, error) {
	u := &refsUpdate{name: filepath.Join(dir, "packed-refs")}
	var err error
	u.file, err = os.OpenFile(u.name+".lock", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("update refs: %s.lock exists: a git process is at work in this mirror, or one died there; "+
			"if none runs, remove the file", u.name)
	}
	if err != nil {
		return nil, fmt.Errorf("update refs: %w", err)
	}
	return u, nil
}

// write writes refs, durably but not seen by anyone yet.
func (u *refsUpdate) write(refs map[string]Ref) error {
	w := bufio.NewWriter(u.file)
	fmt.Fprintln(w, "# pack-refs with: peeled fully-peeled sorted ")
	for _, ref := range slices.Sorted(maps.Keys(refs)) {
		fmt.Fprintf(w, "%s %s\n", refs[ref].ID, ref)
		if p := refs[ref].Peeled; !p.IsZero() {
			fmt.Fprintf(w, "^%s\n", p)
		}
	}
	if err := errors.Join(w.Flush(), u.file.Sync()); err != nil {
		return fmt.Errorf("update refs: %w", err)
	}
	return nil
}

// commit lets everyone see what was written.
func (u *refsUpdate) commit() error {
	err := u.file.Close()
	if err == nil {
		err = os.Rename(u.name+".lock", u.name)
	}
	if err != nil {
		return fmt.Errorf("update refs: %w", err)
	}
	return syncDir(filepath.Dir(u.name))
}

// abandon leaves the refs as they were.
func (u *refsUpdate) abandon() error {
	_ = u.file.Close() // A failed commit may have closed it.
	return ignoreMissing(os.Remove(u.name + ".lock"))
}

// syncDir makes renames in a directory durable. Some file systems cannot, and
// say so; there is nothing better to do on them.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		err = nil
	}
	return errors.Join(err, d.Close())
}
