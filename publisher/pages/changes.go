package pages

import (
	"k8s.io/publisher/catalog"
)

// mostChanges is how many commits of one release a page lists.
const mostChanges = 200

// changed is what a release has that the one before has not.
type changed struct {
	*released
	// Before is the release before; nil for the first.
	Before *released
	// Commits are those of the mainline, the newest first. More counts what was left out.
	Commits []commitRow
	More    int
}

// lineage finds where two commits' mainlines part. Commits and their first parents
// are trees.
type lineage map[*catalog.Commit]int // how far each is from its root

func (l lineage) depth(c *catalog.Commit) int {
	var path []*catalog.Commit
	depth := 0
	for {
		if is, known := l[c]; known {
			depth = is
			break
		}
		path = append(path, c)
		if len(c.Parents) == 0 {
			break
		}
		c = c.Parents[0]
	}
	for i := len(path) - 1; i >= 0; i-- {
		depth++
		l[path[i]] = depth
	}
	return depth
}

// since returns the commits of a mainline that another one, which may be nil, does not
// have, the newest first.
func (l lineage) since(to, from *catalog.Commit) []*catalog.Commit {
	var all []*catalog.Commit
	a, b := l.depth(to), 0
	if from != nil {
		b = l.depth(from)
	}
	for to != nil && to != from {
		forward, other := a >= b, b >= a
		if forward {
			all = append(all, to)
			to, a = firstParent(to), a-1
		}
		if other {
			from, b = firstParent(from), b-1
		}
	}
	return all
}

// firstParent is nil for a root.
func firstParent(c *catalog.Commit) *catalog.Commit {
	if len(c.Parents) == 0 {
		return nil
	}
	return c.Parents[0]
}

// before are the releases before each release.
func (m *mirrored) before() map[*released]*released {
	before := make(map[*released]*released)
	var last *released
	for _, r := range m.Releases {
		if r.Version != "" {
			before[r] = last
			last = r
		}
	}
	return before
}

// changesOf lists what the releases of a minor version changed since those before, the
// newest first.
func (m *mirrored) changesOf(l lineage, of *minor, before map[*released]*released) []changed {
	var all []changed
	for _, r := range of.Releases {
		if r.Version == "" {
			continue
		}
		c := changed{released: r, Before: before[r]}
		var from *catalog.Commit
		if c.Before != nil {
			from = c.Before.Commit
		}
		for _, commit := range l.since(r.Commit, from) {
			if commit == r.Commit && commit.Source.IsZero() && len(commit.Parents) > 0 {
				continue // It was made for the tag alone, and changes pins.
			}
			if len(c.Commits) == mostChanges {
				c.More++
				continue
			}
			c.Commits = append(c.Commits, m.row(commit))
		}
		all = append(all, c)
	}
	return all
}
