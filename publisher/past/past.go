// Package past reads, once and before anything is computed, what there is already:
// where each mirror stands, what somebody else put there, what an earlier run
// remembers, and the source's history down to what is known.
//
// The result is a value. Whether what is remembered fits source and mirrors is
// found out here, and where it does not, it is left out: what is computed from a
// [Past] never has to be computed again.
//
// A mirror stands where its refs say, and a commit in it stands for the source
// commit that its trailer names. Where the rules say that a mirror was taken over,
// all that is behind the commits that they name is somebody else's, and stands for
// source commits as foreign.go says. Nothing else makes history in a mirror
// foreign: no ref, and nothing that could be written there by who can push.
package past

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"k8s.io/publisher/cache"
	"k8s.io/publisher/mirror"
	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
	"k8s.io/publisher/projection"
	"k8s.io/publisher/source"
	"k8s.io/publisher/spec"
)

// Input is what the past is read from.
type Input struct {
	Source *source.Repository
	Specs  *spec.Specs
	// Trailer is the key of the trailer that names the source commit.
	Trailer string
	// Mirrors is the folder of the mirrors.
	Mirrors string
	// Open, where not nil, opens the mirror of a destination in the place of the one
	// in that folder: who follows remotes brings it to where its remote is first. It
	// is called for many at a time.
	Open func(ctx context.Context, d *spec.Destination) (*mirror.Mirror, error)
	// Cache is what earlier runs left; nil does without.
	Cache *cache.Cache
	// Ended asks for the history behind branches that follow their source no
	// more: who proves mirrors wants it.
	Ended bool

	Log *slog.Logger
	// Progress, where not nil, is told what is being done.
	Progress func(what string, done, total int)
}

// Past is what there is already.
type Past struct {
	// Graph is the source's history, down to what is remembered.
	Graph *source.Graph
	// Heads are the source's branches that are published, by name.
	Heads map[string]object.ID
	// Mirrors are the mirrors by destination; each is there.
	Mirrors map[string]*Mirror
	// Ended are the branches that follow their source no more, by destination.
	Ended map[string][]Ended
	// Objects are those of all mirrors together; nil where there are none.
	Objects *odb.Store

	in        Input
	memory    *cache.Memory
	wanted    [][]bool          // by the number of the spec
	mainlines map[string][]bool // the new nodes on each source branch's
}

// Mirror is one mirror, which need not exist yet.
type Mirror struct {
	*mirror.Mirror
	// Err is why it cannot be used. It has no refs then.
	Err error
	// Tips are where its branches stand.
	Tips map[string]Tip

	store   *odb.Store
	foreign *foreign
	trailer string
}

// Tip is the end of a mirror's branch, and the source commit that it stands for:
// zero where nothing tells.
type Tip struct{ Commit, Source object.ID }

// Read reads the past. Mirrors that cannot be read have an Err; any other error is
// about the source or this machine.
func Read(ctx context.Context, in Input) (_ *Past, err error) {
	p := &Past{in: in, Heads: make(map[string]object.ID), Mirrors: make(map[string]*Mirror), Ended: make(map[string][]Ended)}
	defer func() {
		if err != nil {
			p.Close()
		}
	}()
	if err := p.readMirrors(ctx); err != nil {
		return nil, err
	}
	for _, d := range in.Specs.All() {
		for _, b := range d.Branches {
			if head, ok := in.Source.Branch(b.Source); ok && !b.Skipped {
				p.Heads[b.Source] = head
			}
		}
	}
	if in.Ended {
		if err := p.findEnded(); err != nil {
			return nil, err
		}
	}
	p.memory = in.Cache.Memory(in.Specs.Key)
	if err := p.load(ctx); err != nil {
		return nil, err
	}
	reason, err := p.unfit()
	if err != nil {
		return nil, err
	}
	if reason != "" {
		in.Log.Info("computing everything again", "reason", reason)
		p.memory = nil
		if err := p.load(ctx); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// Close closes the mirrors.
func (p *Past) Close() {
	for _, m := range p.Mirrors {
		if m.store != nil {
			m.store.Close()
		}
	}
	if p.Objects != nil {
		p.Objects.Close()
	}
}

// readMirrors reads the refs of all mirrors and opens their objects.
func (p *Past) readMirrors(ctx context.Context) error {
	open := p.in.Open
	if open == nil {
		open = func(_ context.Context, d *spec.Destination) (*mirror.Mirror, error) {
			return mirror.Open(mirror.Path(p.in.Mirrors, d.Name))
		}
	}
	var group sync.WaitGroup
	for _, d := range p.in.Specs.All() {
		m := &Mirror{Mirror: new(mirror.Mirror), Tips: make(map[string]Tip), trailer: p.in.Trailer}
		p.Mirrors[d.Name] = m
		group.Go(func() {
			state, err := open(ctx, d)
			if err == nil {
				m.Mirror = state
				err = m.open(d)
			}
			m.Err = err
		})
	}
	group.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var dirs []string
	for _, d := range p.in.Specs.All() {
		if m := p.Mirrors[d.Name]; m.Err == nil && m.Exists {
			dirs = append(dirs, m.ObjectsDir())
		}
	}
	if len(dirs) == 0 {
		return nil
	}
	var err error
	if p.Objects, err = odb.Open(dirs...); err != nil {
		return fmt.Errorf("open mirrors: %w", err)
	}
	return nil
}

// open reads where the mirror's branches stand, and what in it is foreign.
func (m *Mirror) open(d *spec.Destination) error {
	var bases []spec.Base
	if len(d.Specs) > 0 {
		bases = d.Specs[0].Bases // The others have the same in another order.
	}
	if !m.Exists {
		if len(bases) > 0 {
			return fmt.Errorf("the rules say that it was taken over at commit %s, but there is no mirror %s: fetch it first", bases[0].Commit, m.Dir)
		}
		return nil
	}
	var err error
	if m.store, err = odb.Open(m.ObjectsDir()); err != nil {
		return fmt.Errorf("open mirror %s: %w", m.Dir, err)
	}
	if err := m.CheckObjects(m.store); err != nil {
		return err
	}
	reader := m.store.Reader()
	if len(bases) > 0 {
		if m.foreign, err = readForeign(reader, bases, m.trailer); err != nil {
			return fmt.Errorf("read mirror %s: %w", m.Dir, err)
		}
	}
	for ref, r := range m.Refs() {
		name, ok := strings.CutPrefix(ref, "refs/heads/")
		if !ok {
			continue
		}
		id := r.ID
		tip := Tip{Commit: id}
		if base := m.foreign.base(name); base != nil && base.Commit == id {
			tip.Source = base.source
		} else if c, err := commitAt(reader, id); err != nil {
			return fmt.Errorf("read mirror %s: branch %s: %w", m.Dir, name, err)
		} else {
			tip.Source, _ = c.SourceCommit(m.trailer)
		}
		m.Tips[name] = tip
	}
	return nil
}

func commitAt(reader *odb.Reader, id object.ID) (*object.Commit, error) {
	data, err := reader.Commit(id)
	if err != nil {
		return nil, err
	}
	c, err := object.ParseCommit(data)
	if err != nil {
		return nil, fmt.Errorf("commit %s: %w", id, err)
	}
	return c, nil
}

// load reads the source's history down to what is remembered.
func (p *Past) load(ctx context.Context) (err error) {
	var heads []object.ID
	for _, d := range p.in.Specs.All() {
		for _, b := range d.Branches {
			if head, ok := p.Heads[b.Source]; ok && !b.Skipped && !slices.Contains(heads, head) {
				heads = append(heads, head)
			}
		}
		for _, e := range p.Ended[d.Name] {
			heads = append(heads, e.heads()...)
		}
	}
	var known func(object.ID) bool
	if p.memory != nil {
		known = p.memory.Known
	}
	p.Graph, err = source.Load(ctx, p.in.Source.Store, heads, p.in.Specs.Dirs(), known, func(n int) { p.report("reading commits", n) })
	if err != nil {
		return err
	}
	p.findWanted()
	p.findMainlines()
	return nil
}

func (p *Past) report(what string, done int) {
	if p.in.Progress != nil {
		p.in.Progress(what, done, 0)
	}
}

// findWanted marks, for each spec, the nodes that its branches, or branches that
// may pin it, can reach.
func (p *Past) findWanted() {
	heads := make([][]int32, len(p.in.Specs.Ordered))
	want := func(sp *spec.Spec, commit object.ID) {
		n, ok := p.Graph.Node(commit)
		if !ok {
			return
		}
		for _, of := range append([]*spec.Spec{sp}, sp.Deps...) {
			heads[of.Number] = append(heads[of.Number], n)
		}
	}
	for _, d := range p.in.Specs.All() {
		for _, b := range d.Branches {
			if !b.Skipped {
				want(b.Spec, p.Heads[b.Source])
			}
		}
		for _, e := range p.Ended[d.Name] {
			for _, sp := range d.Specs {
				for _, head := range e.heads() {
					want(sp, head)
				}
			}
		}
	}
	p.wanted = make([][]bool, len(heads))
	for i := range heads {
		p.wanted[i] = p.Graph.Ancestors(heads[i]...)
	}
}

// findMainlines follows the first parents of all source branches.
func (p *Past) findMainlines() {
	g := p.Graph
	p.mainlines = make(map[string][]bool)
	for branch, head := range p.Heads {
		on := make([]bool, g.Len())
		for n, ok := g.Node(head); ok && !g.Known[n]; n = g.Parents[n][0] {
			on[n] = true
			if len(g.Parents[n]) == 0 {
				break
			}
		}
		p.mainlines[branch] = on
	}
}

// unfit says why what is remembered cannot be used with this source and these
// mirrors; it is empty where it can.
func (p *Past) unfit() (reason string, err error) {
	if p.memory == nil {
		return "", nil
	}
	g := p.Graph
	for branch, head := range p.Heads {
		for n, ok := g.Node(head); ok; n = g.Parents[n][0] {
			if g.Known[n] && !slices.Contains(p.memory.OnMainlines(g.IDs[n]), branch) {
				return "source branch " + branch + " goes on from another line than its own", nil
			}
			if len(g.Parents[n]) == 0 {
				break
			}
		}
	}
	for _, sp := range p.in.Specs.Ordered {
		of := p.memory.Past(sp.Number)
		for n, known := range g.Known {
			if !known || !p.wanted[sp.Number][n] {
				continue
			}
			if _, _, ok := of.At(g.IDs[n]); !ok {
				return fmt.Sprintf("source commit %s has come to further branches", g.IDs[n]), nil
			}
		}
	}
	for _, d := range p.in.Specs.All() {
		if m := p.Mirrors[d.Name]; m.Err == nil {
			if reason, err := p.lost(d, m); reason != "" || err != nil {
				return reason, err
			}
		}
	}
	return "", nil
}

// lost says which commit a mirror does not have that new ones would stand on:
// somebody has removed the mirror, or restored an old one, or no branch has needed
// the commit before.
func (p *Past) lost(d *spec.Destination, m *Mirror) (reason string, err error) {
	for _, sp := range d.Specs {
		var heads []int32
		for _, b := range d.Branches {
			if n, ok := p.Graph.Node(p.Heads[b.Source]); ok && b.Spec == sp && !b.Skipped {
				heads = append(heads, n)
			}
		}
		of := p.memory.Past(sp.Number)
		for n, reached := range p.Graph.Ancestors(heads...) {
			if !reached || !p.Graph.Known[n] {
				continue
			}
			i, _, _ := of.At(p.Graph.IDs[n])
			if i == projection.None {
				continue
			}
			c, err := of.Commit(i)
			if err != nil {
				return "", err
			}
			if m.store == nil || !m.store.Has(c.ID) {
				return fmt.Sprintf("commit %s is not in %s", c.ID, m.Dir), nil
			}
		}
	}
	return "", nil
}

// Wanted marks the nodes that matter to a spec.
func (p *Past) Wanted(sp *spec.Spec) []bool { return p.wanted[sp.Number] }

// Of returns what is known of a spec's projection; nil where that is nothing.
func (p *Past) Of(sp *spec.Spec) projection.Past {
	switch {
	case p.memory != nil:
		return p.memory.Past(sp.Number)
	case len(sp.Bases) > 0:
		if f := p.Mirrors[sp.Bases[0].Destination].foreign; f != nil {
			return f.view(p.Graph, sp.Bases)
		}
	}
	return nil
}

// OnMainlines lists the source branches whose mainline a commit is on.
func (p *Past) OnMainlines(commit object.ID) (branches []string) {
	if n, ok := p.Graph.Node(commit); ok && !p.Graph.Known[n] {
		for branch, on := range p.mainlines {
			if on[n] {
				branches = append(branches, branch)
			}
		}
	} else if p.memory != nil {
		for _, branch := range p.memory.OnMainlines(commit) {
			if _, there := p.Heads[branch]; there {
				branches = append(branches, branch)
			}
		}
	}
	return branches
}

// Mainlines marks, for each source branch, the nodes on its mainline that are not
// remembered.
func (p *Past) Mainlines() map[string][]bool { return p.mainlines }

// Incremental reports whether an earlier run is remembered.
func (p *Past) Incremental() bool { return p.memory != nil }

// Tag returns what an earlier run made of a source tag, if the mirror has it under
// all of these names.
func (p *Past) Tag(destination, name string, tag object.ID, names []string) (cache.TagRecord, bool) {
	m := p.Mirrors[destination]
	if p.memory == nil || m.Err != nil {
		return cache.TagRecord{}, false
	}
	record, ok := p.memory.Tag(destination, name, tag)
	if !ok || len(record.Objects) != len(names) {
		return cache.TagRecord{}, false
	}
	for i, name := range names {
		if have, ok := m.Ref("refs/tags/" + name); !ok || have != record.Objects[i] {
			return cache.TagRecord{}, false
		}
	}
	return record, true
}

// Commit is a commit of a mirror and the source commit that its trailer names,
// which is zero where it names none.
type Commit struct {
	ID, Source object.ID
	*object.Commit
}

// FirstParents follows a mirror's history from a commit on. It ends early, with an
// error in *err, where that cannot be read.
func (m *Mirror) FirstParents(from object.ID, err *error) iter.Seq[Commit] {
	return func(yield func(Commit) bool) {
		reader := m.store.Reader()
		for id := from; ; {
			c, failed := commitAt(reader, id)
			if failed != nil {
				*err = fmt.Errorf("read mirror %s: %w", m.Dir, failed)
				return
			}
			source, _ := c.SourceCommit(m.trailer)
			if !yield(Commit{id, source, c}) || len(c.Parents) == 0 {
				return
			}
			id = c.Parents[0]
		}
	}
}
