package watch

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/streaming"
	"k8s.io/apimachinery/pkg/watch"
)

// Encoder writes events to a stream, as a server does. It is used by one goroutine.
type Encoder struct {
	stream streaming.Encoder
	object runtime.Encoder
}

// NewEncoder returns an encoder that writes the frames by encoder, and encodes the objects
// in them by embeddedEncoder.
func NewEncoder(encoder streaming.Encoder, embeddedEncoder runtime.Encoder) *Encoder {
	return &Encoder{stream: encoder, object: embeddedEncoder}
}

// Encode writes an event. It returns an error if the object cannot be encoded, and those
// of the stream.
func (e *Encoder) Encode(event *watch.Event) error {
	raw, err := runtime.Encode(e.object, event.Object)
	if err != nil {
		return fmt.Errorf("encoding the object of a %s event: %w", event.Type, err)
	}
	return e.stream.Encode(&metav1.WatchEvent{
		Type:   string(event.Type),
		Object: runtime.RawExtension{Raw: raw},
	})
}
