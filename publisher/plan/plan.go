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

	"k8s.io/publisher/mirror"
	"k8s.io/publisher/object"
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
	// TakeOver also takes over mirrors that the publisher filled itself, under
	// other rules.
	TakeOver bool
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
	// TakeOver also takes over mirrors that the publisher filled itself, under
	// other rules.
	TakeOver bool
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
