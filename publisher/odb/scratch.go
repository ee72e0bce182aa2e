package odb

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/klauspost/compress/zlib"

	"k8s.io/publisher/object"
)

// Scratch holds the objects that a run makes: projected commits, pinned trees
// and files, tags. It is an object directory of its own with one pack in it,
// written as objects are put; after [Scratch.Finish] git can read it as an
// alternate. It is safe for concurrent use.
type Scratch struct {
	dir string

	mu    sync.RWMutex
	pack  *PackWriter
	index map[object.ID]scratchEntry
	err   error // the first failure to write, which spoils the pack
	// finished tells that the pack is complete.
	finished bool
}

type scratchEntry struct {
	offset int64
	size   int32     // of what is deflated: the content or the delta
	base   object.ID // zero for whole objects
	t      object.Type
}

// maxDepth is git's default for how long a chain of deltas may grow.
const maxDepth = 50

// Series is a series of objects of which each resembles the ones before it, as
// the versions of a file do: they are stored as what differs. The zero Series
// is empty. It is not safe for concurrent use.
type Series struct {
	last, first member
}

type member struct {
	id    object.ID
	data  []byte
	depth uint8
}

// NewScratch makes an empty object directory at dir, which must not exist.
func NewScratch(dir string) (*Scratch, error) {
	if err := os.MkdirAll(filepath.Join(dir, "pack"), 0o777); err != nil {
		return nil, err
	}
	pack, err := NewPackWriter(filepath.Join(dir, "pack"), zlib.BestSpeed)
	if err != nil {
		return nil, err
	}
	return &Scratch{dir: dir, pack: pack, index: make(map[object.ID]scratchEntry)}, nil
}

// Dir returns the object directory.
func (s *Scratch) Dir() string { return s.dir }

// Has reports whether the object was put.
func (s *Scratch) Has(id object.ID) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, ok := s.index[id]
	return ok
}

// Put stores an object and returns its name. Objects of one series, which may
// be nil, are of one type and put into one Scratch.
func (s *Scratch) Put(t object.Type, data []byte, series *Series) (object.ID, error) {
	id := object.Hash(t, data)
	if s.Has(id) {
		return id, nil
	}
	if len(data) > 1<<31-1 {
		return id, fmt.Errorf("object %s of %d bytes is too large to be rewritten", id, len(data))
	}
	entry, kind, content := scratchEntry{t: t}, byte(t), data
	if base, delta := series.delta(t, data); delta != nil {
		entry.base, kind, content = base.id, offsetDelta, delta
	}
	entry.size = int32(len(content))
	// What takes time is done before others have to wait.
	d := deflaters.Get().(*deflater)
	defer deflaters.Put(d)
	d.out = d.out[:0]
	err := deflate(d.zlib, content, &d.out)

	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return id, s.err
	}
	if _, ok := s.index[id]; ok {
		return id, nil
	}
	if err == nil {
		entry.offset, err = s.pack.copy(id, kind, int64(entry.size), d.out, s.index[entry.base].offset)
	}
	if err != nil {
		return id, s.fail(err)
	}
	s.index[id] = entry
	series.add(id, data, entry.base)
	return id, nil
}

// deflater is what one goroutine needs to deflate.
type deflater struct {
	zlib *zlib.Writer
	out  []byte
}

var deflaters = sync.Pool{New: func() any {
	w, _ := zlib.NewWriterLevel(nil, zlib.BestSpeed) // It fails for no such level only.
	return &deflater{zlib: w}
}}

// delta returns the next object as a delta, and its base. There is none where a
// delta would not be much shorter.
func (s *Series) delta(t object.Type, data []byte) (base member, delta []byte) {
	if s == nil || s.last.data == nil {
		return member{}, nil
	}
	base = s.last
	if base.depth == maxDepth {
		base = s.first // A chain of its own, with the same beginning.
	}
	delta = similarDelta(t, base.data, data)
	if len(delta) > len(data)/2 {
		return member{}, nil
	}
	return base, delta
}

// add makes an object the last one. One that is stored whole begins the series
// anew.
func (s *Series) add(id object.ID, data []byte, base object.ID) {
	if s == nil {
		return
	}
	depth := uint8(0)
	switch {
	case base.IsZero():
		s.first = member{id: id, data: data}
	case base == s.last.id && s.last.depth < maxDepth:
		depth = s.last.depth + 1
	default:
		depth = s.first.depth + 1
	}
	s.last = member{id, data, depth}
}

func (s *Scratch) fail(err error) error {
	s.err = fmt.Errorf("write new objects to %s: %w", s.dir, err)
	return s.err
}

// ScratchReader reads back what was put. It is not safe for concurrent use.
type ScratchReader struct {
	scratch *Scratch
	inflate inflater
	buffer  []byte
	cache   cache[object.ID]
}

// Reader returns a new reader.
func (s *Scratch) Reader() *ScratchReader {
	return &ScratchReader{scratch: s, cache: cache[object.ID]{limit: generation}}
}

// Read returns the type and content of an object; ok is false where none of
// that name was put. The content must not be changed.
func (r *ScratchReader) Read(id object.ID) (t object.Type, data []byte, ok bool, err error) {
	type link struct {
		id    object.ID
		delta []byte
	}
	var chain []link
	for {
		if known, ok := r.cache.get(id); ok {
			t, data = known.t, known.data
			break
		}
		r.scratch.mu.RLock()
		e, found := r.scratch.index[id]
		if !found {
			r.scratch.mu.RUnlock()
			return 0, nil, false, nil
		}
		stored, err := r.stored(e)
		r.scratch.mu.RUnlock()
		if err == nil {
			data, err = r.inflate.bytes(stored, int64(e.size))
		}
		if err != nil {
			return 0, nil, false, fmt.Errorf("read back object %s from %s: %w", id, r.scratch.dir, err)
		}
		if e.base.IsZero() {
			t = e.t
			r.cache.put(id, cached{t, data})
			break
		}
		chain = append(chain, link{id, data})
		id = e.base
	}
	for i := len(chain) - 1; i >= 0; i-- {
		if data, err = applyDelta(data, chain[i].delta); err != nil {
			return 0, nil, false, fmt.Errorf("read back object %s from %s: %w", chain[i].id, r.scratch.dir, err)
		}
		r.cache.put(chain[i].id, cached{t, data})
	}
	return t, data, true, nil
}

// stored returns the deflated bytes of an entry. The caller holds the lock.
func (r *ScratchReader) stored(e scratchEntry) ([]byte, error) {
	w := r.scratch.pack
	var data []byte
	if e.offset >= w.flushed {
		data = w.tail[e.offset-w.flushed:]
		r.buffer = append(r.buffer[:0], data[:min(len(data), int(e.size)+int(e.size)/8+256)]...)
		data = r.buffer
	} else {
		// Deflate grows what it cannot shrink by 5 bytes in 16 KiB at most.
		n := min(w.flushed-e.offset, int64(e.size)+int64(e.size)/1024+128)
		if int64(cap(r.buffer)) < n {
			r.buffer = make([]byte, n, 2*n)
		}
		data = r.buffer[:n]
		if _, err := w.file.ReadAt(data, e.offset); err != nil {
			return nil, err
		}
	}
	at := 0
	for data[at]&0x80 != 0 {
		at++
	}
	at++
	if !e.base.IsZero() {
		for data[at]&0x80 != 0 {
			at++
		}
		at++
	}
	return data[at:], nil
}

// Finish completes the pack and its index, so that git can read them through
// Dir. Nothing can be put afterwards, and finishing again changes nothing. Where
// nothing was put, there is no pack.
func (s *Scratch) Finish() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	if s.finished {
		return nil
	}
	if err := s.pack.Finish(false); err != nil {
		return s.fail(err)
	}
	s.finished = true
	return nil
}

// Close removes the directory and everything in it.
func (s *Scratch) Close() error {
	return errors.Join(s.pack.Close(), os.RemoveAll(s.dir))
}
