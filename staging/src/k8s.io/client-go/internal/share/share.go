// Package share makes objects that are alike share what is the same in them: strings,
// managed fields, labels, containers, whole subtrees.
//
// Of thousands of pods most are copies of a few templates, but each is decoded by
// itself. A [Sharer] goes through an object from the leaves to the root. Whatever it
// has seen before in another object it replaces by that. Since leaves come first, two
// equal subtrees consist of the same strings and the same pointers by the time they
// are looked at themselves, and so are the same bits in memory: that is how they are
// compared.
//
// Nobody may change an object after that, for others would change with it.
//
// # What it remembers
//
// A Sharer has two generations of what it has seen. What is seen again moves to the
// young one. When that is full, the old one is forgotten. So what is common is found
// as long as it is common, and what is not is soon forgotten: nothing that is gone is
// kept alive for long, or by more than a few megabytes.
//
// # Decoding
//
// What is decoded from the same bytes is the same. A part of an object whose bytes
// were seen before is not decoded at all, then, but is the part that was made of them
// before. Parts are looked for from the root to the leaves, and the first that is
// known ends the search below it: of a pod that differs from another one by its name
// and addresses, the containers are found, and only metadata and status are decoded.
//
// A part that is new is decoded field by field, each of which may be known; strings
// that are known are not allocated. What has a decoder of its own, and what is encoded
// in a way that servers do not use, is left to the general decoders, which also have
// the last word on errors.
//
// An object that is still there, and comes again from the same bytes, is the same one:
// see [Sharer.Once].
package share

import (
	"bytes"
	"hash/maphash"
	"reflect"
	"sync"
	"unsafe"
)

// maxCost is how much memory a thing takes that is worth remembering.
const maxCost = 64 << 10

// A Sharer remembers what it has seen. The zero value has seen nothing. Several
// goroutines may use it.
type Sharer struct {
	mu      sync.Mutex
	values  generations[seen]
	decoded generations[decoded]
	once    generations[struct{}] // hashes of encoded values that were decoded once
	objects objects
}

// seen is a string, the array of a slice, what a pointer points to, or a map.
type seen struct {
	at   unsafe.Pointer
	size int
	kind *visitor
	cost int
}

var seed = maphash.MakeSeed()

// Share has an object, a pointer to a struct, share what it can with those before it.
// Other objects are left alone. The object must not be in anybody's hands yet.
func (s *Sharer) Share(obj any) {
	v := reflect.ValueOf(obj)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return
	}
	visit := visitorOf(v.Type().Elem())
	if visit.visit == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	visit.visit(s, v.UnsafePointer())
}

// find returns what was seen of a hash.
func (s *Sharer) find(hash uint64) (seen, bool) {
	return s.values.find(hash, func(v seen) int { return v.cost })
}

func (s *Sharer) remember(hash uint64, new seen) { s.values.put(hash, new, new.cost) }

// same returns the array that is the same as one of a size; which is the one that
// was there first.
func (s *Sharer) same(kind *visitor, at unsafe.Pointer, size, cost int) unsafe.Pointer {
	if cost > maxCost {
		return at
	}
	bits := unsafe.Slice((*byte)(at), size)
	hash := maphash.Bytes(seed, bits) ^ kind.salt
	known, ok := s.find(hash)
	if !ok {
		s.remember(hash, seen{at: at, size: size, kind: kind, cost: cost})
		return at
	}
	if known.kind == kind && known.size == size && string(unsafe.Slice((*byte)(known.at), size)) == string(bits) {
		return known.at
	}
	return at // another one of the same hash
}

// sameBytes is same for bytes that are somebody else's, and are copied if they are new.
func (s *Sharer) sameBytes(kind *visitor, bits []byte) unsafe.Pointer {
	if len(bits) > maxCost {
		return unsafe.Pointer(unsafe.SliceData(bytes.Clone(bits)))
	}
	hash := maphash.Bytes(seed, bits) ^ kind.salt
	known, ok := s.find(hash)
	if ok && known.kind == kind && known.size == len(bits) && string(unsafe.Slice((*byte)(known.at), known.size)) == string(bits) {
		return known.at
	}
	at := unsafe.Pointer(unsafe.SliceData(bytes.Clone(bits)))
	if !ok {
		s.remember(hash, seen{at: at, size: len(bits), kind: kind, cost: len(bits)})
	}
	return at
}

// stringOf returns the string of bytes that are somebody else's.
func (s *Sharer) stringOf(text []byte) string {
	if len(text) == 0 {
		return ""
	}
	return unsafe.String((*byte)(s.sameBytes(stringBytes, text)), len(text))
}

// sameString is same for the bytes of strings, of all types.
func (s *Sharer) sameString(text string) string {
	if len(text) == 0 {
		return ""
	}
	at := s.same(stringBytes, unsafe.Pointer(unsafe.StringData(text)), len(text), len(text))
	return unsafe.String((*byte)(at), len(text))
}
