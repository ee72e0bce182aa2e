package cmd

import (
	"cmp"
	"fmt"
	"strings"

	"golang.org/x/mod/semver"
)

// byInterest orders branches: the one of a version's release, if there is a
// version, then master and main, then the other releases from the newest on, and
// then the rest.
func byInterest(version string) func(a, b string) int {
	release := semver.MajorMinor(version)
	rank := func(branch string) int {
		number := releaseOf(branch)
		switch {
		case number != "" && semver.MajorMinor(number) == release:
			return 0
		case branch == "master" || branch == "main":
			return 1
		case number != "":
			return 2
		}
		return 3
	}
	return func(a, b string) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), semver.Compare(releaseOf(b), releaseOf(a)), strings.Compare(a, b))
	}
}

// releaseOf is the version at the end of a branch's name, such as v1.36 for
// release-1.36; empty where there is none.
func releaseOf(branch string) string {
	if i := strings.IndexAny(branch, "0123456789"); i >= 0 && semver.IsValid("v"+branch[i:]) {
		return "v" + branch[i:]
	}
	return ""
}

// newestFirst orders source tags.
func newestFirst(a, b string) int { return cmp.Or(semver.Compare(b, a), strings.Compare(a, b)) }

// some lists the first of a few names, and counts the others.
func some(names []string, most int) string {
	if len(names) <= most+1 { // No longer than "and 1 more".
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
