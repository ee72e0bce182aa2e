// Package projection rewrites the history of a monorepo into the history of
// one of its directories.
//
// The projection P(S) of a source commit S is decided by S, its parents'
// projections and the rules alone, so it is the same on every machine and in
// every order of runs:
//
//   - Where the directory's tree in S equals its tree in S's first parent, S is
//     not published: P(S) is the first parent's projection.
//   - Where the directory is absent in S, S is not published either; the first
//     parent's projection is passed on as lineage, so that a directory that
//     returns continues the history it had, and its branch fast-forwards.
//   - Otherwise P(S) is a new commit. Its tree is the directory's, pinned; its
//     parents are the projections of S's parents in their order, without
//     repeats and without those that are ancestors of one before them; author,
//     committer, dates and encoding are S's; the message is S's with a trailer
//     that names S. Signatures are dropped, as they no longer hold.
//
// The work is done in three steps, since only the last one is inherently
// sequential: first the shape of the new history, then the trees (in
// parallel), then the commits, whose hashes depend on each other.
package projection

import (
	"bytes"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

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
	// Rewriter returns a function that turns the directory's tree at a node
	// into the tree to publish. It is called once for each worker; nil
	// publishes trees as they are.
	Rewriter func() func(node int32, tree object.ID) (object.ID, error)
	// Put stores the commits; nil only names them.
	Put func(t object.Type, data []byte) (object.ID, error)
}

// Projection is the history of a directory.
type Projection struct {
	// At is, for each node of the graph, the index of the commit that stands
	// for it, or None. Nodes that were not wanted have None.
	At []int32
	// Present tells where the directory exists.
	Present []bool
	// Wanted tells the nodes that were looked at; nil is all.
	Wanted []bool

	graph   *source.Graph
	past    Past
	base    int32
	commits []Commit
	nodes   []int32 // the node of each new commit
	visited []uint32
	stamp   uint32
}

// Compute projects the graph.
func Compute(in Input) (*Projection, error) {
	p := &Projection{
		graph: in.Graph, past: in.Past, Wanted: in.Wanted,
		At: make([]int32, in.Graph.Len()), Present: make([]bool, in.Graph.Len()),
	}
	if p.past != nil {
		p.base = p.past.Len()
	}
	trees, err := p.shape(in)
	if err != nil {
		return nil, err
	}
	if err := p.rewrite(in, trees); err != nil {
		return nil, err
	}
	if err := p.name(in); err != nil {
		return nil, err
	}
	p.visited = nil
	return p, nil
}

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
	return p.past.Commit(i)
}

// Node returns the graph's node of a new commit.
func (p *Projection) Node(i int32) int32 { return p.nodes[i-p.base] }

// shape decides which nodes are published and with which parents.
func (p *Projection) shape(in Input) ([]object.ID, error) {
	g := in.Graph
	trees := make([]object.ID, g.Len())
	for n := range int32(g.Len()) {
		p.At[n] = None
		if in.Wanted != nil && !in.Wanted[n] {
			continue
		}
		tree, err := in.Trees(n)
		if err != nil {
			return nil, fmt.Errorf("source commit %s: %w", g.IDs[n], err)
		}
		trees[n] = tree
		if p.past != nil {
			if i, present, ok := p.past.At(g.IDs[n]); ok {
				p.At[n], p.Present[n] = i, present && !tree.IsZero()
				continue
			}
		}
		first := None
		if parents := g.Parents[n]; len(parents) > 0 {
			first = parents[0]
		}
		p.Present[n] = !tree.IsZero()
		if tree.IsZero() {
			if first != None {
				p.At[n] = p.At[first]
			}
			continue
		}
		if first != None && p.Present[first] && p.At[first] != None && trees[first] == tree {
			p.At[n] = p.At[first]
			continue
		}
		c := Commit{Source: g.IDs[n], Generation: 1}
		if c.Parents, err = p.parents(g.Parents[n]); err != nil {
			return nil, err
		}
		for _, q := range c.Parents {
			generation, err := p.generation(q)
			if err != nil {
				return nil, err
			}
			c.Generation = max(c.Generation, generation+1)
		}
		p.At[n] = p.Len()
		p.commits = append(p.commits, c)
		p.nodes = append(p.nodes, n)
	}
	return trees, nil
}

// parents projects the parents of a node.
func (p *Projection) parents(nodes []int32) ([]int32, error) {
	var out []int32
next:
	for _, n := range nodes {
		q := p.At[n]
		if q == None || slices.Contains(out, q) {
			continue
		}
		for _, before := range out {
			is, err := p.IsAncestor(q, before)
			if err != nil {
				return nil, err
			}
			if is {
				continue next
			}
		}
		out = append(out, q)
	}
	return out, nil
}

func (p *Projection) generation(i int32) (uint32, error) {
	if i >= p.base {
		return p.commits[i-p.base].Generation, nil
	}
	c, err := p.past.Commit(i)
	return c.Generation, err
}

// IsAncestor reports whether a is b or can be reached from it. It looks only
// at commits of a larger generation than a's.
func (p *Projection) IsAncestor(a, b int32) (bool, error) {
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

// stretch is how many commits a worker takes at once: enough that it meets the
// same files again, few enough that workers end together.
const stretch = 64

// rewrite computes the new commits' trees.
func (p *Projection) rewrite(in Input, trees []object.ID) error {
	if in.Rewriter == nil {
		for i, n := range p.nodes {
			p.commits[i].Tree = trees[n]
		}
		return nil
	}
	var next atomic.Int64
	var group sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	failures := make([]error, workers)
	where := make([]int, workers)
	for w := range workers {
		group.Go(func() {
			rewriter := in.Rewriter()
			for {
				from := int(next.Add(stretch)) - stretch
				if from >= len(p.commits) {
					return
				}
				for i := from; i < min(from+stretch, len(p.commits)); i++ {
					tree, err := rewriter(p.nodes[i], trees[p.nodes[i]])
					if err != nil {
						failures[w], where[w] = fmt.Errorf("source commit %s: %w", p.commits[i].Source, err), i
						next.Store(int64(len(p.commits)))
						return
					}
					p.commits[i].Tree = tree
				}
			}
		})
	}
	group.Wait()
	var first error
	at := len(p.commits)
	for w, err := range failures {
		if err != nil && where[w] < at {
			first, at = err, where[w]
		}
	}
	return first
}

// name encodes the new commits and computes their IDs.
func (p *Projection) name(in Input) error {
	for i := range p.commits {
		c := &p.commits[i]
		if err := p.encode(in, c, in.Graph.Raw[p.nodes[i]]); err != nil {
			return fmt.Errorf("source commit %s: %w", c.Source, err)
		}
	}
	return nil
}

func (p *Projection) encode(in Input, c *Commit, raw []byte) error {
	from, err := object.ParseCommit(raw)
	if err != nil {
		return err
	}
	c.Time = NoTime
	if date, err := from.CommitTime(); err == nil {
		c.Time = date.Unix()
	}
	to := object.Commit{Tree: c.Tree, Author: from.Author, Committer: from.Committer}
	for _, q := range c.Parents {
		parent, err := p.Commit(q)
		if err != nil {
			return err
		}
		to.Parents = append(to.Parents, parent.ID)
	}
	if encoding, ok := from.Header("encoding"); ok {
		to.Headers = []object.Header{{Key: "encoding", Value: encoding}}
	}
	to.Message = object.AppendTrailer(bytes.Clone(from.Message), in.Trailer, c.Source.String())
	data := to.Encode()
	if in.Put == nil {
		c.ID = object.Hash(object.CommitType, data)
		return nil
	}
	c.ID, err = in.Put(object.CommitType, data)
	return err
}
