package main

import "strings"

// toCome lists, as directories, the public packages that the staged module is
// still to get. It shrinks; when it is empty this file goes.
var toCome = []string{
	"dynamic/dynamicinformer",
	"dynamic/dynamiclister",
	"informers",
	"listers",
	"metadata/metadatainformer",
	"metadata/metadatalister",
	"tools/cache",
	"tools/events",
	"tools/leaderelection",
	"tools/portforward",
	"tools/record",
	"tools/remotecommand",
	"util/certificate",
}

// isToCome reports whether a package is, or is below, one of these.
func isToCome(path string) bool {
	for _, dir := range toCome {
		if path == dir || strings.HasPrefix(path, dir+"/") {
			return true
		}
	}
	return false
}
