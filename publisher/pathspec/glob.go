package pathspec

import (
	"slices"
	"strings"
)

// glob is the part of a pattern from its first wildcard on, in the language of
// git's wildmatch.
type glob struct {
	tokens []token
	// slashes is how many a match contains; -1 where that is not fixed.
	slashes int
	// tail is what every match ends in. Most paths fail on it.
	tail   string
	folded bool
}

// token matches one byte, or any number of them if it is a star.
type token struct {
	kind tokenKind
	byte byte
	set  *set
}

type tokenKind uint8

const (
	oneByte tokenKind = iota
	oneOfSet
	star      // within a directory
	deepStar  // slashes too
	deepSlash // deepStar before a slash, which is in the next token; both may match nothing
)

// set is a set of bytes.
type set [256 / 64]uint64

func (s *set) add(c byte)      { s[c/64] |= 1 << (c % 64) }
func (s *set) remove(c byte)   { s[c/64] &^= 1 << (c % 64) }
func (s *set) has(c byte) bool { return s[c/64]>>(c%64)&1 != 0 }

// compileGlob reads a pattern, of which the start counts as that of a
// directory's name, even where text without wildcards came before it: git does
// so. If ok is false, the glob matches nothing: a set or an escape has no end.
func compileGlob(pattern string, pathname, folded bool) (g glob, ok bool) {
	g.folded = folded
	for i := 0; i < len(pattern); {
		t := token{byte: pattern[i]}
		switch pattern[i] {
		case '*':
			end := i
			for end < len(pattern) && pattern[end] == '*' {
				end++
			}
			t.kind = starKind(pattern, i, end, pathname)
			if t.kind != star {
				g.slashes = -1
			}
			i = end
		case '?':
			t.kind, t.set = oneOfSet, &set{}
			*t.set = set{^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0)}
			i++
		case '[':
			t.kind = oneOfSet
			var size int
			if t.set, size = parseSet(pattern[i:], folded); size == 0 {
				return glob{}, false
			}
			i += size
		case '\\':
			if i+1 == len(pattern) {
				return glob{}, false
			}
			t.byte = pattern[i+1] // Git does not fold a quoted letter: it never matches.
			i += 2
		default:
			if folded {
				t.byte = lower(t.byte)
			}
			i++
		}
		if t.kind == oneOfSet && pathname {
			t.set.remove('/')
		} else if t.kind == oneOfSet && t.set.has('/') {
			g.slashes = -1
		}
		if t.kind == oneByte && t.byte == '/' && g.slashes >= 0 {
			g.slashes++
		}
		g.tokens = append(g.tokens, t)
	}
	if !folded {
		g.tail = tail(g.tokens)
	}
	return g, true
}

// tail returns the bytes that the tokens end in. The slash after a deepSlash
// is not one of them.
func tail(tokens []token) string {
	var b []byte
	for i, t := range slices.Backward(tokens) {
		if t.kind != oneByte || i > 0 && tokens[i-1].kind == deepSlash {
			break
		}
		b = append(b, t.byte)
	}
	slices.Reverse(b)
	return string(b)
}

// starKind tells what the stars pattern[start:end] match.
func starKind(pattern string, start, end int, pathname bool) tokenKind {
	if !pathname {
		return deepStar
	}
	rest := pattern[end:]
	switch {
	case end-start < 2, start > 0 && pattern[start-1] != '/':
		return star
	case strings.HasPrefix(rest, "/"):
		return deepSlash
	case rest == "", strings.HasPrefix(rest, `\/`):
		return deepStar
	}
	return star
}

// match reports whether the glob matches all of the text. Only the last star
// of either kind is ever tried again: whatever an earlier one could match
// instead, the later one can as well.
func (g *glob) match(text string) bool {
	if !strings.HasSuffix(text, g.tail) {
		return false
	}
	at, next := 0, 0          // in text and in tokens
	starAt, starNext := 0, -1 // where the last star ends and which it is
	deepAt, deepNext := 0, -1 // likewise for the last deepStar or deepSlash
	for {
		if next < len(g.tokens) {
			switch t := &g.tokens[next]; t.kind {
			case star:
				starAt, starNext = at, next
				next++
				continue
			case deepStar:
				deepAt, deepNext, starNext = at, next, -1
				next++
				continue
			case deepSlash:
				deepAt, deepNext, starNext = at, next, -1
				next += 2
				continue
			default:
				if at < len(text) && g.matchByte(t, text[at]) {
					at++
					next++
					continue
				}
			}
		} else if at == len(text) {
			return true
		}

		switch {
		case starNext >= 0 && starAt < len(text) && text[starAt] != '/':
			starAt++
			at, next = starAt, starNext+1
		case deepNext < 0 || deepAt == len(text):
			return false
		case g.tokens[deepNext].kind == deepStar:
			deepAt++
			at, next, starNext = deepAt, deepNext+1, -1
		default:
			i := strings.IndexByte(text[deepAt:], '/')
			if i < 0 {
				return false
			}
			deepAt += i + 1
			at, next, starNext = deepAt, deepNext+2, -1
		}
	}
}

func (g *glob) matchByte(t *token, c byte) bool {
	if g.folded {
		c = lower(c)
	}
	if t.kind == oneOfSet {
		return t.set.has(c)
	}
	return t.byte == c
}
