package share

import (
	"hash/maphash"
	"reflect"
	"unsafe"
)

// mapVisit compares maps by what is in them, since equal ones are not the same bits.
func mapVisit(v *visitor, t reflect.Type) func(*Sharer, unsafe.Pointer) int {
	if t == reflect.TypeFor[map[string]string]() {
		return func(s *Sharer, at unsafe.Pointer) int { return visitStrings(s, v, (*map[string]string)(at)) }
	}
	element, size := build(t.Elem()), int(t.Elem().Size())
	return func(s *Sharer, at unsafe.Pointer) (cost int) {
		m := reflect.NewAt(t, at).Elem()
		if m.Len() == 0 || size == 0 {
			return 0
		}
		value := reflect.New(t.Elem()).Elem()
		bits := func() []byte { return unsafe.Slice((*byte)(value.Addr().UnsafePointer()), size) }
		hash := v.salt
		entries := m.MapRange()
		for entries.Next() {
			name := entries.Key().String()
			value.SetIterValue(entries)
			if element.visit != nil {
				cost += element.visit(s, value.Addr().UnsafePointer())
				m.SetMapIndex(entries.Key(), value) // of a key that is there
			}
			cost += len(name) + size
			hash += maphash.String(seed, name) ^ maphash.Bytes(seed, bits())
		}
		if cost > maxCost || element.private {
			return cost
		}
		known, ok := s.find(hash)
		if !ok {
			s.remember(hash, seen{at: m.UnsafePointer(), size: m.Len(), kind: v, cost: cost})
			return cost
		}
		if known.kind != v || known.size != m.Len() {
			return cost
		}
		first := reflect.NewAt(t, unsafe.Pointer(&known.at)).Elem()
		other := reflect.New(t.Elem()).Elem()
		for entries = m.MapRange(); entries.Next(); {
			value.SetIterValue(entries)
			found := first.MapIndex(entries.Key())
			if !found.IsValid() {
				return cost
			}
			other.Set(found)
			if string(bits()) != string(unsafe.Slice((*byte)(other.Addr().UnsafePointer()), size)) {
				return cost
			}
		}
		m.Set(first)
		return cost
	}
}

// visitStrings is the same for labels and annotations, of which there are many. A map
// that is not found keeps its keys, which are mostly short.
func visitStrings(s *Sharer, v *visitor, at *map[string]string) (cost int) {
	m := *at
	if len(m) == 0 {
		return 0
	}
	hash := v.salt
	for name, text := range m {
		hash += maphash.String(seed, name) ^ (maphash.String(seed, text)*31 + 1)
		cost += len(name) + len(text) + 2*int(unsafe.Sizeof(text))
	}
	if cost <= maxCost {
		if known, ok := s.find(hash); ok {
			first := *(*map[string]string)(unsafe.Pointer(&known.at))
			if known.kind == v && known.size == len(m) && equal(first, m) {
				*at = first
			}
			return cost
		}
	}
	shared := make(map[string]string, len(m))
	for name, text := range m {
		shared[s.sameString(name)] = s.sameString(text)
	}
	*at = shared
	if cost <= maxCost {
		s.remember(hash, seen{at: *(*unsafe.Pointer)(unsafe.Pointer(at)), size: len(m), kind: v, cost: cost})
	}
	return cost
}

func equal(a, b map[string]string) bool {
	for name, text := range a {
		if other, ok := b[name]; !ok || other != text {
			return false
		}
	}
	return true
}
