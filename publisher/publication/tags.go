package publication

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/Masterminds/semver/v3"
	"golang.org/x/mod/module"

	"k8s.io/publisher/cache"
	"k8s.io/publisher/modhash"
	"k8s.io/publisher/modules"
	"k8s.io/publisher/object"
	"k8s.io/publisher/pin"
	"k8s.io/publisher/projection"
	"k8s.io/publisher/rules"
	"k8s.io/publisher/sourcetag"
	"k8s.io/publisher/spec"
)

// Tag is what a source tag yields in a destination: one or more tags on one
// commit.
type Tag struct {
	// Source is the name of the source tag, Object its tag object and Commit
	// the commit that it names.
	Source         string
	Object, Commit object.ID
	// Names and Objects are the mirror's tags, in the order of the tag rules.
	Names   []string
	Objects []object.ID
	// Target is the mirror commit that they name, and Tree its tree. Where
	// pinning at the tag changes go.mod or go.sum, it is a commit of its own on
	// top of Parent; else it is Parent.
	Target, Tree object.ID
	Parent       object.ID
	// Foreign tells of each name whether the mirror had the tag when it was taken
	// over. Then Target and Tree are what that one names. It is nil mostly.
	Foreign []bool

	line *line
	// version is it as a version of its module; nil where it is none. It has no
	// hashes yet while the tag is one of a circle that is being made.
	version *modules.Version
}

// Layout returns where the tag's tree comes from.
func (t *Tag) Layout() spec.Layout { return t.line.Spec.Layout() }

// tags computes the tags of all destinations: source tag by source tag, those of
// a circle of destinations together.
func (p *Publication) tags(ctx context.Context) error {
	if p.config.Rules.SkipTags {
		return nil
	}
	groups := p.tagged()
	found, err := sourcetag.Read(p.config.Source, func(v *semver.Version) bool {
		for _, d := range slices.Concat(groups...) {
			if names, err := d.namer.Names(v); len(names) > 0 || err != nil {
				return true
			}
		}
		return false
	})
	if err != nil {
		return err
	}
	all := make([]sourceTag, len(found))
	for i, t := range found {
		all[i] = sourceTag{t, p.config.Past.OnMainlines(t.Commit)}
	}
	for _, destinations := range groups {
		if err := p.tagGroup(ctx, destinations, all); err != nil {
			return err
		}
	}
	return nil
}

// sourceTag is a source tag and the source branches whose mainline it is on.
type sourceTag struct {
	*sourcetag.Tag
	on []string
}

// tagGroup makes the tags of one destination, or of a circle of them: what each
// source tag yields depends on what comes before only by the names that are taken.
func (p *Publication) tagGroup(ctx context.Context, destinations []*tagged, all []sourceTag) error {
	taggers := make([]*tagger, len(all))
	for i, t := range all {
		taggers[i] = &tagger{p: p, tag: t}
	}
	p.together(ctx, taggers, func(g *tagger) { g.place(destinations) })
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, g := range taggers {
		g.draft(destinations)
	}
	p.together(ctx, taggers, func(g *tagger) { g.make() })
	for _, g := range taggers {
		for _, f := range g.drafts {
			d := f.d
			switch {
			case d.Err != nil:
			case f.err != nil:
				d.Err = fmt.Errorf("source tag %s: %w", g.tag.Name, f.err)
			case f.left != nil:
				d.skip(g.tag, "go.mod:%d requires %s %s, which nobody can fetch", f.left.Line, f.left.Path, f.left.Version)
			default:
				d.Tags = append(d.Tags, f.Tag)
			}
		}
	}
	for _, d := range destinations {
		slices.SortStableFunc(d.SkippedTags, func(a, b Skipped) int { return strings.Compare(a.Name, b.Name) })
	}
	return ctx.Err()
}

// together has all workers do something for each tagger.
func (p *Publication) together(ctx context.Context, taggers []*tagger, do func(*tagger)) {
	var next atomic.Int64
	var group sync.WaitGroup
	for _, w := range p.workers {
		group.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(taggers)) && ctx.Err() == nil; i = next.Add(1) - 1 {
				taggers[i].w = w
				do(taggers[i])
			}
		})
	}
	group.Wait()
}

// tagged is a destination with the names that its tags have taken.
type tagged struct {
	*Destination
	namer *sourcetag.Namer
	names rules.RefNames
	by    map[string]string // the source tag that took a name
	// following has the numbers of the branches that follow each source branch.
	following map[string][]int
}

// tagged returns the destinations that can have tags, in their groups.
func (p *Publication) tagged() (groups [][]*tagged) {
	common := sourcetag.NewNamer(p.config.Rules.Tags)
	for _, group := range p.config.Specs.Groups {
		var destinations []*tagged
		for _, s := range group {
			d := &tagged{
				Destination: p.Destination(s.Name), namer: common,
				names: make(rules.RefNames), by: make(map[string]string), following: make(map[string][]int),
			}
			if d.Err != nil {
				continue
			}
			if s.Rule.Tags != nil {
				d.namer = sourcetag.NewNamer(p.config.Rules.TagsOf(s.Rule))
			}
			for i, b := range d.Branches {
				d.following[b.Source] = append(d.following[b.Source], i)
			}
			destinations = append(destinations, d)
		}
		groups = append(groups, destinations)
	}
	return groups
}

// candidates lists the branches that a source tag can be on, in their order.
func (d *tagged) candidates(t sourceTag) (on []*Branch) {
	var numbers []int
	for _, source := range t.on {
		numbers = append(numbers, d.following[source]...)
	}
	for _, i := range d.following[""] {
		if d.Branches[i].mainline[t.Commit] {
			numbers = append(numbers, i) // It has ended.
		}
	}
	slices.Sort(numbers)
	for _, i := range numbers {
		if d.Branches[i].Projection != nil {
			on = append(on, d.Branches[i])
		}
	}
	return on
}

func (d *tagged) skip(t sourceTag, format string, args ...any) {
	d.SkippedTags = append(d.SkippedTags, Skipped{t.Name, fmt.Sprintf(format, args...)})
}

// tagger makes what one source tag yields in one destination, or in a circle of
// them.
type tagger struct {
	p      *Publication
	w      *modules.Worker
	tag    sourceTag
	places []place // by the number of the destination
	drafts []*draft
}

// place is where a source tag belongs in a destination: the branch on whose mainline
// its commit is and the projected commit there, or the reason why there is none.
type place struct {
	branch *Branch
	commit projection.Commit
	reason string
	err    error
}

// draft is a tag that is being made. In the end it is done, or left out, or failed.
type draft struct {
	*Tag
	d *tagged
	// raw is the directory at the source tag, before pinning, and siblings what
	// it may be pinned to there.
	raw      object.ID
	siblings modules.Siblings

	done bool
	// left is what the go.mod of a tag that is left out requires and nobody can
	// fetch.
	left *pin.Requirement
	err  error
}

// place finds where the source tag belongs.
func (g *tagger) place(destinations []*tagged) {
	for _, d := range destinations {
		g.places = append(g.places, d.place(g.tag))
	}
}

// draft takes the names in the destinations that the source tag belongs to. It must
// be done in the order of the tags.
func (g *tagger) draft(destinations []*tagged) {
	for k, d := range destinations {
		if d.Err != nil {
			continue
		}
		f, err := g.in(d, g.places[k])
		if err != nil {
			d.Err = fmt.Errorf("source tag %s: %w", g.tag.Name, err)
		} else if f != nil {
			g.drafts = append(g.drafts, f)
		}
	}
}

// make makes the tags that are drafted, but for those that are remembered.
func (g *tagger) make() {
	g.remember()
	for _, f := range g.drafts {
		if f.pending() {
			f.err = g.read(f)
		}
	}
	if len(g.drafts) > 1 {
		g.leaveOut()
	}
	for _, f := range g.drafts {
		if f.pending() {
			f.err = g.finish(f)
		}
	}
}

// pending reports whether a draft is neither done nor given up.
func (f *draft) pending() bool { return !f.done && f.left == nil && f.err == nil }

// in drafts what the source tag yields in a destination. The draft is nil where
// that is nothing, for a reason that is noted.
func (g *tagger) in(d *tagged, at place) (*draft, error) {
	t := g.tag
	names, err := d.namer.Names(t.Version)
	if err != nil || len(names) == 0 {
		return nil, err
	}
	if t.Refused != "" {
		d.skip(t, "%s", t.Refused)
		return nil, nil
	}
	if at.reason != "" {
		d.skip(t, "%s", at.reason)
		return nil, nil
	}
	if at.err != nil {
		return nil, at.err
	}
	for _, name := range names {
		if other, ok := d.names.Add(name); !ok {
			if other == name {
				return nil, fmt.Errorf("source tags %s and %s both yield the tag %s; the tag rules must tell them apart", d.by[name], t.Name, name)
			}
			return nil, fmt.Errorf("it yields the tag %s, and source tag %s the tag %s, which git cannot hold together; change the names in the tag rules", name, d.by[other], other)
		}
		d.by[name] = t.Name
	}
	return &draft{d: d, Tag: &Tag{
		Source: t.Name, Object: t.Object, Commit: t.Commit, Names: names,
		Parent: at.commit.ID, Target: at.commit.ID, Tree: at.commit.Tree, line: g.p.lines[at.branch.spec.Number],
	}}, nil
}

// remember takes what an earlier run made, of all tags of a circle or of none: what
// comes later in it is not known to what comes before.
func (g *tagger) remember() {
	var records []cache.TagRecord
	for _, f := range g.drafts {
		record, ok := g.p.config.Past.Tag(f.d.Name, f.Source, f.Object, f.Names)
		if !ok {
			return
		}
		records = append(records, record)
	}
	for i, f := range g.drafts {
		f.Objects, f.Target, f.Tree, f.Parent, f.done = records[i].Objects, records[i].Target, records[i].Tree, records[i].Parent, true
	}
}

// read finds what is to be pinned, and to what.
func (g *tagger) read(f *draft) (err error) {
	f.raw = f.Tree
	if f.line.Pinned() {
		if f.raw, err = g.p.directoryAt(g.w, f.line, f.Commit); err != nil {
			return err
		}
	}
	f.siblings, err = g.w.Siblings(&f.line.Line, func(dep *modules.Line) (int32, error) { return standing(dep, f.Commit), nil })
	return err
}

// place finds where a source tag belongs.
func (d *tagged) place(t sourceTag) (at place) {
	candidates := d.candidates(t)
	for k, candidate := range candidates {
		if k > 0 && candidate.Projection == candidates[k-1].Projection {
			continue
		}
		i, present, ok := candidate.Projection.Lookup(t.Commit)
		if !ok || !present || i == projection.None {
			continue
		}
		c, err := candidate.Projection.Commit(i)
		switch {
		case err != nil:
			return place{err: err}
		case at.branch == nil:
			at.branch, at.commit = candidate, c
		case c.ID != at.commit.ID:
			return place{reason: fmt.Sprintf("branches %s and %s publish its commit from different directories", at.branch.Name, candidate.Name)}
		}
	}
	switch {
	case len(candidates) == 0:
		at.reason = "its commit is on no published branch's mainline"
	case at.branch == nil:
		at.reason = "the directory is absent in its commit"
	}
	return at
}

// standing is where a line stands at a source commit, or None.
func standing(l *modules.Line, commit object.ID) int32 {
	if i, present, ok := l.Projection.Lookup(commit); ok && present {
		return i
	}
	return projection.None
}

// leaveOut leaves out the tags whose go.mod would require what nobody can fetch.
// One that is left out can be what another one of the circle requires.
func (g *tagger) leaveOut() {
	for again := true; again; {
		again = false
		for _, f := range g.drafts {
			if !f.pending() {
				continue
			}
			_, left, err := g.w.GoMod(&f.line.Line, g.tag.Commit, f.raw, f.siblings, g.lookup(true))
			if f.err = err; err == nil && len(left) > 0 {
				f.left = &left[0]
			}
			again = again || !f.pending()
		}
	}
}

// lookup returns the versions of siblings at a source tag: their tags, where these
// are versions of their modules, or else their commits. Those of tags that are
// being made too have no hash of the zip before they are done. With namesOnly
// nothing has hashes.
func (g *tagger) lookup(namesOnly bool) modules.Lookup {
	return func(dep *modules.Line) (*modules.Version, error) {
		tag, f := g.tagOf(dep)
		if tag != nil {
			if err := g.asVersion(tag, f); err != nil {
				return nil, err
			}
			if tag.version != nil && f != nil && !f.done && !namesOnly && tag.version.GoModSum == "" {
				if err := g.pendingGraph(f); err != nil {
					return nil, err
				}
			}
			if tag.version != nil {
				return tag.version, nil
			}
		}
		return g.w.Fetchable(dep, standing(dep, g.tag.Commit))
	}
}

// pendingGraph finds what is known of the go.mod of a tag that is being made, and of
// those that can be reached from it: builds without graph pruning read them all.
func (g *tagger) pendingGraph(f *draft) error {
	goMod, _, err := g.w.GoMod(&f.line.Line, g.tag.Commit, f.raw, f.siblings, g.lookup(true))
	if err != nil {
		return err
	}
	f.version.GoModSum = modhash.GoMod(goMod)
	requires, err := g.w.Requires(f.raw, f.siblings)
	if err != nil {
		return err
	}
	for _, path := range requires {
		v, err := g.lookup(false)(f.siblings[path])
		if err == nil && v != nil {
			v, err = g.w.WithGraph(v, f.siblings, f.version.Path)
		}
		if err != nil {
			return err
		}
		if v != nil {
			f.version.Requires = append(f.version.Requires, &v.Module)
		}
	}
	return nil
}

// tagOf finds what the source tag yields for a sibling; f is not nil for one that
// is being made now.
func (g *tagger) tagOf(dep *modules.Line) (tag *Tag, f *draft) {
	for _, f := range g.drafts {
		if &f.line.Line == dep && (f.done || f.pending()) {
			return f.Tag, f
		}
	}
	for _, d := range g.p.Destinations {
		if !slices.Contains(d.spec.Specs, dep.Spec) || len(d.Tags) == 0 {
			continue
		}
		// Tags come in the order of source tags.
		if i, ok := slices.BinarySearchFunc(d.Tags, g.tag.Name, func(tag *Tag, name string) int { return strings.Compare(tag.Source, name) }); ok {
			return d.Tags[i], nil
		}
	}
	return nil, nil
}

// asVersion finds the version of its module that a tag is.
func (g *tagger) asVersion(tag *Tag, f *draft) error {
	if tag.version != nil {
		return nil
	}
	tree := tag.Tree
	if f != nil && !f.done {
		tree = f.raw
	}
	path, err := g.w.PathOf(&tag.line.Line, tree)
	if err != nil || path == "" {
		return err
	}
	i := slices.IndexFunc(tag.Names, func(name string) bool { return pin.IsVersion(path, name) })
	if i < 0 {
		return nil
	}
	tag.version, err = g.w.VersionAt(&tag.line.Line, g.tag.Commit, tree, module.Version{Path: path, Version: tag.Names[i]})
	if err == nil && tag.version != nil && f != nil && !f.done {
		// Hashes are of what is not pinned yet.
		tag.version = &modules.Version{Module: pin.Module{Path: path, Version: tag.version.Version, Unpruned: tag.version.Unpruned}}
	}
	return err
}

// adopt makes tags that a mirror had when it was taken over what the source tag
// yields: they stay as they are, and others go to the same commit.
func (g *tagger) adopt(f *draft, ident []byte) error {
	m := g.p.config.Past.Mirrors[f.d.Name]
	if m.Err != nil {
		return nil
	}
	for k, name := range f.Names {
		id, commit, tree, ok, err := m.ForeignTag(name)
		if err != nil {
			return err
		}
		if !ok || id == f.Objects[k] {
			continue
		}
		if f.Foreign == nil {
			f.Foreign = make([]bool, len(f.Names))
			f.Parent, f.Target, f.Tree = commit, commit, tree
		}
		f.Foreign[k], f.Objects[k] = true, id
	}
	for k, name := range f.Names {
		if f.Foreign == nil || f.Foreign[k] {
			continue
		}
		var err error
		if f.Objects[k], err = g.p.config.Scratch.Put(object.TagType, g.tag.Mirrored(name, f.Target, ident), nil); err != nil {
			return err
		}
	}
	return nil
}

// finish pins the tag's tree and makes its objects, or leaves the tag out.
func (g *tagger) finish(f *draft) error {
	t := g.tag
	stamp, err := t.Stamp(g.w.Objects)
	if err != nil {
		return err
	}
	c := &g.p.config
	ident := append([]byte(c.Rules.Committer.String()+" "), stamp...)
	pinned, err := g.w.Pin(&f.line.Line, t.Commit, f.raw, f.siblings, g.lookup(false))
	if err != nil {
		return err
	}
	if len(pinned.Left) > 0 {
		f.left = &pinned.Left[0]
		return nil
	}
	if pinned.Tree != f.Tree {
		commit := object.Commit{
			Tree: pinned.Tree, Parents: []object.ID{f.Parent}, Author: ident, Committer: ident,
			Message: object.AppendTrailer([]byte("Require the versions published with "+t.Name+"\n"), c.Rules.Trailer, t.Commit.String()),
		}
		f.Tree = pinned.Tree
		if f.Target, err = c.Scratch.Put(object.CommitType, commit.Encode(), nil); err != nil {
			return err
		}
	}
	for _, name := range f.Names {
		id, err := c.Scratch.Put(object.TagType, t.Mirrored(name, f.Target, ident), nil)
		if err != nil {
			return err
		}
		f.Objects = append(f.Objects, id)
	}
	f.done, f.version = true, nil
	return g.adopt(f, ident)
}

// directoryAt returns the tree of a line's directory in a commit, unpinned.
func (p *Publication) directoryAt(w *modules.Worker, l *line, commit object.ID) (object.ID, error) {
	data, err := w.Objects.Commit(commit)
	if err != nil {
		return object.ID{}, err
	}
	root, _, err := object.ParseLinks(data)
	if err != nil {
		return object.ID{}, fmt.Errorf("commit %s: %w", commit, err)
	}
	trees := make([]object.ID, len(l.Spec.Dirs))
	for i, dir := range l.Spec.Dirs {
		if trees[i], err = object.Subtree(w.Objects.Tree, root, dir); err != nil {
			return object.ID{}, err
		}
	}
	put := func(t object.Type, data []byte) (object.ID, error) { return p.config.Scratch.Put(t, data, nil) }
	return projection.NewDirectory(l.Spec.Dirs, p.remove, w.Objects, put).Tree(trees)
}
