package publication

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/publisher/object"
	"k8s.io/publisher/source"
)

// load reads the history behind all branches.
func (p *Publication) load(ctx context.Context) (err error) {
	var heads []object.ID
	for _, d := range p.Destinations {
		for _, b := range d.Branches {
			if !b.Head.IsZero() && !slices.Contains(heads, b.Head) {
				heads = append(heads, b.Head)
			}
		}
		for _, e := range p.config.Ended[d.Name] {
			heads = append(heads, e.heads()...)
		}
	}
	var dirs []string
	for _, sp := range p.specs.ordered {
		dirs = append(dirs, sp.dirs...)
	}
	slices.Sort(dirs)
	var known func(object.ID) bool
	if p.memory != nil {
		known = p.memory.Known
	}
	p.Graph, err = source.Load(ctx, p.config.Source.Store, heads, slices.Compact(dirs), known, func(n int) {
		p.config.Progress("reading commits", n, 0)
	})
	return err
}

// mainlines follows the first parents of all source branches.
func (p *Publication) mainlines() error {
	p.Mainlines = make(map[string][]object.ID)
	p.onMain = make(map[string]map[object.ID]bool)
	g := p.Graph
	for _, d := range p.Destinations {
		for _, b := range d.Branches {
			if _, done := p.onMain[b.Source]; done || b.Head.IsZero() {
				continue
			}
			on := make(map[object.ID]bool)
			var line []object.ID
			for n, _ := g.Node(b.Head); ; n = g.Parents[n][0] {
				if g.Known[n] {
					if !p.memory.Mainline(b.Source, g.IDs[n]) {
						return fmt.Errorf("%w: source branch %s was rewritten", ErrStale, b.Source)
					}
					break
				}
				on[g.IDs[n]] = true
				line = append(line, g.IDs[n])
				if len(g.Parents[n]) == 0 {
					break
				}
			}
			p.onMain[b.Source], p.Mainlines[b.Source] = on, line
		}
	}
	return nil
}

// OnMainline reports whether a commit is on a source branch's mainline.
func (p *Publication) OnMainline(branch string, commit object.ID) bool {
	if p.onMain[branch][commit] {
		return true
	}
	return p.memory != nil && p.memory.Mainline(branch, commit)
}
