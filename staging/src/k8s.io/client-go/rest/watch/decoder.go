package watch

import (
	"fmt"
	"io"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/streaming"
	"k8s.io/apimachinery/pkg/watch"
)

// maxFrame is how large an event may be, in bytes. It keeps a broken or hostile server
// from filling the memory; no API server stores objects anywhere near as large.
const maxFrame = 64 << 20

// Decoder reads events from a stream. It is made by NewDecoder, NewJSONDecoder or
// NewProtobufDecoder, and used by one goroutine, except that Close may be called by another.
type Decoder struct {
	frames frames
	object runtime.Decoder
}

// frames is a stream of events whose objects are not decoded yet.
type frames interface {
	// next returns the type of the next event, and its object. Nobody changes the
	// object afterwards, so a decoder may keep parts of it; unless the decoder is one
	// that keeps nothing, and then the object is good until next is called again. The
	// error is io.EOF where
	// the stream ends between two events, and io.ErrUnexpectedEOF where it ends in one.
	next() (eventType watch.EventType, object []byte, err error)
	close()
}

// NewDecoder returns a decoder of events. The stream's decoder decodes frames to meta/v1
// WatchEvents, and embeddedDecoder the objects in them.
func NewDecoder(decoder streaming.Decoder, embeddedDecoder runtime.Decoder) *Decoder {
	return &Decoder{frames: decodedFrames{decoder}, object: embeddedDecoder}
}

// NewJSONDecoder returns a decoder of events in JSON. It closes stream when it is closed.
func NewJSONDecoder(stream io.ReadCloser, embeddedDecoder runtime.Decoder) *Decoder {
	return &Decoder{frames: &jsonFrames{buffer: buffer{stream: stream}, reuse: copiesInput(embeddedDecoder)}, object: embeddedDecoder}
}

// NewProtobufDecoder returns a decoder of events in protobuf. It closes stream when it is
// closed.
func NewProtobufDecoder(stream io.ReadCloser, embeddedDecoder runtime.Decoder) *Decoder {
	return &Decoder{frames: &protobufFrames{buffer: buffer{stream: stream}, reuse: copiesInput(embeddedDecoder)}, object: embeddedDecoder}
}

// inputCopier is what decoders have whose objects keep nothing of what they are decoded
// from. For them one buffer is enough for all events.
type inputCopier interface {
	CopiesInput()
}

func copiesInput(decoder runtime.Decoder) bool {
	if wrapper, ok := decoder.(runtime.WithoutVersionDecoder); ok {
		decoder = wrapper.Decoder
	}
	_, ok := decoder.(inputCopier)
	return ok
}

// Decode waits for the next event. The error is io.EOF at the orderly end of the stream, and
// io.ErrUnexpectedEOF where it was cut off. Other errors come from the connection, or mean that
// the server sent what is not an event; there is no use in calling Decode again then.
func (d *Decoder) Decode() (watch.EventType, runtime.Object, error) {
	eventType, raw, err := d.frames.next()
	if err != nil {
		return "", nil, err
	}
	switch eventType {
	case watch.Added, watch.Modified, watch.Deleted, watch.Bookmark, watch.Error:
	default:
		return "", nil, fmt.Errorf("got invalid watch event type: %v", eventType)
	}
	object, err := runtime.Decode(d.object, raw)
	if err != nil {
		return "", nil, fmt.Errorf("unable to decode watch event: %w", err)
	}
	return eventType, object, nil
}

// Close closes the stream. A Decode that is under way returns an error.
func (d *Decoder) Close() {
	d.frames.close()
}

// decodedFrames are frames for which there is a decoder.
type decodedFrames struct {
	stream streaming.Decoder
}

func (f decodedFrames) next() (watch.EventType, []byte, error) {
	var event metav1.WatchEvent
	decoded, _, err := f.stream.Decode(nil, &event)
	if err != nil {
		return "", nil, err
	}
	if decoded != runtime.Object(&event) {
		return "", nil, fmt.Errorf("unable to decode to metav1.WatchEvent: the stream holds %T", decoded)
	}
	return watch.EventType(event.Type), event.Object.Raw, nil
}

func (f decodedFrames) close() {
	_ = f.stream.Close() // whoever waits learns it from Decode
}

// eventType returns a type without allocating where it is one of the known ones.
func eventType(name []byte) watch.EventType {
	switch string(name) {
	case string(watch.Added):
		return watch.Added
	case string(watch.Modified):
		return watch.Modified
	case string(watch.Deleted):
		return watch.Deleted
	case string(watch.Bookmark):
		return watch.Bookmark
	case string(watch.Error):
		return watch.Error
	}
	return watch.EventType(name)
}
