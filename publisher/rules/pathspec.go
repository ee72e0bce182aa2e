package rules

import (
	"errors"
	"fmt"
	"strings"
)

// checkPathspec checks the syntax of a pathspec as gitglossary(7) has it, less
// the magic that the publisher does not know: attr, and whatever is yet to come.
func checkPathspec(pattern string) error {
	if pattern == "" {
		return errors.New("must not be empty; it would match everything")
	}
	if strings.ContainsRune(pattern, 0) {
		return errors.New("must not contain a zero byte")
	}
	path := pattern
	if rest, ok := strings.CutPrefix(pattern, ":("); ok {
		words, after, ok := strings.Cut(rest, ")")
		if !ok {
			return errors.New("the magic words must end with a parenthesis")
		}
		if err := checkMagicWords(words); err != nil {
			return err
		}
		path = after
	} else if rest, ok := strings.CutPrefix(pattern, ":"); ok {
		var err error
		if path, err = cutShortMagic(rest); err != nil {
			return err
		}
	}
	switch {
	case path == "":
		return errors.New("has no path; it would match everything")
	case strings.HasPrefix(path, "/"):
		return errors.New("must be relative to the published directory")
	}
	for element := range strings.SplitSeq(path, "/") {
		if element == ".." {
			return errors.New("must not lead to a parent directory by \"..\" anywhere")
		}
	}
	return nil
}

func checkMagicWords(words string) error {
	has := map[string]bool{}
	for word := range strings.SplitSeq(words, ",") {
		switch word {
		case "", "top", "literal", "glob", "icase", "exclude":
			has[word] = true
		default:
			return fmt.Errorf("unsupported magic word %q; there are top, literal, glob, icase and exclude", word)
		}
	}
	if has["literal"] && has["glob"] {
		return errors.New("literal and glob exclude each other")
	}
	return nil
}

// shortMagic are the characters that git may give a meaning as magic.
const shortMagic = "!\"#%&',-/:;<=>@_`~^"

// cutShortMagic returns the path that follows the signs of a pattern such as :!x
// or :/x, which is given without its first colon.
func cutShortMagic(s string) (path string, err error) {
	for i, c := range s {
		switch {
		case c == ':':
			return s[i+1:], nil
		case c == '/' || c == '!' || c == '^':
		case strings.ContainsRune(shortMagic, c):
			return "", fmt.Errorf("unsupported magic %q; there are / for top, and ! and ^ for exclude", c)
		default:
			return s[i:], nil
		}
	}
	return "", nil
}
