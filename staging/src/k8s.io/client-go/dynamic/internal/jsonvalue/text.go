package jsonvalue

import (
	"hash/maphash"
	"unicode/utf8"
)

// key decodes a field name.
func (d *decoder) key() (string, bool) {
	text, ok := d.quoted()
	if !ok {
		return "", false
	}
	if len(text) > internable {
		return string(text), true
	}
	s, _ := d.seen.value(text).(string)
	return s, true
}

func (d *decoder) stringValue() (any, bool) {
	text, ok := d.quoted()
	if !ok {
		return nil, false
	}
	if len(text) > internable {
		return string(text), true
	}
	return d.seen.value(text), true
}

// quoted returns what is between two quotes, without its escapes. The bytes
// are the caller's until the next call.
func (d *decoder) quoted() ([]byte, bool) {
	start := d.pos + 1
	ascii := true
	for i := start; i < len(d.data); i++ {
		switch c := d.data[i]; {
		case c == '"':
			d.pos = i + 1
			text := d.data[start:i]
			return text, ascii || utf8.Valid(text)
		case c == '\\':
			return d.escaped(start, i)
		case c < ' ':
			return nil, false
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return nil, false
}

// escaped is quoted for a string that has its first escape at position i.
func (d *decoder) escaped(start, i int) ([]byte, bool) {
	out := append(d.unquoted[:0], d.data[start:i]...)
	for i < len(d.data) {
		c := d.data[i]
		switch {
		case c == '"':
			d.pos, d.unquoted = i+1, out
			return out, utf8.Valid(out)
		case c < ' ':
			return nil, false
		case c != '\\':
			out = append(out, c)
			i++
			continue
		}
		if i+1 >= len(d.data) {
			return nil, false
		}
		if d.data[i+1] == 'u' {
			r, ok := hex4(d.data[i+2:])
			if !ok {
				return nil, false
			}
			out = utf8.AppendRune(out, r)
			i += 6
			continue
		}
		plain := unescape[d.data[i+1]]
		if plain == 0 {
			return nil, false
		}
		out = append(out, plain)
		i += 2
	}
	return nil, false
}

// unescape maps what follows a backslash to what both stand for.
var unescape = [256]byte{
	'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t',
}

// hex4 reads four hexadecimal digits. A surrogate, which needs a second one to
// mean something, is left to sigs.k8s.io/json: objects hardly ever have any,
// since writers do not escape what is beyond ASCII.
func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range b[:4] {
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case 'A' <= c && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return r, r < 0xD800 || r > 0xDFFF
}

const (
	// internable is the length of the longest strings that are kept once. A
	// longer one is likely to be the only one of its kind.
	internable = 40
	// slots is how many strings an interner remembers: enough for the field
	// names of the largest built-in kinds and the usual values.
	slots = 2048
)

// interner remembers strings that it has seen. It is a cache where each string
// has one place, so it never grows, and it never holds more than about
// 100 KiB.
type interner struct {
	recent [slots]any // of string, or nil
}

var seed = maphash.MakeSeed()

// value returns text as a string in an interface. That takes two allocations,
// or none if the same text was here lately.
func (in *interner) value(text []byte) any {
	if len(text) == 0 {
		return ""
	}
	slot := &in.recent[maphash.Bytes(seed, text)%slots]
	if s, ok := (*slot).(string); ok && s == string(text) {
		return *slot
	}
	*slot = string(text)
	return *slot
}
