package odb

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"hash/adler32"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/klauspost/compress/zlib"

	"k8s.io/publisher/object"
)

// PackWriter writes a pack and its index, of version 2 both, as
// gitformat-pack(5) has them. It takes objects whole or as deltas on objects
// that it has, to be deflated or deflated already, and believes what it is told
// of them. It is not safe for concurrent use.
type PackWriter struct {
	dir     string
	file    *os.File
	tail    []byte // what is not in the file yet
	flushed int64
	deflate *zlib.Writer
	entries []packEntry
}

type packEntry struct {
	id     object.ID
	crc    uint32
	offset int64
}

// NewPackWriter begins a pack in a folder of packs, which exists. Of the levels
// of compress/zlib it deflates at the given one.
func NewPackWriter(dir string, level int) (*PackWriter, error) {
	deflate, err := zlib.NewWriterLevel(io.Discard, level)
	if err != nil {
		return nil, err
	}
	// Nobody writes to a pack again, and git's are like that, too.
	f, err := os.OpenFile(filepath.Join(dir, "incoming"), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o444)
	if err != nil {
		return nil, err
	}
	// The number of objects comes at the end.
	return &PackWriter{dir: dir, file: f, deflate: deflate, tail: []byte("PACK\x00\x00\x00\x02\x00\x00\x00\x00")}, nil
}

// Len returns how many objects were written.
func (w *PackWriter) Len() int { return len(w.entries) }

// Put writes an object and returns where it is.
func (w *PackWriter) Put(id object.ID, t object.Type, data []byte) (offset int64, err error) {
	return w.put(id, byte(t), data, 0)
}

// PutDelta writes an object as what differs from the one at base.
func (w *PackWriter) PutDelta(id object.ID, delta []byte, base int64) (offset int64, err error) {
	return w.put(id, offsetDelta, delta, base)
}

func (w *PackWriter) put(id object.ID, kind byte, content []byte, base int64) (int64, error) {
	offset, start := w.begin(kind, int64(len(content)), base)
	if err := deflate(w.deflate, content, &w.tail); err != nil {
		return 0, err
	}
	return offset, w.end(packEntry{id: id, offset: offset}, start)
}

// copy writes an entry whose content was deflated before. Its size is that of
// the content.
func (w *PackWriter) copy(id object.ID, kind byte, size int64, deflated []byte, base int64) (int64, error) {
	offset, start := w.begin(kind, size, base)
	w.tail = append(w.tail, deflated...)
	return offset, w.end(packEntry{id: id, offset: offset}, start)
}

// tooShort is the length up to which content is not worth being compressed. Most of
// what is that short is a delta, of hashes mainly.
const tooShort = 128

// deflate appends what w makes of content.
func deflate(w *zlib.Writer, content []byte, to *[]byte) error {
	if len(content) <= tooShort {
		*to = appendStored(*to, content)
		return nil
	}
	w.Reset(sliceWriter{to})
	if _, err := w.Write(content); err != nil {
		return err
	}
	return w.Close()
}

// appendStored appends content as a zlib stream of one block that is not compressed
// (RFC 1950 and 1951): a header, that the block is the last one and stored, its length
// twice, the second time inverted, and a checksum.
func appendStored(to, content []byte) []byte {
	n := uint16(len(content))
	to = append(to, 0x78, 0x01, 1)
	to = binary.LittleEndian.AppendUint16(to, n)
	to = binary.LittleEndian.AppendUint16(to, ^n)
	to = append(to, content...)
	return binary.BigEndian.AppendUint32(to, adler32.Checksum(content))
}

func (w *PackWriter) begin(kind byte, size, base int64) (offset int64, start int) {
	start = len(w.tail)
	offset = w.flushed + int64(start)
	w.tail = appendEntryHeader(w.tail, kind, size)
	if kind == offsetDelta {
		w.tail = appendDistance(w.tail, offset-base)
	}
	return offset, start
}

func (w *PackWriter) end(e packEntry, start int) error {
	e.crc = crc32.ChecksumIEEE(w.tail[start:])
	w.entries = append(w.entries, e)
	if len(w.tail) > 1<<18 {
		return w.flush()
	}
	return nil
}

func (w *PackWriter) flush() error {
	n, err := w.file.WriteAt(w.tail, w.flushed)
	if err != nil {
		return err
	}
	w.flushed += int64(n)
	w.tail = w.tail[:0]
	if cap(w.tail) > 1<<22 { // An object was large.
		w.tail = nil
	}
	return nil
}

// Finish completes the pack and its index and gives them their names. Nothing
// can be written afterwards. Where nothing was, there is no pack. Both are on
// the disk then if durable is true, but for their names in the folder.
func (w *PackWriter) Finish(durable bool) error {
	if len(w.entries) == 0 {
		return nil
	}
	if err := w.flush(); err != nil {
		return err
	}
	if _, err := w.file.WriteAt(binary.BigEndian.AppendUint32(nil, uint32(len(w.entries))), 8); err != nil {
		return err
	}
	h := sha1.New()
	if _, err := io.Copy(h, io.NewSectionReader(w.file, 0, w.flushed)); err != nil {
		return err
	}
	sum := object.ID(h.Sum(nil))
	if _, err := w.file.WriteAt(sum[:], w.flushed); err != nil {
		return err
	}
	if durable {
		if err := w.file.Sync(); err != nil {
			return err
		}
	}
	name := filepath.Join(w.dir, "pack-"+sum.String())
	if err := writeIndex(name+".idx", w.entries, sum, durable); err != nil {
		return err
	}
	return os.Rename(w.file.Name(), name+".pack")
}

// Close removes what was not finished.
func (w *PackWriter) Close() error {
	err := os.Remove(w.file.Name())
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, w.file.Close())
}

// writeIndex writes the index of a pack, and sorts its entries for that.
func writeIndex(name string, entries []packEntry, pack object.ID, durable bool) error {
	slices.SortFunc(entries, func(a, b packEntry) int {
		// Names are as good as random: the first bytes tell nearly all apart.
		if c := cmp.Compare(binary.BigEndian.Uint64(a.id[:]), binary.BigEndian.Uint64(b.id[:])); c != 0 {
			return c
		}
		return bytes.Compare(a.id[:], b.id[:])
	})
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o444)
	if err != nil {
		return err
	}
	h := sha1.New()
	out := bufio.NewWriterSize(io.MultiWriter(f, h), 1<<16)
	var b [8]byte
	number := func(n uint32) {
		_, _ = out.Write(binary.BigEndian.AppendUint32(b[:0], n)) // Flush returns the first error.
	}
	_, _ = out.WriteString(indexMagic)
	at := 0
	for first := range 256 {
		for at < len(entries) && int(entries[at].id[0]) == first {
			at++
		}
		number(uint32(at))
	}
	for _, e := range entries {
		_, _ = out.Write(e.id[:])
	}
	for _, e := range entries {
		number(e.crc)
	}
	var large []int64 // offsets that 31 bits do not hold
	for _, e := range entries {
		if e.offset < 1<<31 {
			number(uint32(e.offset))
			continue
		}
		number(1<<31 | uint32(len(large)))
		large = append(large, e.offset)
	}
	for _, offset := range large {
		_, _ = out.Write(binary.BigEndian.AppendUint64(b[:0], uint64(offset)))
	}
	_, _ = out.Write(pack[:])
	if err = out.Flush(); err == nil {
		_, err = f.Write(h.Sum(nil))
	}
	if err == nil && durable {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

type sliceWriter struct{ b *[]byte }

func (w sliceWriter) Write(p []byte) (int, error) {
	*w.b = append(*w.b, p...)
	return len(p), nil
}

func appendEntryHeader(b []byte, kind byte, size int64) []byte {
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
