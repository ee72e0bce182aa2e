package pathspec

import "strings"

// parseSet reads the bracket expression at the start of pattern and returns
// its length, which is 0 if it has no end or a class that does not exist.
func parseSet(pattern string, folded bool) (*set, int) {
	s := new(set)
	i := 1
	negated := i < len(pattern) && (pattern[i] == '!' || pattern[i] == '^')
	if negated {
		i++
	}
	// A bracket that comes first is a member. Before a dash, low is the member
	// that begins a range; 0 is none.
	var low byte
	for first := true; first || i >= len(pattern) || pattern[i] != ']'; first = false {
		if i >= len(pattern) {
			return nil, 0
		}
		c := pattern[i]
		switch {
		case c == '\\':
			if i++; i == len(pattern) {
				return nil, 0
			}
			low = pattern[i]
			s.add(low)
		case c == '-' && low != 0 && i+1 < len(pattern) && pattern[i+1] != ']':
			if i++; pattern[i] == '\\' {
				if i++; i == len(pattern) {
					return nil, 0
				}
			}
			addRange(s, low, pattern[i], folded)
			low = 0
		case strings.HasPrefix(pattern[i:], "[:"):
			name, ok, unended := className(pattern[i+2:])
			if unended {
				return nil, 0
			}
			if !ok { // The bracket is a member.
				low = c
				s.add(c)
				break
			}
			member, ok := classes[name]
			if !ok {
				return nil, 0
			}
			addClass(s, member, folded && name == "upper")
			i += len("[:") + len(name) + len(":]") - 1
			low = 0
		default:
			low = c
			s.add(c)
		}
		i++
	}
	if negated {
		for n := range s {
			s[n] = ^s[n]
		}
	}
	return s, i + 1
}

// className reads "name:]". It is unended if there is no bracket at all.
func className(s string) (name string, ok, unended bool) {
	end := strings.IndexByte(s, ']')
	if end < 0 {
		return "", false, true
	}
	name, ok = strings.CutSuffix(s[:end], ":")
	return name, ok, false
}

// addRange adds low to high. When folding, text is in small letters, which are
// then in the range also if the capitals are.
func addRange(s *set, low, high byte, folded bool) {
	for c := int(low); c <= int(high); c++ {
		s.add(byte(c))
		if folded {
			s.add(lower(byte(c)))
		}
	}
}

func addClass(s *set, member func(byte) bool, folded bool) {
	for c := range 256 {
		if member(byte(c)) {
			s.add(byte(c))
			if folded {
				s.add(lower(byte(c)))
			}
		}
	}
}

// classes are the POSIX classes in the C locale, but that git takes neither
// form feed nor vertical tab for space.
var classes = map[string]func(byte) bool{
	"alnum":  func(c byte) bool { return isAlpha(c) || isDigit(c) },
	"alpha":  isAlpha,
	"blank":  func(c byte) bool { return c == ' ' || c == '\t' },
	"cntrl":  func(c byte) bool { return c < ' ' || c == 0x7f },
	"digit":  isDigit,
	"graph":  isGraph,
	"lower":  isLower,
	"print":  func(c byte) bool { return isGraph(c) || c == ' ' },
	"punct":  func(c byte) bool { return isGraph(c) && !isAlpha(c) && !isDigit(c) },
	"space":  func(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' },
	"upper":  isUpper,
	"xdigit": func(c byte) bool { return isDigit(c) || 'a' <= lower(c) && lower(c) <= 'f' },
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isLower(c byte) bool { return 'a' <= c && c <= 'z' }
func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }
func isAlpha(c byte) bool { return isLower(c) || isUpper(c) }
func isGraph(c byte) bool { return ' ' < c && c < 0x7f }
