package verify

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"k8s.io/publisher/object"
)

// base is where the rules say that a branch was taken over: a node of the
// mirror's history.
type base struct {
	branch string
	commit int32
}

// takenOver finds the commits at which the mirror was taken over. Only the rules
// tell: a ref of the mirror could excuse whatever its author likes.
func (c *checker) takenOver() {
	if c.rule.TakenOver == nil {
		return
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
		if want := c.byName[ref]; !isTag(ref) || want.Tag != nil && want.id == at.id && !want.adopted {
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
