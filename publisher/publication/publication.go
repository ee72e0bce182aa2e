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
	var order []int
	for _, group := range c.Rules.Groups() {
		if len(group) > 1 {
			return nil, fmt.Errorf("destinations that depend on each other cannot be published yet: %s is one", c.Rules.Rules[group[0]].Destination)
		}
		order = append(order, group...)
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
