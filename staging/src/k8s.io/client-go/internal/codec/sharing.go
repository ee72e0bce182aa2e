package codec

import (
	"io"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/internal/share/offer"
)

// sharing decodes objects that nobody changes, and that share what is the same in them.
// They do not say of which kind they are, as objects of typed clients do not.
type sharing struct {
	runtime.Decoder
	with offer.Decoder
}

func (s *sharing) Decode(data []byte, defaults *schema.GroupVersionKind, into runtime.Object) (runtime.Object, *schema.GroupVersionKind, error) {
	decode := func() (runtime.Object, *schema.GroupVersionKind, error) {
		object, kind, err := s.Decoder.Decode(data, defaults, into)
		if object != nil {
			object.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{})
		}
		return object, kind, err
	}
	if into != nil || defaults != nil {
		return decode()
	}
	return s.with.Once(data, decode)
}

// DecodeFrom decodes an object while it comes in: see [Reader].
func (s *sharing) DecodeFrom(r io.Reader, into runtime.Object) (runtime.Object, error) {
	object, err := s.Decoder.(Reader).DecodeFrom(r, into)
	if object != nil {
		object.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{})
	}
	return object, err
}

// CopiesInput tells package rest/watch that objects keep nothing of the data that they
// are decoded from.
func (s *sharing) CopiesInput() {}
