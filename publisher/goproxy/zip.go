package goproxy

import (
	"archive/zip"
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"github.com/klauspost/compress/flate"
	"golang.org/x/mod/module"

	"k8s.io/publisher/modhash"
	"k8s.io/publisher/object"
)

// Zips writes the zips of many versions. Most of their files are the same, so each blob
// is read and deflated once, and goes into all zips that have it as it is. It is safe
// for concurrent use; its zero value is ready for it.
type Zips struct {
	held        atomic.Int64
	generations atomic.Pointer[generations]
}

// mostDeflated is how many bytes are remembered, at the least; twice that, at the most.
const mostDeflated = 256 << 20

// generations are what is remembered: what the old one has and nobody asked for is
// forgotten when the young one is full. What is needed later is deflated again, to the
// same bytes.
type generations struct{ young, old *blobs }

// blobs are deflated blobs, by name.
type blobs [64]struct {
	mu   sync.Mutex
	blob map[object.ID]*deflated
}

// deflated is a file as a zip stores it.
type deflated struct {
	once sync.Once
	err  error

	bytes  atomic.Int64 // of data, once there are some
	data   []byte
	method uint16
	crc    uint32
	size   int
}

// Write writes the zip of a version. Blobs are read with read, by this goroutine.
func (z *Zips) Write(w io.Writer, m module.Version, files []modhash.File, read func(object.ID) ([]byte, error)) error {
	out := zip.NewWriter(w)
	prefix := m.Path + "@" + m.Version + "/"
	for i := range files {
		f := &files[i]
		d, err := z.deflated(f, read)
		if err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
		header := &zip.FileHeader{
			Name: prefix + f.Name, Method: d.method, CRC32: d.crc,
			CompressedSize64: uint64(len(d.data)), UncompressedSize64: uint64(d.size),
		}
		if strings.ContainsFunc(f.Name, func(r rune) bool { return r >= utf8.RuneSelf }) {
			header.Flags = 0x800 // The name is UTF-8.
		}
		to, err := out.CreateRaw(header)
		if err == nil {
			_, err = to.Write(d.data)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	return out.Close()
}

func (z *Zips) deflated(f *modhash.File, read func(object.ID) ([]byte, error)) (*deflated, error) {
	if f.Blob.IsZero() {
		d := new(deflated)
		return d, d.deflate(f.Data)
	}
	d := z.find(f.Blob)
	d.once.Do(func() {
		data, err := read(f.Blob)
		if err == nil {
			err = d.deflate(data)
		}
		d.err = err
		d.bytes.Store(int64(len(d.data)))
		z.held.Add(int64(len(d.data)))
	})
	return d, d.err
}

// Forget forgets all blobs.
func (z *Zips) Forget() {
	z.generations.Store(nil)
	z.held.Store(0)
}

// find returns what is remembered of a blob, or what is to be filled in.
func (z *Zips) find(id object.ID) *deflated {
	now := z.generations.Load()
	if now == nil || z.held.Load() > mostDeflated {
		next := &generations{young: new(blobs)}
		if now != nil {
			next.old = now.young
		}
		// Another goroutine may have been faster.
		if z.generations.CompareAndSwap(now, next) {
			z.held.Store(0)
		}
		now = z.generations.Load()
	}
	stripe := &now.young[int(id[0])%len(now.young)]
	stripe.mu.Lock()
	defer stripe.mu.Unlock()
	if d, ok := stripe.blob[id]; ok {
		return d
	}
	d := now.old.get(id)
	if d == nil {
		d = new(deflated)
	} else {
		z.held.Add(d.bytes.Load())
	}
	if stripe.blob == nil {
		stripe.blob = make(map[object.ID]*deflated)
	}
	stripe.blob[id] = d
	return d
}

func (b *blobs) get(id object.ID) *deflated {
	if b == nil {
		return nil
	}
	stripe := &b[int(id[0])%len(b)]
	stripe.mu.Lock()
	defer stripe.mu.Unlock()
	return stripe.blob[id]
}

// deflate fills in what is to be stored.
func (d *deflated) deflate(data []byte) error {
	d.size, d.crc, d.method = len(data), crc32.ChecksumIEEE(data), zip.Store
	w := deflaters.Get().(*deflater)
	defer deflaters.Put(w)
	w.out.Reset()
	w.flate.Reset(&w.out)
	if _, err := w.flate.Write(data); err != nil {
		return err
	}
	if err := w.flate.Close(); err != nil {
		return err
	}
	d.data = data
	if w.out.Len() < len(data) {
		d.data, d.method = bytes.Clone(w.out.Bytes()), zip.Deflate
	}
	return nil
}

// deflater is what one goroutine needs to deflate.
type deflater struct {
	flate *flate.Writer
	out   bytes.Buffer
}

var deflaters = sync.Pool{New: func() any {
	w, _ := flate.NewWriter(io.Discard, flate.DefaultCompression) // It fails for no such level only.
	return &deflater{flate: w}
}}
