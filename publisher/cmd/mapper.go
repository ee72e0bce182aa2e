package cmd

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
	"k8s.io/publisher/past"
	"k8s.io/publisher/plan"
	"k8s.io/publisher/projection"
	"k8s.io/publisher/publication"
	"k8s.io/publisher/source"
)

// mapper finds commits of the source in the mirrors, and the reverse, by what
// the publication computed.
type mapper struct {
	past    *past.Past
	pub     *publication.Publication
	plan    *plan.Plan
	source  *repository
	mirrors []*repository // those that exist, in the order of the plan
}

func newMapper(from *source.Repository, before *past.Past, p *plan.Plan, pub *publication.Publication) (*mapper, error) {
	refs := make(map[string]object.ID)
	for _, t := range from.Tags() {
		refs["refs/tags/"+t.Name] = t.ID
	}
	for _, b := range from.Branches() {
		refs["refs/heads/"+b], _ = from.Branch(b)
	}
	lookUp := func(full string) (object.ID, bool) { id, ok := refs[full]; return id, ok }
	m := &mapper{past: before, pub: pub, plan: p, source: &repository{"the source", from.Store, lookUp}}
	for _, d := range p.Destinations {
		if d.Mirror == nil || !d.Mirror.Exists {
			continue
		}
		store, err := odb.Open(d.Mirror.ObjectsDir())
		if err != nil {
			m.close()
			return nil, fmt.Errorf("open mirror of %s: %w", d.Name, err)
		}
		m.mirrors = append(m.mirrors, &repository{d.Name, store, d.Mirror.Ref})
	}
	return m, nil
}

// close closes the mirrors. The source is the caller's.
func (m *mapper) close() {
	for _, r := range m.mirrors {
		r.objects.Close()
	}
}

func (m *mapper) answer(arg string) (mapping, error) {
	answer := mapping{Argument: arg}
	found, err := locate(arg, m.source, m.mirrors)
	if err != nil {
		return answer, err
	}
	for _, at := range found {
		if at.in != m.source {
			o, err := m.origin(at)
			if err != nil {
				return answer, err
			}
			answer.Origins = append(answer.Origins, o)
			continue
		}
		answer.Source = at.commit.String()
		for _, d := range m.plan.Destinations {
			places, err := m.places(d, at)
			if err != nil {
				return answer, fmt.Errorf("%s: %w", d.Name, err)
			}
			answer.Mirrors = append(answer.Mirrors, places...)
		}
	}
	return answer, nil
}

// projected returns the index of the commit that stands for a source commit in a
// branch's projection, or None.
func projected(b *publication.Branch, commit object.ID) int32 {
	if b.Projection != nil {
		if i, _, ok := b.Projection.Lookup(commit); ok {
			return i
		}
	}
	return projection.None
}

// places finds a source commit in a mirror: one place mostly, more where
// branches are made from it in different ways.
func (m *mapper) places(d *plan.Destination, asked location) ([]mirrorPlace, error) {
	var places []mirrorPlace
	note := "no branch of this mirror has it"
	for _, b := range m.pub.Destination(d.Name).Branches {
		i := projected(b, asked.commit)
		if i == projection.None {
			if b.Projection != nil && slices.Contains(m.past.OnMainlines(asked.commit), b.Source) {
				note = "its directory does not exist yet at this commit"
			}
			continue
		}
		// A projection has commits that only other branches lead to.
		if ok, err := b.Projection.IsAncestor(i, b.Commit); err != nil {
			return nil, err
		} else if !ok {
			continue
		}
		c, err := b.Projection.Commit(i)
		if err != nil {
			return nil, err
		}
		at := slices.IndexFunc(places, func(p mirrorPlace) bool { return p.Commit == c.ID.String() })
		if at < 0 {
			at = len(places)
			places = append(places, m.place(d, asked, c))
		}
		places[at].Branches = append(places[at].Branches, b.Name)
	}
	version, _ := strings.CutPrefix(asked.ref, "refs/tags/")
	for _, p := range places {
		slices.SortFunc(p.Branches, byInterest(version))
	}
	if len(places) == 0 {
		if d.Err != nil {
			note = "the destination has an error: " + d.Err.Error()
		}
		places = []mirrorPlace{{Destination: d.Name, Note: note}}
	}
	return places, nil
}

// place describes the mirror commit that stands for a source commit.
func (m *mapper) place(d *plan.Destination, asked location, c projection.Commit) mirrorPlace {
	p := mirrorPlace{
		Destination: d.Name, Commit: c.ID.String(), Source: hash(c.Source), Published: c.Source == asked.commit,
		Synced: slices.ContainsFunc(m.mirrors, func(r *repository) bool { return r.name == d.Name && r.objects.Has(c.ID) }),
	}
	if !p.Synced {
		p.Note = "not in the mirror yet"
	}
	for _, t := range tagsOn(m.pub.Destination(d.Name), c.ID, asked) {
		p.Tags = append(p.Tags, t.Names...)
	}
	return p
}

// tagsOn returns the tags that stand on a mirror commit, or on one of their own on
// top of it: first those of the tag that was asked for, then those of the same
// source commit, then the newest.
func tagsOn(d *publication.Destination, commit object.ID, asked location) []*publication.Tag {
	name, _ := strings.CutPrefix(asked.ref, "refs/tags/")
	rank := func(t *publication.Tag) int {
		switch {
		case t.Source == name || slices.Contains(t.Names, name):
			return 0
		case t.Commit == asked.commit:
			return 1
		}
		return 2
	}
	tags := slices.DeleteFunc(slices.Clone(d.Tags), func(t *publication.Tag) bool { return t.Parent != commit && t.Target != commit })
	slices.SortFunc(tags, func(a, b *publication.Tag) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), newestFirst(a.Source, b.Source))
	})
	return tags
}

// origin finds out where a commit of a mirror comes from.
func (m *mapper) origin(at location) (origin, error) {
	o := origin{Destination: at.in.name, Commit: at.commit.String(), Foreign: m.past.Mirrors[at.in.name].Foreign(at.commit)}
	data, err := at.in.objects.Reader().Commit(at.commit)
	if err != nil {
		return o, err
	}
	c, err := object.ParseCommit(data)
	if err != nil {
		return o, fmt.Errorf("commit %s of %s: %w", at.commit, at.in.name, err)
	}
	d := m.plan.Destination(at.in.name)
	for _, t := range tagsOn(m.pub.Destination(d.Name), at.commit, at) {
		if t.Target == at.commit {
			o.SourceTags = append(o.SourceTags, t.Source)
			o.Computed = true
		}
	}
	from, ok := c.SourceCommit(m.pub.Trailer())
	if !ok {
		o.Note = fmt.Sprintf("it has no %s trailer", m.pub.Trailer())
		return o, nil
	}
	o.Source = from.String()
	o.Note = "nothing is published from that source commit"
	for _, b := range m.pub.Destination(d.Name).Branches {
		if i := projected(b, from); i != projection.None {
			mine, err := b.Projection.Commit(i)
			if err != nil {
				return o, err
			}
			o.Computed = o.Computed || mine.ID == at.commit
			o.Note = "another commit is published for that source commit"
		}
	}
	switch {
	case o.Computed:
		o.Note = ""
	case d.Err != nil:
		o.Note = "the destination has an error: " + d.Err.Error()
	}
	return o, nil
}
