package modhash

import (
	"golang.org/x/mod/module"

	"k8s.io/publisher/object"
)

// Archived is [Hasher.Zip] done as the go command does it, whatever the tree: git
// archives it, and golang.org/x/mod/zip chooses from the archive's files. That
// takes a while, and shares none of a Hasher's shortcuts.
func Archived(objects Objects, m module.Version, tree object.ID) (string, error) {
	return archiveSum(objects, m, tree)
}
