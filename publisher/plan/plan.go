// Package plan compares what is to be published with where the mirrors stand.
// A plan is a value: it can be shown, it says all that a sync will do, and
// carrying it out changes nothing in it.
//
// Branches only fast-forward and tags never move. Where that is not possible,
// the destination has an error that names both sides, and so have those that
// depend on it: nothing of them is written.
package plan

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"k8s.io/publisher/mirror"
	"k8s.io/publisher/modules"
	"k8s.io/publisher/object"
	"k8s.io/publisher/past"
	"k8s.io/publisher/publication"
	"k8s.io/publisher/rules"
	"k8s.io/publisher/source"
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
	// Withhold is on a tag that is not published for now, as it cannot be consumed.
	Withhold Action = "withhold"
)

// Plan is what a sync will do.
type Plan struct {
	// Destinations are in the order in which they are published.
	Destinations []*Destination
}

// Destination is the part of a plan that concerns one mirror.
type Destination struct {
	Name     string
	Branches []Branch
	Tags     []Tag
	Warnings []modules.Warning
	// DependsOn names the destinations that it pins.
	DependsOn []string
	// Err is why nothing will be done here.
	Err error
	// Conflicts are its refs that cannot become what they should be.
	Conflicts []*ConflictError

	// Mirror is the state that was compared with.
	Mirror *mirror.Mirror
	// Refs are the refs that change, with their new values.
	Refs map[string]mirror.Ref

	foreignTags string
}

// ForeignTags is the digest of the mirror's tags that the publisher does not make,
// as the rules are to have it where the mirror is taken over.
func (d *Destination) ForeignTags() string { return d.foreignTags }

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
	// Withheld is why it is not published for now.
	Withheld error
}

// ConflictError reports a ref that cannot become what it should be without
// moving what is published.
type ConflictError struct {
	Destination, Ref string
	Have, Want       object.ID
	Reason           string
	// TakeOver tells that the branch could be continued if the rules said so.
	TakeOver bool
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("%s of %s is at %s and should be at %s: %s", e.Ref, e.Destination, e.Have, e.Want, e.Reason)
}

// DependencyError reports a destination that is not published because another one,
// which it depends on, is not.
type DependencyError struct{ On string }

func (e *DependencyError) Error() string {
	return fmt.Sprintf("it depends on %s, which failed", e.On)
}

// Make compares. What concerns one destination is in [Destination.Err].
func Make(pub *publication.Publication, r *rules.Rules, from *past.Past, repo *source.Repository) *Plan {
	p := new(Plan)
	for _, d := range pub.Destinations {
		m := &maker{
			pub: pub, repo: repo, from: d, mirror: from.Mirrors[d.Name], rule: r.Rule(d.Name),
			to: &Destination{
				Name: d.Name, Err: d.Err, Warnings: d.Warnings, DependsOn: d.DependsOn,
				Mirror: from.Mirrors[d.Name].Mirror, Refs: make(map[string]mirror.Ref),
			},
		}
		p.Destinations = append(p.Destinations, m.to)
		if m.mirror.Err != nil {
			m.to.Err = m.mirror.Err
		}
		if m.to.Err == nil {
			m.to.Err = m.compare()
		} else {
			m.failAll()
		}
	}
	p.stopDependents()
	return p
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

// Withhold returns the destination without what a source tag yields, and with the
// reason. The destination itself stays as it is.
func (d *Destination) Withhold(source string, reason error) *Destination {
	to := *d
	to.Tags, to.Refs = slices.Clone(d.Tags), maps.Clone(d.Refs)
	for i, t := range to.Tags {
		if t.Source != source || t.Action != Create {
			continue
		}
		to.Tags[i].Action, to.Tags[i].Withheld = Withhold, reason
		for _, name := range t.Names {
			delete(to.Refs, "refs/tags/"+name)
		}
	}
	return &to
}

// With returns the destination with further refs. The destination itself stays as it is.
func (d *Destination) With(refs map[string]mirror.Ref) *Destination {
	to := *d
	to.Refs = maps.Clone(d.Refs)
	maps.Copy(to.Refs, refs)
	return &to
}

// Withheld returns why tags are withheld, for all destinations together; nil where none
// is.
func (p *Plan) Withheld() error {
	var errs []error
	for _, d := range p.Destinations {
		for _, t := range d.Tags {
			if t.Withheld != nil {
				errs = append(errs, fmt.Errorf("%s: source tag %s: %w", d.Name, t.Source, t.Withheld))
			}
		}
	}
	return errors.Join(errs...)
}

// Stop returns the plan with destinations that are stopped for a reason, and those that
// depend on them. The plan itself stays as it is.
func (p *Plan) Stop(reasons map[string]error) *Plan {
	to := new(Plan)
	for _, d := range p.Destinations {
		if err := reasons[d.Name]; err != nil && d.Err == nil {
			stopped := *d
			stopped.Err = err
			d = &stopped
		} else {
			same := *d
			d = &same
		}
		to.Destinations = append(to.Destinations, d)
	}
	to.stopDependents()
	return to
}

// Changes reports whether there is anything to do in the mirror.
func (d *Destination) Changes() bool { return d.Err == nil && len(d.Refs) > 0 }

// Changes reports whether there is anything to do in any mirror.
func (p *Plan) Changes() bool { return slices.ContainsFunc(p.Destinations, (*Destination).Changes) }

// stopDependents passes failures on, within circles in both directions.
func (p *Plan) stopDependents() {
	for again := true; again; {
		again = false
		for _, d := range p.Destinations {
			for _, on := range d.DependsOn {
				if d.Err == nil && p.Destination(on).Err != nil {
					d.Err = &DependencyError{On: on}
					again = true
				}
			}
		}
	}
}
