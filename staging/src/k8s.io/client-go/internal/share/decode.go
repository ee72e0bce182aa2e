package share

import (
	"errors"
	"hash/maphash"
	"reflect"
	"sync"
	"time"
	"unsafe"

	"k8s.io/apimachinery/pkg/api/resource"
)

// errUnusual says that an object is to be decoded by somebody who knows everything.
var errUnusual = errors.New("encoded in an unusual way")

// minDecoded is how many bytes of an encoded value are worth looking for.
const minDecoded = 24

// maxDepth is how deeply values are nested that are decoded here. It keeps data from
// taking the whole stack.
const maxDepth = 64

// decoded is a value that was decoded from bytes. Values that came only once are most
// of all, and are not kept: of them the hash is enough.
type decoded struct {
	raw  string
	at   unsafe.Pointer
	kind *kind
}

func (d decoded) cost() int { return 2 * len(d.raw) }

// A kind is how values of a type are decoded from one format.
type kind struct {
	typ     reflect.Type
	visitor *visitor
	// kept says that a value may be part of several objects.
	kept bool
	salt uint64
	// decode sets a value, which is zero before, from what it is encoded as.
	decode func(d *decoder, raw []byte, at unsafe.Pointer) error
}

// A decoder decodes one object.
type decoder struct {
	*Sharer
	depth   int
	keeping bool // what is decoded now will be kept as a whole
	// general decodes into a pointer.
	general func(raw []byte, into any) error
}

// value decodes a value, or finds it.
func (d *decoder) value(k *kind, raw []byte, at unsafe.Pointer) error {
	if len(raw) < minDecoded || len(raw) > maxCost || !k.kept {
		return d.nested(k, raw, at)
	}
	hash := maphash.Bytes(seed, raw) ^ k.salt
	known, ok := d.decoded.find(hash, decoded.cost)
	if ok && known.kind == k && known.raw == string(raw) {
		copyValue(k.typ, at, known.at)
		return nil
	}
	if d.keeping || ok {
		return d.nested(k, raw, at)
	}
	if _, again := d.once.find(hash, func(struct{}) int { return 0 }); !again {
		d.once.put(hash, struct{}{}, 0)
		return d.nested(k, raw, at)
	}
	// Its parts are not kept beside it. Those that are parts of something else, too,
	// are kept when they come with that.
	d.keeping = true
	err := d.nested(k, raw, at)
	d.keeping = false
	if err != nil {
		return err
	}
	kept := reflect.New(k.typ).UnsafePointer()
	copyValue(k.typ, kept, at)
	new := decoded{string(raw), kept, k}
	d.decoded.put(hash, new, new.cost())
	return nil
}

func (d *decoder) nested(k *kind, raw []byte, at unsafe.Pointer) error {
	if d.depth++; d.depth > maxDepth {
		return errUnusual
	}
	err := k.decode(d, raw, at)
	d.depth--
	return err
}

// whole has the general decoder decode a value.
func (k *kind) whole(d *decoder, raw []byte, at unsafe.Pointer) error {
	if err := d.general(raw, reflect.NewAt(k.typ, at).Interface()); err != nil {
		return err
	}
	k.visit(d, at)
	return nil
}

func (k *kind) visit(d *decoder, at unsafe.Pointer) {
	if k.visitor.visit != nil {
		k.visitor.visit(d.Sharer, at)
	}
}

// object decodes a whole object into a pointer to a zero struct. It is left to the
// general decoder if anything about it is unusual.
func (d *decoder) object(kindOf func(reflect.Type) *kind, raw []byte, into any) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	v := reflect.ValueOf(into)
	if v.Kind() == reflect.Pointer && !v.IsNil() && v.Elem().Kind() == reflect.Struct {
		k, at := kindOf(v.Type().Elem()), v.UnsafePointer()
		if err := k.decode(d, raw, at); err == nil {
			return nil
		}
		v.Elem().SetZero()
	}
	return d.general(raw, into)
}

func copyValue(t reflect.Type, to, from unsafe.Pointer) {
	reflect.NewAt(t, to).Elem().Set(reflect.NewAt(t, from).Elem())
}

// kinds has the kinds of one format.
type kinds struct {
	mu    sync.Mutex
	known map[reflect.Type]*kind
	make  func(*kind)
}

func (all *kinds) of(t reflect.Type) *kind {
	all.mu.Lock()
	defer all.mu.Unlock()
	return all.build(t)
}

// build returns the kind of a type. As types may be parts of themselves, it is known
// before it is complete.
func (all *kinds) build(t reflect.Type) *kind {
	if k, ok := all.known[t]; ok {
		return k
	}
	if all.known == nil {
		all.known = map[reflect.Type]*kind{}
	}
	v := visitorOf(t)
	k := &kind{typ: t, visitor: v, salt: v.salt, kept: mayPoint(t) && t.Kind() != reflect.String && !isPrivate(t, map[reflect.Type]bool{})}
	all.known[t] = k
	all.make(k)
	return k
}

// isPrivate reports whether there is something in a value, or in what it points to,
// that only its package knows the use of.
func isPrivate(t reflect.Type, seen map[reflect.Type]bool) bool {
	if seen[t] {
		return false
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return isPrivate(t.Elem(), seen)
	case reflect.Interface:
		return true
	case reflect.Struct:
		if t == reflect.TypeFor[time.Time]() || t == reflect.TypeFor[resource.Quantity]() {
			return false // as their visitors know
		}
		for i := range t.NumField() {
			if !t.Field(i).IsExported() || isPrivate(t.Field(i).Type, seen) {
				return true
			}
		}
	}
	return false
}

func implements(t reflect.Type, interfaces ...reflect.Type) bool {
	for _, i := range interfaces {
		if t.Implements(i) || reflect.PointerTo(t).Implements(i) {
			return true
		}
	}
	return false
}
