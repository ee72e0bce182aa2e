package verify

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
	"k8s.io/publisher/publication"
)

// takeover reads where a mirror was taken over; nil where it was not. Noting
// that makes what was there before foreign, so only the rules' own branches can
// have such a note.
func (c *checker) takeover() *publication.Takeover {
	var t *publication.Takeover
	for _, ref := range c.h.refs {
		branch, ok := strings.CutPrefix(ref, publication.TakeoverRefs)
		if !ok || !c.known(branch) {
			continue
		}
		at := c.h.targets[ref]
		from, err := object.ID{}, error(nil)
		if at.t != object.CommitType {
			err = fmt.Errorf("it names %s, which is no commit", at.id)
		} else {
			from, err = publication.BaseSource(c.reader, at.id, c.run.in.Rules.Trailer)
		}
		if err != nil {
			c.mismatch(Mismatch{Kind: StrayRef, Ref: ref, Detail: fmt.Sprintf("nothing can have been taken over there: %v", err)})
			continue
		}
		if t == nil {
			t = new(publication.Takeover)
		}
		t.Add(branch, publication.Base{Commit: at.id, Source: from})
	}
	c.took = t
	return t
}

// known reports whether the rules have a branch of that name, ended or not.
func (c *checker) known(branch string) bool {
	return c.rule.Branch(branch) != nil || slices.Contains(c.rule.EndedBranches, branch)
}

// ended finds the mirror's branches that follow nothing any more, and what they
// followed: the trailer of a tip tells.
func (c *checker) ended(lines *lineage) ([]publication.Ended, error) {
	names := slices.Clone(c.rule.EndedBranches)
	for _, b := range c.rule.Branches {
		if slices.Contains(c.run.in.Rules.SkipSourceBranches, b.Source.Branch) {
			names = append(names, b.Name)
		}
	}
	var found []publication.Ended
	for _, name := range names {
		at := c.h.targets["refs/heads/"+name]
		if base, ok := c.took.Base(name); at.t != object.CommitType || ok && base.Commit == at.id {
			continue
		}
		tip, err := commitOf(c.reader, at.id)
		if err != nil {
			continue // Reading the history has reported it.
		}
		from, ok := sourceOf(tip, c.run.in.Rules.Trailer)
		if !ok || !lines.isCommit(from) {
			continue // Diagnosing the commit will tell.
		}
		e := publication.Ended{Name: name, Tip: at.id, Source: from}
		if head, ok := c.run.in.Source.Branch(name); ok {
			if err := lines.extend(&e, head); err != nil {
				return nil, err
			}
		}
		for _, tag := range c.run.in.Source.Tags() {
			if commit, ok := lines.peel(tag.ID); ok {
				if err := lines.extend(&e, commit); err != nil {
					return nil, err
				}
			}
		}
		found = append(found, e)
	}
	return found, nil
}

// lineage follows first parents in the source. Many start from many commits, so
// it remembers them.
type lineage struct {
	reader *odb.Reader
	first  map[object.ID]object.ID // zero for a root
}

func newLineage(reader *odb.Reader) *lineage {
	return &lineage{reader: reader, first: make(map[object.ID]object.ID)}
}

func (l *lineage) isCommit(id object.ID) bool {
	_, err := l.reader.Commit(id)
	return err == nil
}

// peel returns the commit that a tag names.
func (l *lineage) peel(id object.ID) (object.ID, bool) {
	for {
		t, data, err := l.reader.ReadAny(id)
		if err != nil || t != object.TagType {
			return id, err == nil && t == object.CommitType
		}
		tag, err := object.ParseTag(data)
		if err != nil {
			return id, false
		}
		id = tag.Target
	}
}

// extend adds head to the heads of an ended branch if its mainline leads to it.
func (l *lineage) extend(e *publication.Ended, head object.ID) error {
	if slices.Contains(e.Heads, head) {
		return nil
	}
	for id := head; ; {
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
		if parent.IsZero() {
			return nil
		}
		id = parent
	}
}
