package share

import (
	"hash/maphash"
	"reflect"
	"sync"
	"time"
	"unsafe"

	"k8s.io/apimachinery/pkg/api/resource"
)

// A visitor goes through a value of one type.
type visitor struct {
	salt uint64 // tells types apart
	// visit has what is in the value at a place be shared. It returns how many
	// bytes the value takes beyond that place. It is nil if there never are any.
	visit func(s *Sharer, at unsafe.Pointer) int
	// private says that there are fields in it that only its package knows the
	// use of. It is not replaced by another one.
	private bool
}

var stringBytes = &visitor{salt: maphash.String(seed, "bytes of a string")}

var visitors struct {
	sync.Mutex
	known map[reflect.Type]*visitor
}

func visitorOf(t reflect.Type) *visitor {
	visitors.Lock()
	defer visitors.Unlock()
	return build(t)
}

// build returns the visitor of a type. Types may be parts of themselves: it is known
// before its parts are.
func build(t reflect.Type) *visitor {
	if v, ok := visitors.known[t]; ok {
		return v
	}
	if visitors.known == nil {
		visitors.known = map[reflect.Type]*visitor{}
	}
	v := &visitor{salt: maphash.String(seed, t.PkgPath()+"."+t.String())}
	visitors.known[t] = v
	switch {
	case t == reflect.TypeFor[time.Time]():
		// It points to its time zone, which is shared.
	case t == reflect.TypeFor[resource.Quantity]():
		v.visit = visitQuantity
	case t.Kind() == reflect.String:
		v.visit = visitString
	case t.Kind() == reflect.Struct:
		v.visit, v.private = structVisit(t)
	case t.Kind() == reflect.Array:
		// None of those in API types points anywhere.
	case t.Kind() == reflect.Pointer:
		v.visit = pointerVisit(v, t)
	case t.Kind() == reflect.Slice:
		v.visit = sliceVisit(v, t)
	case t.Kind() == reflect.Map && t.Key().Kind() == reflect.String:
		v.visit = mapVisit(v, t)
	}
	return v
}

func visitString(s *Sharer, at unsafe.Pointer) int {
	text := (*string)(at)
	*text = s.sameString(*text)
	return len(*text)
}

// quantityText is where a quantity has the text that it was read from, if that is of use
// to it: after it, two that are equal are the same bits.
var quantityText = sync.OnceValues(func() (offset uintptr, ok bool) {
	f, ok := reflect.TypeFor[resource.Quantity]().FieldByName("s")
	return f.Offset, ok && f.Type.Kind() == reflect.String
})

// visitQuantity leaves the digits of large numbers, which those change who calculate with
// a copy of the quantity.
func visitQuantity(s *Sharer, at unsafe.Pointer) int {
	format := &(*resource.Quantity)(at).Format
	*format = resource.Format(s.sameString(string(*format)))
	if offset, ok := quantityText(); ok {
		visitString(s, unsafe.Add(at, offset))
	}
	return 0
}

func structVisit(t reflect.Type) (visit func(*Sharer, unsafe.Pointer) int, private bool) {
	type field struct {
		offset uintptr
		*visitor
	}
	var fields []field
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.IsExported() {
			private = true
			continue
		}
		if mayPoint(f.Type) {
			part := build(f.Type)
			private = private || part.private
			fields = append(fields, field{f.Offset, part})
		}
	}
	if len(fields) == 0 {
		return nil, private
	}
	return func(s *Sharer, at unsafe.Pointer) (cost int) {
		for _, f := range fields {
			if f.visit != nil {
				cost += f.visit(s, unsafe.Add(at, f.offset))
			}
		}
		return cost
	}, private
}

func mayPoint(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.String, reflect.Struct, reflect.Pointer, reflect.Slice, reflect.Map:
		return true
	}
	return false
}

func pointerVisit(v *visitor, t reflect.Type) func(*Sharer, unsafe.Pointer) int {
	element, size := build(t.Elem()), int(t.Elem().Size())
	return func(s *Sharer, at unsafe.Pointer) int {
		pointer := (*unsafe.Pointer)(at)
		if *pointer == nil || size == 0 {
			return 0
		}
		cost := size
		if element.visit != nil {
			cost += element.visit(s, *pointer)
		}
		if !element.private {
			*pointer = s.same(v, *pointer, size, cost)
		}
		return cost
	}
}

// A sliceHeader is what a slice is in memory.
type sliceHeader struct {
	array    unsafe.Pointer
	len, cap int
}

func sliceVisit(v *visitor, t reflect.Type) func(*Sharer, unsafe.Pointer) int {
	element, size := build(t.Elem()), int(t.Elem().Size())
	return func(s *Sharer, at unsafe.Pointer) int {
		slice := (*sliceHeader)(at)
		if slice.len == 0 || size == 0 {
			return 0
		}
		cost := slice.len * size
		if element.visit != nil {
			for i := range slice.len {
				cost += element.visit(s, unsafe.Add(slice.array, i*size))
			}
		}
		if !element.private {
			s.sameArray(v, slice, size, cost)
		}
		return cost
	}
}

// sameArray is same for the array of a slice, whose elements have been visited.
func (s *Sharer) sameArray(kind *visitor, slice *sliceHeader, size, cost int) {
	// Appending to the slice makes another one.
	*slice = sliceHeader{s.same(kind, slice.array, slice.len*size, cost), slice.len, slice.len}
}
