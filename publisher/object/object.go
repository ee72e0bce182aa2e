// Package object reads and writes the four kinds of Git object in their
// canonical form: the bytes that are hashed, without the "type size\0" header.
//
// Parsing is lossless for what git itself writes: an object that is parsed and
// encoded again has the same bytes, and so the same ID. Parsed values alias the
// input; callers must not change either. The formats are specified in Git's
// own documentation (gitformat-pack, git-commit-tree, git-mktag).
package object

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/go-git/go-git/v5/plumbing"
)

// ID is the SHA-1 name of an object. The zero ID names nothing.
type ID = plumbing.Hash

// Type is the kind of an object, numbered as in pack files.
type Type uint8

// The object types that a pack entry can carry in whole form.
const (
	CommitType Type = 1
	TreeType   Type = 2
	BlobType   Type = 3
	TagType    Type = 4
)

var typeNames = [...]string{CommitType: "commit", TreeType: "tree", BlobType: "blob", TagType: "tag"}

// String returns the name that git gives the type: commit, tree, blob or tag.
func (t Type) String() string {
	if t < CommitType || t > TagType {
		return "type " + strconv.Itoa(int(t))
	}
	return typeNames[t]
}

// ParseType is the reverse of [Type.String].
func ParseType(name string) (Type, bool) {
	for t := CommitType; t <= TagType; t++ {
		if typeNames[t] == name {
			return t, true
		}
	}
	return 0, false
}

// Hash returns the ID of an object of type t with the given content.
//
// It uses plain SHA-1: the publisher only names objects that it makes itself
// or that a repository already holds under that name, so collision detection
// would cost time and protect nothing.
func Hash(t Type, data []byte) ID {
	var id ID
	h := sha1.New()
	var header [32]byte
	b := append(header[:0], t.String()...)
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64(len(data)), 10)
	b = append(b, 0)
	h.Write(b)
	h.Write(data)
	h.Sum(id[:0])
	return id
}

// ParseID reads the 40 hexadecimal digits of an ID.
func ParseID(s []byte) (ID, error) {
	var id ID
	if len(s) != 2*len(id) {
		return ID{}, fmt.Errorf("object name %q: want %d hexadecimal digits", s, 2*len(id))
	}
	if _, err := hex.Decode(id[:], s); err != nil {
		return ID{}, fmt.Errorf("object name %q: %w", s, err)
	}
	return id, nil
}

// AppendID appends the 40 hexadecimal digits of id to dst.
func AppendID(dst []byte, id ID) []byte { return hex.AppendEncode(dst, id[:]) }

// FormatError reports an object whose bytes do not have the form of its type.
type FormatError struct {
	Type Type
	What string
}

func (e *FormatError) Error() string { return "malformed " + e.Type.String() + ": " + e.What }

func malformed(t Type, format string, args ...any) error {
	return &FormatError{Type: t, What: fmt.Sprintf(format, args...)}
}
