package verify

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
)

// base is where the rules say that a branch was taken over: a node of the
// mirror's history.
type base struct {
	branch string
	commit int32
}

// takenOver finds the commits at which the mirror was taken over. Only the rules
// tell: a ref of the mirror could excuse whatever its author likes.
func (c *checker) takenOver() []base {
	if c.rule.TakenOver == nil {
		return nil
	}
	for _, b := range c.rule.TakenOver.Branches {
		id, err := object.ParseID([]byte(b.Commit))
		n, ok := c.h.Node(id)
		if err != nil || !ok {
			c.mismatch(Mismatch{Kind: DroppedCommit, Ref: "refs/heads/" + b.Branch, Commit: b.Commit,
				Detail: "the rules say that the branch was taken over at it, and no ref of the mirror leads to it"})
			continue
		}
		c.bases = append(c.bases, base{b.Branch, n})
		c.note("branch %s was taken over at %s; what was there before is not proven", b.Branch, id)
	}
	return c.bases
}

// tookOver reports whether a branch was taken over at a commit.
func (c *checker) tookOver(branch string, commit object.ID) bool {
	return slices.ContainsFunc(c.bases, func(b base) bool { return b.branch == branch && c.h.IDs[b.commit] == commit })
}

// findForeign marks what was there before the mirror was taken over: what is
// behind the commits that the rules name, and the tags whose digest they state.
// These can stand on commits of their own.
func (c *checker) findForeign() {
	var roots []int32
	for _, b := range c.bases {
		roots = append(roots, b.commit)
	}
	c.foreign = c.h.reach(roots...)
	c.foreignTags = make(map[string]bool)
	if c.rule.TakenOver == nil || c.rule.TakenOver.Tags == "" {
		return
	}
	var all, near []string
	for _, ref := range c.h.refs {
		at := c.h.targets[ref]
		if want := c.byName[ref]; !isTag(ref) || want.Tag != nil && want.id == at.id {
			continue
		}
		all = append(all, ref)
		if n := at.commit; n != none && (c.foreign[n] || len(c.h.Parents[n]) == 1 && c.foreign[c.h.Parents[n][0]] && !c.expects(c.h.IDs[n])) {
			near = append(near, ref)
		}
	}
	have := c.digest(all)
	if have != c.rule.TakenOver.Tags {
		// Those on foreign commits may be the whole of it. Then it is others that
		// are not as they should be.
		if digest := c.digest(near); digest == c.rule.TakenOver.Tags {
			all = near
		} else {
			c.mismatch(Mismatch{Kind: StrayRef, Ref: "refs/tags/", Detail: fmt.Sprintf(
				"the %s that no source tag makes have digest %s, and those that were taken over %s: one was added, moved or removed",
				count(len(all), "tag"), have, c.rule.TakenOver.Tags)})
			all = nil
		}
	}
	for _, ref := range all {
		c.foreignTags[ref] = true
		roots = append(roots, c.h.targets[ref].commit)
	}
	c.foreign = c.h.reach(roots...)
}

// digest is what the rules state of tags, which are sorted.
func (c *checker) digest(refs []string) string {
	lines := make([]string, len(refs))
	for i, ref := range refs {
		lines[i] = fmt.Sprintf("%s %s\n", c.h.targets[ref].id, ref)
	}
	slices.Sort(lines)
	return fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(lines, ""))))
}

// ended is a branch of the mirror that follows nothing any more.
type ended struct {
	Name string
	// Tip is its commit in the mirror, and Source what that stands for.
	Tip, Source object.ID
	// Heads are source commits whose mainline leads to Source.
	Heads []object.ID
}

// ended finds the mirror's branches that follow nothing any more, and what they
// followed: the trailer of a tip tells.
func (c *checker) ended(lines *mainlines) ([]ended, error) {
	names := slices.Clone(c.rule.EndedBranches)
	for _, b := range c.rule.Branches {
		if slices.Contains(c.run.in.Rules.SkipSourceBranches, b.Source.Branch) {
			names = append(names, b.Name)
		}
	}
	var found []ended
	for _, name := range names {
		at := c.h.targets["refs/heads/"+name]
		if at.t != object.CommitType || c.tookOver(name, at.id) {
			continue
		}
		tip, err := c.h.commit(at.commit)
		if err != nil {
			continue // It will be reported.
		}
		from := sourceOf(tip, c.run.in.Rules.Trailer)
		if commit, err := lines.peel(from); err != nil {
			return nil, err
		} else if from.IsZero() || commit != from {
			continue // Diagnosing the commit will tell.
		}
		e := ended{Name: name, Tip: at.id, Source: from}
		var heads []object.ID
		if head, ok := c.run.in.Source.Branch(name); ok {
			heads = append(heads, head)
		}
		for _, tag := range c.run.in.Source.Tags() {
			commit, err := lines.peel(tag.ID)
			if err != nil {
				return nil, err
			}
			heads = append(heads, commit)
		}
		for _, head := range heads {
			leads, err := lines.lead(head, from)
			if err != nil {
				return nil, err
			}
			if leads && !slices.Contains(e.Heads, head) {
				e.Heads = append(e.Heads, head)
			}
		}
		found = append(found, e)
	}
	return found, nil
}

// mainlines follows first parents in the source. Many start from many commits, so
// it remembers them.
type mainlines struct {
	reader *odb.Reader
	first  map[object.ID]object.ID // zero for a root
}

func newMainlines(reader *odb.Reader) *mainlines {
	return &mainlines{reader: reader, first: make(map[object.ID]object.ID)}
}

// peel returns the commit that an object is or, as a tag, names; zero where it
// is none, or not there.
func (l *mainlines) peel(id object.ID) (object.ID, error) {
	for {
		t, data, err := l.reader.ReadAny(id)
		if missing := (*odb.MissingError)(nil); errors.As(err, &missing) {
			return object.ID{}, nil
		}
		if err != nil {
			return object.ID{}, fmt.Errorf("read source: %w", err)
		}
		switch t {
		case object.CommitType:
			return id, nil
		case object.TagType:
			tag, err := object.ParseTag(data)
			if err != nil {
				return object.ID{}, nil
			}
			id = tag.Target
		default:
			return object.ID{}, nil
		}
	}
}

// lead reports whether the mainline of one commit leads to another.
func (l *mainlines) lead(from, to object.ID) (bool, error) {
	for id := from; !id.IsZero(); {
		if id == to {
			return true, nil
		}
		parent, ok := l.first[id]
		if !ok {
			data, err := l.reader.Commit(id)
			if err != nil {
				return false, fmt.Errorf("read source history: %w", err)
			}
			_, parents, err := object.ParseLinks(data)
			if err != nil {
				return false, fmt.Errorf("read source history: commit %s: %w", id, err)
			}
			if len(parents) > 0 {
				parent = parents[0]
			}
			l.first[id] = parent
		}
		id = parent
	}
	return false, nil
}
