package odb

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"k8s.io/publisher/object"
)

// TestGitReadsWhatWasPut puts objects from several goroutines, in series and
// alone, reads them back meanwhile, and asks git for all of them at the end.
func TestGitReadsWhatWasPut(t *testing.T) {
	r := newRepository(t)
	s, err := NewScratch(filepath.Join(t.TempDir(), "objects"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var mu sync.Mutex
	want := make(map[object.ID]stored)
	put := func(kind object.Type, data []byte, series *Series) object.ID {
		id, err := s.Put(kind, data, series)
		if err != nil || id != object.Hash(kind, data) {
			t.Errorf("put: %s, %v", id, err)
		}
		mu.Lock()
		defer mu.Unlock()
		want[id] = stored{kind, data}
		return id
	}
	read := func(reader *ScratchReader, id object.ID) {
		mu.Lock()
		object := want[id]
		mu.Unlock()
		kind, data, ok, err := reader.Read(id)
		if err != nil || !ok || kind != object.kind || !bytes.Equal(data, object.content) {
			t.Errorf("read back %s: %s of %d bytes, %v, %v; want %s of %d bytes", id, kind, len(data), ok, err, object.kind, len(object.content))
		}
		if !s.Has(id) {
			t.Errorf("it has no %s", id)
		}
	}
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			random := rand.New(rand.NewPCG(uint64(worker), 2))
			reader := s.Reader()
			var mine []object.ID
			var files, trees Series
			file := randomLines(random, 100)
			entries := []object.Entry{{Mode: object.ModeRegular, Name: "empty", ID: object.Hash(object.BlobType, nil)}}
			mine = append(mine, put(object.BlobType, nil, nil), put(object.BlobType, nil, &files))
			for i := range 300 {
				switch random.IntN(12) {
				case 0: // begins a series anew
					file = randomLines(random, random.IntN(300))
				case 1: // does not compress
					noise := make([]byte, random.IntN(200000))
					for i := range noise {
						noise[i] = byte(random.Uint32())
					}
					mine = append(mine, put(object.BlobType, noise, nil))
				case 2: // put before
					mine = append(mine, put(object.BlobType, fmt.Appendf(nil, "%d", i/10), nil))
				default:
					file = edit(random, file)
				}
				blob := put(object.BlobType, bytes.Join(file, nil), &files)
				if n := 1 + i%90; n < len(entries) {
					entries[n].ID = blob
				} else {
					entries = append(entries, object.Entry{Mode: object.ModeRegular, Name: fmt.Sprintf("f%03d", i), ID: blob})
				}
				tree := put(object.TreeType, object.EncodeTree(slices.Clone(entries)), &trees)
				commit := object.Commit{Tree: tree, Author: []byte("A <a@x> 1 +0000"), Committer: []byte("A <a@x> 1 +0000"), Message: fmt.Appendf(nil, "%d %d\n", worker, i)}
				mine = append(mine, blob, tree, put(object.CommitType, commit.Encode(), nil))
				read(reader, mine[random.IntN(len(mine))])
			}
			for _, id := range mine {
				read(reader, id)
			}
		})
	}
	group.Wait()
	if err := s.Finish(); err != nil {
		t.Fatal(err)
	}
	for id := range want { // Finish takes nothing away.
		read(s.Reader(), id)
	}
	copyTree(t, s.Dir(), r.objects())
	r.git(nil, nil, "fsck", "--full", "--strict", "--no-dangling")
	names, err := filepath.Glob(filepath.Join(r.objects(), "pack", "*.idx"))
	if err != nil || len(names) != 1 {
		t.Fatalf("indexes: %q, %v", names, err)
	}
	r.git(nil, nil, "verify-pack", names[0])
	got := r.all()
	if len(got) != len(want) {
		t.Errorf("git finds %d objects of %d", len(got), len(want))
	}
	for id, object := range want {
		if o := got[id]; o.kind != object.kind || !bytes.Equal(o.content, object.content) {
			t.Errorf("git reads %s as a %s of %d bytes, not the %s of %d that was put", id, o.kind, len(o.content), object.kind, len(object.content))
		}
	}
}

func randomLines(random *rand.Rand, n int) [][]byte {
	lines := make([][]byte, n)
	for i := range lines {
		lines[i] = fmt.Appendf(nil, "line %x\n", random.IntN(1000))
	}
	return lines
}

// edit changes, adds, removes and moves lines.
func edit(random *rand.Rand, lines [][]byte) [][]byte {
	lines = append([][]byte(nil), lines...)
	for range 1 + random.IntN(3) {
		at := random.IntN(len(lines) + 1)
		switch random.IntN(4) {
		case 0:
			lines = append(lines[:at], append([][]byte{fmt.Appendf(nil, "new %x\n", random.Uint64())}, lines[at:]...)...)
		case 1:
			if at < len(lines) {
				lines = append(lines[:at], lines[at+1:]...)
			}
		case 2:
			if at < len(lines) {
				lines[at] = fmt.Appendf(nil, "other %x", random.Uint64())
			}
		case 3:
			lines = append(lines[at:len(lines):len(lines)], lines[:at]...)
		}
	}
	return lines
}

func TestEmptyScratchHasNoPack(t *testing.T) {
	s, err := NewScratch(filepath.Join(t.TempDir(), "objects"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Finish(); err != nil {
		t.Fatal(err)
	}
	if names, err := filepath.Glob(filepath.Join(s.Dir(), "pack", "pack-*")); len(names) > 0 || err != nil {
		t.Errorf("found %q, %v", names, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
