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
package share

import (
	"hash/maphash"
	"reflect"
	"sync"
	"unsafe"
)

const (
	// maxEntries is how many things a generation has.
	maxEntries = 32 << 10
	// maxBytes is how much memory the things of a generation take.
	maxBytes = 8 << 20
	// maxCost is how much memory a thing takes that is worth remembering.
	maxCost = 64 << 10
)

// A Sharer remembers what it has seen. The zero value has seen nothing. Several
// goroutines may use it.
type Sharer struct {
	mu         sync.Mutex
	young, old map[uint64]seen
	bytes      int // what those in young take
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
	if known, ok := s.young[hash]; ok {
		return known, true
	}
	known, ok := s.old[hash]
	if ok {
		s.remember(hash, known)
	}
	return known, ok
}

func (s *Sharer) remember(hash uint64, new seen) {
	if s.young == nil {
		s.young = map[uint64]seen{}
	}
	s.young[hash] = new
	s.bytes += new.cost
	if len(s.young) >= maxEntries || s.bytes >= maxBytes {
		s.old, s.young, s.bytes = s.young, s.old, 0
		clear(s.young)
	}
}

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

// sameString is same for the bytes of strings, of all types.
func (s *Sharer) sameString(text string) string {
	if len(text) == 0 {
		return ""
	}
	at := s.same(stringBytes, unsafe.Pointer(unsafe.StringData(text)), len(text), len(text))
	return unsafe.String((*byte)(at), len(text))
}
