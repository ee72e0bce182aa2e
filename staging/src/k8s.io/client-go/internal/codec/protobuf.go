package codec

import (
	"bytes"
	"encoding/binary"
	"reflect"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	apiprotobuf "k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/client-go/internal/share/offer"
)

// protobufSerializer reads an object of the expected kind right from the data.
// All else is apimachinery's serializer, which first copies the data into a
// runtime.Unknown.
type protobufSerializer struct {
	*apiprotobuf.Serializer
	scheme *runtime.Scheme
	shared offer.Decoder // of objects that nobody changes; nil for others
}

// message is what generated types have.
type message interface {
	Reset()
	Unmarshal([]byte) error
}

var messageType = reflect.TypeFor[message]()

func (s *protobufSerializer) Decode(data []byte, defaults *schema.GroupVersionKind, into runtime.Object) (runtime.Object, *schema.GroupVersionKind, error) {
	if _, isUnknown := into.(*runtime.Unknown); isUnknown {
		return s.Serializer.Decode(data, defaults, into)
	}
	kind, raw, ok := openEnvelope(data)
	if !ok || kind.Kind == "" || kind.Version == "" {
		return s.Serializer.Decode(data, defaults, into)
	}
	object := into
	if into == nil { // as for the objects of a watch
		created, err := s.scheme.New(kind)
		if err != nil {
			return nil, &kind, err
		}
		object = created
	} else if !isOfKind(s.scheme, into, kind) {
		return s.Serializer.Decode(data, defaults, into)
	}
	target, isMessage := object.(message)
	if !isMessage {
		return s.Serializer.Decode(data, defaults, into)
	}
	target.Reset()
	if s.shared == nil {
		makeRoom(object, raw)
	}
	if err := s.unmarshal(raw, target); err != nil {
		return nil, &kind, err
	}
	object.GetObjectKind().SetGroupVersionKind(kind)
	return object, &kind, nil
}

// unmarshal decodes a message. Nothing of it points into raw, as generated code copies
// each string and slice.
func (s *protobufSerializer) unmarshal(raw []byte, into message) error {
	if s.shared == nil {
		return into.Unmarshal(raw)
	}
	return s.shared.DecodeProtobuf(raw, into, func(raw []byte, into any) error { return into.(message).Unmarshal(raw) })
}

// makeRoom gives a list the room for all its items at once. Generated code
// appends them one by one, which copies all of them several times over.
func makeRoom(list runtime.Object, raw []byte) {
	const itemsField = 2 // of every list of k8s.io/api
	if _, isList := list.(metav1.ListInterface); !isList {
		return
	}
	items := reflect.ValueOf(list).Elem().FieldByName("Items")
	if items.Kind() != reflect.Slice {
		return
	}
	count := 0
	for len(raw) > 0 {
		number, _, rest, ok := nextField(raw)
		if !ok {
			return // Unmarshal will say what is wrong
		}
		if number == itemsField {
			count++
		}
		raw = rest
	}
	if count > 0 {
		items.Set(reflect.MakeSlice(items.Type(), 0, count))
	}
}

func isOfKind(scheme *runtime.Scheme, object runtime.Object, kind schema.GroupVersionKind) bool {
	known, _, err := scheme.ObjectKinds(object)
	if err != nil {
		return false
	}
	for _, k := range known {
		if k == kind {
			return true
		}
	}
	return false
}

// magic is what every object begins with.
var magic = []byte{'k', '8', 's', 0}

// openEnvelope returns the kind and the content of an encoded object, and whether
// it is one of the plain form that servers write. The envelope is a
// runtime.Unknown: see k8s.io/apimachinery/pkg/runtime/generated.proto and
// https://protobuf.dev/programming-guides/encoding/.
func openEnvelope(data []byte) (kind schema.GroupVersionKind, raw []byte, ok bool) {
	data, ok = bytes.CutPrefix(data, magic)
	if !ok {
		return kind, nil, false
	}
	var typeMeta []byte
	for len(data) > 0 {
		var number int
		var field []byte
		if number, field, data, ok = nextField(data); !ok {
			return kind, nil, false
		}
		switch {
		case number == 1:
			typeMeta = field
		case number == 2:
			raw = field
		case number == 3 || number == 4:
			// Content that is encoded or of another type is not for us.
			if len(field) > 0 {
				return kind, nil, false
			}
		default:
			return kind, nil, false
		}
	}
	var apiVersion, name string
	for len(typeMeta) > 0 {
		var number int
		var field []byte
		if number, field, typeMeta, ok = nextField(typeMeta); !ok {
			return kind, nil, false
		}
		switch number {
		case 1:
			apiVersion = string(field)
		case 2:
			name = string(field)
		}
	}
	kind, err := parseKind(apiVersion, name)
	return kind, raw, err == nil
}

// nextField returns the number and content of the first field of a message, and
// what follows it. It knows fields that have a length, no others.
func nextField(data []byte) (number int, field, rest []byte, ok bool) {
	const hasLength = 2
	tag, n := binary.Uvarint(data)
	if n <= 0 || tag&7 != hasLength || tag>>3 > 1<<28 {
		return 0, nil, nil, false
	}
	data = data[n:]
	length, n := binary.Uvarint(data)
	if n <= 0 || length > uint64(len(data)-n) {
		return 0, nil, nil, false
	}
	data = data[n:]
	return int(tag >> 3), data[:length:length], data[length:], true
}

// CopiesInput tells package rest/watch that objects of new kinds keep nothing of the data
// that they are decoded from.
func (s *protobufSerializer) CopiesInput() {}

// Sharing returns a decoder for package rest: see [sharing].
func (s *protobufSerializer) Sharing(with offer.Decoder) runtime.Decoder {
	shared := *s
	shared.shared = with
	return &sharing{&shared, with}
}
