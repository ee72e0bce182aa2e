package plan

import (
	"errors"
	"fmt"

	"k8s.io/publisher/mirror"
	"k8s.io/publisher/object"
	"k8s.io/publisher/past"
	"k8s.io/publisher/projection"
	"k8s.io/publisher/publication"
	"k8s.io/publisher/rules"
	"k8s.io/publisher/source"
)

// maker compares one destination.
type maker struct {
	pub    *publication.Publication
	repo   *source.Repository
	from   *publication.Destination
	mirror *past.Mirror
	rule   *rules.Rule
	to     *Destination
}

func (m *maker) failAll() {
	for _, b := range m.from.Branches {
		m.to.Branches = append(m.to.Branches, Branch{Name: b.Name, Source: b.Source, Action: Fail})
	}
}

func (m *maker) compare() error {
	var old []mark
	var errs []error
	for _, b := range m.from.Branches {
		if b.Skipped != "" {
			m.to.Branches = append(m.to.Branches, Branch{Name: b.Name, Source: b.Source, Action: Skip, Note: b.Skipped})
			continue
		}
		update, at, err := m.branch(b)
		if err != nil {
			errs = append(errs, err)
			update.Action, update.Note = Fail, err.Error()
		}
		m.to.Branches = append(m.to.Branches, update)
		old = append(old, at...)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if err := m.count(old); err != nil {
		return err
	}
	return m.tags()
}

// mark is a commit of a projection.
type mark struct {
	of *projection.Projection
	i  int32
}

// branch compares one branch. It also returns where the mirror's is now.
func (m *maker) branch(b *publication.Branch) (update Branch, at []mark, err error) {
	update = Branch{Name: b.Name, Source: b.Source, Action: Create, New: b.Tip, Note: b.Note}
	ref := "refs/heads/" + b.Name
	tip, exists := m.mirror.Tips[b.Name]
	if !exists {
		m.to.Refs[ref] = mirror.Ref{ID: b.Tip}
		return update, nil, nil
	}
	update.Old = tip.Commit
	if base, _, ok := m.mirror.TakenOver(b.Name); ok && b.Note == "" {
		update.Note = fmt.Sprintf("continues what someone else published up to %.12s", base)
	}
	if tip.Commit == b.Tip {
		update.Action = Unchanged
		return update, []mark{{b.Projection, b.Commit}}, nil
	}
	conflict := func(reason string, takeOver bool) (Branch, []mark, error) {
		return update, nil, m.conflict(ConflictError{m.to.Name, ref, tip.Commit, b.Tip, reason, takeOver})
	}
	i, ok, err := standing(b, tip)
	if err != nil {
		return update, nil, err
	}
	if !ok {
		reason, takeOver, err := m.stranger(b, tip)
		if err != nil {
			return update, nil, err
		}
		return conflict(reason, takeOver)
	}
	forward, err := b.Projection.IsAncestor(i, b.Commit)
	if err != nil {
		return update, nil, err
	}
	if !forward {
		back, err := b.Projection.IsAncestor(b.Commit, i)
		if err != nil {
			return update, nil, err
		}
		if back {
			return conflict("the source branch "+b.Source+" is behind what was published from it; a mirror never goes back", false)
		}
		return conflict("the source branch "+b.Source+" was rewritten; a mirror only goes forward", false)
	}
	update.Action = Update
	m.to.Refs[ref] = mirror.Ref{ID: b.Tip}
	return update, []mark{{b.Projection, i}}, nil
}

func (m *maker) conflict(c ConflictError) error {
	m.to.Conflicts = append(m.to.Conflicts, &c)
	return &c
}

// standing returns where a mirror's commit stands in the branch's projection. It
// is not ok where the publication makes another commit, or none, of the source
// commit that it names.
func standing(b *publication.Branch, tip past.Tip) (int32, bool, error) {
	i, _, ok := b.Projection.Lookup(tip.Source)
	if !ok || i == projection.None {
		return projection.None, false, nil
	}
	mine, err := b.Projection.Commit(i)
	return i, mine.ID == tip.Commit, err
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
		var err error
		if b.Commits, err = visit(mark{m.from.Branches[i].Projection, m.from.Branches[i].Commit}); err != nil {
			return err
		}
	}
	return nil
}

// tags compares the tags.
func (m *maker) tags() error {
	ours := make(map[string]object.ID)
	for _, t := range m.from.Tags {
		update := Tag{Source: t.Source, Names: t.Names, Action: Unchanged, Commit: t.Target}
		for k, name := range t.Names {
			ref := "refs/tags/" + name
			have, exists := m.mirror.Ref(ref)
			switch {
			case t.Foreign != nil && t.Foreign[k]:
				update.Note = "published before the mirror was taken over"
				continue
			case !exists:
				update.Action = Create
				m.to.Refs[ref] = mirror.Ref{ID: t.Objects[k], Peeled: t.Target}
			case have != t.Objects[k]:
				return m.conflict(ConflictError{m.to.Name, ref, have, t.Objects[k], fmt.Sprintf("source tag %s yields another tag; a published tag never moves", t.Source), false})
			}
			ours[name] = t.Objects[k]
		}
		m.to.Tags = append(m.to.Tags, update)
	}
	for _, s := range m.from.SkippedTags {
		m.to.Tags = append(m.to.Tags, Tag{Source: s.Name, Action: Skip, Note: s.Reason})
	}
	m.to.foreignTags = m.mirror.DigestTags(ours)
	if t := m.rule.TakenOver; t != nil && t.Tags != m.to.foreignTags {
		return fmt.Errorf("its tags from before it was taken over are not what the rules say: their digest is %q and should be %q; one was added, moved or removed", m.to.foreignTags, t.Tags)
	}
	return nil
}
