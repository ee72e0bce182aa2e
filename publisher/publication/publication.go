// Package publication computes what a source and its rules make: for each
// destination the branches, the tags and the commits of the mirror. It is a
// pure function of the source's objects and the rules. Whether any of it is in
// a mirror yet is for package plan to compare.
//
// The work goes in one direction: the rules become specs (what decides a
// projection), the source's history is read once for all of them, each spec's
// projection is computed after those of the modules that it pins, and tags come
// last, as they stand on projected commits.
//
// # What can be fetched
//
// A module is pinned to its siblings as they were at the same source commit. On
// the mainline of a branch, and so at tags, the sibling's commit is on the mainline
// of the sibling's branch, if that is published too. A commit of a merged side
// branch can name a sibling's commit that no branch leads to: where the merge kept
// this module's side and dropped the sibling's. It cannot be otherwise as long as a
// projection depends on nothing that comes later. verify reports every tag and every
// tip whose pins cannot be fetched.
package publication

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/publisher/modhash"
	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
	"k8s.io/publisher/pathspec"
	"k8s.io/publisher/projection"
	"k8s.io/publisher/rules"
	"k8s.io/publisher/source"
)

// Config says what to compute and where.
type Config struct {
	Source *source.Repository
	Rules  *rules.Rules
	// Scratch takes the objects that are made.
	Scratch *odb.Scratch
	// Keep puts the commits there too. A plan needs their names only.
	Keep bool
	// Sums remembers the hashes of blobs.
	Sums modhash.Sums

	// Mirrors holds what earlier runs made. It is needed with Memory and
	// Takeovers only, and nil otherwise.
	Mirrors *odb.Store
	// Memory returns what an earlier run with this key left, or nil.
	Memory func(key string) Memory
	// Takeovers tells, by destination, where mirrors were taken over.
	Takeovers map[string]*Takeover
	// Ended are branches, by destination, that follow their source no more,
	// to be computed too.
	Ended map[string][]Ended
	// HasTag reports whether a mirror has a tag already that an earlier run
	// made; such tags are not made again. Nil makes all.
	HasTag func(destination, name string, tag object.ID) bool

	// Progress is told what is being done; total is 0 where it is not known.
	Progress func(what string, done, total int)
}

// Memory is what an earlier run found out. It only saves time.
type Memory interface {
	// Known reports whether all projections of a source commit are known.
	Known(commit object.ID) bool
	// Past returns what is known of the projection with this number.
	Past(i int) projection.Past
	// Mainline reports whether a commit was on a source branch's mainline.
	Mainline(branch string, commit object.ID) bool
	// Tag returns a tag of a destination by the name of the source tag and
	// its object.
	Tag(destination, name string, tag object.ID) (TagRecord, bool)
}

// ErrStale is returned where what a Memory says does not fit the source or the
// mirrors any more; without it the computation succeeds.
var ErrStale = errors.New("the cache does not fit the repositories any more")

// Publication is all that is to be in the mirrors.
type Publication struct {
	// Key names the rules' meaning, for Memory.
	Key   string
	Graph *source.Graph
	// Projections are in the order of their numbers.
	Projections []*projection.Projection
	// Destinations are in an order in which dependencies come first.
	Destinations []*Destination
	// Mainlines lists the commits on each source branch's mainline that
	// were not known before.
	Mainlines map[string][]object.ID

	config *Config
	specs  *specs
	lines  map[*spec]*line
	memory Memory
	onMain map[string]map[object.ID]bool
}

// Destination is one mirror.
type Destination struct {
	Name     string
	Branches []*Branch
	Tags     []*Tag
	// SkippedTags are source tags that yield nothing here.
	SkippedTags []Skipped
	Warnings    []Warning
	// DependsOn names the destinations that it pins.
	DependsOn []string
	// Err is why nothing can be published to it. Other destinations are not
	// concerned, except those that depend on it.
	Err error
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
	// Ended tells that it is of [Config.Ended]. It has no Source.
	Ended bool

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
	remove, err := pathspec.Compile(c.Rules.RecursiveDeletePatterns)
	if err != nil {
		return nil, fmt.Errorf("recursive-delete-patterns: %w", err)
	}
	order, err := c.Rules.Order()
	if err != nil {
		return nil, err
	}
	p := &Publication{config: &c, specs: newSpecs(&c, order), lines: make(map[*spec]*line)}
	p.Key = p.key(order)
	if c.Memory != nil {
		p.memory = c.Memory(p.Key)
	}
	p.destinations(order)
	if err := p.load(ctx); err != nil {
		return nil, err
	}
	if err := p.mainlines(); err != nil {
		return nil, err
	}
	for i, sp := range p.specs.ordered {
		c.Progress("projecting "+strings.Join(sp.dirs, " + "), i, len(p.specs.ordered))
		p.project(ctx, i, sp, remove)
		if err := p.lines[sp].err; errors.Is(err, ErrStale) || ctx.Err() != nil {
			return nil, cmp.Or(ctx.Err(), err)
		}
	}
	p.branches()
	if err := p.ended(); err != nil {
		return nil, err
	}
	c.Progress("tagging", 0, 0)
	return p, p.tags(remove)
}

// key covers all that the numbers in a Memory depend on.
func (p *Publication) key(order []int) string {
	r := p.config.Rules
	values := []any{"publication", 1, r.Trailer, r.SkipTags, r.SkipSourceBranches, r.Committer.Name, r.Committer.Email}
	for _, t := range r.Tags {
		values = append(values, t.Constraint, t.Template)
	}
	for _, sp := range p.specs.ordered {
		values = append(values, sp.key)
	}
	for _, i := range order {
		rule := &r.Rules[i]
		if rule.Skipped {
			continue
		}
		var branches []string
		for _, b := range rule.Branches {
			branches = append(branches, strings.Join([]string{b.Name, b.Source.Branch, p.specs.of[branchRef{rule.Destination, b.Name}].key}, "\x00"))
		}
		slices.Sort(branches)
		values = append(values, rule.Destination, branches)
	}
	return digest(values...)
}

// destinations lists what the rules ask for and finds the branches' heads.
func (p *Publication) destinations(order []int) {
	r := p.config.Rules
	for _, i := range order {
		rule := &r.Rules[i]
		if rule.Skipped {
			continue
		}
		d := &Destination{Name: rule.Destination, DependsOn: p.specs.dependencies[rule.Destination]}
		var missing []string
		for j := range rule.Branches {
			b := &rule.Branches[j]
			branch := &Branch{Name: b.Name, Source: b.Source.Branch, Commit: projection.None}
			if slices.Contains(r.SkipSourceBranches, b.Source.Branch) {
				branch.Skipped = fmt.Sprintf("skip-source-branches names %s", b.Source.Branch)
			} else if head, ok := p.config.Source.Branch(b.Source.Branch); ok {
				branch.Head = head
			} else {
				missing = append(missing, b.Source.Branch)
			}
			d.Branches = append(d.Branches, branch)
		}
		slices.SortFunc(d.Branches, func(a, b *Branch) int { return strings.Compare(a.Name, b.Name) })
		if len(missing) > 0 {
			slices.Sort(missing)
			d.Err = fmt.Errorf("source branch %s does not exist in %s", strings.Join(slices.Compact(missing), ", "), p.config.Source.Path)
		}
		p.Destinations = append(p.Destinations, d)
	}
}

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

// branches finds the branches' tips.
func (p *Publication) branches() {
	for _, d := range p.Destinations {
		seen := make(map[*line]bool)
		for _, b := range d.Branches {
			l := p.lines[p.specs.of[branchRef{d.Name, b.Name}]]
			if d.Err == nil && l.err != nil {
				d.Err = fmt.Errorf("branch %s: %w", b.Name, l.err)
			}
			if d.Err != nil || b.Skipped != "" {
				continue
			}
			n, _ := p.Graph.Node(b.Head)
			b.Projection, b.Commit = l.projection, l.projection.At[n]
			if !seen[l] {
				seen[l] = true
				d.Warnings = append(d.Warnings, l.warnings.list()...)
			}
			dirs := strings.Join(l.dirs, ", ")
			if b.Commit == projection.None {
				b.Skipped = fmt.Sprintf("directory %s has never existed on %s", dirs, b.Source)
				continue
			}
			if !l.projection.Present[n] {
				b.Note = fmt.Sprintf("directory %s is gone from %s; the branch stays at its last commit", dirs, b.Source)
			}
			c, err := l.projection.Commit(b.Commit)
			if err != nil {
				d.Err = err
				continue
			}
			b.Tip = c.ID
		}
	}
	// What depends on a destination that cannot be published waits for it.
	for _, d := range p.Destinations {
		for _, on := range d.DependsOn {
			if dep := p.Destination(on); d.Err == nil && dep != nil && dep.Err != nil {
				d.Err = fmt.Errorf("it depends on %s, which cannot be published", on)
			}
		}
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

// Trailer is the key of the trailer that names the source commit.
func (p *Publication) Trailer() string { return p.config.Rules.Trailer }

// Lookup returns where a source commit stands in a projection: the index of
// the commit that stands for it, or None, and whether the directory exists in
// it. ok is false for commits that are not in its history.
func (p *Publication) Lookup(of *projection.Projection, commit object.ID) (i int32, present, ok bool) {
	// At the graph's boundary lie commits that only other projections met.
	if n, in := p.Graph.Node(commit); in && (of.Wanted == nil || of.Wanted[n]) {
		return of.At[n], of.Present[n], true
	}
	if p.memory == nil {
		return projection.None, false, false
	}
	for number, pr := range p.Projections {
		if pr == of {
			return p.memory.Past(number).At(commit)
		}
	}
	return projection.None, false, false
}

// Incremental reports whether the publication was computed on top of what a
// Memory knew.
func (p *Publication) Incremental() bool { return p.memory != nil }
