package share

import (
	"hash/maphash"
	"reflect"
	"sync"
	"unsafe"
)

// mapVisit compares maps by what is in them, since equal ones are not the same bits.
func mapVisit(v *visitor, t reflect.Type) func(*Sharer, unsafe.Pointer) int {
	if t == reflect.TypeFor[map[string]string]() {
		return func(s *Sharer, at unsafe.Pointer) int { return visitStrings(s, v, (*map[string]string)(at)) }
	}
	element, size := build(t.Elem()), int(t.Elem().Size())
	scratch := sync.Pool{New: func() any {
		return &mapScratch{
			key:   reflect.New(t.Key()).Elem(),
			value: reflect.New(t.Elem()).Elem(),
			first: reflect.New(t.Elem()).Elem(),
		}
	}}
	return func(s *Sharer, at unsafe.Pointer) (cost int) {
		m := reflect.NewAt(t, at).Elem()
		if m.Len() == 0 || size == 0 {
			return 0
		}
		x := scratch.Get().(*mapScratch)
		defer scratch.Put(x)
		defer x.clear()
		hash := v.salt
		for entries := m.MapRange(); entries.Next(); {
			x.key.SetIterKey(entries)
			x.value.SetIterValue(entries)
			if element.visit != nil {
				cost += element.visit(s, x.value.Addr().UnsafePointer())
				m.SetMapIndex(x.key, x.value) // of a key that is there
			}
			name := x.key.String()
			cost += len(name) + size
			hash += maphash.String(seed, name) ^ maphash.Bytes(seed, bitsOf(x.value, size))
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
		for entries := first.MapRange(); entries.Next(); {
			x.key.SetIterKey(entries)
			x.first.SetIterValue(entries)
			value := m.MapIndex(x.key)
			if !value.IsValid() {
				return cost
			}
			x.value.Set(value)
			if string(bitsOf(x.value, size)) != string(bitsOf(x.first, size)) {
				return cost
			}
		}
		m.Set(first)
		return cost
	}
}

// A mapScratch has what entries of a map are copied to, to be looked at.
type mapScratch struct{ key, value, first reflect.Value }

func (x *mapScratch) clear() {
	x.key.SetZero()
	x.value.SetZero()
	x.first.SetZero()
}

// bitsOf returns a value that can be addressed as it is in memory.
func bitsOf(value reflect.Value, size int) []byte {
	return unsafe.Slice((*byte)(value.Addr().UnsafePointer()), size)
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
