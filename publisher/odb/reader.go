package odb

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/klauspost/compress/zlib"

	"k8s.io/publisher/object"
)

// Reader reads objects from a Store. It is not safe for concurrent use: each
// goroutine takes its own, and with it a cache of its own that fits what that
// goroutine walks over.
type Reader struct {
	store   *Store
	last    *pack
	inflate inflater
	cache   cache[cacheKey]
}

// Reader returns a new Reader.
func (s *Store) Reader() *Reader {
	return &Reader{store: s, cache: cache[cacheKey]{limit: generation}}
}

// SmallReader returns a Reader that remembers a quarter of what others do, for one
// of many.
func (s *Store) SmallReader() *Reader {
	return &Reader{store: s, cache: cache[cacheKey]{limit: generation / 4}}
}

// exactReader returns a reader for content that is to be copied as it is stored:
// an entry must fill all the room up to the next one. Twice limit is about how
// many bytes it remembers.
func (s *Store) exactReader(limit int) *Reader {
	r := s.Reader()
	r.inflate.exact, r.cache.limit = true, limit
	return r
}

// Tree returns the content of a tree.
func (r *Reader) Tree(id object.ID) ([]byte, error) { return r.Read(id, object.TreeType) }

// Blob returns the content of a blob.
func (r *Reader) Blob(id object.ID) ([]byte, error) { return r.Read(id, object.BlobType) }

// Commit returns the content of a commit.
func (r *Reader) Commit(id object.ID) ([]byte, error) { return r.Read(id, object.CommitType) }

// Read returns the content of an object that must be of type want; the error
// is a [MissingError], a [TypeError] or a [CorruptError]. The content must not
// be changed.
//
// That the content is what the object's name says, its SHA-1, is proven for
// loose objects alone. Those of packs have a checksum that guards against
// accidents, and whoever takes them over has git hash them; for others there is
// [Reader.ReadVerified].
func (r *Reader) Read(id object.ID, want object.Type) ([]byte, error) {
	got, data, err := r.ReadAny(id)
	if err != nil {
		return nil, err
	}
	if got != want {
		return nil, &TypeError{ID: id, Got: got, Want: want}
	}
	return data, nil
}

// ReadVerified is [Reader.Read] of content that something else is made of, so
// that nobody would hash it later: it is hashed here, and a [CorruptError] where
// it is not the object's.
func (r *Reader) ReadVerified(id object.ID, want object.Type) ([]byte, error) {
	data, err := r.Read(id, want)
	if err != nil {
		return nil, err
	}
	return data, r.store.Verify(id, want, data)
}

// Verify hashes what was read as the object: a [CorruptError] where it is not it.
func (s *Store) Verify(id object.ID, t object.Type, data []byte) error {
	got := object.Hash(t, data)
	if got == id {
		return nil
	}
	file := s.dirs[0]
	if p, _ := s.find(id, nil); p != nil {
		file = p.file
	}
	return &CorruptError{File: file, Err: fmt.Errorf("what it holds as %s %s is %s", t, id, got)}
}

// ReadAny returns the type and the content of an object.
func (r *Reader) ReadAny(id object.ID) (object.Type, []byte, error) {
	for try := 0; ; try++ {
		if p, offset := r.store.find(id, r.last); p != nil {
			r.last = p
			t, data, err := r.entry(p, offset)
			if err != nil {
				return 0, nil, fmt.Errorf("read object %s: %w", id, err)
			}
			return t, data, nil
		}
		for _, dir := range r.store.dirs {
			t, data, err := r.loose(loosePath(dir, id), id)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return 0, nil, fmt.Errorf("read object %s: %w", id, err)
			}
			return t, data, nil
		}
		if try > 0 {
			return 0, nil, &MissingError{ID: id, Dirs: r.store.dirs}
		}
		// A repack may have moved the object into a pack that is new.
		if err := r.store.loadPacks(); err != nil {
			return 0, nil, err
		}
	}
}

// mostTags is how many tags may name one another before an object comes. Git
// makes a tag of a tag only when asked to; nobody has gone deeper than a few.
const mostTags = 100

// Peel follows a tag to the object that it names in the end, and returns that
// one's type and ID; any other object is returned as it is. tag is the
// outermost tag, nil where there is none. A tag that cannot be read as one, or
// that is one of too many in a row, is an [object.FormatError].
func (r *Reader) Peel(id object.ID) (kind object.Type, peeled object.ID, tag *object.Tag, err error) {
	depth := 0
	for peeled = id; ; {
		kind, data, err := r.ReadAny(peeled)
		if err != nil || kind != object.TagType {
			return kind, peeled, tag, err
		}
		if err := r.store.Verify(peeled, kind, data); err != nil {
			return 0, peeled, nil, err
		}
		t, err := object.ParseTag(data)
		if err != nil {
			return 0, peeled, nil, fmt.Errorf("tag %s: %w", peeled, err)
		}
		if tag == nil {
			tag = t
		}
		if depth++; depth > mostTags {
			return 0, peeled, nil, fmt.Errorf("tag %s: %w", id, &object.FormatError{Type: object.TagType, What: fmt.Sprintf("more than %d tags name one another", mostTags)})
		}
		peeled = t.Target
	}
}

// entry resolves the entry at an offset, following its chain of deltas.
func (r *Reader) entry(p *pack, offset int64) (object.Type, []byte, error) {
	type link struct{ offset, at, size int64 }
	var chain []link
	var t object.Type
	var data []byte
	damaged := func(err error) (object.Type, []byte, error) {
		return 0, nil, &CorruptError{File: p.file, Err: err}
	}
	for data == nil {
		if cached, ok := r.cache.get(cacheKey{p, offset}); ok {
			t, data = cached.t, cached.data
			break
		}
		kind, size, at, err := p.header(offset)
		if err != nil {
			return damaged(err)
		}
		switch kind {
		case offsetDelta, refDelta:
			find := p.baseOffset
			if kind == refDelta {
				find = p.baseByName
			}
			base, next, err := find(offset, at)
			if err != nil {
				return damaged(err)
			}
			chain = append(chain, link{offset, next, size})
			offset = base
		case byte(object.CommitType), byte(object.TreeType), byte(object.BlobType), byte(object.TagType):
			t = object.Type(kind)
			if data, err = r.inflate.bytes(r.stored(p, offset, at), size); err != nil {
				return damaged(fmt.Errorf("object at offset %d: %w", offset, err))
			}
			// Commits are hardly ever deltas, and read once.
			if len(chain) > 0 || t != object.CommitType {
				r.cache.put(cacheKey{p, offset}, cached{t, data})
			}
		default:
			return damaged(fmt.Errorf("object at offset %d is of unknown type %d", offset, kind))
		}
		if len(chain) > 1<<16 {
			return damaged(errors.New("a chain of deltas does not end"))
		}
	}
	for i := len(chain) - 1; i >= 0; i-- {
		delta, err := r.inflate.scratch(r.stored(p, chain[i].offset, chain[i].at), chain[i].size)
		if err == nil {
			data, err = applyDelta(data, delta)
		}
		if err != nil {
			return damaged(fmt.Errorf("delta at offset %d: %w", chain[i].offset, err))
		}
		r.cache.put(cacheKey{p, chain[i].offset}, cached{t, data})
	}
	return t, data, nil
}

// stored returns deflated content, and what follows it unless the reader is exact.
func (r *Reader) stored(p *pack, offset, from int64) []byte {
	if r.inflate.exact {
		return p.stored(offset, from)
	}
	return p.data[from:]
}

func loosePath(dir string, id object.ID) string {
	hex := id.String()
	return filepath.Join(dir, hex[:2], hex[2:])
}

func (r *Reader) loose(name string, id object.ID) (object.Type, []byte, error) {
	stored, err := os.ReadFile(name)
	if err != nil {
		return 0, nil, err
	}
	damaged := func(err error) (object.Type, []byte, error) {
		return 0, nil, &CorruptError{File: name, Err: err}
	}
	if err := r.inflate.reset(stored); err != nil {
		return damaged(err)
	}
	content, err := io.ReadAll(r.inflate.zlib)
	if err != nil {
		return damaged(err)
	}
	header, data, ok := bytes.Cut(content, []byte{0})
	kind, size, ok2 := bytes.Cut(header, []byte(" "))
	t, ok3 := object.ParseType(string(kind))
	n, err := strconv.Atoi(string(size))
	if !ok || !ok2 || !ok3 || err != nil || n != len(data) {
		return damaged(errors.New("its header is malformed"))
	}
	if got := object.Hash(t, data); got != id {
		return damaged(fmt.Errorf("it holds %s %s", t, got))
	}
	return t, data, nil
}

// inflater decompresses zlib streams, keeping its tables between them.
type inflater struct {
	source bytes.Reader
	zlib   io.ReadCloser
	buffer []byte
	exact  bool // Nothing may follow a stream.
}

func (f *inflater) reset(stored []byte) error {
	f.source.Reset(stored)
	if f.zlib == nil {
		z, err := zlib.NewReader(&f.source)
		f.zlib = z
		return err
	}
	return f.zlib.(zlib.Resetter).Reset(&f.source, nil)
}

// bytes inflates a stream of known size into a new slice.
func (f *inflater) bytes(stored []byte, size int64) ([]byte, error) {
	if size > int64(len(stored))*1100+64 {
		return nil, fmt.Errorf("%d bytes cannot inflate to %d", len(stored), size) // zlib's best ratio is 1:1032.
	}
	data := make([]byte, size)
	return data, f.into(data, stored)
}

// scratch inflates into a buffer that the next call overwrites.
func (f *inflater) scratch(stored []byte, size int64) ([]byte, error) {
	if size > int64(len(stored))*1100+64 {
		return nil, fmt.Errorf("%d bytes cannot inflate to %d", len(stored), size)
	}
	if int64(cap(f.buffer)) < size {
		f.buffer = make([]byte, size, 2*size)
	}
	data := f.buffer[:size]
	return data, f.into(data, stored)
}

func (f *inflater) into(data, stored []byte) error {
	if err := f.reset(stored); err != nil {
		return err
	}
	if _, err := io.ReadFull(f.zlib, data); err != nil {
		return err
	}
	// Reading on to the end verifies the stream's checksum.
	var more [1]byte
	if n, err := f.zlib.Read(more[:]); n != 0 || err != io.EOF {
		if err == nil || err == io.EOF {
			err = errors.New("it is longer than its header says")
		}
		return err
	}
	if f.exact && f.source.Len() > 0 {
		return errors.New("something follows it")
	}
	return nil
}
