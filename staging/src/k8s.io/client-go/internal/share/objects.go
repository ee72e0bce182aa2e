package share

import (
	"hash/maphash"
	"reflect"
	"unsafe"
	"weak"
)

// objects are those that were decoded and are still somewhere in memory, by what they
// were decoded from. A list that is mostly as the one before consists of them, and
// takes little memory until it is known to be.
type objects struct {
	known map[sum]object
	swept int // how many there were after the last sweep
}

type object struct {
	at  weak.Pointer[byte]
	typ reflect.Type
}

// A sum is of 128 bits, from two hashes with seeds that nobody knows. So it takes the
// place of the bytes, which are too many to be kept.
type sum [2]uint64

var otherSeed = maphash.MakeSeed()

func sumOf(raw []byte) sum { return sum{maphash.Bytes(seed, raw), maphash.Bytes(otherSeed, raw)} }

// find returns an object that was decoded from the same, or nil.
func (o *objects) find(of sum, t reflect.Type) unsafe.Pointer {
	if known, ok := o.known[of]; ok && known.typ == t {
		return unsafe.Pointer(known.at.Value())
	}
	return nil
}

func (o *objects) put(of sum, t reflect.Type, at unsafe.Pointer) {
	if o.known == nil {
		o.known = map[sum]object{}
	}
	o.known[of] = object{weak.Make((*byte)(at)), t}
	if len(o.known) < 2*o.swept+1000 {
		return
	}
	for of, known := range o.known {
		if known.at.Value() == nil {
			delete(o.known, of)
		}
	}
	o.swept = len(o.known)
}
