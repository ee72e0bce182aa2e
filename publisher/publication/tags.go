package publication

import (
	"context"
	"fmt"
	"slices"
	"strings"

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
	all, err := sourcetag.Read(p.config.Source, func(v *semver.Version) bool {
		return slices.ContainsFunc(p.Destinations, func(d *Destination) bool {
			names, err := sourcetag.Names(v, p.config.Rules.TagsOf(d.spec.Rule))
			return len(names) > 0 || err != nil
		})
	})
	if err != nil {
		return err
	}
	for _, group := range p.config.Specs.Groups {
		g := &tagger{p: p, w: p.shop.Worker()}
		for _, s := range group {
			if d := p.Destination(s.Name); d.Err == nil {
				g.destinations = append(g.destinations, &tagged{Destination: d, rules: p.config.Rules.TagsOf(s.Rule), names: make(rules.RefNames), by: make(map[string]string)})
			}
		}
		for _, t := range all {
			if err := ctx.Err(); err != nil {
				return err
			}
			g.tag(t)
		}
	}
	return nil
}

// tagger makes the tags of one destination, or of a circle of them.
type tagger struct {
	p            *Publication
	w            *modules.Worker
	destinations []*tagged
}

// tagged is a destination with the names that its tags have taken.
type tagged struct {
	*Destination
	rules []rules.TagRule
	names rules.RefNames
	by    map[string]string // the source tag that took a name
}

func (d *tagged) skip(t *sourcetag.Tag, format string, args ...any) {
	d.SkippedTags = append(d.SkippedTags, Skipped{t.Name, fmt.Sprintf(format, args...)})
}

// leave skips a tag whose go.mod would require what nobody can fetch.
func (d *tagged) leave(t *sourcetag.Tag, r pin.Requirement) {
	d.skip(t, "go.mod:%d requires %s %s, which nobody can fetch", r.Line, r.Path, r.Version)
}

// draft is a tag that is being made.
type draft struct {
	*Tag
	d *tagged
	// raw is the directory at the source tag, before pinning, and siblings what
	// it may be pinned to there.
	raw      object.ID
	siblings modules.Siblings
	done     bool
}

// tag makes what a source tag yields in each destination.
func (g *tagger) tag(t *sourcetag.Tag) {
	var drafts []*draft
	for _, d := range g.destinations {
		if d.Err != nil {
			continue
		}
		f, err := g.draft(d, t)
		if err != nil {
			d.Err = fmt.Errorf("source tag %s: %w", t.Name, err)
		} else if f != nil {
			drafts = append(drafts, f)
		}
	}
	if drafts = g.read(t, drafts); len(drafts) > 1 {
		drafts = g.fetchable(t, drafts)
	}
	for _, f := range drafts {
		if !f.done {
			if err := g.finish(t, f, drafts); err != nil {
				f.d.Err = fmt.Errorf("source tag %s: %w", t.Name, err)
			}
		}
		if f.done {
			f.d.Tags = append(f.d.Tags, f.Tag)
		}
	}
}

// draft finds where a source tag belongs in a destination. It is nil where that is
// nowhere, for a reason that is noted.
func (g *tagger) draft(d *tagged, t *sourcetag.Tag) (*draft, error) {
	names, err := sourcetag.Names(t.Version, d.rules)
	if err != nil || len(names) == 0 {
		return nil, err
	}
	if t.Refused != "" {
		d.skip(t, "%s", t.Refused)
		return nil, nil
	}
	b, i, reason := g.p.place(d.Destination, t.Commit)
	if reason != "" {
		d.skip(t, "%s", reason)
		return nil, nil
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
	l := g.p.lines[b.spec.Number]
	base, err := l.Projection.Commit(i)
	if err != nil {
		return nil, err
	}
	f := &draft{d: d, Tag: &Tag{
		Source: t.Name, Object: t.Object, Commit: t.Commit, Names: names, Parent: base.ID, Target: base.ID, Tree: base.Tree, line: l,
	}}
	return f, nil
}

// read takes what is remembered of the tags or, where that is not all of them, reads
// what is to be pinned, and to what. What was made later in a circle is not known to
// what was made before.
func (g *tagger) read(t *sourcetag.Tag, drafts []*draft) []*draft {
	records := make([]cache.TagRecord, len(drafts))
	all := true
	for i, f := range drafts {
		var ok bool
		records[i], ok = g.p.config.Past.Tag(f.d.Name, t.Name, t.Object, f.Names)
		all = all && ok
	}
	return slices.DeleteFunc(drafts, func(f *draft) bool {
		if all {
			f.Objects, f.Target, f.Tree, f.Parent, f.done = records[0].Objects, records[0].Target, records[0].Tree, records[0].Parent, true
			records = records[1:]
			return false
		}
		var err error
		if f.raw = f.Tree; f.line.Pinned() {
			f.raw, err = g.p.directoryAt(g.w, f.line, t.Commit)
		}
		if err == nil {
			f.siblings, err = g.w.Siblings(&f.line.Line, func(dep *modules.Line) (int32, error) { return standing(dep, t.Commit), nil })
		}
		if err != nil {
			f.d.Err = fmt.Errorf("source tag %s: %w", t.Name, err)
		}
		return err != nil
	})
}

// place finds the branch on whose mainline a tagged commit is, and the projected
// commit there, or why there is none.
func (p *Publication) place(d *Destination, tagged object.ID) (b *Branch, commit int32, reason string) {
	onMainline := false
	for _, candidate := range d.Branches {
		if candidate.Projection == nil || !p.onMainline(candidate, tagged) {
			continue
		}
		onMainline = true
		i, present, ok := candidate.Projection.Lookup(tagged)
		if !ok || !present || i == projection.None {
			continue
		}
		if b == nil {
			b, commit = candidate, i
			continue
		}
		mine, err1 := b.Projection.Commit(commit)
		other, err2 := candidate.Projection.Commit(i)
		if err1 == nil && err2 == nil && mine.ID != other.ID {
			return nil, 0, fmt.Sprintf("branches %s and %s publish its commit from different directories", b.Name, candidate.Name)
		}
	}
	switch {
	case !onMainline:
		return nil, 0, "its commit is on no published branch's mainline"
	case b == nil:
		return nil, 0, "the directory is absent in its commit"
	}
	return b, commit, ""
}

// standing is where a line stands at a source commit, or None.
func standing(l *modules.Line, commit object.ID) int32 {
	if i, present, ok := l.Projection.Lookup(commit); ok && present {
		return i
	}
	return projection.None
}

// fetchable leaves out the tags whose go.mod would require what nobody can fetch.
// One that is left out can be what another one of the circle requires.
func (g *tagger) fetchable(t *sourcetag.Tag, drafts []*draft) []*draft {
	for again := true; again; {
		again = false
		drafts = slices.DeleteFunc(drafts, func(f *draft) bool {
			if f.done || f.d.Err != nil {
				return f.d.Err != nil
			}
			_, left, err := g.w.GoMod(&f.line.Line, t.Commit, f.raw, f.siblings, g.lookup(t, drafts, true))
			if err != nil {
				f.d.Err = fmt.Errorf("source tag %s: %w", t.Name, err)
				return true
			}
			if len(left) == 0 {
				return false
			}
			f.d.leave(t, left[0])
			again = true
			return true
		})
	}
	return drafts
}

// lookup returns the versions of siblings at a source tag: their tags, where these
// are versions of their modules, or else their commits. Those of tags that are
// being made too have no hash of the zip before they are done. With namesOnly
// nothing has hashes.
func (g *tagger) lookup(t *sourcetag.Tag, drafts []*draft, namesOnly bool) modules.Lookup {
	return func(dep *modules.Line) (*modules.Version, error) {
		tag, f := g.tagOf(dep, t, drafts)
		if tag != nil {
			if err := g.asVersion(t, tag, f); err != nil {
				return nil, err
			}
			if tag.version != nil && f != nil && !f.done && !namesOnly && tag.version.GoModSum == "" {
				goMod, _, err := g.w.GoMod(&tag.line.Line, t.Commit, f.raw, f.siblings, g.lookup(t, drafts, true))
				if err != nil {
					return nil, err
				}
				tag.version.GoModSum = modhash.GoMod(goMod)
			}
			if tag.version != nil {
				return tag.version, nil
			}
		}
		return g.w.Fetchable(dep, standing(dep, t.Commit))
	}
}

// tagOf finds what a source tag yields for a sibling; f is not nil for one that is
// being made now.
func (g *tagger) tagOf(dep *modules.Line, t *sourcetag.Tag, drafts []*draft) (tag *Tag, f *draft) {
	for _, f := range drafts {
		if &f.line.Line == dep {
			return f.Tag, f
		}
	}
	for _, d := range g.p.Destinations {
		if !slices.Contains(d.spec.Specs, dep.Spec) || len(d.Tags) == 0 {
			continue
		}
		// Tags come in the order of source tags.
		if i, ok := slices.BinarySearchFunc(d.Tags, t.Name, func(tag *Tag, name string) int { return strings.Compare(tag.Source, name) }); ok {
			return d.Tags[i], nil
		}
	}
	return nil, nil
}

// asVersion finds the version of its module that a tag is.
func (g *tagger) asVersion(t *sourcetag.Tag, tag *Tag, f *draft) error {
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
	tag.version, err = g.w.VersionAt(&tag.line.Line, t.Commit, tree, module.Version{Path: path, Version: tag.Names[i]})
	if err == nil && tag.version != nil && f != nil && !f.done {
		tag.version.Sum, tag.version.GoModSum = "", "" // Of what is not pinned yet.
	}
	return err
}

// adopt makes tags that a mirror had when it was taken over what the source tag
// yields: they stay as they are, and others go to the same commit.
func (g *tagger) adopt(f *draft, t *sourcetag.Tag, ident []byte) error {
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
		if f.Objects[k], err = g.p.config.Scratch.Put(object.TagType, t.Mirrored(name, f.Target, ident), nil); err != nil {
			return err
		}
	}
	return nil
}

// finish pins the tag's tree and makes its objects, or leaves the tag out.
func (g *tagger) finish(t *sourcetag.Tag, f *draft, drafts []*draft) error {
	stamp, err := t.Stamp(g.w.Objects)
	if err != nil {
		return err
	}
	c := &g.p.config
	ident := append([]byte(c.Rules.Committer.String()+" "), stamp...)
	pinned, err := g.w.Pin(&f.line.Line, t.Commit, f.raw, f.siblings, g.lookup(t, drafts, false))
	if err != nil {
		return err
	}
	if len(pinned.Left) > 0 {
		f.d.leave(t, pinned.Left[0])
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
	return g.adopt(f, t, ident)
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
