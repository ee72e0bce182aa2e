package share

import (
	"encoding/binary"
	"reflect"
	"strconv"
	"strings"
	"unsafe"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// DecodeProtobuf decodes an object as general does, which decodes protobuf into a
// pointer. The object, a pointer to a struct that is zero, comes to share what is the
// same in it and in those before it: nobody may change it afterwards, except for its
// own fields. Nothing of raw is kept.
func (s *Sharer) DecodeProtobuf(raw []byte, into any, general func(raw []byte, into any) error) error {
	d := &decoder{Sharer: s, general: general}
	return d.object(protobufKinds.of, raw, into)
}

// message is what generated types have.
type message interface{ Unmarshal([]byte) error }

var protobufKinds kinds

func init() { protobufKinds.make = makeProtobuf }

var messageType = reflect.TypeFor[message]()

// makeProtobuf knows how fields are encoded: see
// https://protobuf.dev/programming-guides/encoding/. What is in one field, or in one
// element of a repeated field, is what the kind of its type decodes.
func makeProtobuf(k *kind) {
	k.decode = k.whole
	switch t := k.typ; t.Kind() {
	case reflect.String:
		k.decode = k.protobufString
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			k.decode = k.protobufBytes
		}
	case reflect.Pointer:
		k.decode = k.protobufPointer(protobufKinds.build(t.Elem()))
	case reflect.Struct:
		if fields, ok := protobufFields(t); ok && implements(t, messageType) {
			k.decode = k.protobufStruct(fields)
		}
	}
}

func (k *kind) protobufString(d *decoder, raw []byte, at unsafe.Pointer) error {
	*(*string)(at) = d.stringOf(raw)
	return nil
}

func (k *kind) protobufBytes(d *decoder, raw []byte, at unsafe.Pointer) error {
	if len(raw) == 0 {
		*(*[]byte)(at) = []byte{}
		return nil
	}
	*(*[]byte)(at) = unsafe.Slice((*byte)(d.sameBytes(k.visitor, raw)), len(raw))
	return nil
}

func (k *kind) protobufPointer(element *kind) func(*decoder, []byte, unsafe.Pointer) error {
	elementType := k.typ.Elem()
	return func(d *decoder, raw []byte, at unsafe.Pointer) error {
		value := reflect.New(elementType).UnsafePointer()
		if err := d.nested(element, raw, value); err != nil {
			return err
		}
		*(*unsafe.Pointer)(at) = value
		if size := int(elementType.Size()); size > 0 && k.kept {
			*(*unsafe.Pointer)(at) = d.same(k.visitor, value, size, size+len(raw))
		}
		return nil
	}
}

// A protobufField is a field of a struct.
type protobufField struct {
	*kind  // of the field, or of an element if it is repeated
	offset uintptr
	wire   uint64 // type of what it is encoded as
	// Of a field that is repeated, the kind of the slice, or of the map.
	slice, mapping *kind
}

const (
	varint    = 0
	delimited = 2
)

// maxNumber is the largest number that fields have here.
const maxNumber = 127

// protobufFields returns the fields by number, those without a kind being none. It
// returns false for structs that are not as those of the API are.
func protobufFields(t reflect.Type) (fields []protobufField, ok bool) {
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Type == reflect.TypeFor[metav1.TypeMeta]() {
			continue // not part of the message, but of what is around it
		}
		tag := strings.Split(f.Tag.Get("protobuf"), ",")
		if !f.IsExported() || len(tag) < 2 {
			return nil, false
		}
		number, err := strconv.Atoi(tag[1])
		if err != nil || number < 1 || number > maxNumber {
			return nil, false
		}
		// Some tags say of numbers that they are bytes, or of strings that they are
		// repeated. What is generated goes by the type, too.
		field := protobufField{offset: f.Offset}
		element := f.Type
		switch {
		case f.Type.Kind() == reflect.Map:
			field.mapping, element = protobufKinds.build(f.Type), f.Type.Elem()
			if f.Type.Key().Kind() != reflect.String {
				return nil, false
			}
		case f.Type.Kind() == reflect.Slice && f.Type.Elem().Kind() != reflect.Uint8 && !implements(f.Type, messageType):
			field.slice, element = protobufKinds.build(f.Type), f.Type.Elem()
		}
		field.kind = protobufKinds.build(element)
		target := element
		if element.Kind() == reflect.Pointer && field.slice == nil && field.mapping == nil {
			target = element.Elem()
		}
		switch kind := target.Kind(); {
		case tag[0] != "bytes" && tag[0] != "varint":
			return nil, false
		case kind == reflect.Bool, kind == reflect.Int32, kind == reflect.Int64:
			if field.wire = varint; field.slice != nil || field.mapping != nil {
				return nil, false
			}
		case kind == reflect.String, kind == reflect.Slice && target.Elem().Kind() == reflect.Uint8, implements(target, messageType):
			field.wire = delimited
		default:
			return nil, false
		}
		for len(fields) <= number {
			fields = append(fields, protobufField{})
		}
		fields[number] = field
	}
	return fields, true
}

func (k *kind) protobufStruct(fields []protobufField) func(*decoder, []byte, unsafe.Pointer) error {
	return func(d *decoder, raw []byte, at unsafe.Pointer) error {
		var seen [maxNumber + 1]bool
		for rest := raw; len(rest) > 0; {
			number, value, n, err := nextField(rest)
			if err != nil {
				return err
			}
			if number >= uint64(len(fields)) || fields[number].kind == nil {
				rest = rest[n:] // the server is newer
				continue
			}
			f := &fields[number]
			field := unsafe.Add(at, f.offset)
			if value.wire != f.wire {
				return errUnusual
			}
			switch {
			case f.slice != nil:
				if !seen[number] {
					// All elements of a field follow each other, mostly.
					elements := countFields(rest, number)
					array := reflect.MakeSlice(f.slice.typ, 0, elements)
					reflect.NewAt(f.slice.typ, field).Elem().Set(array)
				}
				err = d.element(f, value.bytes, (*sliceHeader)(field))
			case f.mapping != nil:
				err = d.entry(f, value.bytes, reflect.NewAt(f.mapping.typ, field).Elem())
			case seen[number]:
				err = errUnusual // the two would be merged
			case f.wire == varint:
				d.number(f.typ, value.number, field)
				f.visit(d, field)
			default:
				err = d.value(f.kind, value.bytes, field)
			}
			if err != nil {
				return err
			}
			seen[number] = true
			rest = rest[n:]
		}
		for number := range fields {
			if !seen[number] {
				continue
			}
			f := &fields[number]
			field := unsafe.Add(at, f.offset)
			switch {
			case f.mapping != nil:
				f.mapping.visit(d, field)
			case f.slice != nil && f.slice.kept:
				slice, size := (*sliceHeader)(field), int(f.typ.Size())
				d.sameArray(f.slice.visitor, slice, size, 2*slice.len*size)
			}
		}
		return nil
	}
}

// element decodes one more element of a slice that has room for it.
func (d *decoder) element(f *protobufField, raw []byte, slice *sliceHeader) error {
	if slice.len == slice.cap {
		return errUnusual // fields are mixed
	}
	slice.len++
	return d.value(f.kind, raw, unsafe.Add(slice.array, uintptr(slice.len-1)*f.typ.Size()))
}

// entry decodes an entry of a map, which is a message of a key and a value.
func (d *decoder) entry(f *protobufField, raw []byte, m reflect.Value) error {
	if m.IsNil() {
		m.Set(reflect.MakeMap(m.Type()))
	}
	var key string
	value := reflect.New(f.typ)
	if f.typ.Kind() == reflect.Slice {
		value.Elem().Set(reflect.MakeSlice(f.typ, 0, 0))
	}
	for step := uint64(1); len(raw) > 0; step++ {
		number, part, n, err := nextField(raw)
		if err != nil || number != step || part.wire != delimited {
			return errUnusual
		}
		switch number {
		case 1:
			key = d.stringOf(part.bytes)
		case 2:
			if err := d.value(f.kind, part.bytes, value.UnsafePointer()); err != nil {
				return err
			}
		default:
			return errUnusual
		}
		raw = raw[n:]
	}
	if strs, ok := m.Addr().Interface().(*map[string]string); ok {
		(*strs)[key] = *(*string)(value.UnsafePointer())
		return nil
	}
	m.SetMapIndex(reflect.ValueOf(key).Convert(m.Type().Key()), value.Elem())
	return nil
}

// number sets a field that is encoded as a number, or a pointer to one.
func (d *decoder) number(t reflect.Type, n uint64, at unsafe.Pointer) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
		value := reflect.New(t).UnsafePointer()
		*(*unsafe.Pointer)(at) = value
		at = value
	}
	if t.Kind() == reflect.Bool {
		*(*bool)(at) = n != 0
		return
	}
	setInt(t, at, int64(n))
}

// An encodedField is a number, or bytes.
type encodedField struct {
	wire   uint64
	number uint64
	bytes  []byte
}

// nextField returns the first field of a message, and its length.
func nextField(raw []byte) (number uint64, value encodedField, n int, err error) {
	tag, n := binary.Uvarint(raw)
	if n <= 0 || tag>>3 == 0 || tag>>3 >= 1<<29 {
		return 0, value, 0, errUnusual
	}
	value.wire = tag & 7
	content, m := binary.Uvarint(raw[n:])
	if m <= 0 {
		return 0, value, 0, errUnusual
	}
	n += m
	switch value.wire {
	case varint:
		value.number = content
	case delimited:
		if content > uint64(len(raw)-n) {
			return 0, value, 0, errUnusual
		}
		value.bytes = raw[n : n+int(content)]
		n += int(content)
	default:
		return 0, value, 0, errUnusual
	}
	return tag >> 3, value, n, nil
}

// countFields returns how often a field follows itself.
func countFields(raw []byte, number uint64) int {
	for count := 0; ; count++ {
		next, _, n, err := nextField(raw)
		if err != nil || next != number {
			return count
		}
		raw = raw[n:]
	}
}
