package liststream

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

// magic is what every object in protobuf begins with.
const magic = "k8s\x00"

// Of the messages that are read here, and of every list of the API, these are the
// fields. See k8s.io/apimachinery/pkg/runtime/generated.proto, and for how they are
// encoded https://protobuf.dev/programming-guides/encoding/.
const (
	fieldTypeMeta = 1 // of Unknown
	fieldRaw      = 2

	fieldAPIVersion = 1 // of TypeMeta
	fieldKind       = 2

	fieldItems = 2 // of lists
)

// How fields are encoded.
const (
	wireVarint    = 0
	wireFixed64   = 1
	wireDelimited = 2
	wireFixed32   = 5
)

// maxTypeMeta is how long names of kinds are at most, in bytes.
const maxTypeMeta = 4 << 10

// Protobuf reads a list in protobuf, in the envelope that servers put objects in. Open is
// given what the envelope says of the kind, and returns what is called with each item;
// its argument is good until it returns. If open returns nil, or this is nothing that
// has a kind, the result is everything that was read, and opened is false. Otherwise it
// is the message in the envelope without its items.
func Protobuf(r io.Reader, open func(apiVersion, kind string) func(item []byte) error) (list []byte, opened bool, err error) {
	p := &protobufReader{r: bufio.NewReaderSize(r, readAtOnce), recording: true}
	apiVersion, kind, size, ok := p.envelope()
	var item func([]byte) error
	if ok {
		item = open(apiVersion, kind)
	}
	if item == nil {
		rest, err := io.ReadAll(p.r)
		return append(p.record, rest...), false, err
	}
	p.recording, p.record = false, nil
	if err := p.message(size, item); err != nil {
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			err = fmt.Errorf("%w: %w", ErrMalformed, io.ErrUnexpectedEOF)
		}
		return nil, true, err
	}
	return p.record, true, nil
}

type protobufReader struct {
	r         *bufio.Reader
	n         uint64 // how many bytes were read
	recording bool
	record    []byte // of what was read while recording
	buf       []byte // of the last item
}

// ReadByte makes varints readable by package binary.
func (p *protobufReader) ReadByte() (byte, error) {
	c, err := p.r.ReadByte()
	if err == nil {
		p.n++
		if p.recording {
			p.record = append(p.record, c)
		}
	}
	return c, err
}

// bytes reads so many bytes into buf, if that has the room. It believes in large sizes
// only as the bytes come in.
func (p *protobufReader) bytes(buf []byte, size uint64) ([]byte, error) {
	const believed = 1 << 20
	buf = buf[:0]
	for uint64(len(buf)) < size {
		n := len(buf)
		step := min(size-uint64(n), max(believed, uint64(n)))
		if uint64(cap(buf)) < uint64(n)+step {
			buf = append(make([]byte, 0, uint64(n)+step), buf...)
		}
		buf = buf[:uint64(n)+step]
		read, err := io.ReadFull(p.r, buf[n:])
		p.n += uint64(read)
		if p.recording {
			p.record = append(p.record, buf[n:n+read]...)
		}
		if err != nil {
			return nil, err
		}
	}
	return buf, nil
}

// field reads what comes before a field's content: its number, how it is encoded, and
// if that is delimited, how long it is.
func (p *protobufReader) field() (number, wire, size uint64, err error) {
	tag, err := binary.ReadUvarint(p)
	if err == nil && tag&7 == wireDelimited {
		size, err = binary.ReadUvarint(p)
	}
	return tag >> 3, tag & 7, size, err
}

// envelope reads up to the message in the envelope, and returns how long that is.
func (p *protobufReader) envelope() (apiVersion, kind string, size uint64, ok bool) {
	if start, err := p.bytes(nil, uint64(len(magic))); err != nil || string(start) != magic {
		return "", "", 0, false
	}
	for {
		number, wire, size, err := p.field()
		switch {
		case err != nil || wire != wireDelimited:
			return "", "", 0, false
		case number == fieldRaw:
			return apiVersion, kind, size, kind != ""
		case number != fieldTypeMeta || size > maxTypeMeta:
			return "", "", 0, false
		}
		typeMeta, err := p.bytes(nil, size)
		if err != nil {
			return "", "", 0, false
		}
		for len(typeMeta) > 0 {
			var field uint64
			var value []byte
			if field, value, typeMeta, ok = cut(typeMeta); !ok {
				return "", "", 0, false
			}
			switch field {
			case fieldAPIVersion:
				apiVersion = string(value)
			case fieldKind:
				kind = string(value)
			}
		}
	}
}

// cut cuts a delimited field from the front of a message.
func cut(data []byte) (number uint64, value, rest []byte, ok bool) {
	tag, n := binary.Uvarint(data)
	if n <= 0 || tag&7 != wireDelimited {
		return 0, nil, nil, false
	}
	data = data[n:]
	size, n := binary.Uvarint(data)
	if n <= 0 || size > uint64(len(data)-n) {
		return 0, nil, nil, false
	}
	return tag >> 3, data[n : n+int(size)], data[n+int(size):], true
}

// message reads the message in the envelope, and what comes after it, and records what is
// no item.
func (p *protobufReader) message(size uint64, item func([]byte) error) error {
	end := p.n + size
	if end < size {
		return malformed("its size is too large")
	}
	for p.n < end {
		number, wire, size, err := p.field()
		if err != nil {
			return err
		}
		if size > end-min(end, p.n) {
			return malformed("a field is longer than the list")
		}
		if number != fieldItems || wire != wireDelimited {
			if err := p.keep(number, wire, size); err != nil {
				return err
			}
			continue
		}
		if p.buf, err = p.bytes(p.buf, size); err != nil {
			return err
		}
		if err := item(p.buf); err != nil {
			return err
		}
	}
	if p.n > end {
		return malformed("a field is longer than the list")
	}
	return p.end()
}

// keep records a field.
func (p *protobufReader) keep(number, wire, size uint64) error {
	p.record = binary.AppendUvarint(p.record, number<<3|wire)
	switch wire {
	case wireVarint:
		v, err := binary.ReadUvarint(p)
		p.record = binary.AppendUvarint(p.record, v)
		return err
	case wireFixed64:
		size = 8
	case wireFixed32:
		size = 4
	case wireDelimited:
		p.record = binary.AppendUvarint(p.record, size)
	default:
		return malformed("there is a field of a type that is not in use")
	}
	content, err := p.bytes(nil, size)
	p.record = append(p.record, content...)
	return err
}

// end reads what comes after the message: that its content is encoded in no other way.
func (p *protobufReader) end() error {
	for {
		number, wire, size, err := p.field()
		switch {
		case err == io.EOF && number == 0:
			return nil
		case err != nil:
			return err
		case wire != wireDelimited || number <= fieldRaw || size > 0:
			return malformed("there is something behind it that does not belong there")
		}
	}
}
