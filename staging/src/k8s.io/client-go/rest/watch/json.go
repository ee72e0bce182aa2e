package watch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"k8s.io/apimachinery/pkg/runtime/serializer/streaming"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/internal/jsonscan"
)

// jsonFrames splits a stream of JSON objects. It looks at each byte once: the object
// decoder is who finds out whether the JSON inside is well-formed, so here it is enough to
// know strings and brackets.
type jsonFrames struct {
	buffer
	reuse bool // objects are good for until the next one only
}

func (f *jsonFrames) next() (watch.EventType, []byte, error) {
	frame, err := f.frame()
	if err != nil {
		return "", nil, err
	}
	name, object, err := parseEvent(frame)
	if err != nil {
		return "", nil, err
	}
	if f.reuse {
		return name, object, nil
	}
	// The buffer is overwritten by the next frame, while a decoded object may hold on
	// to what it was decoded from.
	return name, bytes.Clone(object), nil
}

// frame returns the next JSON object of the stream. It is valid until the next call.
func (f *jsonFrames) frame() ([]byte, error) {
	for {
		for f.start < f.end && isSpace(f.buf[f.start]) {
			f.start++
		}
		if f.start < f.end {
			break
		}
		if err := f.fill(); err != nil {
			return nil, err
		}
	}
	if c := f.buf[f.start]; c != '{' {
		return nil, fmt.Errorf("a watch event must be a JSON object, but the stream goes on with %q", c)
	}
	var s jsonscan.Scanner
	for at := f.start; ; {
		n, complete := s.Scan(f.buf[at:f.end])
		at += n
		if complete {
			frame := f.buf[f.start:at]
			f.start = at
			return frame, nil
		}
		offset := at - f.start
		if offset > maxFrame {
			return nil, streaming.ErrObjectTooLarge
		}
		if err := f.fill(); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		at = f.start + offset
	}
}

var errEvent = errors.New("the frame is not a watch event")

// parseEvent finds the type and the object in a frame, which starts with a brace and ends
// with the bracket that matches it by count. Other fields are skipped; of fields that repeat, the
// last one counts.
func parseEvent(frame []byte) (name watch.EventType, object []byte, err error) {
	rest := frame[1:]
	for first := true; ; first = false {
		rest = trimSpace(rest)
		if len(rest) == 0 {
			return "", nil, malformed("an object has no end")
		}
		if rest[0] == '}' {
			return name, object, nil
		}
		if !first {
			if rest[0] != ',' {
				return "", nil, malformed("a comma is missing between fields")
			}
			rest = trimSpace(rest[1:])
		}
		var key, value []byte
		if key, rest, err = cutValue(rest); err != nil {
			return "", nil, err
		}
		if key[0] != '"' {
			return "", nil, malformed("the name of a field must be a string")
		}
		if rest = trimSpace(rest); len(rest) == 0 || rest[0] != ':' {
			return "", nil, malformed("a colon is missing after the name of a field")
		}
		if value, rest, err = cutValue(trimSpace(rest[1:])); err != nil {
			return "", nil, err
		}
		if key, err = text(key); err != nil {
			return "", nil, err
		}
		switch string(key) {
		case "type":
			raw, err := text(value)
			if err != nil {
				return "", nil, err
			}
			name = eventType(raw)
		case "object":
			if object = value; string(value) == "null" {
				object = nil
			}
		}
	}
}

// cutValue cuts a JSON value from the front of data, which has no space before it.
func cutValue(data []byte) (value, rest []byte, err error) {
	if len(data) == 0 {
		return nil, nil, malformed("a value is missing")
	}
	switch data[0] {
	case '{', '[':
		var s jsonscan.Scanner
		if n, complete := s.Scan(data); complete {
			return data[:n], data[n:], nil
		}
		return nil, nil, malformed("an object or array has no end")
	case '"':
		s := jsonscan.String()
		if n, complete := s.Scan(data[1:]); complete {
			return data[:n+1], data[n+1:], nil
		}
		return nil, nil, malformed("a string has no end")
	default:
		n := bytes.IndexAny(data, ",:}] \t\r\n")
		if n <= 0 || !json.Valid(data[:n]) {
			return nil, nil, malformed("a value is malformed")
		}
		return data[:n], data[n:], nil
	}
}

// text returns what a JSON string means; null means nothing.
func text(value []byte) ([]byte, error) {
	switch {
	case string(value) == "null":
		return nil, nil
	case value[0] != '"':
		return nil, malformed("the type of an event must be a string")
	case bytes.IndexByte(value, '\\') < 0:
		return value[1 : len(value)-1], nil
	}
	var s string
	if err := json.Unmarshal(value, &s); err != nil {
		return nil, fmt.Errorf("%w: %w", errEvent, err)
	}
	return []byte(s), nil
}

func malformed(what string) error { return fmt.Errorf("%w: %s", errEvent, what) }

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

func trimSpace(data []byte) []byte {
	for len(data) > 0 && isSpace(data[0]) {
		data = data[1:]
	}
	return data
}
