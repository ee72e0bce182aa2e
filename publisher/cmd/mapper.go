package cmd

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
	"k8s.io/publisher/plan"
	"k8s.io/publisher/projection"
	"k8s.io/publisher/publication"
	"k8s.io/publisher/session"
)

// mapper finds commits of the source in the mirrors, and the reverse, by what
// the publication computed.
type mapper struct {
	pub     *publication.Publication
	plan    *plan.Plan
	source  *repository
	mirrors []*repository // those that exist, in the order of the plan
	session *session.Session
}

func newMapper(s *session.Session, p *plan.Plan, pub *publication.Publication) (*mapper, error) {
	m := &mapper{pub: pub, plan: p, session: s, source: sourceRepository(s.Repo)}
	for _, d := range p.Destinations {
		if d.Mirror == nil || !d.Mirror.Exists {
			continue
		}
		store, err := odb.Open(d.Mirror.ObjectsDir())
		if err != nil {
			m.close()
			return nil, fmt.Errorf("open mirror of %s: %w", d.Name, err)
		}
		m.mirrors = append(m.mirrors, mirrorRepository(d.Name, d.Mirror, store))
	}
	return m, nil
}

// close closes the mirrors. The source is the session's.
func (m *mapper) close() {
	for _, r := range m.mirrors {
		r.store.Close()
	}
}

func (m *mapper) answer(ctx context.Context, arg string) (mapping, error) {
	answer := mapping{Argument: arg}
	found, err := locate(ctx, arg, m.source, m.mirrors)
	if err != nil {
		return answer, err
	}
	for _, at := range found {
		if at.in == m.source {
			answer.Source = at.commit.String()
			answer.Mirrors, err = m.places(ctx, at.commit)
		} else {
			var o origin
			o, err = m.origin(at)
			answer.Origins = append(answer.Origins, o)
		}
		if err != nil {
			return answer, err
		}
	}
	return answer, nil
}

// places finds a source commit in all mirrors.
func (m *mapper) places(ctx context.Context, commit object.ID) ([]mirrorPlace, error) {
	var all []mirrorPlace
	for _, d := range m.plan.Destinations {
		places, err := m.placesIn(ctx, d, commit)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.Name, err)
		}
		all = append(all, places...)
	}
	return all, nil
}

// placesIn finds a source commit in a mirror: one place mostly, more where
// branches are made from it in different ways.
func (m *mapper) placesIn(ctx context.Context, d *plan.Destination, commit object.ID) ([]mirrorPlace, error) {
	var places []mirrorPlace
	note := "it is in the history of no branch that is published here"
	for _, b := range d.Published.Branches {
		if b.Projection == nil || b.Commit == projection.None {
			continue
		}
		i, _, ok := m.pub.Lookup(b.Projection, commit)
		switch {
		case !ok:
			continue
		case i == projection.None:
			in, err := m.source.reaches(ctx, b.Head, commit)
			if err != nil {
				return nil, err
			}
			if in {
				note = "nothing was published here up to it"
			}
			continue
		}
		c, err := b.Projection.Commit(i)
		if err != nil {
			return nil, err
		}
		reached, err := b.Projection.IsAncestor(i, b.Commit)
		if err != nil {
			return nil, err
		}
		if !reached {
			note = "it was merged in a way that changed nothing here"
			continue
		}
		at := slices.IndexFunc(places, func(p mirrorPlace) bool { return p.Commit == c.ID.String() })
		if at < 0 {
			at = len(places)
			places = append(places, m.place(d, commit, c))
		}
		places[at].Branches = append(places[at].Branches, b.Name)
	}
	if len(places) == 0 {
		if d.Err != nil {
			note = "the destination has an error: " + d.Err.Error()
		}
		places = []mirrorPlace{{Destination: d.Name, Note: note}}
	}
	return places, nil
}

// place describes the mirror commit c that stands for a source commit.
func (m *mapper) place(d *plan.Destination, commit object.ID, c projection.Commit) mirrorPlace {
	p := mirrorPlace{Destination: d.Name, Commit: c.ID.String(), Source: hash(c.Source), Published: c.Source == commit}
	for _, r := range m.mirrors {
		if r.name == d.Name {
			p.Synced = r.store.Has(c.ID)
		}
	}
	if !p.Synced {
		p.Note = "not in the mirror yet"
	}
	for _, t := range d.Published.Tags {
		if t.Parent == c.ID || t.Target == c.ID {
			p.Tags = append(p.Tags, t.Names...)
		}
	}
	return p
}

// origin finds out where a commit of a mirror comes from.
func (m *mapper) origin(at location) (origin, error) {
	o := origin{Destination: at.in.name, Commit: at.commit.String()}
	data, err := at.in.store.Reader().Commit(at.commit)
	if err != nil {
		return o, err
	}
	c, err := object.ParseCommit(data)
	if err != nil {
		return o, fmt.Errorf("commit %s: %w", at.commit, err)
	}
	d := m.plan.Destination(at.in.name)
	for _, t := range d.Published.Tags {
		if t.Target == at.commit {
			o.SourceTags = append(o.SourceTags, t.Source)
			o.Computed = true
		}
	}
	from, ok := m.pub.TrailerOf(c)
	if !ok {
		o.Note = fmt.Sprintf("it has no %s trailer", m.pub.Trailer())
		return o, nil
	}
	o.Source = from.String()
	known := false
	for _, b := range d.Published.Branches {
		if o.Computed || b.Projection == nil {
			continue
		}
		i, _, ok := m.pub.Lookup(b.Projection, from)
		if !ok || i == projection.None {
			continue
		}
		known = true
		mine, err := b.Projection.Commit(i)
		if err != nil {
			return o, err
		}
		o.Computed = mine.ID == at.commit
	}
	switch {
	case o.Computed:
	case d.Err != nil:
		o.Note = "the destination has an error: " + d.Err.Error()
	case known:
		o.Note = "another commit is published for that source commit"
	default:
		o.Note = "nothing is published from that source commit"
	}
	return o, nil
}
