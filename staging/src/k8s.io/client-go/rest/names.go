package rest

import (
	"slices"
	"strings"
)

// NameMayNotBe are the strings that cannot be a name, as they mean something else in a
// path.
var NameMayNotBe = []string{".", ".."}

// NameMayNotContain are the strings that a name cannot contain, as they would end the
// segment of the path or change its meaning.
var NameMayNotContain = []string{"/", "%"}

// IsValidPathSegmentName returns what is wrong with name as a segment of a path, in words,
// or nothing.
func IsValidPathSegmentName(name string) []string {
	if slices.Contains(NameMayNotBe, name) {
		return []string{"may not be '" + name + "'"}
	}
	return IsValidPathSegmentPrefix(name)
}

// IsValidPathSegmentPrefix returns what is wrong with name as the beginning of a segment
// of a path, in words, or nothing. More may come after it, so "." is fine.
func IsValidPathSegmentPrefix(name string) []string {
	var wrong []string
	for _, part := range NameMayNotContain {
		if strings.Contains(name, part) {
			wrong = append(wrong, "may not contain '"+part+"'")
		}
	}
	return wrong
}

// ValidatePathSegmentName is IsValidPathSegmentPrefix if prefix is true, else
// IsValidPathSegmentName.
func ValidatePathSegmentName(name string, prefix bool) []string {
	if !prefix {
		return IsValidPathSegmentName(name)
	}
	return IsValidPathSegmentPrefix(name)
}
