package odb

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"k8s.io/publisher/object"
)

// pack is one pack file with its index, both mapped into memory.
type pack struct {
	file  string
	data  []byte // the .pack file
	index []byte // the .idx file
	count int
	// The index's tables: 256 cumulated counts, then names, checksums,
	// offsets and large offsets, each count long.
	fanout, names, offsets, large []byte

	order func() []uint32 // the objects by their offsets
}

const (
	hashSize   = 20
	indexMagic = "\xfftOc\x00\x00\x00\x02"
	indexHead  = len(indexMagic)
	fanSize    = 256 * 4
)

func openPack(indexName string) (*pack, error) {
	name := strings.TrimSuffix(indexName, ".idx") + ".pack"
	index, err := mapFile(indexName)
	if err != nil {
		return nil, err
	}
	data, err := mapFile(name)
	if err != nil {
		unmap(index)
		return nil, err
	}
	p := &pack{file: name, data: data, index: index}
	if err := p.parse(); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *pack) parse() error {
	damaged := func(format string, args ...any) error {
		return &CorruptError{File: p.file, Err: fmt.Errorf(format, args...)}
	}
	if len(p.index) < indexHead+fanSize+2*hashSize || string(p.index[:indexHead]) != indexMagic {
		return damaged("its index is not of version 2; run git index-pack on it")
	}
	if len(p.data) < 12+hashSize || string(p.data[:4]) != "PACK" {
		return damaged("it does not begin as a pack does")
	}
	p.fanout = p.index[indexHead : indexHead+fanSize]
	p.count = int(binary.BigEndian.Uint32(p.fanout[fanSize-4:]))
	rest := p.index[indexHead+fanSize:]
	if len(rest) < p.count*(hashSize+8)+2*hashSize {
		return damaged("its index is cut short")
	}
	p.names, rest = rest[:p.count*hashSize], rest[p.count*hashSize:]
	rest = rest[p.count*4:] // CRCs: zlib's own checksum guards each object.
	p.offsets, rest = rest[:p.count*4], rest[p.count*4:]
	p.large = rest[:len(rest)-2*hashSize]
	p.order = sync.OnceValue(p.sortOffsets)
	packSum := rest[len(rest)-2*hashSize : len(rest)-hashSize]
	if !bytes.Equal(packSum, p.data[len(p.data)-hashSize:]) {
		return damaged("its index belongs to another pack")
	}
	return nil
}

func (p *pack) close() {
	unmap(p.data)
	unmap(p.index)
	p.data, p.index = nil, nil
}

// find returns the offset of an object in the pack.
func (p *pack) find(id object.ID) (int64, bool) {
	position, ok := p.position(id)
	if !ok {
		return 0, false
	}
	return p.offset(position)
}

// name returns the name of the object at a position in the index.
func (p *pack) name(position int) object.ID {
	return object.ID(p.names[position*hashSize : (position+1)*hashSize])
}

// position returns where an object is in the index.
func (p *pack) position(id object.ID) (int, bool) {
	lo := 0
	if id[0] > 0 {
		lo = int(binary.BigEndian.Uint32(p.fanout[(int(id[0])-1)*4:]))
	}
	hi := int(binary.BigEndian.Uint32(p.fanout[int(id[0])*4:]))
	if lo > hi || hi > p.count {
		return 0, false
	}
	// Names are as good as random: the first eight bytes tell nearly all apart.
	prefix := binary.BigEndian.Uint64(id[:])
	for lo < hi {
		mid := (lo + hi) / 2
		name := p.names[mid*hashSize : mid*hashSize+hashSize]
		at := binary.BigEndian.Uint64(name)
		switch {
		case at < prefix:
			lo = mid + 1
		case at > prefix:
			hi = mid
		default:
			switch bytes.Compare(name, id[:]) {
			case -1:
				lo = mid + 1
			case 1:
				hi = mid
			default:
				return mid, true
			}
		}
	}
	return 0, false
}

func (p *pack) offset(i int) (int64, bool) {
	offset := binary.BigEndian.Uint32(p.offsets[i*4:])
	if offset&(1<<31) == 0 {
		return int64(offset), true
	}
	at := int(offset&^(1<<31)) * 8
	if at+8 > len(p.large) {
		return 0, false
	}
	return int64(binary.BigEndian.Uint64(p.large[at:])), true
}

func (p *pack) sortOffsets() []uint32 {
	offsets := make([]int64, p.count)
	order := make([]uint32, p.count)
	for i := range order {
		offsets[i], _ = p.offset(i)
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(a, b uint32) int { return cmp.Compare(offsets[a], offsets[b]) })
	return order
}

// entryAt returns which object begins at an offset, by its position in the index,
// and where the next one begins.
func (p *pack) entryAt(offset int64) (position uint32, end int64, ok bool) {
	order := p.order()
	i, ok := slices.BinarySearchFunc(order, offset, func(position uint32, offset int64) int {
		at, _ := p.offset(int(position))
		return cmp.Compare(at, offset)
	})
	if !ok {
		return 0, 0, false
	}
	end = int64(len(p.data)) - hashSize
	if i+1 < len(order) {
		end, _ = p.offset(int(order[i+1]))
	}
	return order[i], end, true
}

// stored returns what is deflated in the entry at an offset: all from where its
// header ends to where the next entry begins.
func (p *pack) stored(offset, from int64) []byte {
	_, end, ok := p.entryAt(offset)
	if !ok || end < from || end > int64(len(p.data)) {
		return nil
	}
	return p.data[from:end]
}

// Entry types beyond the four kinds of object.
const (
	offsetDelta = 6
	refDelta    = 7
)

// header reads the type and inflated size at the start of an entry, and
// returns where its remainder begins.
func (p *pack) header(offset int64) (kind byte, size int64, at int64, err error) {
	if offset < 12 || offset >= int64(len(p.data))-hashSize {
		return 0, 0, 0, fmt.Errorf("offset %d lies outside the pack", offset)
	}
	at = offset
	c := p.data[at]
	at++
	kind = c >> 4 & 7
	size = int64(c & 15)
	for shift := 4; c&0x80 != 0; shift += 7 {
		if at >= int64(len(p.data)) || shift > 60 {
			return 0, 0, 0, fmt.Errorf("entry at offset %d is cut short", offset)
		}
		c = p.data[at]
		at++
		size |= int64(c&0x7f) << shift
	}
	if size < 0 {
		return 0, 0, 0, fmt.Errorf("entry at offset %d has an impossible size", offset)
	}
	return kind, size, at, nil
}

// baseOffset reads the distance to the base of an offset delta.
func (p *pack) baseOffset(entry, at int64) (base, next int64, err error) {
	var distance int64
	for i := 0; ; i++ {
		if at >= int64(len(p.data)) || i > 9 {
			return 0, 0, fmt.Errorf("delta at offset %d is cut short", entry)
		}
		c := p.data[at]
		at++
		distance |= int64(c & 0x7f)
		if c&0x80 == 0 {
			break
		}
		distance = (distance + 1) << 7
	}
	if distance <= 0 || distance > entry {
		return 0, 0, fmt.Errorf("delta at offset %d has its base outside the pack", entry)
	}
	return entry - distance, at, nil
}

// baseByName is baseOffset for a delta that names its base.
func (p *pack) baseByName(entry, at int64) (base, next int64, err error) {
	if at+hashSize > int64(len(p.data)) {
		return 0, 0, fmt.Errorf("delta at offset %d is cut short", entry)
	}
	id := object.ID(p.data[at : at+hashSize])
	base, ok := p.find(id)
	if !ok {
		return 0, 0, fmt.Errorf("delta at offset %d has no base %s", entry, id)
	}
	return base, at + hashSize, nil
}

func mapFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() == 0 {
		return nil, &CorruptError{File: name, Err: fmt.Errorf("it is empty")}
	}
	data, err := unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("map %s: %w", name, err)
	}
	return data, nil
}

func unmap(data []byte) {
	if data != nil {
		_ = unix.Munmap(data) // Nothing can be done about it, and nothing depends on it.
	}
}
