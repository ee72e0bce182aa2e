package plan

import (
	"errors"
	"fmt"

	"k8s.io/publisher/mirror"
	"k8s.io/publisher/odb"
	"k8s.io/publisher/projection"
	"k8s.io/publisher/publication"
)

// maker compares one destination.
type maker struct {
	in     Input
	pub    *publication.Publication
	from   *publication.Destination
	to     *Destination
	took   *publication.Takeover
	reader *odb.Reader
}

func (m *maker) skipAll() {
	for _, b := range m.from.Branches {
		m.to.Branches = append(m.to.Branches, Branch{Name: b.Name, Source: b.Source, Action: Fail})
	}
}

func (m *maker) compare() (*publication.Takeover, error) {
	if m.to.Mirror.Exists {
		store, err := odb.Open(m.to.Mirror.ObjectsDir())
		if err != nil {
			return nil, err
		}
		defer store.Close()
		m.reader = store.Reader()
		if err := m.stale(store); err != nil {
			return nil, err
		}
	} else if err := m.stale(nil); err != nil {
		return nil, err
	}
	takeover := new(publication.Takeover)
	var old []mark
	var errs []error
	for _, b := range m.from.Branches {
		if b.Skipped != "" {
			m.to.Branches = append(m.to.Branches, Branch{Name: b.Name, Source: b.Source, Action: Skip, Note: b.Skipped})
			continue
		}
		at, base, err := m.branch(b)
		if err != nil {
			errs = append(errs, err)
			have, _ := m.to.Mirror.Ref("refs/heads/" + b.Name)
			m.to.Branches = append(m.to.Branches, Branch{Name: b.Name, Source: b.Source, Action: Fail, Old: have, New: b.Tip, Note: err.Error()})
			continue
		}
		if base != nil {
			takeover.Add(b.Name, *base)
		}
		old = append(old, at...)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if len(takeover.Bases) > 0 {
		return takeover, nil
	}
	if err := m.count(old); err != nil {
		return nil, err
	}
	return nil, m.tags()
}

// mark is a commit of a projection.
type mark struct {
	of *projection.Projection
	i  int32
}

// branch compares one branch. It returns where the mirror's is now, or, where
// the mirror was filled by someone else, the base to go on from.
func (m *maker) branch(b *publication.Branch) ([]mark, *publication.Base, error) {
	update := Branch{Name: b.Name, Source: b.Source, Action: Create, New: b.Tip, Note: b.Note}
	ref := "refs/heads/" + b.Name
	have, exists := m.to.Mirror.Ref(ref)
	if !exists {
		m.to.Branches = append(m.to.Branches, update)
		m.to.Refs[ref] = mirror.Ref{ID: b.Tip}
		return nil, nil, nil
	}
	update.Old = have
	if base, ok := m.took.Base(b.Name); ok && b.Note == "" {
		update.Note = fmt.Sprintf("continues what someone else published up to %s", base.Commit)
	}
	if have == b.Tip {
		update.Action = Unchanged
		m.to.Branches = append(m.to.Branches, update)
		return []mark{{b.Projection, b.Commit}}, nil, nil
	}
	conflict := func(format string, args ...any) (_ []mark, _ *publication.Base, err error) {
		return nil, nil, &ConflictError{m.to.Name, ref, have, b.Tip, fmt.Sprintf(format, args...)}
	}
	i, ok, err := m.find(b, have)
	if err != nil {
		return nil, nil, err
	}
	if !ok {
		foreign, err := m.foreign(b, have)
		if err != nil {
			return nil, nil, err
		}
		if _, before := m.took.Base(b.Name); foreign.base != nil && !before {
			return nil, foreign.base, nil
		}
		return conflict("%s", foreign.reason)
	}
	forward, err := b.Projection.IsAncestor(i, b.Commit)
	if err != nil {
		return nil, nil, err
	}
	if !forward {
		if back, err := b.Projection.IsAncestor(b.Commit, i); err == nil && back {
			return conflict("the source branch %s is behind what was published from it; a mirror never goes back", b.Source)
		}
		return conflict("the source branch %s was rewritten; a mirror only goes forward", b.Source)
	}
	update.Action = Update
	m.to.Branches = append(m.to.Branches, update)
	m.to.Refs[ref] = mirror.Ref{ID: b.Tip}
	return []mark{{b.Projection, i}}, nil, nil
}

// stale returns ErrStale where new commits stand on ones that the cache knows
// and the mirror lacks: someone removed the mirror, or restored an old one.
func (m *maker) stale(store *odb.Store) error {
	seen := make(map[*projection.Projection]bool)
	for _, b := range m.from.Branches {
		of := b.Projection
		if of == nil || b.Commit == projection.None {
			continue
		}
		need := func(i int32) error {
			if i >= of.Base() {
				return nil
			}
			c, err := of.Commit(i)
			if err != nil {
				return err
			}
			if store == nil || !store.Has(c.ID) {
				return fmt.Errorf("%w: commit %s is not in %s", publication.ErrStale, c.ID, m.to.Mirror.Dir)
			}
			return nil
		}
		if have, _ := m.to.Mirror.Ref("refs/heads/" + b.Name); have != b.Tip {
			if err := need(b.Commit); err != nil {
				return err
			}
		}
		if seen[of] {
			continue
		}
		seen[of] = true
		for i := of.Base(); i < of.Len(); i++ {
			c, err := of.Commit(i)
			if err != nil {
				return err
			}
			for _, parent := range c.Parents {
				if err := need(parent); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// count finds how many commits are new to the mirror, for each branch those
// that no branch before it has.
func (m *maker) count(old []mark) error {
	visited := make(map[mark]bool)
	visit := func(from mark) (int, error) {
		n := 0
		stack := []mark{from}
		for len(stack) > 0 {
			at := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			if at.i < at.of.Base() || visited[at] {
				continue
			}
			visited[at] = true
			n++
			c, err := at.of.Commit(at.i)
			if err != nil {
				return 0, err
			}
			for _, parent := range c.Parents {
				stack = append(stack, mark{at.of, parent})
			}
		}
		return n, nil
	}
	for _, at := range old {
		if _, err := visit(at); err != nil {
			return err
		}
	}
	for i := range m.to.Branches {
		b := &m.to.Branches[i]
		if b.Action != Create && b.Action != Update {
			continue
		}
		for _, from := range m.from.Branches {
			if from.Name != b.Name {
				continue
			}
			n, err := visit(mark{from.Projection, from.Commit})
			if err != nil {
				return err
			}
			b.Commits = n
		}
	}
	return nil
}

// tags compares the tags.
func (m *maker) tags() error {
	for _, t := range m.from.Tags {
		update := Tag{Source: t.Source, Names: t.Names, Action: Unchanged, Commit: t.Target}
		for k, name := range t.Names {
			ref := "refs/tags/" + name
			have, exists := m.to.Mirror.Ref(ref)
			switch {
			case !exists:
				update.Action = Create
				m.to.Refs[ref] = mirror.Ref{ID: t.Objects[k], Peeled: t.Target}
			case have == t.Objects[k]:
			default:
				before, err := m.took.Has(t.Parent, m.reader, m.pub.Trailer())
				if err != nil {
					return err
				}
				if before {
					update.Note = "published before the mirror was taken over"
					continue
				}
				return &ConflictError{m.to.Name, ref, have, t.Objects[k], fmt.Sprintf("source tag %s yields another tag; a published tag never moves", t.Source)}
			}
		}
		m.to.Tags = append(m.to.Tags, update)
	}
	for _, s := range m.from.SkippedTags {
		m.to.Tags = append(m.to.Tags, Tag{Source: s.Name, Action: Skip, Note: s.Reason})
	}
	// What was taken over is noted in the mirror itself.
	if m.took != nil {
		for branch, base := range m.took.Bases {
			ref := publication.TakeoverRefs + branch
			if _, ok := m.to.Mirror.Ref(ref); !ok {
				m.to.Refs[ref] = mirror.Ref{ID: base.Commit}
			}
		}
	}
	return nil
}
