package share

import (
	"hash/maphash"
	"reflect"
	"unsafe"
	"weak"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
	// typeMeta is what was decoded. Whoever has the object may have cleared its own,
	// and may be doing so now, as codecs of typed clients do.
	typeMeta metav1.TypeMeta
}

// A sum is of 128 bits, from two hashes with seeds that nobody knows. So it takes the
// place of the bytes, which are too many to be kept.
type sum [2]uint64

var otherSeed = maphash.MakeSeed()

// isObject reports whether a type is of those that are remembered: structs that begin
// with their TypeMeta and have nothing that only their package knows.
func isObject(t reflect.Type) bool {
	if t.Kind() != reflect.Struct || t.NumField() == 0 || t.Field(0).Type != reflect.TypeFor[metav1.TypeMeta]() {
		return false
	}
	for i := range t.NumField() {
		if !t.Field(i).IsExported() {
			return false
		}
	}
	return true
}

func sumOf(raw []byte) sum { return sum{maphash.Bytes(seed, raw), maphash.Bytes(otherSeed, raw)} }

// find sets a struct to one that was decoded from the same, if there is one.
func (o *objects) find(of sum, k *kind, at unsafe.Pointer) bool {
	known, ok := o.known[of]
	if !ok || known.typ != k.typ {
		return false
	}
	same := unsafe.Pointer(known.at.Value())
	if same == nil {
		return false
	}
	to, from := reflect.NewAt(k.typ, at).Elem(), reflect.NewAt(k.typ, same).Elem()
	for i := 1; i < to.NumField(); i++ {
		to.Field(i).Set(from.Field(i))
	}
	*(*metav1.TypeMeta)(at) = known.typeMeta
	return true
}

func (o *objects) put(of sum, k *kind, at unsafe.Pointer) {
	if o.known == nil {
		o.known = map[sum]object{}
	}
	o.known[of] = object{weak.Make((*byte)(at)), k.typ, *(*metav1.TypeMeta)(at)}
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
