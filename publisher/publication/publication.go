// Package publication computes what a source and its rules make: for each
// destination the branches, the tags and the commits of the mirror. It is a
// pure function of the source's objects and the rules; what the past knows
// already only saves time, but for the commits that the rules say were taken over.
// Whether any of it is in a mirror yet is for package plan to compare.
//
// The work goes in one direction: what stops a destination is found first
// (package refusal), each projection is computed after those of the modules that
// it pins, or together with them where they pin each other, and tags come last, as
// they stand on projected commits.
package publication

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"k8s.io/publisher/cache"
	"k8s.io/publisher/modhash"
	"k8s.io/publisher/modules"
	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
	"k8s.io/publisher/past"
	"k8s.io/publisher/pathspec"
	"k8s.io/publisher/projection"
	"k8s.io/publisher/refusal"
	"k8s.io/publisher/rules"
	"k8s.io/publisher/source"
	"k8s.io/publisher/spec"
)

// Config says what to compute and where.
type Config struct {
	Source *source.Repository
	Rules  *rules.Rules
	Specs  *spec.Specs
	Past   *past.Past
	// Scratch takes the objects that are made.
	Scratch *odb.Scratch
	// Keep puts the commits there too. A plan needs their names only.
	Keep bool
	// Sums remembers the hashes of blobs.
	Sums modhash.Sums

	// Progress, where not nil, is told what is being done; total is 0 where it
	// is not known.
	Progress func(what string, done, total int)
}

// Publication is all that is to be in the mirrors.
type Publication struct {
	Graph *source.Graph
	// Destinations are in an order in which dependencies come first.
	Destinations []*Destination

	config Config
	shop   *modules.Workshop
	// workers work in parallel. They last, as they remember what they have read;
	// what one goroutine does, the first does.
	workers []*modules.Worker
	remove  *pathspec.Set
	lines   []*line // by the numbers of their specs
}

// line is a module through its history, or why there is none.
type line struct {
	modules.Line
	err error
}

// Destination is one mirror.
type Destination struct {
	Name     string
	Branches []*Branch
	Tags     []*Tag
	// SkippedTags are source tags that yield nothing here.
	SkippedTags []Skipped
	Warnings    []modules.Warning
	// DependsOn names the destinations that it pins. In a circle, these come
	// after it, too.
	DependsOn []string
	// Err is why nothing can be published to it. Other destinations are not
	// concerned, except those that depend on it.
	Err error

	spec *spec.Destination
}

// Branch is a branch of a mirror.
type Branch struct {
	Name   string
	Source string
	// Head is the source branch's commit.
	Head object.ID
	// Skipped is why the branch is not published; empty where it is.
	Skipped string
	// Projection holds its commits; Commit is the index of its tip there.
	Projection *projection.Projection
	Commit     int32
	// Tip is the ID of that commit.
	Tip object.ID
	// Note is worth telling of a branch that is published.
	Note string
	// Ended tells that it is of [past.Past.Ended]. It has no Source.
	Ended bool

	spec     *spec.Spec
	mainline map[object.ID]bool // of an ended branch
}

// Skipped is something that is not published.
type Skipped struct {
	Name, Reason string
}

// Compute computes everything. An error concerns all destinations; those that
// concern one are in [Destination.Err]. It ends early, with ctx's error, when
// ctx is done.
func Compute(ctx context.Context, c Config) (*Publication, error) {
	if c.Progress == nil {
		c.Progress = func(string, int, int) {}
	}
	p := &Publication{
		Graph: c.Past.Graph, config: c, lines: make([]*line, len(c.Specs.Ordered)),
		shop: &modules.Workshop{Scratch: c.Scratch, Source: c.Source.Store, Mirrors: c.Past.Objects, Sums: c.Sums},
	}
	for range runtime.GOMAXPROCS(0) {
		p.workers = append(p.workers, p.shop.Worker())
	}
	var err error
	if p.remove, err = pathspec.Compile(c.Rules.RecursiveDeletePatterns); err != nil {
		return nil, fmt.Errorf("recursive-delete-patterns: %w", err)
	}
	p.destinations()
	if err := p.refuse(); err != nil {
		return nil, err
	}
	if err := p.project(ctx); err != nil {
		return nil, err
	}
	p.branches()
	if err := p.ended(); err != nil {
		return nil, err
	}
	p.stopDependents()
	c.Progress("tagging", 0, 0)
	if err := p.tags(ctx); err != nil {
		return nil, err
	}
	p.stopDependents()
	p.warn()
	p.forget()
	return p, ctx.Err()
}

// destinations lists what the rules ask for and finds the branches' heads.
func (p *Publication) destinations() {
	for _, s := range p.config.Specs.All() {
		d := &Destination{Name: s.Name, DependsOn: s.DependsOn, spec: s}
		for _, b := range s.Branches {
			branch := &Branch{Name: b.Name, Source: b.Source, Commit: projection.None, Head: p.config.Past.Heads[b.Source], spec: b.Spec}
			if b.Skipped {
				branch.Head, branch.Skipped = object.ID{}, "skip-source-branches names "+b.Source
			}
			d.Branches = append(d.Branches, branch)
		}
		p.Destinations = append(p.Destinations, d)
	}
}

// refuse stops the destinations that rules or source forbid to publish.
func (p *Publication) refuse() error {
	found, err := refusal.Find(p.config.Rules, p.config.Source)
	if err != nil {
		return err
	}
	for _, r := range found {
		if d := p.Destination(r.Destination); d != nil && r.Stops {
			d.Err = errors.Join(d.Err, r.Problem)
		}
	}
	return nil
}

// branches finds the branches' tips.
func (p *Publication) branches() {
	for _, d := range p.Destinations {
		for _, b := range d.Branches {
			l := p.lines[b.spec.Number]
			if d.Err == nil && l.err != nil {
				d.Err = fmt.Errorf("branch %s: %w", b.Name, l.err)
			}
			if d.Err == nil && b.Skipped == "" {
				d.Err = p.tip(d, b, l)
			}
		}
	}
}

func (p *Publication) tip(d *Destination, b *Branch, l *line) error {
	n, _ := p.Graph.Node(b.Head)
	at, from, taken := p.config.Past.Mirrors[d.Name].TakenOver(b.Name)
	if taken && !p.follows(n, from) {
		return fmt.Errorf("branch %s was taken over at %s, which stands for source commit %s; that is not in the history of source branch %s", b.Name, at, from, b.Source)
	}
	b.Projection, b.Commit = l.Projection, l.Projection.At[n]
	dirs := strings.Join(b.spec.Dirs, ", ")
	if b.Commit == projection.None {
		b.Skipped = fmt.Sprintf("directory %s has never existed on %s", dirs, b.Source)
		return nil
	}
	if !l.Projection.Present[n] {
		b.Note = fmt.Sprintf("directory %s is gone from %s; the branch stays at its last commit", dirs, b.Source)
	}
	c, err := l.Projection.Commit(b.Commit)
	b.Tip = c.ID
	return err
}

// follows reports whether a source commit is behind a head. What is remembered is.
func (p *Publication) follows(head int32, commit object.ID) bool {
	n, ok := p.Graph.Node(commit)
	if !ok {
		return p.config.Past.Incremental() && !commit.IsZero()
	}
	return p.Graph.Ancestors(head)[n]
}

// stopDependents stops what depends on a destination that cannot be published. In
// a circle, that can be what was looked at before.
func (p *Publication) stopDependents() {
	for again := true; again; {
		again = false
		for _, d := range p.Destinations {
			for _, on := range d.DependsOn {
				if dep := p.Destination(on); d.Err == nil && dep.Err != nil {
					d.Err = fmt.Errorf("it depends on %s, which cannot be published", on)
					again = true
				}
			}
		}
	}
}

// warn hands the warnings about each line to the destinations that publish it.
func (p *Publication) warn() {
	for _, d := range p.Destinations {
		for _, sp := range d.spec.Specs {
			d.Warnings = append(d.Warnings, p.lines[sp.Number].Warnings.List()...)
		}
	}
}

// forget lets go of what was only needed to compute.
func (p *Publication) forget() {
	p.shop, p.workers = nil, nil
	for _, l := range p.lines {
		l.Forget()
	}
}

// Destination returns a destination by its name, or nil.
func (p *Publication) Destination(name string) *Destination {
	for _, d := range p.Destinations {
		if d.Name == name {
			return d
		}
	}
	return nil
}

// Withhold leaves out what a source tag yields in a destination, so that the next run
// does not remember it as published.
func (p *Publication) Withhold(destination, source string) {
	d := p.Destination(destination)
	d.Tags = slices.DeleteFunc(d.Tags, func(t *Tag) bool { return t.Source == source })
}

// Trailer is the key of the trailer that names the source commit.
func (p *Publication) Trailer() string { return p.config.Rules.Trailer }

// Layout returns where the branch's tree comes from.
func (b *Branch) Layout() spec.Layout { return b.spec.Layout() }

// State returns what the next run may remember, once all of it is in the mirrors.
func (p *Publication) State() *cache.State {
	s := &cache.State{
		Key: p.config.Specs.Key, Graph: p.Graph, Incremental: p.config.Past.Incremental(), Mainlines: p.config.Past.Mainlines(),
	}
	for _, l := range p.lines {
		s.Projections = append(s.Projections, l.Projection)
	}
	for _, d := range p.Destinations {
		for _, t := range d.Tags {
			if t.Foreign != nil {
				continue // Whether it is as it was is to be looked at each time.
			}
			s.Tags = append(s.Tags, cache.Tag{
				Destination: d.Name, Name: t.Source, Object: t.Object,
				TagRecord: cache.TagRecord{Objects: t.Objects, Target: t.Target, Tree: t.Tree, Parent: t.Parent},
			})
		}
	}
	return s
}

// project computes all projections: each after those that it is pinned to, or
// with them where they are pinned to each other.
func (p *Publication) project(ctx context.Context) error {
	all := p.config.Specs.Ordered
	for from := 0; from < len(all); {
		to := from + 1
		for to < len(all) && all[to].InCircle(all[from]) {
			to++
		}
		p.config.Progress("projecting "+strings.Join(all[from].Dirs, " + "), from, len(all))
		p.projectTogether(ctx, all[from:to])
		from = to
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

func (p *Publication) projectTogether(ctx context.Context, group []*spec.Spec) {
	var err error
	circle := false
	for _, sp := range group {
		l := &line{Line: modules.Line{Spec: sp}}
		p.lines[sp.Number] = l
		circle = circle || slices.ContainsFunc(sp.Deps, func(dep *spec.Spec) bool { return slices.Contains(group, dep) })
	}
	for _, sp := range group {
		l := p.lines[sp.Number]
		for _, dep := range sp.Deps {
			on := p.lines[dep.Number]
			if on.err != nil && !slices.Contains(group, dep) {
				l.err = fmt.Errorf("what it depends on failed: %w", on.err)
			}
			l.Deps = append(l.Deps, &on.Line)
		}
		if l.err == nil {
			l.Projection, l.err = projection.New(p.input(sp))
		}
		if l.err == nil && !circle {
			l.err = p.publish(ctx, l)
		}
		err = cmp.Or(err, l.err)
	}
	if !circle {
		return
	}
	if err == nil {
		var projections []*projection.Projection
		var rewriters []projection.Rewriter
		for _, sp := range group {
			l := p.lines[sp.Number]
			projections = append(projections, l.Projection)
			rewriters = append(rewriters, p.rewriter(ctx, l, p.workers[0]))
		}
		err = projection.PublishTogether(projections, rewriters)
	}
	for _, sp := range group {
		p.lines[sp.Number].err = err
	}
}

// input is what a spec's projection is computed from.
func (p *Publication) input(sp *spec.Spec) projection.Input {
	put := func(t object.Type, data []byte) (object.ID, error) { return p.config.Scratch.Put(t, data, nil) }
	directory := projection.NewDirectory(sp.Dirs, p.remove, p.workers[0].Objects, put)
	perDir := make([][]object.ID, len(sp.Dirs))
	for i, dir := range sp.Dirs {
		perDir[i] = p.Graph.Trees(dir)
	}
	trees := make([]object.ID, len(sp.Dirs))
	in := projection.Input{
		Graph: p.Graph, Wanted: p.config.Past.Wanted(sp), Past: p.config.Past.Of(sp), Trailer: p.config.Rules.Trailer,
		Trees: func(n int32) (object.ID, error) {
			for i := range perDir {
				trees[i] = perDir[i][n]
			}
			return directory.Tree(trees)
		},
	}
	if p.config.Keep {
		in.Put = put
	}
	return in
}

// publish makes a line's commits.
func (p *Publication) publish(ctx context.Context, l *line) error {
	if !l.Pinned() {
		return l.Projection.Publish(nil)
	}
	var rewriters []projection.Rewriter
	for _, w := range p.workers {
		rewriters = append(rewriters, p.rewriter(ctx, l, w))
	}
	return l.Projection.Publish(rewriters)
}

// rewriter pins the trees of a line's commits to siblings at the same source
// commit; within a circle, at what comes before it. It is nil where trees stay.
func (p *Publication) rewriter(ctx context.Context, l *line, w *modules.Worker) projection.Rewriter {
	if !l.Pinned() {
		return nil
	}
	return func(n int32, tree object.ID) (object.ID, error) {
		if err := ctx.Err(); err != nil {
			return object.ID{}, err
		}
		at := func(dep *modules.Line) (int32, error) {
			i, present := dep.Projection.At[n], dep.Projection.Present[n]
			if dep.Spec.InCircle(l.Spec) {
				var err error
				if i, present, err = dep.Projection.Before(n); err != nil {
					return projection.None, err
				}
			}
			if !present {
				return projection.None, nil
			}
			return i, nil
		}
		siblings, err := w.Siblings(&l.Line, at)
		if err != nil {
			return object.ID{}, err
		}
		pinned, err := w.Pin(&l.Line, p.Graph.IDs[n], tree, siblings, func(dep *modules.Line) (*modules.Version, error) {
			i, err := at(dep)
			if err != nil {
				return nil, err
			}
			return w.Fetchable(dep, i)
		})
		for _, r := range pinned.Left {
			l.Warnings.Add(fmt.Sprintf("requires %s %s, which nobody can fetch", r.Path, r.Version), p.Graph.IDs[n], nil)
		}
		return pinned.Tree, err
	}
}

// ended makes branches of those that ended: each has the projection, among
// those of its destination, that made its tip, or else any that could have.
func (p *Publication) ended() error {
	for _, d := range p.Destinations {
		for i := range p.config.Past.Ended[d.Name] {
			if d.Err != nil {
				break
			}
			e := &p.config.Past.Ended[d.Name][i]
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

func (p *Publication) endedBranch(d *Destination, e *past.Ended) (*Branch, error) {
	b := &Branch{Name: e.Name, Head: e.Source, Ended: true, Commit: projection.None, Skipped: "the directory does not exist in the source commit that it names"}
	n, ok := p.Graph.Node(e.Source)
	if !ok {
		return b, nil
	}
	for _, sp := range d.spec.Specs {
		l := p.lines[sp.Number]
		if l.err != nil || l.Projection.At[n] == projection.None {
			continue
		}
		i := l.Projection.At[n]
		c, err := l.Projection.Commit(i)
		if err != nil {
			return nil, err
		}
		if b.Projection == nil || c.ID == e.Tip {
			b.spec, b.Projection, b.Commit, b.Tip, b.Skipped = sp, l.Projection, i, c.ID, ""
			b.mainline = p.endedMainline(l.Projection, i, e)
		}
	}
	return b, nil
}

// endedMainline lists the source commits that tags of an ended branch can be
// on: the mainline up to its source commit, and beyond where nothing changed.
func (p *Publication) endedMainline(of *projection.Projection, tip int32, e *past.Ended) map[object.ID]bool {
	g := p.Graph
	on := make(map[object.ID]bool)
	for _, head := range append([]object.ID{e.Source}, e.Heads...) {
		for n, ok := g.Node(head); ok && !on[g.IDs[n]]; n = g.Parents[n][0] {
			if head == e.Source || of.At[n] == tip {
				on[g.IDs[n]] = true
			}
			if len(g.Parents[n]) == 0 {
				break
			}
		}
	}
	return on
}
