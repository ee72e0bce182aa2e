// Package jsonscan finds the ends of values in JSON that comes in pieces. It knows
// strings and brackets, and looks at each byte once: whether the JSON is well-formed is
// for who decodes it to say.
package jsonscan

import "bytes"

// A Scanner finds the end of an object or array, which the first piece begins with.
type Scanner struct {
	depth    int
	inString bool
	escaped  bool // the piece before this one ended in a backslash
}

// String returns a scanner that finds the end of a string, from behind its first quote.
func String() Scanner { return Scanner{inString: true} }

// Scan goes on with the next piece. It returns how much of it belongs to the value, and
// whether the value ends there.
func (s *Scanner) Scan(piece []byte) (n int, complete bool) {
	for n < len(piece) {
		if s.inString {
			n += s.skipString(piece[n:])
			if s.depth == 0 && !s.inString {
				return n, true
			}
			continue
		}
		c := piece[n]
		n++
		switch c {
		case '"':
			s.inString = true
		case '{', '[':
			s.depth++
		case '}', ']':
			s.depth--
			if s.depth <= 0 {
				return n, true
			}
		}
	}
	return n, false
}

// skipString returns how much of piece belongs to the string that it starts in.
func (s *Scanner) skipString(piece []byte) int {
	n := 0
	for n < len(piece) {
		if s.escaped {
			s.escaped = false
			n++
			continue
		}
		i := bytes.IndexByte(piece[n:], '"')
		if i < 0 {
			i = len(piece) - n
		}
		// A backslash before the quote decides what the quote means.
		if j := bytes.IndexByte(piece[n:n+i], '\\'); j >= 0 {
			n += j + 1
			s.escaped = true
			continue
		}
		n += i
		if n < len(piece) {
			s.inString = false
			return n + 1
		}
	}
	return n
}
