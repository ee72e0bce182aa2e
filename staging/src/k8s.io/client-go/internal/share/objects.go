package share

import (
	"hash/maphash"
	"reflect"
	"unsafe"
	"weak"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// objects are those that were decoded and are still somewhere in memory, by what they
// were decoded from. A list that is mostly as the one before consists of them, and
// takes hardly any memory.
type objects struct {
	known map[sum]object
	swept int // how many there were after the last sweep
}

type object struct {
	at   weak.Pointer[byte]
	typ  reflect.Type
	kind schema.GroupVersionKind
}

// A sum is of 128 bits, from two hashes with seeds that nobody knows. So it takes the
// place of the bytes, which are too many to be kept.
type sum [2]uint64

var otherSeed = maphash.MakeSeed()

func sumOf(data []byte) sum { return sum{maphash.Bytes(seed, data), maphash.Bytes(otherSeed, data)} }

// Once returns what decode makes of data, or, if that is still in memory, what it made
// of the same data before: the object itself, which others have, too. So nobody may
// change it.
func (s *Sharer) Once(data []byte, decode func() (runtime.Object, *schema.GroupVersionKind, error)) (runtime.Object, *schema.GroupVersionKind, error) {
	sum := sumOf(data)
	if obj, kind := s.findObject(sum); obj != nil {
		return obj, kind, nil
	}
	obj, kind, err := decode()
	v := reflect.ValueOf(obj)
	if err != nil || kind == nil || v.Kind() != reflect.Pointer || v.IsNil() || !isObject(v.Type().Elem()) {
		return obj, kind, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.objects.put(sum, object{weak.Make((*byte)(v.UnsafePointer())), v.Type().Elem(), *kind})
	return obj, kind, nil
}

func (s *Sharer) findObject(of sum) (runtime.Object, *schema.GroupVersionKind) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known, ok := s.objects.known[of]
	if !ok {
		return nil, nil
	}
	at := unsafe.Pointer(known.at.Value())
	if at == nil {
		return nil, nil
	}
	return reflect.NewAt(known.typ, at).Interface().(runtime.Object), &known.kind
}

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

func (o *objects) put(of sum, new object) {
	if o.known == nil {
		o.known = map[sum]object{}
	}
	o.known[of] = new
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
