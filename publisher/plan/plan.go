// Package plan compares what is to be published with what the mirrors hold.
// A plan is a value: it can be shown, and it says all that a sync will do.
//
// Branches only fast-forward and tags never move. Where that is not possible,
// the destination has an error that names both sides, and so have those that
// depend on it: nothing of them is written.
package plan

import (
	"errors"
	"fmt"
	"strings"

	"k8s.io/publisher/mirror"
	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
	"k8s.io/publisher/projection"
	"k8s.io/publisher/publication"
)

// Action is what happens to a ref.
type Action string

// What can happen to a ref.
const (
	Create    Action = "create"
	Update    Action = "update"
	Unchanged Action = "unchanged"
	Skip      Action = "skip"
	Fail      Action = "fail"
)

// Plan is what a sync will do.
type Plan struct {
	Destinations []*Destination
}

// Destination is the part of a plan that concerns one mirror.
type Destination struct {
	Name     string
	Branches []Branch
	Tags     []Tag
	Warnings []publication.Warning
	// Err is why nothing will be done here.
	Err error

	// Mirror is the state that was compared with.
	Mirror *mirror.Mirror
	// Refs are the refs that change, with their new values.
	Refs map[string]mirror.Ref
	// Published is what was computed.
	Published *publication.Destination
}

// Branch is what happens to a branch of a mirror.
type Branch struct {
	Name, Source string
	Action       Action
	Old, New     object.ID
	// Commits is how many commits of the branch are new to the mirror.
	Commits int
	// Note is a reason, or something worth knowing.
	Note string
}

// Tag is what happens to what a source tag yields.
type Tag struct {
	Source string
	Names  []string
	Action Action
	Commit object.ID // in the mirror
	Note   string
}

// ConflictError reports a ref that cannot become what it should be without
// moving what is published.
type ConflictError struct {
	Destination, Ref string
	Have, Want       object.ID
	Reason           string
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("%s of %s is at %s and should be at %s: %s", e.Ref, e.Destination, e.Have, e.Want, e.Reason)
}

// TakenOverError is returned where a mirror turns out to have been filled by
// someone else: the publication is to be computed again on top of it.
type TakenOverError struct {
	Takeovers map[string]*publication.Takeover
}

func (e *TakenOverError) Error() string { return "mirrors were filled by someone else" }

// Input is what a plan is made from.
type Input struct {
	Publication *publication.Publication
	// Mirrors are the mirrors' states by destination; Errs those that could
	// not be read.
	Mirrors   map[string]*mirror.Mirror
	Errs      map[string]error
	Takeovers map[string]*publication.Takeover
}

// Make compares. The error is publication.ErrStale or a [TakenOverError], both
// of which ask for another computation, or a failure to read a mirror; what
// concerns one destination is in [Destination.Err].
func Make(in Input) (*Plan, error) {
	p := new(Plan)
	taken := make(map[string]*publication.Takeover)
	for _, d := range in.Publication.Destinations {
		m := &maker{
			in: in, pub: in.Publication, from: d, took: in.Takeovers[d.Name],
			to: &Destination{Name: d.Name, Err: d.Err, Warnings: d.Warnings, Published: d, Mirror: in.Mirrors[d.Name], Refs: make(map[string]mirror.Ref)},
		}
		p.Destinations = append(p.Destinations, m.to)
		if err := in.Errs[d.Name]; err != nil {
			m.to.Err = err
		}
		if m.to.Err != nil {
			m.skipAll()
			continue
		}
		takeover, err := m.compare()
		if errors.Is(err, publication.ErrStale) {
			return nil, err
		}
		if takeover != nil {
			taken[d.Name] = takeover
		}
		m.to.Err = err
	}
	if len(taken) > 0 {
		return nil, &TakenOverError{Takeovers: taken}
	}
	p.stopDependents()
	return p, nil
}

// Destination returns a destination of the plan by name, or nil.
func (p *Plan) Destination(name string) *Destination {
	for _, d := range p.Destinations {
		if d.Name == name {
			return d
		}
	}
	return nil
}

// NewCommits is how many commits are new to the mirror.
func (d *Destination) NewCommits() int {
	n := 0
	for _, b := range d.Branches {
		n += b.Commits
	}
	return n
}

// Changes reports whether the plan has anything to do.
func (p *Plan) Changes() bool {
	for _, d := range p.Destinations {
		if d.Err == nil && len(d.Refs) > 0 {
			return true
		}
	}
	return false
}

// Fail gives an error to all destinations that had something to do.
func (p *Plan) Fail(err error) {
	for _, d := range p.Destinations {
		if d.Err == nil && len(d.Refs) > 0 {
			d.Err = err
		}
	}
}

// stopDependents passes failures on.
func (p *Plan) stopDependents() {
	for _, d := range p.Destinations {
		d.StopFor(p)
	}
}

// StopFor gives d an error where one of the destinations that it depends on
// has one, and reports whether d has one.
func (d *Destination) StopFor(p *Plan) bool {
	for _, on := range d.Published.DependsOn {
		if dep := p.Destination(on); d.Err == nil && dep != nil && dep.Err != nil {
			d.Err = fmt.Errorf("it depends on %s, which failed", on)
		}
	}
	return d.Err != nil
}

// maker compares one destination.
type maker struct {
	in     Input
	pub    *publication.Publication
	from   *publication.Destination
	to     *Destination
	took   *publication.Takeover
	reader *odb.Reader
}

func (m *maker) skipAll() {
	for _, b := range m.from.Branches {
		m.to.Branches = append(m.to.Branches, Branch{Name: b.Name, Source: b.Source, Action: Fail})
	}
}

func (m *maker) compare() (*publication.Takeover, error) {
	if m.to.Mirror.Exists {
		store, err := odb.Open(m.to.Mirror.ObjectsDir())
		if err != nil {
			return nil, err
		}
		defer store.Close()
		m.reader = store.Reader()
		if err := m.stale(store); err != nil {
			return nil, err
		}
	} else if err := m.stale(nil); err != nil {
		return nil, err
	}
	takeover := new(publication.Takeover)
	var old []mark
	var errs []error
	for _, b := range m.from.Branches {
		if b.Skipped != "" {
			m.to.Branches = append(m.to.Branches, Branch{Name: b.Name, Source: b.Source, Action: Skip, Note: b.Skipped})
			continue
		}
		at, base, err := m.branch(b)
		if err != nil {
			errs = append(errs, err)
			have, _ := m.to.Mirror.Ref("refs/heads/" + b.Name)
			m.to.Branches = append(m.to.Branches, Branch{Name: b.Name, Source: b.Source, Action: Fail, Old: have, New: b.Tip, Note: err.Error()})
			continue
		}
		if base != nil {
			takeover.Add(b.Name, *base)
		}
		old = append(old, at...)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if len(takeover.Bases) > 0 {
		return takeover, nil
	}
	if err := m.count(old); err != nil {
		return nil, err
	}
	return nil, m.tags()
}

// mark is a commit of a projection.
type mark struct {
	of *projection.Projection
	i  int32
}

// branch compares one branch. It returns where the mirror's is now, or, where
// the mirror was filled by someone else, the base to go on from.
func (m *maker) branch(b *publication.Branch) ([]mark, *publication.Base, error) {
	update := Branch{Name: b.Name, Source: b.Source, Action: Create, New: b.Tip, Note: b.Note}
	ref := "refs/heads/" + b.Name
	have, exists := m.to.Mirror.Ref(ref)
	if !exists {
		m.to.Branches = append(m.to.Branches, update)
		m.to.Refs[ref] = mirror.Ref{ID: b.Tip}
		return nil, nil, nil
	}
	update.Old = have
	if base, ok := m.took.Base(b.Name); ok && b.Note == "" {
		update.Note = fmt.Sprintf("continues what someone else published up to %s", base.Commit)
	}
	if have == b.Tip {
		update.Action = Unchanged
		m.to.Branches = append(m.to.Branches, update)
		return []mark{{b.Projection, b.Commit}}, nil, nil
	}
	conflict := func(format string, args ...any) (_ []mark, _ *publication.Base, err error) {
		return nil, nil, &ConflictError{m.to.Name, ref, have, b.Tip, fmt.Sprintf(format, args...)}
	}
	i, ok, err := m.find(b, have)
	if err != nil {
		return nil, nil, err
	}
	if !ok {
		foreign, err := m.foreign(b, have)
		if err != nil {
			return nil, nil, err
		}
		if _, before := m.took.Base(b.Name); foreign.base != nil && !before {
			return nil, foreign.base, nil
		}
		return conflict("%s", foreign.reason)
	}
	forward, err := b.Projection.IsAncestor(i, b.Commit)
	if err != nil {
		return nil, nil, err
	}
	if !forward {
		if back, err := b.Projection.IsAncestor(b.Commit, i); err == nil && back {
			return conflict("the source branch %s is behind what was published from it; a mirror never goes back", b.Source)
		}
		return conflict("the source branch %s was rewritten; a mirror only goes forward", b.Source)
	}
	update.Action = Update
	m.to.Branches = append(m.to.Branches, update)
	m.to.Refs[ref] = mirror.Ref{ID: b.Tip}
	return []mark{{b.Projection, i}}, nil, nil
}

// find returns the index of a mirror's commit in the branch's projection.
func (m *maker) find(b *publication.Branch, id object.ID) (int32, bool, error) {
	if base, ok := m.took.Base(b.Name); ok && base.Commit == id {
		i, _, ok := m.pub.Lookup(b.Projection, base.Source)
		return i, ok, nil
	}
	c, err := m.commit(id)
	if err != nil {
		return 0, false, err
	}
	from, ok := m.pub.TrailerOf(c)
	if !ok {
		return 0, false, nil
	}
	i, _, ok := m.pub.Lookup(b.Projection, from)
	if !ok || i == projection.None {
		return 0, false, nil
	}
	mine, err := b.Projection.Commit(i)
	return i, mine.ID == id, err
}

func (m *maker) commit(id object.ID) (*object.Commit, error) {
	data, err := m.reader.Commit(id)
	if err != nil {
		return nil, fmt.Errorf("read mirror %s: %w", m.to.Mirror.Dir, err)
	}
	c, err := object.ParseCommit(data)
	if err != nil {
		return nil, fmt.Errorf("read mirror %s: commit %s: %w", m.to.Mirror.Dir, id, err)
	}
	return c, nil
}

// foreigners says what is known of a branch whose tip the publisher did not
// make from this source.
type foreigners struct {
	reason string
	base   *publication.Base // where the branch can be taken over
}

// foreign follows the mirror's first parents. Where it meets a commit that is
// the publisher's own, what is above was put there by someone; where it meets
// none, the whole branch is someone else's, and can be continued if a trailer
// tells from where.
func (m *maker) foreign(b *publication.Branch, tip object.ID) (foreigners, error) {
	var above []string
	var base *publication.Base
	var stranger object.ID
	for id := tip; ; {
		if _, ok, err := m.find(b, id); err != nil {
			return foreigners{}, err
		} else if ok {
			if m.took != nil && base != nil {
				// It is the other bot's, which its branches have in common.
				return foreigners{base: base, reason: "it was filled by someone else after it was taken over"}, nil
			}
			const most = 5
			if len(above) > most {
				above = append(above[:most], fmt.Sprintf("%d more", len(above)-most))
			}
			return foreigners{reason: fmt.Sprintf("commits on top of %s are not projections of source branch %s: %s", id, b.Source, strings.Join(above, ", "))}, nil
		}
		above = append(above, id.String())
		c, err := m.commit(id)
		if err != nil {
			return foreigners{}, err
		}
		if from, ok := m.pub.TrailerOf(c); ok && base == nil {
			if m.pub.OnMainline(b.Source, from) {
				base = &publication.Base{Commit: tip, Source: from}
			} else if stranger.IsZero() {
				stranger = from
			}
		}
		if len(c.Parents) == 0 {
			break
		}
		id = c.Parents[0]
	}
	switch {
	case base != nil:
		return foreigners{base: base, reason: "it was filled by someone else after it was taken over"}, nil
	case !stranger.IsZero():
		return foreigners{reason: fmt.Sprintf("its commits name source commits, such as %s, that are not on the mainline of source branch %s", stranger, b.Source)}, nil
	}
	return foreigners{reason: "the publisher did not make its commits, and no trailer tells which source commits they stand for"}, nil
}

// stale returns ErrStale where new commits stand on ones that the cache knows
// and the mirror lacks: someone removed the mirror, or restored an old one.
func (m *maker) stale(store *odb.Store) error {
	seen := make(map[*projection.Projection]bool)
	for _, b := range m.from.Branches {
		of := b.Projection
		if of == nil || b.Commit == projection.None {
			continue
		}
		need := func(i int32) error {
			if i >= of.Base() {
				return nil
			}
			c, err := of.Commit(i)
			if err != nil {
				return err
			}
			if store == nil || !store.Has(c.ID) {
				return fmt.Errorf("%w: commit %s is not in %s", publication.ErrStale, c.ID, m.to.Mirror.Dir)
			}
			return nil
		}
		if have, _ := m.to.Mirror.Ref("refs/heads/" + b.Name); have != b.Tip {
			if err := need(b.Commit); err != nil {
				return err
			}
		}
		if seen[of] {
			continue
		}
		seen[of] = true
		for i := of.Base(); i < of.Len(); i++ {
			c, err := of.Commit(i)
			if err != nil {
				return err
			}
			for _, parent := range c.Parents {
				if err := need(parent); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// count finds how many commits are new to the mirror, for each branch those
// that no branch before it has.
func (m *maker) count(old []mark) error {
	visited := make(map[mark]bool)
	visit := func(from mark) (int, error) {
		n := 0
		stack := []mark{from}
		for len(stack) > 0 {
			at := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			if at.i < at.of.Base() || visited[at] {
				continue
			}
			visited[at] = true
			n++
			c, err := at.of.Commit(at.i)
			if err != nil {
				return 0, err
			}
			for _, parent := range c.Parents {
				stack = append(stack, mark{at.of, parent})
			}
		}
		return n, nil
	}
	for _, at := range old {
		if _, err := visit(at); err != nil {
			return err
		}
	}
	for i := range m.to.Branches {
		b := &m.to.Branches[i]
		if b.Action != Create && b.Action != Update {
			continue
		}
		for _, from := range m.from.Branches {
			if from.Name != b.Name {
				continue
			}
			n, err := visit(mark{from.Projection, from.Commit})
			if err != nil {
				return err
			}
			b.Commits = n
		}
	}
	return nil
}

// tags compares the tags.
func (m *maker) tags() error {
	for _, t := range m.from.Tags {
		update := Tag{Source: t.Source, Names: t.Names, Action: Unchanged, Commit: t.Target}
		for k, name := range t.Names {
			ref := "refs/tags/" + name
			have, exists := m.to.Mirror.Ref(ref)
			switch {
			case !exists:
				update.Action = Create
				m.to.Refs[ref] = mirror.Ref{ID: t.Objects[k], Peeled: t.Target}
			case have == t.Objects[k]:
			default:
				before, err := m.took.Has(t.Parent, m.reader, m.pub.Trailer())
				if err != nil {
					return err
				}
				if before {
					update.Note = "published before the mirror was taken over"
					continue
				}
				return &ConflictError{m.to.Name, ref, have, t.Objects[k], fmt.Sprintf("source tag %s yields another tag; a published tag never moves", t.Source)}
			}
		}
		m.to.Tags = append(m.to.Tags, update)
	}
	for _, s := range m.from.SkippedTags {
		m.to.Tags = append(m.to.Tags, Tag{Source: s.Name, Action: Skip, Note: s.Reason})
	}
	// What was taken over is noted in the mirror itself.
	if m.took != nil {
		for branch, base := range m.took.Bases {
			ref := publication.TakeoverRefs + branch
			if _, ok := m.to.Mirror.Ref(ref); !ok {
				m.to.Refs[ref] = mirror.Ref{ID: base.Commit}
			}
		}
	}
	return nil
}
