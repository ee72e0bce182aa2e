package discovery

import (
	"bytes"
	"slices"
	"strings"
)

// A scanner reads JSON from front to back. It takes the JSON that API servers
// write: at anything unusual (an escape in a string, a key in other case than
// usual, a number) it gives up for good, and somebody more patient has to read
// the document. What it does take, it understands like encoding/json.
type scanner struct {
	data  []byte
	at    int
	depth int
	gone  bool // gave up

	// Names come up again and again (verbs, kinds, versions), and a document
	// has thousands of them: each is allocated once, together with others.
	known map[string]string
	text  []byte
	lists []string
}

const (
	textChunk = 4 << 10
	listChunk = 256
	maxDepth  = 64
)

func (s *scanner) giveUp() { s.gone = true }

func (s *scanner) space() {
	for s.at < len(s.data) {
		switch s.data[s.at] {
		case ' ', '\n', '\t', '\r':
			s.at++
		default:
			return
		}
	}
}

// take moves past c if it is next.
func (s *scanner) take(c byte) bool {
	if s.gone {
		return false
	}
	s.space()
	if s.at < len(s.data) && s.data[s.at] == c {
		s.at++
		return true
	}
	return false
}

func (s *scanner) need(c byte) {
	if !s.take(c) {
		s.giveUp()
	}
}

// null moves past a null if it is next. For what is read here it means the
// same as leaving the value out.
func (s *scanner) null() bool { return s.literal("null") }

func (s *scanner) literal(word string) bool {
	if s.gone {
		return false
	}
	s.space()
	if bytes.HasPrefix(s.data[s.at:], []byte(word)) {
		s.at += len(word)
		return true
	}
	return false
}

// raw reads a string and returns what is between its quotes.
func (s *scanner) raw() []byte {
	s.need('"')
	if s.gone {
		return nil
	}
	for i, c := range s.data[s.at:] {
		switch {
		case c == '"':
			text := s.data[s.at : s.at+i]
			s.at += i + 1
			return text
		case c == '\\' || c < ' ' || c >= 0x80:
			s.giveUp()
			return nil
		}
	}
	s.giveUp()
	return nil
}

// str reads a string, or null, which is the empty string.
func (s *scanner) str() string {
	if s.null() {
		return ""
	}
	return s.keep(s.raw())
}

// keep returns text as a string that does not hold on to the document.
func (s *scanner) keep(text []byte) string {
	if len(text) == 0 {
		return ""
	}
	if str, ok := s.known[string(text)]; ok {
		return str
	}
	if cap(s.text)-len(s.text) < len(text) {
		s.text = make([]byte, 0, max(textChunk, len(text)))
	}
	start := len(s.text)
	s.text = append(s.text, text...)
	str := unsafeString(s.text[start:])
	s.known[str] = str
	return str
}

// strs reads an array of strings. The result is nil for null only, and has no
// room to append to: what follows it belongs to others.
func (s *scanner) strs() []string {
	if s.null() {
		return nil
	}
	s.need('[')
	if s.take(']') {
		return []string{}
	}
	start := len(s.lists)
	for !s.gone {
		if len(s.lists) == cap(s.lists) {
			// Take along what there is of this array.
			begun := s.lists[start:]
			s.lists = make([]string, len(begun), max(listChunk, 2*len(begun)))
			copy(s.lists, begun)
			start = 0
		}
		s.lists = append(s.lists, s.str())
		if !s.take(',') {
			break
		}
	}
	s.need(']')
	return slices.Clip(s.lists[start:])
}

// A field of an object: the key, and what reads the value.
type field struct {
	key  string
	read func()
}

// object reads an object, or null, and skips what is not among fields.
func (s *scanner) object(fields []field) { s.objectElse(fields, s.skip) }

// objectElse is object with a function that reads the values of other keys.
func (s *scanner) objectElse(fields []field, other func()) {
	if s.null() {
		return
	}
	s.enter('{')
	if s.leaves('}') {
		return
	}
	var seen uint
	for !s.gone {
		key := s.raw()
		s.need(':')
		if s.gone {
			return
		}
		i := slices.IndexFunc(fields, func(f field) bool { return f.key == string(key) })
		switch {
		case i >= 0 && seen&(1<<i) == 0:
			seen |= 1 << i
			fields[i].read()
		case slices.ContainsFunc(fields, func(f field) bool { return strings.EqualFold(f.key, string(key)) }):
			s.giveUp() // a key again, or in other case
		default:
			other()
		}
		if !s.take(',') {
			break
		}
	}
	s.leave('}')
}

// array reads an array, or null, and calls element where one starts.
func (s *scanner) array(element func()) {
	if s.null() {
		return
	}
	s.enter('[')
	if s.leaves(']') {
		return
	}
	for !s.gone {
		element()
		if !s.take(',') {
			break
		}
	}
	s.leave(']')
}

func (s *scanner) enter(c byte) {
	s.need(c)
	if s.depth++; s.depth > maxDepth {
		s.giveUp()
	}
}

func (s *scanner) leave(c byte) {
	s.need(c)
	s.depth--
}

func (s *scanner) leaves(c byte) bool {
	if !s.take(c) {
		return false
	}
	s.depth--
	return true
}

// skip reads a value that nobody wants.
func (s *scanner) skip() {
	if s.gone {
		return
	}
	s.space()
	if s.at == len(s.data) {
		s.giveUp()
		return
	}
	switch s.data[s.at] {
	case '"':
		s.raw()
	case '{':
		s.object(nil)
	case '[':
		s.array(s.skip)
	default:
		if !s.literal("null") && !s.literal("true") && !s.literal("false") {
			s.giveUp()
		}
	}
}

// end reports whether all was read and understood.
func (s *scanner) end() bool {
	s.space()
	return !s.gone && s.at == len(s.data)
}
