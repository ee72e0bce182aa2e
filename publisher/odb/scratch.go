package odb

import (
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/go-git/go-git/v5/plumbing/format/idxfile"
	"github.com/klauspost/compress/zlib"

	"k8s.io/publisher/object"
)

// Scratch holds the objects that a run makes: projected commits, pinned trees
// and files, tags. It is an object directory of its own with one pack in it,
// written as objects are put; after [Scratch.Finish] git can read it as an
// alternate. It is safe for concurrent use.
type Scratch struct {
	dir  string
	file *os.File

	mu      sync.RWMutex
	index   map[object.ID]scratchEntry
	tail    []byte // what is not in the file yet
	flushed int64
	deflate *zlib.Writer
	err     error // the first failure to write, which spoils the pack
}

type scratchEntry struct {
	offset int64
	size   int32 // of what is deflated: the content or the delta
	whole  int32 // of the content
	crc    uint32
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
	f, err := os.Create(filepath.Join(dir, "pack", "incoming"))
	if err != nil {
		return nil, err
	}
	deflate, err := zlib.NewWriterLevel(io.Discard, zlib.BestSpeed)
	if err != nil {
		return nil, err
	}
	s := &Scratch{dir: dir, file: f, index: make(map[object.ID]scratchEntry), deflate: deflate}
	s.tail = append(s.tail, "PACK\x00\x00\x00\x02\x00\x00\x00\x00"...)
	return s, nil
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
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return id, s.err
	}
	if _, ok := s.index[id]; ok {
		return id, nil
	}
	if len(data) > 1<<31-1 {
		return id, fmt.Errorf("object %s of %d bytes is too large to be rewritten", id, len(data))
	}
	entry := scratchEntry{offset: s.flushed + int64(len(s.tail)), t: t, size: int32(len(data)), whole: int32(len(data))}
	kind, content := byte(t), data
	if base, delta := series.delta(t, data); delta != nil {
		entry.base, entry.size = base.id, int32(len(delta))
		kind, content = offsetDelta, delta
	}
	start := len(s.tail)
	s.tail = appendEntryHeader(s.tail, kind, len(content))
	if kind == offsetDelta {
		s.tail = appendDistance(s.tail, entry.offset-s.index[entry.base].offset)
	}
	w := sliceWriter{&s.tail}
	s.deflate.Reset(w)
	if _, err := s.deflate.Write(content); err != nil {
		return id, s.fail(err)
	}
	if err := s.deflate.Close(); err != nil {
		return id, s.fail(err)
	}
	entry.crc = crc32.ChecksumIEEE(s.tail[start:])
	s.index[id] = entry
	series.add(id, data, entry.base)
	if len(s.tail) > 1<<18 {
		return id, s.flush()
	}
	return id, nil
}

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

func (s *Scratch) flush() error {
	n, err := s.file.WriteAt(s.tail, s.flushed)
	if err != nil {
		return s.fail(err)
	}
	s.flushed += int64(n)
	s.tail = s.tail[:0]
	return nil
}

// Size returns how many bytes the content of an object has; ok is false where
// none of that name was put.
func (s *Scratch) Size(id object.ID) (size int64, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	e, ok := s.index[id]
	return int64(e.whole), ok
}

// ScratchReader reads back what was put. It is not safe for concurrent use.
type ScratchReader struct {
	scratch *Scratch
	inflate inflater
	buffer  []byte
	cache   cache[object.ID]
}

// Reader returns a new reader.
func (s *Scratch) Reader() *ScratchReader { return &ScratchReader{scratch: s} }

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
	s := r.scratch
	var data []byte
	if e.offset >= s.flushed {
		data = s.tail[e.offset-s.flushed:]
		r.buffer = append(r.buffer[:0], data[:min(len(data), int(e.size)+int(e.size)/8+256)]...)
		data = r.buffer
	} else {
		// Deflate grows what it cannot shrink by 5 bytes in 16 KiB at most.
		n := min(s.flushed-e.offset, int64(e.size)+int64(e.size)/1024+128)
		if int64(cap(r.buffer)) < n {
			r.buffer = make([]byte, n, 2*n)
		}
		data = r.buffer[:n]
		if _, err := s.file.ReadAt(data, e.offset); err != nil {
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
// Dir. Nothing can be put afterwards. Where nothing was put, there is no pack.
func (s *Scratch) Finish() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	if len(s.index) == 0 {
		return nil
	}
	if err := s.flush(); err != nil {
		return err
	}
	var count [4]byte
	binary.BigEndian.PutUint32(count[:], uint32(len(s.index)))
	if _, err := s.file.WriteAt(count[:], 8); err != nil {
		return s.fail(err)
	}
	h := sha1.New()
	if _, err := io.Copy(h, io.NewSectionReader(s.file, 0, s.flushed)); err != nil {
		return s.fail(err)
	}
	var sum object.ID
	h.Sum(sum[:0])
	if _, err := s.file.WriteAt(sum[:], s.flushed); err != nil {
		return s.fail(err)
	}
	name := filepath.Join(s.dir, "pack", "pack-"+hex.EncodeToString(sum[:]))
	if err := s.writeIndex(name+".idx", sum); err != nil {
		return s.fail(err)
	}
	if err := os.Rename(s.file.Name(), name+".pack"); err != nil {
		return s.fail(err)
	}
	return nil
}

func (s *Scratch) writeIndex(name string, sum object.ID) error {
	w := new(idxfile.Writer)
	if err := w.OnHeader(uint32(len(s.index))); err != nil {
		return err
	}
	for id, e := range s.index {
		w.Add(id, uint64(e.offset), e.crc)
	}
	if err := w.OnFooter(sum); err != nil {
		return err
	}
	index, err := w.Index()
	if err != nil {
		return err
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	_, err = idxfile.NewEncoder(f).Encode(index)
	return errors.Join(err, f.Close())
}

// Close removes the directory and everything in it.
func (s *Scratch) Close() error {
	return errors.Join(s.file.Close(), os.RemoveAll(s.dir))
}

type sliceWriter struct{ b *[]byte }

func (w sliceWriter) Write(p []byte) (int, error) {
	*w.b = append(*w.b, p...)
	return len(p), nil
}

func appendEntryHeader(b []byte, kind byte, size int) []byte {
	c := kind<<4 | byte(size&15)
	for size >>= 4; size != 0; size >>= 7 {
		b = append(b, c|0x80)
		c = byte(size & 0x7f)
	}
	return append(b, c)
}

// appendDistance writes how far back the base of an offset delta lies.
func appendDistance(b []byte, distance int64) []byte {
	var digits [10]byte
	i := len(digits) - 1
	digits[i] = byte(distance & 0x7f)
	for distance >>= 7; distance != 0; distance >>= 7 {
		distance--
		i--
		digits[i] = 0x80 | byte(distance&0x7f)
	}
	return append(b, digits[i:]...)
}
