package verify

import (
	"fmt"
	"slices"

	"k8s.io/publisher/publication"
)

// missing reports what should be there. What was published is not unpublished:
// a tag is missing if what came after it is there, and a branch if tags stand on
// its commits, or if nothing waits to be published.
func (c *checker) missing() error {
	for _, t := range c.d.Tags {
		var absent []string
		for _, name := range t.Names {
			if _, ok := c.h.targets["refs/tags/"+name]; !ok {
				absent = append(absent, name)
			}
		}
		has, passed, waits := c.passed(t)
		if len(absent) < len(t.Names) && !has && !c.rewritten {
			if err := c.abandoned(t); err != nil {
				return err
			}
		}
		for _, name := range absent {
			switch {
			case passed:
				c.mismatch(Mismatch{Kind: MissingTag, Ref: "refs/tags/" + name, Detail: fmt.Sprintf("source tag %s belongs on commit %s", t.Source, t.Target)})
			case waits:
				c.pending = append(c.pending, name)
			}
		}
	}
	waiting := len(c.pending) > 0
	for _, p := range c.at {
		waiting = waiting || p.behind > 0
	}
	for _, b := range c.d.Branches {
		ref := "refs/heads/" + b.Name
		if _, ok := c.h.targets[ref]; ok || b.Skipped != "" || c.reported(MissingBranch, ref) {
			continue
		}
		if waiting {
			c.note("branch %s is not published yet", b.Name)
			continue
		}
		c.mismatch(Mismatch{Kind: MissingBranch, Ref: ref, Detail: fmt.Sprintf("it belongs at %s", b.Tip)})
	}
	if n := len(c.pending); n > 0 {
		c.note("%s not published yet, such as %s", count(n, "tag"), c.pending[0])
	}
	return nil
}

// passed reports whether some branch of the mirror has a tag's commit, and
// whether the tag must have been published: the branch has gone on, or another
// mirror has the tag. One on a tip can be newer than the last sync; it waits for
// the next one, unless the branch has ended.
func (c *checker) passed(t *publication.Tag) (has, passed, waits bool) {
	waits = true
	for _, p := range c.at {
		i, ok := c.projections[p.branch.Projection][t.Parent]
		if !ok || !p.reach[i] {
			continue
		}
		waits = !p.branch.Ended || has && waits
		has = true
		if i != p.i || !p.branch.Ended && c.run.published(t) {
			return true, true, false
		}
	}
	return has, false, waits
}

// published reports whether some mirror has a tag that a source tag makes.
func (r *run) published(t *publication.Tag) bool {
	for _, c := range r.checkers {
		for _, name := range t.Names {
			if c.h != nil && !c.h.targets["refs/tags/"+name].id.IsZero() {
				return true
			}
		}
	}
	return false
}

// abandoned reports whose commit it is that a published tag stands on and no
// branch has.
func (c *checker) abandoned(t *publication.Tag) error {
	n, ok := c.h.Node(t.Parent)
	if !ok || c.foreign[n] {
		return nil
	}
	for _, b := range c.d.Branches {
		i, ok := c.projections[b.Projection][t.Parent]
		if b.Skipped != "" || !ok {
			continue
		}
		whole, err := reach(b.Projection, b.Commit)
		if err != nil {
			return err
		}
		ref := "refs/heads/" + b.Name
		if !whole[i] {
			continue
		}
		if _, ok := c.h.targets[ref]; ok {
			c.mismatch(Mismatch{Kind: DroppedCommit, Ref: ref, Commit: t.Parent.String(), Detail: fmt.Sprintf("the tags of source tag %s were published, but the branch does not have the commit", t.Source)})
		} else if !c.reported(MissingBranch, ref) {
			c.mismatch(Mismatch{Kind: MissingBranch, Ref: ref, Detail: fmt.Sprintf("it belongs at %s; the tags of source tag %s stand on it", b.Tip, t.Source)})
		}
		return nil
	}
	return nil
}

func (c *checker) reported(kind Kind, ref string) bool {
	return slices.ContainsFunc(c.out.Mismatches, func(m Mismatch) bool { return m.Kind == kind && m.Ref == ref })
}
