package odb

import "errors"

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
	out := make([]byte, 0, size)
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

// spliceDelta describes target as base with its middle replaced: what changes
// from one go.sum or go.mod of a module to the next is one short stretch. It
// finds no moved text; git's own delta search improves on it when it packs.
func spliceDelta(base, target []byte) []byte {
	limit := min(len(base), len(target))
	head := 0
	for head < limit && base[head] == target[head] {
		head++
	}
	tail := 0
	for tail < limit-head && base[len(base)-1-tail] == target[len(target)-1-tail] {
		tail++
	}
	delta := appendSize(appendSize(nil, len(base)), len(target))
	delta = appendCopy(delta, 0, head)
	for middle := target[head : len(target)-tail]; len(middle) > 0; {
		n := min(len(middle), 127)
		delta = append(append(delta, byte(n)), middle[:n]...)
		middle = middle[n:]
	}
	return appendCopy(delta, len(base)-tail, tail)
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
