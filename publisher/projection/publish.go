package projection

import (
	"bytes"
	"fmt"
	"sync"
	"sync/atomic"

	"k8s.io/publisher/object"
)

// stretch is how many commits a worker takes at once: enough that it meets the
// same files again, few enough that workers end together.
const stretch = 64

// Publish makes the new commits' trees and then names the commits. The rewriters
// work in parallel; where there are none, trees are published as they are.
func (p *Projection) Publish(rewriters []Rewriter) error {
	if len(rewriters) > 0 {
		if err := p.rewriteAll(rewriters); err != nil {
			return err
		}
	} else {
		for i, n := range p.nodes {
			p.commits[i].Tree = p.trees[n]
		}
	}
	for i := range p.commits {
		if err := p.name(i); err != nil {
			return err
		}
	}
	return nil
}

// PublishTogether makes and names the commits of several projections of one
// graph that are pinned to each other: source commit by source commit, so that
// all that stands for its ancestors has a name already.
func PublishTogether(all []*Projection, rewriters []Rewriter) error {
	next := make([]int, len(all))
	for n := range int32(all[0].in.Graph.Len()) {
		for k, p := range all {
			i := next[k]
			if i == len(p.nodes) || p.nodes[i] != n {
				continue
			}
			next[k]++
			if err := p.rewrite(i, rewriters[k]); err != nil {
				return err
			}
			if err := p.name(i); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *Projection) rewriteAll(rewriters []Rewriter) error {
	var next atomic.Int64
	var group sync.WaitGroup
	failures := make([]error, len(rewriters))
	where := make([]int, len(rewriters))
	for w, rewriter := range rewriters {
		group.Go(func() {
			for {
				from := int(next.Add(stretch)) - stretch
				if from >= len(p.commits) {
					return
				}
				for i := from; i < min(from+stretch, len(p.commits)); i++ {
					if err := p.rewrite(i, rewriter); err != nil {
						failures[w], where[w] = err, i
						next.Store(int64(len(p.commits)))
						return
					}
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

// rewrite makes the tree of the i-th new commit. A merge without the directory
// has that of its first parent, which is known when it is named.
func (p *Projection) rewrite(i int, rewriter Rewriter) (err error) {
	c, n := &p.commits[i], p.nodes[i]
	if p.trees[n].IsZero() || rewriter == nil {
		c.Tree = p.trees[n]
		return nil
	}
	if c.Tree, err = rewriter(n, p.trees[n]); err != nil {
		return fmt.Errorf("source commit %s: %w", c.Source, err)
	}
	return nil
}

// name encodes the i-th new commit and computes its ID. Its parents have theirs.
func (p *Projection) name(i int) error {
	c := &p.commits[i]
	if c.Tree.IsZero() {
		first, err := p.Commit(c.Parents[0])
		if err != nil {
			return err
		}
		c.Tree = first.Tree
	}
	if err := p.encode(c, p.in.Graph.Raw[p.nodes[i]]); err != nil {
		return fmt.Errorf("source commit %s: %w", c.Source, err)
	}
	return nil
}

func (p *Projection) encode(c *Commit, raw []byte) error {
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
	to.Message = object.AppendTrailer(bytes.Clone(from.Message), p.in.Trailer, c.Source.String())
	data := to.Encode()
	if p.in.Put == nil {
		c.ID = object.Hash(object.CommitType, data)
		return nil
	}
	c.ID, err = p.in.Put(object.CommitType, data)
	return err
}
