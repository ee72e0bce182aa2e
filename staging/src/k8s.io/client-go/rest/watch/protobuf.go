package watch

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"

	"k8s.io/apimachinery/pkg/runtime/serializer/streaming"
	"k8s.io/apimachinery/pkg/watch"
)

// protobufFrames reads WatchEvent messages that are preceded by their length.
type protobufFrames struct {
	stream io.Closer
	reader *bufio.Reader
	header [4]byte
	reuse  bool   // objects are good for until the next one only
	buf    []byte // of the last event, if that is so
}

// readAhead is how much is read at once, in bytes, so that small events do not take a call
// each to those who bring them.
const readAhead = 16 << 10

// keepBuffer is how large a buffer may be to be kept for the next event.
const keepBuffer = 1 << 20

func (f *protobufFrames) close() { _ = f.stream.Close() }

func (f *protobufFrames) next() (watch.EventType, []byte, error) {
	if _, err := io.ReadFull(f.reader, f.header[:]); err != nil {
		return "", nil, err
	}
	size := binary.BigEndian.Uint32(f.header[:])
	if size > maxFrame {
		return "", nil, streaming.ErrObjectTooLarge
	}
	message, err := readMessage(f.reader, int(size), f.buf)
	if err != nil {
		return "", nil, err
	}
	if f.reuse && cap(message) <= keepBuffer {
		f.buf = message
	}
	// The object is a part of the message. Unless it may be, that is not used for
	// another one.
	return parseMessage(message)
}

// readMessage reads size bytes, into buf if it has the room. It believes in large sizes
// only as the bytes come in.
func readMessage(stream io.Reader, size int, buf []byte) ([]byte, error) {
	const believed = 1 << 20
	message := buf[:min(size, cap(buf))]
	if cap(buf) < size {
		message = make([]byte, min(size, believed))
	}
	for read := 0; ; {
		if _, err := io.ReadFull(stream, message[read:]); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		if read = len(message); read == size {
			return message, nil
		}
		message = append(message, make([]byte, min(size-read, read))...)
	}
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
