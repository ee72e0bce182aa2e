package main

import "strings"

// toCome lists, as directories, the public packages that the staged module is
// still to get, or to get the rest of. It shrinks; when it is empty this file goes.
var toCome = []string{}

// isBelow reports whether a package is, or is below, one of the directories.
func isBelow(path string, dirs []string) bool {
	for _, dir := range dirs {
		if path == dir || strings.HasPrefix(path, dir+"/") {
			return true
		}
	}
	return false
}

// foreign lists the public packages that are copies of other projects' code,
// kept for the public module's own use. They are not part of what clients need.
var foreign = []string{"third_party"}
