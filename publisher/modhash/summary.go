package modhash

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"

	"golang.org/x/mod/module"
)

// summary writes the text that a zip's hash is taken of. Its buffers are kept
// from one version to the next.
type summary struct {
	sha  hash.Hash
	text []byte
	// path is what precedes a name in the directory being written, up to and
	// with its last slash.
	path []byte
}

// flushSize is large against a line and small against a processor's cache.
const flushSize = 16 << 10

func (s *summary) hash(m module.Version, root *node) string {
	if s.sha == nil {
		s.sha = sha256.New()
	}
	s.sha.Reset()
	s.text = s.text[:0]
	s.path = append(s.path[:0], m.Path...)
	s.path = append(s.path, '@')
	s.path = append(s.path, m.Version...)
	s.path = append(s.path, '/')
	s.add(root)
	s.sha.Write(s.text)
	var sum [sha256.Size]byte
	return encodeH1(s.sha.Sum(sum[:0]))
}

// add relies on git's order of a tree's entries, in which a directory counts as
// if its name ended in a slash: walked in it, whole paths come sorted.
func (s *summary) add(n *node) {
	for i := range n.entries {
		e := &n.entries[i]
		if e.child != nil {
			outer := len(s.path)
			s.path = append(s.path, e.name...)
			s.path = append(s.path, '/')
			s.add(e.child)
			s.path = s.path[:outer]
			continue
		}
		s.text = hex.AppendEncode(s.text, e.sum[:])
		s.text = append(s.text, ' ', ' ')
		s.text = append(s.text, s.path...)
		s.text = append(s.text, e.name...)
		s.text = append(s.text, '\n')
		if len(s.text) >= flushSize {
			s.sha.Write(s.text)
			s.text = s.text[:0]
		}
	}
}
