// Package pathspec matches paths against git pathspecs, as in
// "git rm -r --cached -- PATTERN" run at the root of a tree.
//
// A pattern matches a file in one of two ways:
//
//   - as plain text, if it is the file's path or that of a directory above it;
//     a pattern that ends in a slash is never a file's path;
//   - as a wildcard pattern, if it matches the whole path. Here * and ? match
//     slashes too, [a-z] is a set of bytes and \ quotes. A directory above the
//     file does not count, so "*/docs" leaves the files of "a/docs/" alone.
//
// Before the pattern proper there can be magic, such as ":(glob,icase)":
//
//	top      :/       relative to the root, which all patterns here are anyway
//	literal           no wildcards
//	glob              *, ? and sets do not match slashes; **/, /** and /**/ do
//	icase             ASCII letters match without regard to case
//	exclude  :! :^    what matches is taken from what the others match, which is
//	                  everything where there is no other
//
// Patterns and paths are bytes. They need not be UTF-8, and ? is one byte.
//
// The syntax is specified in gitglossary(7) under "pathspec"; where that is
// silent, git decides, but for one thing: whether a file matches depends on its
// path alone, while git rm takes a pattern for used up once it was the very
// name of a file, so that 'a*' leaves "ab" where there is a file called "a*".
package pathspec

import "strings"

// Set is a compiled list of patterns. The zero Set matches nothing.
type Set struct {
	include, exclude []item
	everything       bool
}

// item is a pattern without its magic. Folded text is in small letters.
type item struct {
	text    string
	folded  bool
	exclude bool

	// prefix is what stands before the first wildcard. The rest is either
	// one star and then suffix, which needs no search, or a glob.
	kind   kind
	prefix string
	suffix string
	glob   glob
}

type kind uint8

const (
	plain kind = iota // no wildcards, or some that can never match
	oneStar
	general
)

// Compile reads the patterns. The error is a [*PatternError].
func Compile(patterns []string) (*Set, error) {
	s := new(Set)
	for _, pattern := range patterns {
		it, err := compileItem(pattern)
		if err != nil {
			return nil, &PatternError{Pattern: pattern, Err: err}
		}
		s.everything = s.everything || it.text == ""
		if it.exclude {
			s.exclude = append(s.exclude, it)
		} else {
			s.include = append(s.include, it)
		}
	}
	if len(s.include) == 0 && len(s.exclude) > 0 {
		s.include = []item{{}} // The empty text is a directory above everything.
	}
	return s, nil
}

func compileItem(pattern string) (item, error) {
	if pattern == "" {
		return item{}, ErrEmpty
	}
	m, text, err := parseMagic(pattern)
	if err != nil {
		return item{}, err
	}
	if !m.top {
		if text, err = normalize(text); err != nil {
			return item{}, err
		}
	}
	it := item{text: text, folded: m.icase, exclude: m.exclude}
	if m.icase {
		it.text = lowerString(text)
	}
	n := strings.IndexAny(text, `*?[\`)
	if m.literal || n < 0 {
		return it, nil
	}
	it.prefix = it.text[:n]
	if rest := text[n:]; !m.glob && rest[0] == '*' && !strings.ContainsAny(rest[1:], `*?[\`) {
		it.kind, it.suffix = oneStar, it.text[n+1:]
	} else if g, ok := compileGlob(rest, m.glob, m.icase); ok {
		it.kind, it.glob = general, g
	}
	return it, nil
}

// Empty reports whether the set has no patterns.
func (s *Set) Empty() bool { return len(s.include) == 0 }

// Everything reports whether one of the patterns has no path and is about every file, as
// "." and ":/" are.
func (s *Set) Everything() bool { return s.everything }

// Match reports whether the set matches the file with the given path, which is
// relative to the root, slash-separated and clean.
func (s *Set) Match(path string) bool {
	return anyMatches(s.include, path) && !anyMatches(s.exclude, path)
}

// MayMatchUnder reports whether the set can match a file in the directory or
// below it. If it reports false, there is no such file; true promises nothing.
// The directory is a path as in [Set.Match], or empty for the root.
func (s *Set) MayMatchUnder(dir string) bool {
	for i := range s.exclude {
		if s.exclude[i].covers(dir) {
			return false
		}
	}
	for i := range s.include {
		if s.include[i].mayMatchUnder(dir) {
			return true
		}
	}
	return false
}

func anyMatches(items []item, path string) bool {
	for i := range items {
		if items[i].matches(path) {
			return true
		}
	}
	return false
}

func (it *item) matches(path string) bool {
	if it.hasPrefix(path, it.text) &&
		(len(path) == len(it.text) || it.endsDir() || path[len(it.text)] == '/') {
		return true
	}
	switch it.kind {
	case oneStar:
		return len(path) >= len(it.prefix)+len(it.suffix) &&
			it.hasPrefix(path, it.prefix) && it.hasPrefix(path[len(path)-len(it.suffix):], it.suffix)
	case general:
		return it.hasPrefix(path, it.prefix) && it.glob.match(path[len(it.prefix):])
	}
	return false
}

// covers reports whether the pattern's text is dir or a directory above it.
func (it *item) covers(dir string) bool {
	if it.text == "" {
		return true
	}
	text := strings.TrimSuffix(it.text, "/")
	return text != "" && it.hasPrefix(dir, text) && (len(dir) == len(text) || dir[len(text)] == '/')
}

func (it *item) mayMatchUnder(dir string) bool {
	if dir == "" || it.covers(dir) || it.isUnder(it.text, dir) {
		return true
	}
	if it.kind == plain {
		return false
	}
	if it.kind == general && it.glob.slashes >= 0 &&
		strings.Count(dir, "/")+1 > strings.Count(it.prefix, "/")+it.glob.slashes {
		return false
	}
	if len(it.prefix) > len(dir) {
		return it.isUnder(it.prefix, dir)
	}
	return it.hasPrefix(dir, it.prefix)
}

// isUnder reports whether text, which is part of the pattern, begins with the
// directory and a slash.
func (it *item) isUnder(text, dir string) bool {
	return len(text) > len(dir) && text[len(dir)] == '/' && it.hasPrefix(dir, text[:len(dir)])
}

// endsDir reports whether whatever begins with the text is below it.
func (it *item) endsDir() bool { return it.text == "" || it.text[len(it.text)-1] == '/' }

// hasPrefix reports whether path begins with prefix, a part of the pattern.
func (it *item) hasPrefix(path, prefix string) bool {
	if !it.folded {
		return strings.HasPrefix(path, prefix)
	}
	if len(path) < len(prefix) {
		return false
	}
	for i := range len(prefix) {
		if lower(path[i]) != prefix[i] {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// lowerString folds ASCII letters only and leaves other bytes as they are.
func lowerString(s string) string {
	b := []byte(s)
	for i, c := range b {
		b[i] = lower(c)
	}
	return string(b)
}
