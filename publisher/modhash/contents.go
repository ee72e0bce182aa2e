package modhash

import (
	"golang.org/x/mod/module"

	"k8s.io/publisher/object"
)

// Contents is what the zip of a module version has.
type Contents struct {
	// Sum is its "h1:" hash, as [Hasher.Zip] returns it.
	Sum string
	// Files are sorted by name.
	Files []File
}

// File is a file of a module zip.
type File struct {
	// Name is relative to the module's root.
	Name string
	// Blob has the content, unless it is zero: then git has converted it, and Data has.
	Blob object.ID
	Data []byte
}

// Contents returns what the zip has that [Hasher.Zip] returns the hash of. Its errors
// are those of Zip, too.
func (h *Hasher) Contents(m module.Version, tree object.ID) (*Contents, error) {
	root, err := h.checked(m, tree, nil)
	if err != nil {
		return nil, err
	}
	c := new(Contents)
	if !root.needsGit {
		c.Sum = h.summary.hash(m, root)
		c.add("", root)
		return c, nil
	}
	err = archived(h.objects, m, tree, func(files *archiveFiles) (err error) {
		if c.Sum, err = files.sum(); err != nil {
			return err
		}
		for _, name := range files.names {
			data, err := readAll(files.byName[name])
			if err != nil {
				return err
			}
			c.Files = append(c.Files, File{Name: name, Data: data})
		}
		return nil
	})
	if err != nil {
		return nil, h.failed(m, tree, err)
	}
	return c, nil
}

// add relies on the order of entries as [summary.add] does.
func (c *Contents) add(prefix string, n *node) {
	for i := range n.entries {
		e := &n.entries[i]
		if e.child != nil {
			c.add(prefix+e.name+"/", e.child)
		} else {
			c.Files = append(c.Files, File{Name: prefix + e.name, Blob: e.blob})
		}
	}
}
