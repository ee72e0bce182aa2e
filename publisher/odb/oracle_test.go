package odb

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"k8s.io/publisher/object"
)

// TestReadersSeeWhatGitSees reads every object of repositories that store the
// same history in different ways.
func TestReadersSeeWhatGitSees(t *testing.T) {
	base := newRepository(t)
	base.history(300)
	want := base.all()
	for name, store := range map[string]func(r repository){
		"as imported": func(repository) {},
		"deep chains": func(r repository) { r.git(nil, nil, "repack", "-adfq", "--depth=4000", "--window=4") },
		"bases by name": func(r repository) {
			r.git(nil, nil, "-c", "repack.useDeltaBaseOffset=false", "repack", "-adfq", "--depth=100")
		},
		"no deltas":             func(r repository) { r.git(nil, nil, "repack", "-adfq", "--depth=0") },
		"no compression":        func(r repository) { r.git(nil, nil, "-c", "pack.compression=0", "repack", "-adFq") },
		"best compression":      func(r repository) { r.git(nil, nil, "-c", "pack.compression=9", "repack", "-adFq") },
		"many packs":            func(r repository) { r.git(nil, nil, "repack", "-adfq", "--max-pack-size=1m") },
		"loose objects":         func(r repository) { r.loosen() },
		"offsets of 64 bits":    func(r repository) { r.reindex("--index-version=2,0x40") },
		"a thin pack completed": func(r repository) { r.thin() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRepository(t)
			copyTree(t, base.dir, r.dir)
			store(r)
			s, err := Open(r.objects())
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			ids := make([]object.ID, 0, len(want))
			for id := range want {
				ids = append(ids, id)
			}
			// Readers that meet objects in different orders have different
			// caches.
			var group sync.WaitGroup
			for worker := range 2 {
				group.Go(func() {
					random := rand.New(rand.NewPCG(uint64(worker), 1))
					reader := s.Reader()
					for _, i := range random.Perm(len(ids)) {
						id := ids[i]
						if !s.Has(id) {
							t.Errorf("it has no %s", id)
						}
						kind, data, err := reader.ReadAny(id)
						if err != nil {
							t.Errorf("read %s: %v", id, err)
						} else if kind != want[id].kind || !bytes.Equal(data, want[id].content) {
							t.Errorf("%s is a %s of %d bytes, not the %s of %d that git has", id, kind, len(data), want[id].kind, len(want[id].content))
						}
					}
				})
			}
			group.Wait()
		})
	}
}

func copyTree(t testing.TB, from, to string) {
	t.Helper()
	if err := os.RemoveAll(to); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

// packs takes all packs out of the repository.
func (r repository) packs() [][]byte {
	r.Helper()
	names, err := filepath.Glob(filepath.Join(r.objects(), "pack", "*.pack"))
	if err != nil {
		r.Fatal(err)
	}
	var packs [][]byte
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			r.Fatal(err)
		}
		packs = append(packs, data)
	}
	if err := os.RemoveAll(filepath.Join(r.objects(), "pack")); err != nil {
		r.Fatal(err)
	}
	return packs
}

func (r repository) loosen() {
	r.Helper()
	for _, pack := range r.packs() {
		r.git(pack, nil, "unpack-objects", "-q")
	}
}

func (r repository) reindex(option string) {
	r.Helper()
	for _, pack := range r.packs() {
		r.git(pack, nil, "index-pack", "--stdin", option)
	}
}

// thin stores half of the history in a pack that was completed with the bases
// of its deltas, as a fetch does.
func (r repository) thin() {
	r.Helper()
	old := r.git([]byte("main~150\n"), nil, "pack-objects", "--revs", "--stdout", "-q")
	news := r.git([]byte("main\nv1\n--not\nmain~150\n"), nil, "pack-objects", "--revs", "--thin", "--stdout", "-q")
	empty := r.git(nil, nil, "mktree")
	rest := r.git(empty, nil, "pack-objects", "--stdout", "-q")
	r.packs()
	r.git(old, nil, "index-pack", "--stdin")
	r.git(news, nil, "index-pack", "--stdin", "--fix-thin")
	r.git(rest, nil, "index-pack", "--stdin")
}

func TestMissingObjectIsNamed(t *testing.T) {
	r := newRepository(t)
	s, err := Open(r.objects())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	id, err := object.ParseID([]byte("0123456789012345678901234567890123456789"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Reader().Commit(id)
	var missing *MissingError
	if !errors.As(err, &missing) || missing.ID != id || len(missing.Dirs) != 1 || missing.Dirs[0] != r.objects() {
		t.Errorf("got %v", err)
	}
	if s.Has(id) {
		t.Error("it has the object")
	}
}

func TestObjectOfAnotherTypeIsAnError(t *testing.T) {
	r := newRepository(t)
	id, err := object.ParseID(bytes.TrimSpace(r.git([]byte("x"), nil, "hash-object", "-w", "--stdin")))
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(r.objects())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_, err = s.Reader().Tree(id)
	var wrong *TypeError
	if !errors.As(err, &wrong) || *wrong != (TypeError{id, object.BlobType, object.TreeType}) {
		t.Errorf("got %v", err)
	}
}

// TestContentOfAnotherObjectIsNeverTaken stores a blob under the name of another.
func TestContentOfAnotherObjectIsNeverTaken(t *testing.T) {
	r := newRepository(t)
	write := func(text string) object.ID {
		t.Helper()
		id, err := object.ParseID(bytes.TrimSpace(r.git([]byte(text), nil, "hash-object", "-w", "--stdin")))
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	id, other := write("x"), write("y")
	data, err := os.ReadFile(loosePath(r.objects(), other))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(loosePath(r.objects(), id)+".new", data, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(loosePath(r.objects(), id)+".new", loosePath(r.objects(), id)); err != nil {
		t.Fatal(err)
	}
	s, err := Open(r.objects())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var corrupt *CorruptError
	if _, err := s.Reader().Blob(id); !errors.As(err, &corrupt) || corrupt.File != loosePath(r.objects(), id) {
		t.Errorf("got %v", err)
	}
	if data, err := s.Reader().ReadVerified(other, object.BlobType); err != nil || string(data) != "y" {
		t.Errorf("got %q, %v", data, err)
	}
}

// TestObjectsMayMoveWhileTheStoreIsOpen repacks under an open store.
func TestObjectsMayMoveWhileTheStoreIsOpen(t *testing.T) {
	r := newRepository(t)
	r.history(40)
	want := r.all()
	s, err := Open(r.objects())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	read := func(when string) {
		t.Helper()
		reader := s.Reader()
		for id, object := range want {
			if kind, data, err := reader.ReadAny(id); err != nil || kind != object.kind || !bytes.Equal(data, object.content) {
				t.Fatalf("%s: read %s: %v", when, id, err)
			}
		}
	}
	r.loosen()
	read("loose")
	r.git(nil, nil, "repack", "-adq", "--keep-unreachable")
	read("packed again")
	for depth := range 5 {
		r.git(nil, nil, "repack", "-adfq", "--keep-unreachable", fmt.Sprint("--depth=", depth))
	}
	read("packed over and over")
}

func TestAlternatesAreSearched(t *testing.T) {
	first, second, third := newRepository(t), newRepository(t), newRepository(t)
	var ids []object.ID
	for i, r := range []repository{first, second, third} {
		id, err := object.ParseID(bytes.TrimSpace(r.git([]byte(fmt.Sprint(i)), nil, "hash-object", "-w", "--stdin")))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	alternate := func(of repository, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Join(of.objects(), "info"), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(of.objects(), "info", "alternates"), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	relative, err := filepath.Rel(second.objects(), third.objects())
	if err != nil {
		t.Fatal(err)
	}
	alternate(first, "# comment\n\n"+second.objects()+"\n")
	alternate(second, relative+"\n")
	alternate(third, first.objects()+"\n") // a circle
	s, err := Open(first.objects())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for i, id := range ids {
		if data, err := s.Reader().Blob(id); err != nil || string(data) != fmt.Sprint(i) {
			t.Errorf("read from repository %d: %q, %v", i, data, err)
		}
	}
	alternate(first, filepath.Join(first.dir, "nowhere")+"\n")
	if s, err := Open(first.objects()); err == nil {
		s.Close()
		t.Error("an alternate that does not exist was passed over")
	}
}
