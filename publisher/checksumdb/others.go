package checksumdb

import (
	"maps"
	"slices"
	"strings"
)

// Others returns the value of GONOSUMDB that excepts all modules but some from being looked
// up. The go command knows one database, which has to have all modules that it is asked
// for; for the modules of other people, this one is not the one to ask.
//
// The value is a list of patterns, as package path has them. There is no pattern for "all
// but", so for each module there are patterns for what differs from it in the first
// character, in the second one, and so on. Modules below the given ones, such as later
// major versions, are not excepted.
func Others(paths ...string) string {
	var patterns []string
	except("", paths, &patterns)
	return strings.Join(patterns, ",")
}

// except lists patterns for what is below a prefix and leads to none of the paths.
func except(prefix string, paths []string, patterns *[]string) {
	below := make(map[string][]string) // the rest of the paths, by their first element
	for _, p := range paths {
		first, rest, more := strings.Cut(p, "/")
		if _, ok := below[first]; !ok {
			below[first] = nil
		}
		if more {
			below[first] = append(below[first], rest)
		} else {
			below[first] = append(below[first], "")
		}
	}
	elements := slices.Sorted(maps.Keys(below))
	next := make(map[string]string) // the characters that may follow the beginning of an element
	for _, e := range elements {
		for i := range e {
			if c := e[i : i+1]; !strings.Contains(next[e[:i]], c) {
				next[e[:i]] += c
			}
		}
	}
	for _, e := range elements {
		if next[e] == "" {
			*patterns = append(*patterns, prefix+e+"?*")
		}
	}
	for _, begin := range slices.Sorted(maps.Keys(next)) {
		if _, ok := below[begin]; !ok && begin != "" {
			*patterns = append(*patterns, prefix+begin)
		}
		*patterns = append(*patterns, prefix+begin+"[^"+class(next[begin])+"]*")
	}
	for _, e := range elements {
		if !slices.Contains(below[e], "") { // Otherwise, all below is ours.
			except(prefix+e+"/", below[e], patterns)
		}
	}
}

// class writes characters as a class of a pattern has them.
func class(characters string) string {
	var b strings.Builder
	for _, c := range characters {
		if c == '-' || c == ']' || c == '^' || c == '\\' {
			b.WriteByte('\\')
		}
		b.WriteRune(c)
	}
	return b.String()
}
