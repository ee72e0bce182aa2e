package odb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"k8s.io/publisher/object"
)

// Copier copies objects from stores into a pack, each once and as it is stored:
// what is a delta on an object that is copied too stays one, and is not deflated
// again. Nothing is copied whose content is not what its name says. What the
// Copier knows of an object stands in arrays beside the index of its pack. It is
// not safe for concurrent use.
type Copier struct {
	stores  []*Store
	readers []*Reader // of the stores
	packs   []*copied // the first one is of loose objects
	numbers map[*pack]uint32
	loose   map[object.ID]uint32
	tasks   []task
}

// Place is where a [Copier] has found an object.
type Place struct{ pack, position uint32 }

// copied is what a Copier knows of the objects of a pack, by their positions in
// its index.
type copied struct {
	*pack
	store int // whose reader is to read them
	loose []object.ID
	state []state
	notes []uint32
	// Where they are in the new pack, and how many deltas lead to them there.
	at    []int64
	depth []uint16
}

// state is an object's type, or zero while nothing was said about it, and flags.
type state uint8

const (
	typeBits state = 7
	wanted   state = 1 << 3 // It is to be copied.
	verified state = 1 << 4
)

// task is an object to copy, and another version of it, zero where there is none.
type task struct{ object, like Place }

// NewCopier returns a Copier that looks for objects in the stores in their order.
func NewCopier(stores ...*Store) *Copier {
	c := &Copier{stores: stores, packs: []*copied{{state: make([]state, 1)}}, numbers: make(map[*pack]uint32), loose: make(map[object.ID]uint32)}
	c.packs[0].loose = make([]object.ID, 1) // The zero Place is none.
	c.readers = c.newReaders(generation)
	return c
}

// newReaders returns a reader for each store.
func (c *Copier) newReaders(limit int) []*Reader {
	var readers []*Reader
	for _, s := range c.stores {
		readers = append(readers, s.exactReader(limit))
	}
	return readers
}

// Find returns where an object is. It is always the same place, however many have
// it. The error is a [MissingError] where none has.
func (c *Copier) Find(id object.ID) (Place, error) {
	for try := 0; ; try++ {
		if n, ok := c.loose[id]; ok {
			return Place{0, n}, nil
		}
		for i, s := range c.stores {
			if p, position := s.position(id); p != nil {
				return Place{c.number(p, i), uint32(position)}, nil
			}
		}
		for _, s := range c.stores {
			if s.Has(id) && !s.Packed(id) {
				c.loose[id] = uint32(len(c.packs[0].loose))
				c.packs[0].loose, c.packs[0].state = append(c.packs[0].loose, id), append(c.packs[0].state, 0)
				break
			}
		}
		if try == 2 {
			break
		}
		for _, s := range c.stores { // A repack may have moved it into a pack that is new.
			if err := s.loadPacks(); err != nil {
				return Place{}, err
			}
		}
	}
	e := &MissingError{ID: id}
	for _, s := range c.stores {
		e.Dirs = append(e.Dirs, s.Dirs()...)
	}
	return Place{}, e
}

func (c *Copier) number(p *pack, store int) uint32 {
	n, ok := c.numbers[p]
	if !ok {
		n = uint32(len(c.packs))
		c.numbers[p] = n
		c.packs = append(c.packs, &copied{pack: p, store: store, state: make([]state, p.count)})
	}
	return n
}

// Type returns what [Copier.Skip] or [Copier.Add] was told of an object: zero
// where neither was.
func (c *Copier) Type(p Place) object.Type {
	return object.Type(c.packs[p.pack].state[p.position] & typeBits)
}

// Skip says that an object is not to be copied.
func (c *Copier) Skip(p Place, t object.Type) { c.packs[p.pack].state[p.position] |= state(t) }

// Add says that an object is to be copied. It is of type t, which is verified,
// and may be another version of what is at like.
func (c *Copier) Add(p Place, t object.Type, like Place) {
	c.packs[p.pack].state[p.position] |= state(t) | wanted
	c.tasks = append(c.tasks, task{p, like})
}

// Note keeps a number for an object; Noted returns it, zero where there is none.
func (c *Copier) Note(p Place, n uint32) {
	k := c.packs[p.pack]
	if len(k.notes) < len(k.state) {
		k.notes = append(k.notes, make([]uint32, len(k.state)-len(k.notes))...)
	}
	k.notes[p.position] = n
}

// Noted returns what was kept by [Copier.Note].
func (c *Copier) Noted(p Place) uint32 {
	if k := c.packs[p.pack]; int(p.position) < len(k.notes) {
		return k.notes[p.position]
	}
	return 0
}

// ID returns the name of an object.
func (c *Copier) ID(p Place) object.ID {
	k := c.packs[p.pack]
	if k.pack == nil {
		return k.loose[p.position]
	}
	return k.name(int(p.position))
}

// Read returns the type and the content of an object, verified.
func (c *Copier) Read(p Place) (object.Type, []byte, error) {
	t, data, err := c.read(p, c.readers)
	if err == nil {
		c.packs[p.pack].state[p.position] |= verified
	}
	return t, data, err
}

func (c *Copier) read(p Place, readers []*Reader) (t object.Type, data []byte, err error) {
	id, k := c.ID(p), c.packs[p.pack]
	if k.pack == nil {
		for _, r := range readers {
			if t, data, err = r.ReadAny(id); err == nil {
				return t, data, r.store.Verify(id, t, data)
			}
		}
		return t, data, err
	}
	offset, _ := k.offset(int(p.position))
	if t, data, err = readers[k.store].entry(k.pack, offset); err == nil && object.Hash(t, data) != id {
		err = &CorruptError{File: k.file, Err: fmt.Errorf("what it holds as %s %s is %s", t, id, object.Hash(t, data))}
	}
	if err != nil {
		return 0, nil, fmt.Errorf("read object %s: %w", id, err)
	}
	return t, data, nil
}

// CopyError reports an object that cannot be copied: Err has a [CorruptError] or a
// [TypeError] where it is not what it should be.
type CopyError struct {
	ID  object.ID
	Err error
}

func (e *CopyError) Error() string { return e.Err.Error() }

func (e *CopyError) Unwrap() error { return e.Err }

// Copy writes what was added. Where the error is a [CopyError], an object is at
// fault. After any error w must not be finished.
func (c *Copier) Copy(ctx context.Context, w *PackWriter) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	for _, k := range c.packs {
		k.at, k.depth = make([]int64, len(k.state)), make([]uint16, len(k.state))
	}
	// To verify takes the time. What comes first does not matter: nothing counts
	// before both are done.
	var group sync.WaitGroup
	c.verify(ctx, &group, cancel)
	for i, t := range c.tasks {
		if i%256 == 0 && ctx.Err() != nil {
			break
		}
		if err := c.write(w, t); err != nil {
			cancel(err)
			break
		}
	}
	group.Wait()
	return context.Cause(ctx)
}

// verify reads all objects that nobody has read, in the order in which they are
// stored, on all processors.
func (c *Copier) verify(ctx context.Context, group *sync.WaitGroup, fail func(error)) {
	type entry struct {
		Place
		offset int64
	}
	var todo []entry
	for _, t := range c.tasks {
		k := c.packs[t.object.pack]
		if k.state[t.object.position]&verified == 0 {
			e := entry{Place: t.object}
			if k.pack != nil {
				e.offset, _ = k.offset(int(t.object.position))
			}
			todo = append(todo, e)
		}
	}
	slices.SortFunc(todo, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.pack, b.pack), cmp.Compare(a.offset, b.offset))
	})
	const chunk = 512
	var next atomic.Int64
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			readers := c.newReaders(generation / 4)
			for ctx.Err() == nil {
				from := int(next.Add(chunk)) - chunk
				if from >= len(todo) {
					return
				}
				for _, e := range todo[from:min(from+chunk, len(todo))] {
					t, _, err := c.read(e.Place, readers)
					if want := c.Type(e.Place); err == nil && t != want {
						err = &TypeError{ID: c.ID(e.Place), Got: t, Want: want}
					}
					if err != nil {
						fail(&CopyError{c.ID(e.Place), err})
						return
					}
				}
			}
		})
	}
}

// beingWritten stands in the place of an offset.
const beingWritten = -1

func (c *Copier) write(w *PackWriter, t task) error {
	k, i := c.packs[t.object.pack], t.object.position
	if k.at[i] != 0 {
		return nil // It was the base of another.
	}
	if k.pack == nil {
		return c.writeAnew(w, t)
	}
	id := c.ID(t.object)
	damaged := func(err error) error {
		return fmt.Errorf("copy object %s: %w", id, &CorruptError{File: k.file, Err: err})
	}
	offset, _ := k.offset(int(i))
	kind, size, from, err := k.header(offset)
	if err != nil {
		return damaged(err)
	}
	var base int64
	switch kind {
	case offsetDelta:
		base, from, err = k.baseOffset(offset, from)
	case refDelta:
		base, from, err = k.baseByName(offset, from)
	default:
		// Where both versions are in one pack, whoever packed them has tried.
		if t.like.pack != t.object.pack {
			if done, err := c.writeDelta(w, t); done || err != nil {
				return err
			}
		}
		k.at[i], err = w.copy(id, kind, size, k.stored(offset, from), 0)
		return err
	}
	if err != nil {
		return damaged(err)
	}
	b, _, ok := k.entryAt(base)
	if !ok {
		return damaged(fmt.Errorf("delta at offset %d has no base", offset))
	}
	if k.state[b]&wanted == 0 {
		return c.writeAnew(w, t)
	}
	k.at[i] = beingWritten
	if err := c.write(w, task{object: Place{t.object.pack, b}}); err != nil {
		return err
	}
	if k.at[b] == beingWritten {
		return damaged(errors.New("a chain of deltas does not end"))
	}
	k.depth[i] = max(k.depth[b], k.depth[b]+1)
	k.at[i], err = w.copy(id, offsetDelta, size, k.stored(offset, from), k.at[b])
	return err
}

// writeAnew writes an object whose stored form is of no use.
func (c *Copier) writeAnew(w *PackWriter, t task) error {
	if done, err := c.writeDelta(w, t); done || err != nil {
		return err
	}
	kind, data, err := c.read(t.object, c.readers)
	if err == nil {
		c.packs[t.object.pack].at[t.object.position], err = w.Put(c.ID(t.object), kind, data)
	}
	return err
}

// writeDelta writes an object as what differs from the other version of it, where
// that is much shorter.
func (c *Copier) writeDelta(w *PackWriter, t task) (done bool, err error) {
	k, i, like := c.packs[t.object.pack], t.object.position, c.packs[t.like.pack]
	if t.like == (Place{}) || like.at[t.like.position] <= 0 || like.depth[t.like.position] >= maxDepth {
		return false, nil
	}
	kind, data, err := c.read(t.object, c.readers)
	if err != nil || len(data) > tooLarge {
		return false, err
	}
	_, base, err := c.read(t.like, c.readers)
	if err != nil || len(base) > tooLarge {
		return false, err
	}
	delta := similarDelta(kind, base, data)
	if len(delta) > len(data)/2 {
		return false, nil
	}
	k.depth[i] = like.depth[t.like.position] + 1
	k.at[i], err = w.PutDelta(c.ID(t.object), delta, like.at[t.like.position])
	return true, err
}
