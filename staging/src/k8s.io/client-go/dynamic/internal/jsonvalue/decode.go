// Package jsonvalue decodes JSON into the Go values that unstructured objects
// are made of: map[string]any, []any, string, int64, float64, bool and nil.
//
// The values are those that sigs.k8s.io/json gives, found in one pass instead
// of several. Field names, and short strings such as a namespace or a phase,
// occur again and again among the objects of a list; those are kept once,
// which makes the result smaller than the text that it came from.
//
// Only well-formed input is dealt with here. For anything else the caller asks
// sigs.k8s.io/json, whose errors programs know.
package jsonvalue

import (
	"strconv"
	"sync"
)

// maxDepth bounds the recursion. What is deeper is left to sigs.k8s.io/json.
const maxDepth = 500

// Object decodes a JSON object. It returns false for input that is no JSON
// object, is malformed or has something rare in it; see the package comment.
// Nothing in the result refers to data.
func Object(data []byte) (map[string]any, bool) {
	d := decoders.Get().(*decoder)
	defer d.release()
	d.data, d.pos = data, 0
	d.space()
	if d.peek() != '{' {
		return nil, false
	}
	m, ok := d.object(0)
	if !ok {
		return nil, false
	}
	d.space()
	return m, d.pos == len(data)
}

// decoder is the state of one pass. What it allocates for its own use, and
// the strings that it has seen, it keeps for the next pass.
type decoder struct {
	data []byte
	pos  int

	elements []any  // of the arrays that are not yet complete
	unquoted []byte // a string with escapes, in the making
	seen     interner
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}

// release makes the decoder available again, holding on to nothing large.
func (d *decoder) release() {
	const keep = 4096
	d.data = nil
	clear(d.elements) // what a malformed array left
	if d.elements = d.elements[:0]; cap(d.elements) > keep {
		d.elements = nil
	}
	if cap(d.unquoted) > keep {
		d.unquoted = nil
	}
	decoders.Put(d)
}

// peek returns the next byte, or 0 at the end: no JSON token has that byte.
func (d *decoder) peek() byte {
	if d.pos < len(d.data) {
		return d.data[d.pos]
	}
	return 0
}

func (d *decoder) space() {
	for d.pos < len(d.data) {
		switch d.data[d.pos] {
		case ' ', '\t', '\r', '\n':
			d.pos++
		default:
			return
		}
	}
}

// accept steps over c if it comes next.
func (d *decoder) accept(c byte) bool {
	if d.peek() != c {
		return false
	}
	d.pos++
	return true
}

func (d *decoder) value(depth int) (any, bool) {
	switch c := d.peek(); c {
	case '"':
		return d.stringValue()
	case '{':
		return d.object(depth)
	case '[':
		return d.array(depth)
	case 't':
		return true, d.word("true")
	case 'f':
		return false, d.word("false")
	case 'n':
		return nil, d.word("null")
	default:
		if c == '-' || '0' <= c && c <= '9' {
			return d.number()
		}
		return nil, false
	}
}

func (d *decoder) word(w string) bool {
	end := d.pos + len(w)
	if end > len(d.data) || string(d.data[d.pos:end]) != w {
		return false
	}
	d.pos = end
	return true
}

func (d *decoder) object(depth int) (map[string]any, bool) {
	if depth > maxDepth {
		return nil, false
	}
	d.pos++ // the brace
	m := make(map[string]any)
	d.space()
	if d.accept('}') {
		return m, true
	}
	for {
		if d.peek() != '"' {
			return nil, false
		}
		key, ok := d.key()
		if !ok {
			return nil, false
		}
		d.space()
		if !d.accept(':') {
			return nil, false
		}
		d.space()
		v, ok := d.value(depth + 1)
		if !ok {
			return nil, false
		}
		m[key] = v
		d.space()
		if d.accept('}') {
			return m, true
		}
		if !d.accept(',') {
			return nil, false
		}
		d.space()
	}
}

// array collects the elements on a stack that it shares with the arrays
// around it, and copies them when it knows how many there are.
func (d *decoder) array(depth int) (any, bool) {
	if depth > maxDepth {
		return nil, false
	}
	d.pos++ // the bracket
	d.space()
	if d.accept(']') {
		return []any{}, true
	}
	first := len(d.elements)
	for {
		v, ok := d.value(depth + 1)
		if !ok {
			return nil, false
		}
		d.elements = append(d.elements, v)
		d.space()
		if d.accept(']') {
			break
		}
		if !d.accept(',') {
			return nil, false
		}
		d.space()
	}
	a := make([]any, len(d.elements)-first)
	copy(a, d.elements[first:])
	clear(d.elements[first:])
	d.elements = d.elements[:first]
	return a, true
}

// number follows the grammar of RFC 8259, section 6. A number without fraction
// and exponent is an int64 if it fits, and a float64 otherwise.
func (d *decoder) number() (any, bool) {
	start, integer := d.pos, true
	d.accept('-')
	if !d.accept('0') && !d.digits() {
		return nil, false
	}
	if d.accept('.') {
		integer = false
		if !d.digits() {
			return nil, false
		}
	}
	if c := d.peek(); c == 'e' || c == 'E' {
		integer = false
		d.pos++
		if c := d.peek(); c == '+' || c == '-' {
			d.pos++
		}
		if !d.digits() {
			return nil, false
		}
	}
	text := d.data[start:d.pos]
	if integer {
		if n, err := strconv.ParseInt(string(text), 10, 64); err == nil {
			return n, true
		}
	}
	f, err := strconv.ParseFloat(string(text), 64)
	return f, err == nil
}

// digits steps over digits, and reports whether there are any.
func (d *decoder) digits() bool {
	start := d.pos
	for d.pos < len(d.data) && '0' <= d.data[d.pos] && d.data[d.pos] <= '9' {
		d.pos++
	}
	return d.pos > start
}
