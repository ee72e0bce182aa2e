package odb

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/klauspost/compress/zlib"

	"k8s.io/publisher/object"
)

// TestCopyIsWhatGitReads copies all objects, or some, out of repositories that
// store them in all the ways that git knows, and asks git for them.
func TestCopyIsWhatGitReads(t *testing.T) {
	for name, store := range map[string]func(repository){
		"as imported": func(r repository) {},
		"loose":       repository.loosen,
		"repacked":    func(r repository) { r.git(nil, nil, "repack", "-adfq", "--keep-unreachable", "--depth=250") },
		"bases by name": func(r repository) {
			r.git(nil, nil, "-c", "repack.useDeltaBaseOffset=false", "repack", "-adfq", "--keep-unreachable")
		},
		"in packs and loose": func(r repository) { r.thin(); r.git([]byte("loose"), nil, "hash-object", "-w", "--stdin") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRepository(t)
			r.history(160)
			store(r)
			want := r.all()
			random := rand.New(rand.NewPCG(1, 2))
			for _, share := range []float64{1, 0.9, 0.3} {
				var ids []object.ID
				for _, id := range slices.SortedFunc(maps.Keys(want), func(a, b object.ID) int { return bytes.Compare(a[:], b[:]) }) {
					if random.Float64() < share {
						ids = append(ids, id)
					}
				}
				random.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
				to := r.copied(t, ids, want)
				got := to.all()
				if len(got) != len(ids) {
					t.Errorf("git finds %d objects of %d", len(got), len(ids))
				}
				for _, id := range ids {
					if o := got[id]; o.kind != want[id].kind || !bytes.Equal(o.content, want[id].content) {
						t.Errorf("git reads %s as a %s of %d bytes", id, o.kind, len(o.content))
					}
				}
				if share == 1 {
					to.git(nil, nil, "fsck", "--full", "--strict", "--no-dangling")
				}
				names, err := filepath.Glob(filepath.Join(to.objects(), "pack", "*.pack"))
				if err != nil || len(names) != 1 {
					t.Fatalf("packs: %q, %v", names, err)
				}
				// Git makes the same index, byte for byte.
				ours, err := os.ReadFile(names[0][:len(names[0])-len("pack")] + "idx")
				if err != nil {
					t.Fatal(err)
				}
				index := filepath.Join(t.TempDir(), "idx")
				to.git(nil, nil, "index-pack", "-o", index, names[0])
				if theirs, err := os.ReadFile(index); err != nil || !bytes.Equal(ours, theirs) {
					t.Errorf("git has an index of %d bytes, not the one of %d, %v", len(theirs), len(ours), err)
				}
			}
		})
	}
}

// copied returns a repository with a copy of the objects in one pack.
func (r repository) copied(t *testing.T, ids []object.ID, want map[object.ID]stored) repository {
	t.Helper()
	s, err := Open(r.objects())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	to := newRepository(t)
	if err := copyObjects(t, s, filepath.Join(to.objects(), "pack"), ids, want); err != nil {
		t.Fatal(err)
	}
	return to
}

func copyObjects(t *testing.T, s *Store, dir string, ids []object.ID, want map[object.ID]stored) error {
	t.Helper()
	c := NewCopier(s)
	like := make(map[object.Type]Place)
	for i, id := range ids {
		p, err := c.Find(id)
		if err != nil {
			return err
		}
		if c.Type(p) != 0 || c.ID(p) != id {
			t.Errorf("%s is at the place of %s, a %s", id, c.ID(p), c.Type(p))
		}
		if i%3 == 0 {
			if kind, data, err := c.Read(p); err != nil {
				return err
			} else if kind != want[id].kind || !bytes.Equal(data, want[id].content) {
				t.Errorf("%s is read as a %s of %d bytes", id, kind, len(data))
			}
		}
		c.Note(p, uint32(i))
		c.Add(p, want[id].kind, like[want[id].kind])
		if again, err := c.Find(id); err != nil || again != p || c.Noted(p) != uint32(i) || c.Type(p) != want[id].kind {
			t.Errorf("%s is found again at %v, not %v, a %s with the number %d", id, again, p, c.Type(p), c.Noted(p))
		}
		like[want[id].kind] = p
	}
	w, err := NewPackWriter(dir, zlib.DefaultCompression)
	if err != nil {
		t.Fatal(err)
	}
	if err = c.Copy(t.Context(), w); err == nil {
		err = w.Finish(true)
	}
	if closed := w.Close(); closed != nil {
		t.Error(closed)
	}
	if left, globErr := filepath.Glob(filepath.Join(dir, "*")); globErr != nil || err != nil && len(left) > 0 {
		t.Errorf("left over: %q, %v", left, globErr)
	}
	return err
}

// TestFalseObjectIsNeverCopied has packs hold under a name what is not of that
// name, in ways that each look sound to whoever only inflates.
func TestFalseObjectIsNeverCopied(t *testing.T) {
	hello, other := []byte("hello"), []byte("other")
	id := object.Hash(object.BlobType, hello)
	pack := func(t *testing.T, fill func(w *PackWriter) error) *Store {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, "pack"), 0o777); err != nil {
			t.Fatal(err)
		}
		w, err := NewPackWriter(filepath.Join(dir, "pack"), zlib.BestSpeed)
		if err == nil {
			err = errors.Join(fill(w), w.Finish(false), w.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
		s, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		return s
	}
	for name, fill := range map[string]func(w *PackWriter) error{
		"other content": func(w *PackWriter) error { _, err := w.Put(id, object.BlobType, other); return err },
		"another type":  func(w *PackWriter) error { _, err := w.Put(id, object.TreeType, hello); return err },
		"a delta on another base": func(w *PackWriter) error {
			base, err := w.Put(object.Hash(object.BlobType, other), object.BlobType, other)
			if err == nil {
				_, err = w.PutDelta(id, similarDelta(object.BlobType, []byte("HELLO"), []byte("hellO")), base)
			}
			return err
		},
		"something behind it": func(w *PackWriter) error {
			_, err := w.Put(id, object.BlobType, hello)
			w.tail = append(w.tail, "garbage"...)
			return err
		},
		"a delta on itself": func(w *PackWriter) error {
			w.tail = append(appendEntryHeader(w.tail, refDelta, 4), id[:]...)
			w.entries = append(w.entries, packEntry{id: id, offset: 12})
			w.deflate.Reset(sliceWriter{&w.tail})
			_, err := w.deflate.Write([]byte("\x05\x05\x90\x05"))
			return errors.Join(err, w.deflate.Close())
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := pack(t, fill)
			err := copyObjects(t, s, t.TempDir(), []object.ID{id}, map[object.ID]stored{id: {object.BlobType, hello}})
			var corrupt *CorruptError
			if !errors.As(err, &corrupt) {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("a tree where a blob is needed", func(t *testing.T) {
		tree := object.Hash(object.TreeType, nil)
		s := pack(t, func(w *PackWriter) error { _, err := w.Put(tree, object.TreeType, nil); return err })
		c := NewCopier(s)
		p, err := c.Find(tree)
		if err != nil {
			t.Fatal(err)
		}
		c.Add(p, object.BlobType, Place{})
		w, err := NewPackWriter(t.TempDir(), zlib.BestSpeed)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		var wrong *TypeError
		if err := c.Copy(t.Context(), w); !errors.As(err, &wrong) || *wrong != (TypeError{tree, object.TreeType, object.BlobType}) {
			t.Errorf("got %v", err)
		}
	})
}

// TestIndexHoldsLargeOffsets: those that 31 bits do not hold.
func TestIndexHoldsLargeOffsets(t *testing.T) {
	var entries []packEntry
	want := make(map[object.ID]int64)
	for i := range 300 {
		id := object.Hash(object.BlobType, fmt.Append(nil, i))
		want[id] = int64(i)<<24 + 12
		entries = append(entries, packEntry{id: id, offset: want[id]})
	}
	name := filepath.Join(t.TempDir(), "idx")
	var sum object.ID
	if err := writeIndex(name, entries, sum, false); err != nil {
		t.Fatal(err)
	}
	index, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	p := &pack{index: index, data: append([]byte("PACK\x00\x00\x00\x02\x00\x00\x01\x2c"), make([]byte, hashSize)...)}
	if err := p.parse(); err != nil {
		t.Fatal(err)
	}
	for id, offset := range want {
		if got, ok := p.find(id); !ok || got != offset {
			t.Errorf("%s is at %d, %v; want %d", id, got, ok, offset)
		}
	}
}
