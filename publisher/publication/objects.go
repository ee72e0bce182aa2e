package publication

import (
	"errors"

	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
)

// objects reads from everywhere at once: what this run made, the source, and,
// for what an earlier run made, the mirrors. Objects are named by their
// content, so where one is found does not matter. Not safe for concurrent use.
type objects struct {
	made    *odb.Scratch
	scratch *odb.ScratchReader
	source  *odb.Reader
	mirrors *odb.Reader // may be nil

	sourceStore, mirrorStore *odb.Store
}

func (c *Config) objects() *objects {
	o := &objects{made: c.Scratch, scratch: c.Scratch.Reader(), source: c.Source.Store.Reader(), sourceStore: c.Source.Store}
	if c.Mirrors != nil {
		o.mirrors, o.mirrorStore = c.Mirrors.Reader(), c.Mirrors
	}
	return o
}

func (o *objects) read(id object.ID, t object.Type) ([]byte, error) {
	got, data, ok, err := o.scratch.Read(id)
	if err != nil {
		return nil, err
	}
	if ok {
		if got != t {
			return nil, &odb.TypeError{ID: id, Got: got, Want: t}
		}
		return data, nil
	}
	if o.mirrors == nil || o.sourceStore.Packed(id) {
		return o.source.Read(id, t)
	}
	if o.mirrorStore.Packed(id) {
		return o.mirrors.Read(id, t)
	}
	data, err = o.source.Read(id, t)
	var missing *odb.MissingError
	if errors.As(err, &missing) {
		return o.mirrors.Read(id, t)
	}
	return data, err
}

func (o *objects) Tree(id object.ID) ([]byte, error)   { return o.read(id, object.TreeType) }
func (o *objects) Blob(id object.ID) ([]byte, error)   { return o.read(id, object.BlobType) }
func (o *objects) Commit(id object.ID) ([]byte, error) { return o.read(id, object.CommitType) }

// Size implements modhash.Sizer: the size of a blob whose hash is known is
// found without reading it.
func (o *objects) Size(id object.ID) (int64, error) {
	if size, ok := o.made.Size(id); ok {
		return size, nil
	}
	if o.mirrors != nil && !o.sourceStore.Packed(id) && o.mirrorStore.Packed(id) {
		return o.mirrors.Size(id)
	}
	size, err := o.source.Size(id)
	var missing *odb.MissingError
	if errors.As(err, &missing) && o.mirrors != nil {
		return o.mirrors.Size(id)
	}
	return size, err
}
