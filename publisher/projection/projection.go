// Package projection rewrites the history of a monorepo into the history of
// one of its directories.
//
// The projection P(S) of a source commit S is decided by S, its parents'
// projections and the rules alone, so it is the same on every machine and in
// every order of runs. Let the parents' projections be q1 to qn in the order of
// the parents, without those that are nothing and without repeats.
//
//   - Where the directory's tree in S equals its tree in S's first parent, and
//     all others of q1 to qn are ancestors of the first parent's projection, S is
//     not published: P(S) is the first parent's projection.
//   - Where the directory is absent in S, P(S) is the one of q1 to qn that has all
//     others as ancestors: it is passed on as lineage, so that a directory that
//     returns continues the history it had. Where none has, P(S) is a merge of
//     them with the tree of q1, which joins their histories.
//   - Otherwise P(S) is a new commit. Its tree is the directory's, pinned; its
//     parents are q1 to qn without those that are ancestors of one before them;
//     author, committer, dates and encoding are S's; the message is S's with a
//     trailer that names S. Signatures are dropped, as they no longer hold.
//
// So the projection of whatever S has in its history is an ancestor of P(S).
// Wherever a source branch is fast-forwarded, even to a merge of which it is not
// the first parent, its mirror can follow; and what a commit is pinned to is in
// the history of the sibling's branch.
//
// A history that came in from another root by a subtree merge starts, in a
// mirror, with the commit that brought it in: its own commits do not have the
// directory. "git subtree split" keeps them, as it trusts what commit messages
// say of the directory that a root stands for. Here a commit is published for
// what it has at the directory's path, and for nothing else.
//
// The work is done in three steps, since only the last one is inherently
// sequential: first the shape of the new history ([New]), then the trees (in
// parallel), then the commits, whose hashes depend on each other
// ([Projection.Publish]). Projections that are pinned to each other do the last
// two commit by commit, together ([PublishTogether]).
package projection

import (
	"fmt"
	"math"
	"slices"

	"k8s.io/publisher/object"
	"k8s.io/publisher/source"
)

// None stands for no projected commit.
const None int32 = -1

// Commit is a commit of a mirror.
type Commit struct {
	ID object.ID
	// Source is the commit that it stands for.
	Source object.ID
	// Tree is what it publishes, pins included.
	Tree object.ID
	// Parents are indexes into the same Projection.
	Parents []int32
	// Generation is one more than the largest of its parents', and 1 for a
	// root: an ancestor's is always smaller.
	Generation uint32
	// Time is the committer's date in seconds since 1970, or NoTime.
	Time int64
}

// NoTime is the date of a commit that has none that git can read.
const NoTime int64 = math.MinInt64

// Past is what is known of a projection before it is computed: from an earlier
// run, or because a mirror was filled by someone else.
type Past interface {
	// Len is the number of commits known; they have the indexes below it.
	Len() int32
	// Commit returns one of them.
	Commit(i int32) (Commit, error)
	// At returns where a source commit stands: the index of its projection
	// or None, and whether the directory exists in it. ok is false where
	// that is to be computed.
	At(source object.ID) (i int32, present, ok bool)
}

// Input is what a projection is computed from.
type Input struct {
	Graph *source.Graph
	// Trees gives the directory's tree for a node, before pinning; zero
	// where the directory is absent.
	Trees func(node int32) (object.ID, error)
	// Wanted tells the nodes that matter; their parents matter too. Nil is all.
	Wanted []bool
	// Past may be nil.
	Past Past
	// Trailer is the key of the trailer that names the source commit.
	Trailer string
	// Put stores the commits; nil only names them.
	Put func(t object.Type, data []byte) (object.ID, error)
}

// Rewriter turns the directory's tree at a node into the tree to publish.
type Rewriter func(node int32, tree object.ID) (object.ID, error)

// Projection is the history of a directory.
type Projection struct {
	// At is, for each node of the graph, the index of the commit that stands
	// for it, or None. Nodes that were not wanted have None.
	At []int32
	// Present tells where the directory exists.
	Present []bool

	in      Input
	base    int32
	commits []Commit
	nodes   []int32     // the node of each new commit
	trees   []object.ID // the directory at each node, before pinning
	visited []uint32
	stamp   uint32
}

// New finds the shape of a directory's history: which commits there are, and
// their parents. They have no names until they are published.
func New(in Input) (*Projection, error) {
	count := in.Graph.Len()
	p := &Projection{in: in, At: make([]int32, count), Present: make([]bool, count), trees: make([]object.ID, count)}
	if in.Past != nil {
		p.base = in.Past.Len()
	}
	for n := range int32(count) {
		p.At[n] = None
		if !p.Wants(n) {
			continue
		}
		if err := p.shape(n); err != nil {
			return nil, fmt.Errorf("source commit %s: %w", in.Graph.IDs[n], err)
		}
	}
	return p, nil
}

// Wants reports whether a node of the graph was looked at.
func (p *Projection) Wants(n int32) bool { return p.in.Wanted == nil || p.in.Wanted[n] }

// Base is the number of commits that were known before; those from Base on up
// to Len are new.
func (p *Projection) Base() int32 { return p.base }

// Len is the number of commits, known ones included.
func (p *Projection) Len() int32 { return p.base + int32(len(p.commits)) }

// Commit returns a commit by its index.
func (p *Projection) Commit(i int32) (Commit, error) {
	if i >= p.base {
		return p.commits[i-p.base], nil
	}
	return p.in.Past.Commit(i)
}

// Node returns the graph's node of a new commit.
func (p *Projection) Node(i int32) int32 { return p.nodes[i-p.base] }

// Lookup returns where a source commit stands: the index of the commit that
// stands for it, or None, and whether the directory exists in it. ok is false for
// commits that are not in the projection's history.
func (p *Projection) Lookup(commit object.ID) (i int32, present, ok bool) {
	if n, in := p.in.Graph.Node(commit); in && p.Wants(n) {
		return p.At[n], p.Present[n], true
	}
	if p.in.Past == nil {
		return None, false, false
	}
	return p.in.Past.At(commit)
}

// shape decides whether a node is published, and with which parents.
func (p *Projection) shape(n int32) error {
	g := p.in.Graph
	tree, err := p.in.Trees(n)
	if err != nil {
		return err
	}
	p.trees[n] = tree
	if p.in.Past != nil {
		if i, present, ok := p.in.Past.At(g.IDs[n]); ok {
			p.At[n], p.Present[n] = i, present && !tree.IsZero()
			return nil
		}
	}
	p.Present[n] = !tree.IsZero()
	heads := p.heads(n)
	if !p.Present[n] {
		if len(heads) == 0 {
			return nil
		}
		for _, q := range heads {
			if joins, err := p.covers(q, heads); err != nil || joins {
				p.At[n] = q
				return err
			}
		}
	} else if parents := g.Parents[n]; len(parents) > 0 {
		first := parents[0]
		if q := p.At[first]; q != None && p.Present[first] && p.trees[first] == tree {
			if same, err := p.covers(q, heads); err != nil || same {
				p.At[n] = q
				return err
			}
		}
	}
	c := Commit{Source: g.IDs[n], Generation: 1}
	if c.Parents, err = p.independent(heads); err != nil {
		return err
	}
	for _, q := range c.Parents {
		generation, err := p.generation(q)
		if err != nil {
			return err
		}
		c.Generation = max(c.Generation, generation+1)
	}
	p.At[n] = p.Len()
	p.commits = append(p.commits, c)
	p.nodes = append(p.nodes, n)
	return nil
}

// heads are the projections of a node's parents, in their order, each once.
func (p *Projection) heads(n int32) []int32 {
	var out []int32
	for _, parent := range p.in.Graph.Parents[n] {
		if q := p.At[parent]; q != None && !slices.Contains(out, q) {
			out = append(out, q)
		}
	}
	return out
}

// covers reports whether all of some commits are q or ancestors of it.
func (p *Projection) covers(q int32, all []int32) (bool, error) {
	for _, other := range all {
		if is, err := p.IsAncestor(other, q); err != nil || !is {
			return false, err
		}
	}
	return true, nil
}

// independent leaves out what is an ancestor of one before it.
func (p *Projection) independent(heads []int32) ([]int32, error) {
	var out []int32
next:
	for _, q := range heads {
		for _, before := range out {
			if is, err := p.IsAncestor(q, before); err != nil {
				return nil, err
			} else if is {
				continue next
			}
		}
		out = append(out, q)
	}
	return out, nil
}

// Before returns the newest commit that stands for an ancestor of a node other
// than the node itself, or None, and whether the directory exists there. Of
// several that are no ancestors of each other, it is that of the earliest parent.
func (p *Projection) Before(n int32) (i int32, present bool, err error) {
	heads := p.heads(n)
	for k, q := range heads {
		newest := true
		for _, other := range heads[k+1:] {
			is, err := p.IsAncestor(q, other)
			if err != nil {
				return None, false, err
			}
			newest = newest && !is
		}
		if !newest {
			continue
		}
		for _, parent := range p.in.Graph.Parents[n] {
			if p.At[parent] == q {
				present = present || p.Present[parent]
			}
		}
		return q, present, nil
	}
	return None, false, nil
}

func (p *Projection) generation(i int32) (uint32, error) {
	if i >= p.base {
		return p.commits[i-p.base].Generation, nil
	}
	c, err := p.in.Past.Commit(i)
	return c.Generation, err
}

// IsAncestor reports whether a is b or can be reached from it. Most often a's
// source commit is on the line of first parents behind b's, which the graph
// knows; else it looks at commits of a larger generation than a's.
func (p *Projection) IsAncestor(a, b int32) (bool, error) {
	if a == b {
		return true, nil
	}
	if a >= p.base && b >= p.base && p.in.Graph.OnLine(p.Node(a), p.Node(b)) {
		return true, nil
	}
	limit, err := p.generation(a)
	if err != nil {
		return false, err
	}
	p.stamp++
	if n := int(p.Len()); len(p.visited) < n {
		p.visited = append(p.visited, make([]uint32, n-len(p.visited))...)
	}
	stack := []int32{b}
	for len(stack) > 0 {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if i == a {
			return true, nil
		}
		if p.visited[i] == p.stamp {
			continue
		}
		p.visited[i] = p.stamp
		c, err := p.Commit(i)
		if err != nil {
			return false, err
		}
		if c.Generation > limit {
			stack = append(stack, c.Parents...)
		}
	}
	return false, nil
}
