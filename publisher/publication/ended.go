package publication

import (
	"slices"

	"k8s.io/publisher/object"
	"k8s.io/publisher/projection"
)

// Ended is a branch of a mirror that follows its source no more: the rules list
// it among the ended ones, or skip its source branch. A sync leaves it alone;
// it is computed for who wants to prove what the mirror has.
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

// ended makes branches of those that ended: each has the projection, among
// those of its destination, that made its tip, or else any that could have.
func (p *Publication) ended() error {
	for _, d := range p.Destinations {
		for i := range p.config.Ended[d.Name] {
			if d.Err != nil {
				break
			}
			e := &p.config.Ended[d.Name][i]
			b, err := p.endedBranch(d, e)
			if err != nil {
				return err
			}
			d.Branches = slices.DeleteFunc(d.Branches, func(other *Branch) bool { return other.Name == e.Name })
			d.Branches = append(d.Branches, b)
		}
	}
	return nil
}

func (p *Publication) endedBranch(d *Destination, e *Ended) (*Branch, error) {
	b := &Branch{Name: e.Name, Head: e.Source, Ended: true, Commit: projection.None, Skipped: "the directory does not exist in the source commit that it names"}
	n, ok := p.Graph.Node(e.Source)
	if !ok {
		return b, nil
	}
	for _, sp := range p.specs.owned[d.Name] {
		l := p.lines[sp]
		if l.err != nil || l.projection.At[n] == projection.None {
			continue
		}
		i := l.projection.At[n]
		c, err := l.projection.Commit(i)
		if err != nil {
			return nil, err
		}
		if b.Projection == nil || c.ID == e.Tip {
			p.specs.of[branchRef{d.Name, b.Name}] = sp
			b.Projection, b.Commit, b.Tip, b.Skipped = l.projection, i, c.ID, ""
			b.mainline = p.endedMainline(l.projection, i, e)
		}
	}
	return b, nil
}

// endedMainline lists the source commits that tags of an ended branch can be
// on: the mainline up to its source commit, and beyond where nothing changed.
func (p *Publication) endedMainline(of *projection.Projection, tip int32, e *Ended) map[object.ID]bool {
	g := p.Graph
	on := make(map[object.ID]bool)
	for _, head := range e.heads() {
		for n, ok := g.Node(head); ok; {
			if on[g.IDs[n]] {
				break
			}
			if head == e.Source || of.At[n] == tip {
				on[g.IDs[n]] = true
			}
			if len(g.Parents[n]) == 0 {
				break
			}
			n = g.Parents[n][0]
		}
	}
	return on
}

// onMainline reports whether a commit is on the mainline that a branch follows,
// or followed.
func (p *Publication) onMainline(b *Branch, commit object.ID) bool {
	if b.Ended {
		return b.mainline[commit]
	}
	return p.OnMainline(b.Source, commit)
}

// Layout says where in the source a tree of a mirror comes from.
type Layout struct {
	// Dirs are the directories that it is the union of; the root is empty.
	Dirs []string
	// Siblings has the directories of each module that it may be pinned to.
	// There are none where the rules say that go.mod stays as it is.
	Siblings [][]string
}

func (sp *spec) layout() Layout {
	l := Layout{Dirs: sp.dirs}
	if sp.pinned {
		for _, dep := range sp.deps {
			l.Siblings = append(l.Siblings, dep.dirs)
		}
	}
	return l
}

// Layout returns where the commits of a destination's branch come from; ok is
// false where nothing tells.
func (p *Publication) Layout(destination, branch string) (l Layout, ok bool) {
	sp, ok := p.specs.of[branchRef{destination, branch}]
	if !ok {
		return l, false
	}
	return sp.layout(), true
}

// Layout returns where the tag's tree comes from.
func (t *Tag) Layout() Layout { return t.line.layout() }
