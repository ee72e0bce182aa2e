package watch

import (
	"bytes"
	"encoding/binary"
	"errors"

	"k8s.io/apimachinery/pkg/runtime/serializer/streaming"
	"k8s.io/apimachinery/pkg/watch"
)

// protobufFrames reads WatchEvent messages that are preceded by their length.
type protobufFrames struct {
	buffer
	reuse bool // objects are good for until the next one only
}

func (f *protobufFrames) next() (watch.EventType, []byte, error) {
	const header = 4
	if err := f.need(header); err != nil {
		return "", nil, err
	}
	size := binary.BigEndian.Uint32(f.buf[f.start:])
	if size > maxFrame {
		return "", nil, streaming.ErrObjectTooLarge
	}
	// The buffer grows only as the bytes come in, whatever the size is said to be.
	if err := f.need(header + int(size)); err != nil {
		return "", nil, err
	}
	message := f.buf[f.start+header : f.start+header+int(size)]
	f.start += header + int(size)
	name, object, err := parseMessage(message)
	if !f.reuse {
		// The buffer is overwritten by the next frame.
		object = bytes.Clone(object)
	}
	return name, object, err
}

// The fields of WatchEvent and of RawExtension, which holds the object. All are strings or
// bytes.
const (
	fieldType   = 1
	fieldObject = 2
	fieldRaw    = 1
)

func parseMessage(message []byte) (name watch.EventType, object []byte, err error) {
	for len(message) > 0 {
		var field uint64
		var value []byte
		if field, value, message, err = cutField(message); err != nil {
			return "", nil, err
		}
		switch field {
		case fieldType:
			name = eventType(value)
		case fieldObject:
			for len(value) > 0 {
				var field uint64
				var raw []byte
				if field, raw, value, err = cutField(value); err != nil {
					return "", nil, err
				}
				if field == fieldRaw {
					object = raw
				}
			}
		}
	}
	return name, object, nil
}

var errMessage = errors.New("the frame is not a watch event: its protobuf encoding is broken")

// cutField cuts a field from the front of a message. The value is nil for fields that are
// numbers.
func cutField(message []byte) (field uint64, value, rest []byte, err error) {
	tag, n := binary.Uvarint(message)
	if n <= 0 || tag>>3 == 0 {
		return 0, nil, nil, errMessage
	}
	rest = message[n:]
	var size uint64
	switch tag & 7 {
	case 0: // varint
		_, n := binary.Uvarint(rest)
		if n <= 0 {
			return 0, nil, nil, errMessage
		}
		return tag >> 3, nil, rest[n:], nil
	case 1: // 64 bit
		size = 8
	case 5: // 32 bit
		size = 4
	case 2: // bytes
		var n int
		if size, n = binary.Uvarint(rest); n <= 0 {
			return 0, nil, nil, errMessage
		}
		rest = rest[n:]
	default: // groups, which nobody uses
		return 0, nil, nil, errMessage
	}
	if size > uint64(len(rest)) {
		return 0, nil, nil, errMessage
	}
	if tag&7 != 2 {
		return tag >> 3, nil, rest[size:], nil
	}
	return tag >> 3, rest[:size:size], rest[size:], nil
}
