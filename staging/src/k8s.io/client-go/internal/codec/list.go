package codec

import (
	"fmt"
	"io"
	"reflect"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/internal/liststream"
	kjson "sigs.k8s.io/json"
)

// A Reader is a decoder that decodes an object while it comes in. DecodeFrom returns
// what Decode does of all that r has. A list is never in memory as it is encoded, only
// one item after the other is.
type Reader interface {
	DecodeFrom(r io.Reader, into runtime.Object) (runtime.Object, error)
}

// DecodeFrom decodes an object while it comes in: see [Reader].
func (s *jsonSerializer) DecodeFrom(r io.Reader, into runtime.Object) (runtime.Object, error) {
	var list runtime.Object
	var items *items
	var together *batch
	data, opened, err := liststream.JSON(r, func(head []byte) func([]byte) error {
		// Where something else comes first, the kind may come last.
		apiVersion, name, found := leadingKind(head)
		kind, err := parseKind(apiVersion, name)
		if !found || err != nil {
			return nil
		}
		if list, items = openList(s.scheme, kind, into); items == nil {
			return nil
		}
		if s.strict || s.shared != nil {
			return func(item []byte) error { return s.unmarshal(item, items.next()) }
		}
		together = &batch{to: items}
		return together.add
	})
	switch {
	case err != nil:
		return nil, err
	case !opened:
		object, _, err := s.Decode(data, nil, into)
		return object, err
	}
	if together != nil {
		if err := together.decode(); err != nil {
			return nil, err
		}
	}
	object, _, err := s.Decode(data, nil, list)
	if err != nil {
		return nil, err
	}
	items.moveTo(object)
	return object, nil
}

// DecodeFrom decodes an object while it comes in: see [Reader].
func (s *protobufSerializer) DecodeFrom(r io.Reader, into runtime.Object) (runtime.Object, error) {
	var list runtime.Object
	var items *items
	var kind schema.GroupVersionKind
	data, opened, err := liststream.Protobuf(r, func(apiVersion, name string) func([]byte) error {
		var err error
		if kind, err = parseKind(apiVersion, name); err != nil {
			return nil
		}
		if list, items = openList(s.scheme, kind, into); items == nil || !items.are(messageType) {
			return nil
		}
		return func(item []byte) error { return s.unmarshal(item, items.next().(message)) }
	})
	switch {
	case err != nil:
		return nil, err
	case !opened:
		object, _, err := s.Decode(data, nil, into)
		return object, err
	}
	target, isMessage := list.(message)
	if !isMessage {
		return nil, fmt.Errorf("a %T cannot be decoded from protobuf", list)
	}
	target.Reset()
	if err := target.Unmarshal(data); err != nil {
		return nil, err
	}
	if items.count > 0 { // otherwise there is no field of them
		items.moveTo(list)
	}
	list.GetObjectKind().SetGroupVersionKind(kind)
	return list, nil
}

// openList returns what to decode a list of a kind into, and where its items are to go. There
// are no items if it is to be decoded as a whole: it is no list, or not of the kind of
// into.
func openList(scheme *runtime.Scheme, kind schema.GroupVersionKind, into runtime.Object) (runtime.Object, *items) {
	list := into
	if list == nil {
		var err error
		if list, err = scheme.New(kind); err != nil {
			return nil, nil
		}
	} else if !isOfKind(scheme, list, kind) {
		return nil, nil
	}
	if _, isList := list.(metav1.ListInterface); !isList {
		return nil, nil
	}
	field := reflect.ValueOf(list).Elem().FieldByName("Items")
	if !field.IsValid() || field.Kind() != reflect.Slice || field.Type().Elem().Kind() != reflect.Struct || field.Len() > 0 {
		return nil, nil
	}
	return list, &items{typ: field.Type()}
}

// items are those of a list, as they come in. How many there will be is not known, and a
// slice that grows would be copied several times over.
type items struct {
	typ   reflect.Type // of the slice
	full  []reflect.Value
	last  reflect.Value
	count int
}

const (
	firstChunk   = 16
	largestChunk = 1024
)

// are tells whether pointers to items implement an interface.
func (s *items) are(i reflect.Type) bool { return reflect.PointerTo(s.typ.Elem()).Implements(i) }

// next returns a pointer to a new item.
func (s *items) next() any {
	switch {
	case !s.last.IsValid():
		s.last = reflect.MakeSlice(s.typ, 0, firstChunk)
	case s.last.Len() == s.last.Cap():
		s.full = append(s.full, s.last)
		s.last = reflect.MakeSlice(s.typ, 0, min(2*s.last.Cap(), largestChunk))
	}
	s.count++
	n := s.last.Len()
	s.last = s.last.Slice(0, n+1)
	return s.last.Index(n).Addr().Interface()
}

// more returns a pointer to a slice for so many new items, and of no others.
func (s *items) more(n int) any {
	if s.last.IsValid() {
		s.full = append(s.full, s.last)
	}
	s.last = reflect.New(s.typ).Elem()
	s.last.Set(reflect.MakeSlice(s.typ, 0, n))
	s.count += n
	return s.last.Addr().Interface()
}

// A batch is items in JSON that are decoded together: a decoder that starts anew for each
// of them takes more memory and time than they do.
type batch struct {
	to    *items
	text  []byte // an array that has no end yet
	count int
}

// batchSize is how many bytes are decoded together at least.
const batchSize = 64 << 10

func (b *batch) add(item []byte) error {
	separator := byte(',')
	if b.count == 0 {
		separator = '['
	}
	b.text = append(append(b.text, separator), item...)
	b.count++
	if len(b.text) < batchSize {
		return nil
	}
	return b.decode()
}

func (b *batch) decode() error {
	if b.count == 0 {
		return nil
	}
	err := kjson.UnmarshalCaseSensitivePreserveInts(append(b.text, ']'), b.to.more(b.count))
	b.text, b.count = b.text[:0], 0
	return err
}

// moveTo makes a list have the items.
func (s *items) moveTo(list runtime.Object) {
	field := reflect.ValueOf(list).Elem().FieldByName("Items")
	if !field.IsNil() {
		return // they were there twice, and of JSON's fields the last counts
	}
	all := reflect.MakeSlice(s.typ, s.count, s.count)
	n := 0
	for _, chunk := range s.full {
		n += reflect.Copy(all.Slice(n, s.count), chunk)
	}
	if s.last.IsValid() {
		reflect.Copy(all.Slice(n, s.count), s.last)
	}
	field.Set(all)
}
