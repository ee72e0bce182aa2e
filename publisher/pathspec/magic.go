package pathspec

import (
	"errors"
	"fmt"
	"strings"
)

// What can be wrong with a pattern.
var (
	ErrEmpty   = errors.New("the pattern is empty")
	ErrMagic   = errors.New("unsupported magic")
	ErrOutside = errors.New("the pattern leads out of the tree")
)

// PatternError names the pattern that is wrong. Err is or wraps [ErrEmpty],
// [ErrMagic] or [ErrOutside].
type PatternError struct {
	Pattern string
	Err     error
}

func (e *PatternError) Error() string { return fmt.Sprintf("pathspec %q: %v", e.Pattern, e.Err) }

// Unwrap returns e.Err.
func (e *PatternError) Unwrap() error { return e.Err }

type magic struct {
	top, literal, glob, icase, exclude bool
}

// parseMagic takes the magic from a pattern and returns what follows it.
func parseMagic(pattern string) (m magic, text string, err error) {
	switch {
	case strings.HasPrefix(pattern, ":("):
		m, text, err = parseLongMagic(pattern[2:])
	case strings.HasPrefix(pattern, ":"):
		m, text, err = parseShortMagic(pattern[1:])
	default:
		text = pattern
	}
	if err == nil && m.literal && m.glob {
		err = fmt.Errorf("%w: literal and glob contradict each other", ErrMagic)
	}
	return m, text, err
}

func parseLongMagic(s string) (m magic, text string, err error) {
	words, text, ok := strings.Cut(s, ")")
	if !ok {
		return m, "", fmt.Errorf("%w: the closing parenthesis is missing", ErrMagic)
	}
	for word := range strings.SplitSeq(words, ",") {
		switch word {
		case "": // as in ":()"
		case "top":
			m.top = true
		case "literal":
			m.literal = true
		case "glob":
			m.glob = true
		case "icase":
			m.icase = true
		case "exclude":
			m.exclude = true
		default:
			return m, "", fmt.Errorf("%w %q; there are top, literal, glob, icase and exclude", ErrMagic, word)
		}
	}
	return m, text, nil
}

// reserved are the bytes that git keeps for magic of the short form; another
// one is where the pattern begins.
const reserved = `!"#%&',-/:;<=>@_` + "`~"

func parseShortMagic(s string) (m magic, text string, err error) {
	for i := range len(s) {
		switch c := s[i]; {
		case c == '/':
			m.top = true
		case c == '!' || c == '^':
			m.exclude = true
		case c == ':':
			return m, s[i+1:], nil
		case strings.IndexByte(reserved, c) >= 0:
			return m, "", fmt.Errorf("%w %q; there are / for top, and ! and ^ for exclude", ErrMagic, c)
		default:
			return m, s[i:], nil
		}
	}
	return m, "", nil
}

// normalize resolves ".", ".." and repeated slashes. A slash at the end stays.
func normalize(text string) (string, error) {
	if strings.HasPrefix(text, "/") {
		return "", ErrOutside
	}
	var parts []string
	for part := range strings.SplitSeq(text, "/") {
		switch part {
		case "", ".":
		case "..":
			if len(parts) == 0 {
				return "", ErrOutside
			}
			parts = parts[:len(parts)-1]
		default:
			parts = append(parts, part)
		}
	}
	clean := strings.Join(parts, "/")
	last := text[strings.LastIndexByte(text, '/')+1:]
	if clean != "" && (last == "" || last == "." || last == "..") {
		clean += "/"
	}
	return clean, nil
}
