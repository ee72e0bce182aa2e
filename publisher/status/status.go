// Package status is the report of where destinations stand, for people.
//
// It is made from the report before and what a run did, and written for whoever
// asks in between: [Next] makes the report, [Write] and [Read] keep it in a file.
// Nothing is decided by it. Where a mirror stands is read from the mirror, and who
// loses the report only loses the dates of what was before.
package status

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/google/renameio/v2"

	"k8s.io/publisher/object"
	"k8s.io/publisher/plan"
)

// Status is the report. Times are in UTC.
type Status struct {
	// Run is the run that ended last.
	Run Run `json:"run"`
	// Destinations are in the order in which they are published.
	Destinations []Destination `json:"destinations"`
}

// Run is a run that has ended.
type Run struct {
	ID string `json:"id"`
	// Cause is why it ran: at the start, by the interval, or whose request it was.
	Cause    string    `json:"cause"`
	Started  time.Time `json:"started"`
	Finished time.Time `json:"finished"`
	// Error is empty where all went well.
	Error string `json:"error,omitempty"`
}

// Destination is where one destination stands.
type Destination struct {
	Name string `json:"name"`
	// LastSuccess is when a run last found it up to date, or made it so. It is nil
	// where none did.
	LastSuccess *time.Time `json:"lastSuccess,omitempty"`
	// Seconds is how long the last success took, without what is done for all
	// destinations together.
	Seconds float64 `json:"seconds"`
	// FailingSince is when the first of the runs ended that have failed here since
	// the last success.
	FailingSince *time.Time `json:"failingSince,omitempty"`
	// Error is why the last run failed here, or before it came here.
	Error string `json:"error,omitempty"`
	// Waiting counts the branches and tags that are not in the mirror as they
	// should be.
	Waiting  int      `json:"waiting"`
	Branches []Branch `json:"branches"`
	// Tags counts the mirror's tags that the source's yield.
	Tags int `json:"tags"`
}

// Branch is where a branch of a mirror stands. Commits are in full, and empty
// where there is none.
type Branch struct {
	Name   string `json:"name"`
	Source string `json:"source"` // the source branch
	// SourceHead and MirrorHead are the commits at which the source's branch and the
	// mirror's are.
	SourceHead string `json:"sourceHead,omitempty"`
	MirrorHead string `json:"mirrorHead,omitempty"`
}

// Outcome is what a run did.
type Outcome struct {
	Run Run
	// Plan is nil where the run failed before it had one.
	Plan *plan.Plan
	// Failures are why destinations were not published, by name.
	Failures map[string]error
	// Took is how long the destinations took.
	Took map[string]time.Duration
	// Heads are the heads of the source's branches.
	Heads map[string]object.ID
	// Redact takes secrets out of what errors say. Nil: there are none.
	Redact func(string) string
}

func (o *Outcome) say(err error) string {
	if o.Redact == nil {
		return err.Error()
	}
	return o.Redact(err.Error())
}

// Failure is why a destination was not published, or nil.
func (o *Outcome) Failure(d *plan.Destination) error {
	if err := o.Failures[d.Name]; err != nil {
		return err
	}
	return d.Err
}

// Next returns the report after a run. The one before may be nil.
func Next(before *Status, o *Outcome) *Status {
	if before == nil {
		before = new(Status)
	}
	next := &Status{Run: o.Run, Destinations: []Destination{}}
	if o.Plan == nil {
		for _, d := range before.Destinations {
			d.fail(o.Run)
			next.Destinations = append(next.Destinations, d)
		}
		return next
	}
	known := make(map[string]Destination)
	for _, d := range before.Destinations {
		known[d.Name] = d
	}
	for _, p := range o.Plan.Destinations {
		d := known[p.Name]
		d.Name = p.Name
		failed := o.Failure(p)
		if failed == nil {
			finished := o.Run.Finished
			d.LastSuccess, d.Seconds = &finished, o.Took[p.Name].Seconds()
			d.FailingSince, d.Error = nil, ""
		} else {
			run := o.Run
			run.Error = o.say(failed)
			d.fail(run)
		}
		d.refs(p, failed != nil, o.Heads)
		next.Destinations = append(next.Destinations, d)
	}
	return next
}

func (d *Destination) fail(run Run) {
	d.Error = run.Error
	if d.FailingSince == nil {
		d.FailingSince = &run.Finished
	}
}

// refs notes where the refs are after a plan was carried out, or was not.
func (d *Destination) refs(p *plan.Destination, failed bool, heads map[string]object.ID) {
	d.Branches, d.Tags, d.Waiting = []Branch{}, 0, 0
	for _, b := range p.Branches {
		if b.Action == plan.Skip {
			continue
		}
		at := b.New
		if b.Action == plan.Fail || failed {
			at = b.Old
		}
		if at != b.New || b.Action == plan.Fail {
			d.Waiting++
		}
		d.Branches = append(d.Branches, Branch{Name: b.Name, Source: b.Source, SourceHead: text(heads[b.Source]), MirrorHead: text(at)})
	}
	for _, t := range p.Tags {
		switch {
		case t.Action == plan.Skip:
		case t.Action == plan.Unchanged:
			d.Tags += len(t.Names)
		case failed || t.Action == plan.Fail:
			d.Waiting += len(t.Names)
		default:
			d.Tags += len(t.Names)
		}
	}
}

func text(id object.ID) string {
	if id.IsZero() {
		return ""
	}
	return id.String()
}

// Failed are the names of the destinations that the last run failed at.
func (s *Status) Failed() []string {
	failed := make(map[string]bool)
	for _, d := range s.Destinations {
		if d.Error != "" {
			failed[d.Name] = true
		}
	}
	return slices.Sorted(maps.Keys(failed))
}

// Path is where the report is, in the publisher's own folder.
func Path(folder string) string { return filepath.Join(folder, "status.json") }

// Read reads the report in a folder. It is nil where there is none.
func Read(folder string) (*Status, error) {
	data, err := os.ReadFile(Path(folder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the status: %w", err)
	}
	s, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("read the status %s: %w; remove the file, the next run writes it anew", Path(folder), err)
	}
	return s, nil
}

// Parse reads a report from JSON.
func Parse(data []byte) (*Status, error) {
	s := new(Status)
	if err := json.Unmarshal(data, s); err != nil {
		return nil, err
	}
	return s, nil
}

// Encode writes a report as JSON.
func (s *Status) Encode() ([]byte, error) {
	data, err := json.MarshalIndent(s, "", "  ")
	return append(data, '\n'), err
}

// Write replaces the report in a folder: who reads at the same time sees the one
// before or this one.
func (s *Status) Write(folder string) error {
	data, err := s.Encode()
	if err == nil {
		err = os.MkdirAll(folder, 0o777)
	}
	if err == nil {
		err = renameio.WriteFile(Path(folder), data, 0o644)
	}
	if err != nil {
		return fmt.Errorf("write the status: %w", err)
	}
	return nil
}
