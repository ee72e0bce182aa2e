package session

import (
	"context"
	"fmt"
	"path/filepath"

	"k8s.io/publisher/mirror"
	"k8s.io/publisher/modhash"
	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
	"k8s.io/publisher/plan"
	"k8s.io/publisher/provenance"
	"k8s.io/publisher/publication"
)

// Sign testifies to the tags that a plan makes, where there is a key to sign with: it
// returns the plan with a ref beside each, to be published with it. What is published of
// commits and tags is the same; see package provenance.
func (s *Session) Sign(ctx context.Context, p *plan.Plan, pub *publication.Publication) (_ *plan.Plan, err error) {
	if s.signer == nil || !p.Changes() {
		return p, nil
	}
	objects, err := s.allObjects(p)
	if err != nil {
		return nil, err
	}
	defer objects.Close()
	dir := filepath.Join(s.temp, "provenance")
	scratch, err := odb.NewScratch(dir)
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, scratch.Close)
	reader := objects.Reader()
	var sums modhash.Sums = new(modhash.MemorySums)
	if s.cache != nil {
		sums = s.cache
	}
	w := &witness{
		signer: s.signer, claims: provenance.Claims{Rules: s.RuleSet.Digest(), Publisher: s.Version},
		releases: &releases{pub: pub, reader: reader}, hasher: modhash.New(reader, sums),
		put: func(t object.Type, data []byte) (object.ID, error) { return scratch.Put(t, data, nil) },
	}
	to := new(plan.Plan)
	for _, d := range p.Destinations {
		if d.Changes() {
			if d, err = w.testify(ctx, d); err != nil {
				return nil, err
			}
		}
		to.Destinations = append(to.Destinations, d)
	}
	s.provenance = dir
	return to, scratch.Finish()
}

// witness testifies to tags.
type witness struct {
	signer   *provenance.Signer
	claims   provenance.Claims
	releases *releases
	hasher   *modhash.Hasher
	put      func(object.Type, []byte) (object.ID, error)
}

// testify adds to a destination's plan what testifies to its new tags.
func (w *witness) testify(ctx context.Context, d *plan.Destination) (*plan.Destination, error) {
	refs := make(map[string]mirror.Ref)
	for _, planned := range d.Tags {
		if planned.Action != plan.Create {
			continue
		}
		t := w.releases.tag(d.Name, planned.Source)
		if t == nil {
			return nil, fmt.Errorf("source tag %s of %s is planned and not made", planned.Source, d.Name)
		}
		for k, name := range t.Names {
			_, made := d.Refs["refs/tags/"+name]
			// A testimony that is there stays.
			if _, there := d.Mirror.Ref(provenance.Ref(name)); !made || there {
				continue
			}
			id, err := w.record(ctx, d.Name, t, k)
			if err != nil {
				return nil, err
			}
			refs[provenance.Ref(name)] = mirror.Ref{ID: id}
		}
	}
	return d.With(refs), nil
}

// record stores what testifies to one of the tags that a source tag yields.
func (w *witness) record(ctx context.Context, destination string, t *publication.Tag, k int) (object.ID, error) {
	facts, target, err := provenance.Of(w.releases.reader, w.hasher, destination, t, k)
	if err != nil {
		return object.ID{}, fmt.Errorf("state the provenance of tag %s of %s: %w", t.Names[k], destination, err)
	}
	facts.Claims = w.claims
	return w.signer.Record(ctx, facts, target, w.put)
}
