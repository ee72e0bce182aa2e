package verify

import "fmt"

// mostCommits bounds how many commits of a mirror are diagnosed one by one.
const mostCommits = 20

// commits accounts for all commits of the mirror. A name that is expected
// proves the commit with all that is behind it, since git fsck has hashed it.
func (c *checker) commits() error {
	var unexpected []int32
	for n, id := range c.h.ids {
		switch {
		case c.foreign[n]:
			c.out.ForeignCommits++
		case c.expects(id):
			c.out.Commits++
		default:
			unexpected = append(unexpected, int32(n))
		}
	}
	if err := c.foreigners(); err != nil {
		return err
	}
	if len(unexpected) == 0 {
		return nil
	}
	return c.diagnose(unexpected)
}

// foreigners checks lightly what was there before the mirror was taken over:
// the trailers name source commits that the bases cover.
func (c *checker) foreigners() error {
	if c.took == nil {
		return nil
	}
	g := c.run.pub.Graph
	covered := make([]bool, g.Len())
	for _, base := range c.took.Bases {
		if n, ok := g.Node(base.Source); ok {
			covered[n] = true
		} else {
			c.mismatch(Mismatch{Kind: ForgedTrailer, Commit: base.Commit.String(), Detail: fmt.Sprintf("the mirror was taken over at it, but source commit %s is in the history of no published branch", base.Source)})
		}
	}
	for n := g.Len() - 1; n >= 0; n-- {
		if covered[n] {
			for _, parent := range g.Parents[n] {
				covered[parent] = true
			}
		}
	}
	wrong := 0
	for n, id := range c.h.ids {
		if !c.foreign[n] {
			continue
		}
		commit, err := commitOf(c.reader, id)
		if err != nil {
			continue // Reading the history has reported it.
		}
		from, ok := sourceOf(commit, c.run.in.Rules.Trailer)
		if !ok {
			continue
		}
		if node, in := g.Node(from); in && covered[node] {
			continue
		}
		if wrong++; wrong <= mostCommits {
			c.mismatch(Mismatch{Kind: ForgedTrailer, Commit: id.String(), Detail: fmt.Sprintf("it was there when the mirror was taken over; source commit %s is not behind the one at which that was", from)})
		}
	}
	if wrong > mostCommits {
		c.mismatch(Mismatch{Kind: ForgedTrailer, Detail: fmt.Sprintf("%d more commits from before the mirror was taken over name other source commits", wrong-mostCommits)})
	}
	return nil
}
