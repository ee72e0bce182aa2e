package past

import (
	"fmt"
	"slices"

	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
	"k8s.io/publisher/spec"
)

// Ended is a branch of a mirror that follows its source no more: the rules list
// it among the ended ones, or skip its source branch. A sync leaves it alone;
// it is read for who wants to prove what the mirror has.
type Ended struct {
	Name string
	// Tip is its commit in the mirror, and Source what that stands for.
	Tip, Source object.ID
	// Heads are source commits that Source is on the mainline of: tags on them
	// may have been published while the directory stayed as it is in Source.
	Heads []object.ID
}

// heads are all source commits whose history is needed for it.
func (e *Ended) heads() []object.ID { return append([]object.ID{e.Source}, e.Heads...) }

// findEnded finds the ended branches, and what they followed: the trailer of a tip
// tells. Those that are somebody else's to their end are left out.
func (p *Past) findEnded() error {
	l := &lineage{reader: p.in.Source.Store.Reader(), first: make(map[object.ID]object.ID)}
	var tagged []object.ID
	for _, tag := range p.in.Source.Tags() {
		kind, commit, _, err := l.reader.Peel(tag.ID)
		if err == nil && kind == object.CommitType {
			tagged = append(tagged, commit)
		}
	}
	for _, d := range p.in.Specs.All() {
		m := p.Mirrors[d.Name]
		for _, name := range endedBranches(d) {
			tip, ok := m.Tips[name]
			if at, _, taken := m.TakenOver(name); !ok || tip.Source.IsZero() || taken && at == tip.Commit {
				continue
			}
			if kind, _, err := l.reader.ReadAny(tip.Source); err != nil || kind != object.CommitType {
				continue // What the trailer names is no commit of this source.
			}
			e := Ended{Name: name, Tip: tip.Commit, Source: tip.Source}
			candidates := tagged
			if head, ok := p.in.Source.Branch(name); ok {
				candidates = append([]object.ID{head}, tagged...)
			}
			for _, head := range candidates {
				if err := l.extend(&e, head); err != nil {
					return err
				}
			}
			p.Ended[d.Name] = append(p.Ended[d.Name], e)
		}
	}
	return nil
}

func endedBranches(d *spec.Destination) []string {
	names := slices.Clone(d.Rule.EndedBranches)
	for _, b := range d.Branches {
		if b.Skipped {
			names = append(names, b.Name)
		}
	}
	return names
}

// lineage follows first parents in the source. Many start from many commits, so
// it remembers them.
type lineage struct {
	reader *odb.Reader
	first  map[object.ID]object.ID // zero for a root
}

// extend adds head to the heads of an ended branch if its mainline leads to it.
func (l *lineage) extend(e *Ended, head object.ID) error {
	if slices.Contains(e.Heads, head) {
		return nil
	}
	for id := head; !id.IsZero(); {
		if id == e.Source {
			e.Heads = append(e.Heads, head)
			return nil
		}
		parent, ok := l.first[id]
		if !ok {
			data, err := l.reader.Commit(id)
			if err != nil {
				return fmt.Errorf("read source history: %w", err)
			}
			_, parents, err := object.ParseLinks(data)
			if err != nil {
				return fmt.Errorf("read source history: commit %s: %w", id, err)
			}
			if len(parents) > 0 {
				parent = parents[0]
			}
			l.first[id] = parent
		}
		id = parent
	}
	return nil
}
