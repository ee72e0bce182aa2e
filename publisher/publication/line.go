package publication

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"k8s.io/publisher/object"
	"k8s.io/publisher/pathspec"
	"k8s.io/publisher/projection"
)

// line is a spec with its projection, and the versions of its module.
type line struct {
	*spec
	deps       []*line
	projection *projection.Projection
	err        error
	// paths and branchVersions hold, by index of the projected commit, the
	// module path and the *version that a branch's commit is pinned by.
	paths, branchVersions sync.Map
	// manifests holds the *manifest of pinned trees, by tree.
	manifests sync.Map
	warnings  *warnings
}

// project computes the projection of a spec, whose dependencies come before it.
func (p *Publication) project(ctx context.Context, number int, sp *spec, remove *pathspec.Set) {
	l := &line{spec: sp, warnings: new(warnings)}
	p.lines[sp] = l
	p.Projections = append(p.Projections, nil)
	for _, dep := range sp.deps {
		on := p.lines[dep]
		if on.err != nil {
			l.err = fmt.Errorf("what it depends on failed: %w", on.err)
			return
		}
		l.deps = append(l.deps, on)
	}
	c := p.config
	own := c.worker()
	directory := projection.NewDirectory(sp.dirs, remove, own.objects, func(t object.Type, data []byte) (object.ID, error) {
		return c.Scratch.Put(t, data, nil)
	})
	perDir := make([][]object.ID, len(sp.dirs))
	for i, dir := range sp.dirs {
		perDir[i] = p.Graph.Trees(dir)
	}
	trees := make([]object.ID, len(sp.dirs))
	in := projection.Input{
		Graph: p.Graph, Wanted: p.wanted(sp), Trailer: c.Rules.Trailer,
		Trees: func(n int32) (object.ID, error) {
			for i := range perDir {
				trees[i] = perDir[i][n]
			}
			return directory.Tree(trees)
		},
	}
	if c.Keep {
		in.Put = func(t object.Type, data []byte) (object.ID, error) { return c.Scratch.Put(t, data, nil) }
	}
	switch {
	case p.memory != nil:
		in.Past = p.memory.Past(number)
		if l.err = p.checkBoundary(in); l.err != nil {
			return
		}
	case sp.took != nil:
		in.Past, l.err = sp.took.past(p.Graph, c.Mirrors.Reader(), c.Rules.Trailer)
		if l.err != nil {
			return
		}
	}
	if sp.pinned && len(l.deps) > 0 {
		in.Rewriter = func() func(int32, object.ID) (object.ID, error) {
			w := c.worker()
			return func(n int32, tree object.ID) (object.ID, error) {
				if err := ctx.Err(); err != nil {
					return object.ID{}, err
				}
				at := func(dep *line) (int32, error) {
					if !dep.projection.Present[n] {
						return projection.None, nil
					}
					return dep.projection.At[n], nil
				}
				paths, err := w.siblings(l, at)
				if err != nil {
					return object.ID{}, err
				}
				return w.pinTree(l, p.Graph.IDs[n], tree, paths, func(dep *line) (*version, error) {
					return w.branchVersion(dep, dep.projection.At[n])
				})
			}
		}
	}
	l.projection, l.err = projection.Compute(in)
	p.Projections[number] = l.projection
}

// checkBoundary returns ErrStale where history that the memory ends at is new to
// a projection: it was another branch's only, until it was merged.
func (p *Publication) checkBoundary(in projection.Input) error {
	for n, known := range p.Graph.Known {
		if !known || !in.Wanted[n] {
			continue
		}
		if _, _, ok := in.Past.At(p.Graph.IDs[n]); !ok {
			return fmt.Errorf("%w: source commit %s has come to further branches", ErrStale, p.Graph.IDs[n])
		}
	}
	return nil
}

// wanted marks the nodes that a spec's branches, or branches that pin it, can
// reach.
func (p *Publication) wanted(sp *spec) []bool {
	g := p.Graph
	wanted := make([]bool, g.Len())
	for _, d := range p.Destinations {
		for _, b := range d.Branches {
			of := p.specs.of[branchRef{d.Name, b.Name}]
			if n, ok := g.Node(b.Head); ok && (of == sp || slices.Contains(of.deps, sp)) {
				wanted[n] = true
			}
		}
		for _, e := range p.config.Ended[d.Name] {
			for _, of := range p.specs.owned[d.Name] {
				for _, head := range e.heads() {
					if n, ok := g.Node(head); ok && (of == sp || slices.Contains(of.deps, sp)) {
						wanted[n] = true
					}
				}
			}
		}
	}
	for n := int32(g.Len()) - 1; n >= 0; n-- {
		if wanted[n] {
			for _, parent := range g.Parents[n] {
				wanted[parent] = true
			}
		}
	}
	return wanted
}
