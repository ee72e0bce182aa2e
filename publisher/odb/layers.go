package odb

import (
	"errors"

	"k8s.io/publisher/object"
)

// Layers reads from everywhere at once: what a run has made, the source, and,
// for what an earlier run made, the mirrors. Objects are named by their content,
// so where one is found does not matter. Not safe for concurrent use.
type Layers struct {
	scratch *ScratchReader
	source  *Reader
	mirrors *Reader // may be nil
}

// NewLayers returns a reader of its arguments, of which mirrors may be nil.
func NewLayers(made *Scratch, source, mirrors *Store) *Layers {
	l := &Layers{scratch: made.Reader(), source: source.Reader()}
	if mirrors != nil {
		l.mirrors = mirrors.Reader()
	}
	return l
}

// Tree returns the content of a tree.
func (l *Layers) Tree(id object.ID) ([]byte, error) { return l.read(id, object.TreeType) }

// Blob returns the content of a blob.
func (l *Layers) Blob(id object.ID) ([]byte, error) { return l.read(id, object.BlobType) }

// Commit returns the content of a commit.
func (l *Layers) Commit(id object.ID) ([]byte, error) { return l.read(id, object.CommitType) }

func (l *Layers) read(id object.ID, want object.Type) ([]byte, error) {
	got, data, ok, err := l.scratch.Read(id)
	if err != nil {
		return nil, err
	}
	if ok {
		if got != want {
			return nil, &TypeError{ID: id, Got: got, Want: want}
		}
		return data, nil
	}
	first, second := l.order(id)
	data, err = first.Read(id, want)
	var missing *MissingError
	if second != nil && errors.As(err, &missing) {
		return second.Read(id, want)
	}
	return data, err
}

// order says where to look first: looking for loose objects is slow.
func (l *Layers) order(id object.ID) (first, second *Reader) {
	if l.mirrors != nil && !l.source.store.Packed(id) && l.mirrors.store.Packed(id) {
		return l.mirrors, l.source
	}
	return l.source, l.mirrors
}
