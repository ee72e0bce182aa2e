package odb

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/klauspost/compress/zlib"

	"k8s.io/publisher/object"
)

// damaged reports whether an error is one of those that reading may return.
func damaged(err error) bool {
	var missing *MissingError
	var corrupt *CorruptError
	var wrong *TypeError
	return errors.As(err, &missing) || errors.As(err, &corrupt) || errors.As(err, &wrong)
}

// TestDamagedPackIsAnErrorOrHarmless flips bytes in a pack and its index. What
// can be read then is what it was.
func TestDamagedPackIsAnErrorOrHarmless(t *testing.T) {
	for _, kind := range []string{"offsets", "names"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			r := newRepository(t)
			r.smallHistory(kind == "names")
			want := r.all()
			random := rand.New(rand.NewPCG(5, 6))
			for round := range 400 {
				dir := filepath.Join(t.TempDir(), "objects")
				copyTree(t, r.objects(), dir)
				for range 1 + random.IntN(3) {
					pattern := []string{"*.pack", "*.pack", "*.pack", "*.idx"}[random.IntN(4)]
					damage(t, random, filepath.Join(dir, "pack", pattern))
				}
				s, err := Open(dir)
				if err != nil {
					if !damaged(err) {
						t.Errorf("round %d: open: %v", round, err)
					}
					continue
				}
				reader := s.Reader()
				for id, object := range want {
					// An index that was damaged can lead to another, whole object,
					// which only its hash tells.
					data, err := reader.ReadVerified(id, object.kind)
					switch {
					case err != nil && !damaged(err):
						t.Errorf("round %d: read %s: %v", round, id, err)
					case err == nil && !bytes.Equal(data, object.content):
						t.Errorf("round %d: %s was read as something else", round, id)
					}
				}
				s.Close()
			}
		})
	}
}

func damage(t *testing.T, random *rand.Rand, pattern string) {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: %q, %v", pattern, names, err)
	}
	data, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	switch random.IntN(8) {
	case 0:
		data = data[:random.IntN(len(data))]
	case 1:
		from, to := random.IntN(len(data)), random.IntN(len(data))
		copy(data[to:], data[from:min(from+40, len(data))])
	default:
		data[random.IntN(len(data))] ^= byte(1 + random.IntN(255))
	}
	if err := os.Chmod(names[0], 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(names[0], data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// smallHistory is one pack of a few KiB.
func (r repository) smallHistory(basesByName bool) {
	r.Helper()
	var stream bytes.Buffer
	random := rand.New(rand.NewPCG(7, 8))
	lines := randomLines(random, 60)
	for i := range 12 {
		lines = edit(random, lines)
		content := bytes.Join(lines, nil)
		stream.WriteString("commit refs/heads/main\ncommitter C <c@x> 1 +0000\ndata 1\nx\n")
		stream.WriteString("M 100644 inline dir/file\ndata " + strconv.Itoa(len(content)) + "\n")
		stream.Write(content)
		stream.WriteString("\nM 100644 inline file" + strconv.Itoa(i) + "\ndata 1\n" + strconv.Itoa(i%10) + "\n\n")
	}
	r.git(stream.Bytes(), nil, "fast-import", "--quiet")
	offsets := "repack.useDeltaBaseOffset=true"
	if basesByName {
		offsets = "repack.useDeltaBaseOffset=false"
	}
	r.git(nil, nil, "-c", offsets, "repack", "-adfq")
}

// TestPackCutShortIsAnError cuts files short at every length.
func TestPackCutShortIsAnError(t *testing.T) {
	r := newRepository(t)
	r.smallHistory(false)
	for _, pattern := range []string{"*.pack", "*.idx"} {
		dir := filepath.Join(t.TempDir(), "objects")
		copyTree(t, r.objects(), dir)
		names, err := filepath.Glob(filepath.Join(dir, "pack", pattern))
		if err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(names[0])
		if err != nil {
			t.Fatal(err)
		}
		for size := 0; size < len(data); size += 1 + size/50 {
			if err := os.Remove(names[0]); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(names[0], data[:size], 0o666); err != nil {
				t.Fatal(err)
			}
			s, err := Open(dir)
			if err == nil {
				s.Close()
				t.Errorf("%s of %d bytes was opened", pattern, size)
			} else if !damaged(err) {
				t.Errorf("%s of %d bytes: %v", pattern, size, err)
			}
		}
	}
}

// FuzzPackEntry puts entries of any content into a pack.
func FuzzPackEntry(f *testing.F) {
	deflated := func(text string) []byte {
		var b bytes.Buffer
		w := zlib.NewWriter(&b)
		if _, err := w.Write([]byte(text)); err != nil {
			f.Fatal(err)
		}
		if err := w.Close(); err != nil {
			f.Fatal(err)
		}
		return b.Bytes()
	}
	whole := append(appendEntryHeader(nil, byte(object.BlobType), 5), deflated("hello")...)
	f.Add(whole, []byte(nil))
	delta := "\x05\x05\x90\x05" // all of the base
	f.Add(whole, append(append(appendEntryHeader(nil, offsetDelta, int64(len(delta))), byte(len(whole))), deflated(delta)...))
	f.Add(whole, append(append(appendEntryHeader(nil, refDelta, int64(len(delta))), make([]byte, hashSize)...), deflated(delta)...))
	f.Add(whole, []byte("\xb0\x80\x80\x80\x80\x80\x80\x80\x80\x08"+string(deflated("")))) // a negative size
	f.Add(whole, []byte("\xe0\x80\x80\x80\x80\x80\x80\x80\x80\x08\x01"+string(deflated(""))))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		p := &pack{file: "pack", fanout: make([]byte, fanSize)}
		p.data = append(append(append([]byte("PACK\x00\x00\x00\x02\x00\x00\x00\x02"), first...), second...), make([]byte, hashSize)...)
		for _, offset := range []int64{12, 12 + int64(len(first))} {
			r := (&Store{}).Reader()
			_, _, err := r.entry(p, offset)
			var corrupt *CorruptError
			if err != nil && !errors.As(err, &corrupt) {
				t.Errorf("entry: %v", err)
			}
		}
	})
}

// FuzzLoose reads loose objects of any content.
func FuzzLoose(f *testing.F) {
	for _, text := range []string{"blob 5\x00hello", "blob 0\x00", "tree 0\x00", "blob -1\x00", "blob\x00", "blob 05\x00hello", "blob +5\x00hello", "x", ""} {
		var b bytes.Buffer
		w := zlib.NewWriter(&b)
		if _, err := w.Write([]byte(text)); err != nil {
			f.Fatal(err)
		}
		if err := w.Close(); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
		f.Add(b.Bytes()[:b.Len()/2])
	}
	name := filepath.Join(f.TempDir(), "object")
	f.Fuzz(func(t *testing.T, stored []byte) {
		if err := os.WriteFile(name, stored, 0o666); err != nil {
			t.Fatal(err)
		}
		_, _, err := new(Reader).loose(name, object.ID{})
		var corrupt *CorruptError
		if err != nil && !errors.As(err, &corrupt) {
			t.Errorf("got %v", err)
		}
	})
}

// FuzzApplyDelta compares with go-git, on deltas that need not be well formed.
func FuzzApplyDelta(f *testing.F) {
	f.Add([]byte("hello"), []byte("\x05\x05\x90\x05"))
	f.Add([]byte("hello"), []byte("\x05\x07\x90\x05\x02hi"))
	f.Add([]byte("hello"), []byte("\x05\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x90\x05"))
	f.Add([]byte{}, []byte("\x00\x00"))
	f.Add(bytes.Repeat([]byte("0123456789abcdef"), 1<<12), []byte("\x80\x80\x04\x80\x80\x04\x80"))
	f.Fuzz(func(t *testing.T, base, delta []byte) {
		got, err := applyDelta(base, delta)
		if err != nil {
			return
		}
		want, err := packfile.PatchDelta(base, delta)
		if len(want) == 0 && len(got) == 0 {
			return // go-git refuses what is empty, git does not.
		}
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("applyDelta(%q, %q) = %q; go-git has %q, %v", base, delta, got, want, err)
		}
	})
}

// FuzzDeltaRoundTrip makes deltas and applies them, here and by go-git.
func FuzzDeltaRoundTrip(f *testing.F) {
	long := bytes.Repeat([]byte("a line of text\n"), 20000)
	f.Add([]byte("one\ntwo\n"), []byte("one\n2\ntwo\n"), false)
	f.Add([]byte("one\ntwo\n"), []byte("two\none\n"), false)
	f.Add(long, append(append([]byte("x\n"), long[:100000]...), long[50000:]...), false)
	f.Add([]byte(nil), []byte("x"), true)
	f.Add([]byte("100644 a\x0001234567890123456789100644 b\x0001234567890123456789"), []byte("100644 b\x0001234567890123456789"), true)
	f.Fuzz(func(t *testing.T, base, target []byte, tree bool) {
		kind := object.BlobType
		if tree {
			kind = object.TreeType
		}
		delta := similarDelta(kind, base, target)
		got, err := applyDelta(base, delta)
		if err != nil || !bytes.Equal(got, target) {
			t.Fatalf("applied to %q, the delta to %q makes %q, %v", base, target, got, err)
		}
		if len(base) == 0 || len(target) == 0 {
			return // go-git refuses what is empty, git does not.
		}
		if got, err := packfile.PatchDelta(base, delta); err != nil || !bytes.Equal(got, target) {
			t.Fatalf("go-git: applied to %q, the delta to %q makes %q, %v", base, target, got, err)
		}
	})
}
