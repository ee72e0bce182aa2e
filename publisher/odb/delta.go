package odb

import (
	"bytes"
	"errors"
	"hash/maphash"

	"k8s.io/publisher/object"
)

var errDelta = errors.New("malformed delta")

// applyDelta builds an object from its base and a delta, as gitformat-pack(5)
// has it under "Deltified representation".
func applyDelta(base, delta []byte) ([]byte, error) {
	baseSize, delta, ok := deltaSize(delta)
	if !ok || baseSize != len(base) {
		return nil, errDelta
	}
	size, delta, ok := deltaSize(delta)
	if !ok {
		return nil, errDelta
	}
	// Only what comes next proves the size: damaged data can ask for any.
	out := make([]byte, 0, min(size, len(base)+len(delta)))
	for len(delta) > 0 {
		op := delta[0]
		delta = delta[1:]
		switch {
		case op&0x80 != 0:
			var offset, n int
			for i := range 4 {
				if op&(1<<i) != 0 {
					if len(delta) == 0 {
						return nil, errDelta
					}
					offset |= int(delta[0]) << (8 * i)
					delta = delta[1:]
				}
			}
			for i := range 3 {
				if op&(0x10<<i) != 0 {
					if len(delta) == 0 {
						return nil, errDelta
					}
					n |= int(delta[0]) << (8 * i)
					delta = delta[1:]
				}
			}
			if n == 0 {
				n = 0x10000
			}
			if offset+n > len(base) || len(out)+n > size {
				return nil, errDelta
			}
			out = append(out, base[offset:offset+n]...)
		case op != 0:
			n := int(op)
			if n > len(delta) || len(out)+n > size {
				return nil, errDelta
			}
			out = append(out, delta[:n]...)
			delta = delta[n:]
		default:
			return nil, errDelta
		}
	}
	if len(out) != size {
		return nil, errDelta
	}
	return out, nil
}

func deltaSize(delta []byte) (size int, rest []byte, ok bool) {
	for i, c := range delta {
		if i > 8 {
			return 0, nil, false
		}
		size |= int(c&0x7f) << (7 * i)
		if c&0x80 == 0 {
			return size, delta[i+1:], true
		}
	}
	return 0, nil, false
}

// similarDelta describes target by what it shares with base: how both begin and
// end and, between, the pieces that stand in both: the lines of a file, the
// entries of a tree. One go.sum of a module and the next differ in a few lines
// far apart, which this finds in one pass over what is not alike.
func similarDelta(t object.Type, base, target []byte) []byte {
	limit := min(len(base), len(target))
	head := 0
	for head < limit && base[head] == target[head] {
		head++
	}
	tail := 0
	for tail < limit-head && base[len(base)-1-tail] == target[len(target)-1-tail] {
		tail++
	}
	next := nextLine
	if t == object.TreeType {
		next = nextEntry
	}
	w := deltaWriter{delta: appendSize(appendSize(nil, len(base)), len(target))}
	w.copy(0, head)
	from, to := base[head:len(base)-tail], target[head:len(target)-tail]
	places := make(map[uint64]int)
	for at := 0; at < len(from); {
		n := next(from[at:])
		places[maphash.Bytes(seed, from[at:at+n])] = at
		at += n
	}
	for at := 0; at < len(to); {
		piece := to[at : at+next(to[at:])]
		at += len(piece)
		place, ok := places[maphash.Bytes(seed, piece)]
		if ok && bytes.HasPrefix(from[place:], piece) {
			w.copy(head+place, len(piece))
		} else {
			w.insert(piece)
		}
	}
	w.copy(len(base)-tail, tail)
	return w.end()
}

var seed = maphash.MakeSeed()

func nextLine(data []byte) int {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1
	}
	return len(data)
}

// nextEntry is how long the first entry of a tree is, or of a rest of a tree,
// which can begin inside one.
func nextEntry(data []byte) int {
	if i := bytes.IndexByte(data, 0); i >= 0 && i+1+hashSize <= len(data) {
		return i + 1 + hashSize
	}
	return len(data)
}

// deltaWriter joins neighbouring copies and insertions into one instruction.
type deltaWriter struct {
	delta        []byte
	offset, size int    // the copy that may grow
	literal      []byte // the insertion that may grow
}

func (w *deltaWriter) copy(offset, size int) {
	if size == 0 {
		return
	}
	w.flushLiteral()
	if w.size > 0 && w.offset+w.size == offset {
		w.size += size
		return
	}
	w.flushCopy()
	w.offset, w.size = offset, size
}

func (w *deltaWriter) insert(piece []byte) {
	w.flushCopy()
	w.literal = append(w.literal, piece...)
}

func (w *deltaWriter) end() []byte {
	w.flushCopy()
	w.flushLiteral()
	return w.delta
}

func (w *deltaWriter) flushLiteral() {
	for rest := w.literal; len(rest) > 0; {
		n := min(len(rest), 127)
		w.delta = append(append(w.delta, byte(n)), rest[:n]...)
		rest = rest[n:]
	}
	w.literal = w.literal[:0]
}

func (w *deltaWriter) flushCopy() {
	w.delta = appendCopy(w.delta, w.offset, w.size)
	w.size = 0
}

func appendSize(b []byte, size int) []byte {
	for size >= 0x80 {
		b = append(b, byte(size)|0x80)
		size >>= 7
	}
	return append(b, byte(size))
}

func appendCopy(b []byte, offset, size int) []byte {
	const most = 0xffff
	for size > 0 {
		n := min(size, most)
		op := len(b)
		b = append(b, 0x80)
		for i := range 4 {
			if c := byte(offset >> (8 * i)); c != 0 {
				b[op] |= 1 << i
				b = append(b, c)
			}
		}
		for i := range 2 {
			if c := byte(n >> (8 * i)); c != 0 {
				b[op] |= 0x10 << i
				b = append(b, c)
			}
		}
		offset += n
		size -= n
	}
	return b
}
