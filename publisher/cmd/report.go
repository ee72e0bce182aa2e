package cmd

import (
	"cmp"
	"fmt"
	"slices"

	"k8s.io/publisher/mirror"
	"k8s.io/publisher/object"
	"k8s.io/publisher/plan"
	"k8s.io/publisher/remote"
)

// report is what plan and sync print: what will be done, or was done. Hashes are
// in full, and empty where there is none.
type report struct {
	// Done tells a report of sync from one of plan.
	Done bool `json:"done"`
	// Push tells that it was to go to the remotes, too.
	Push bool `json:"push,omitempty"`
	// Destinations are in the order in which they are published.
	Destinations []destinationReport `json:"destinations"`
}

type destinationReport struct {
	Name string `json:"name"`
	// Mirror is the path of the repository.
	Mirror string `json:"mirror"`
	// Remote is the URL that it is pushed to; empty where it stays on this machine.
	Remote string `json:"remote,omitempty"`
	// Pushed is how many refs of the remote changed.
	Pushed int `json:"pushed,omitempty"`
	// Error is why nothing is done here; empty where it is.
	Error    string          `json:"error,omitempty"`
	Warnings []warningReport `json:"warnings"`
	Branches []branchReport  `json:"branches"`
	Tags     []tagReport     `json:"tags"`
}

type warningReport struct {
	What string `json:"what"`
	// Count is at how many source commits it was met; Commit is one of them
	// and Error what was wrong there.
	Count  int    `json:"count"`
	Commit string `json:"commit"`
	Error  string `json:"error,omitempty"`
}

type branchReport struct {
	Name   string      `json:"name"`
	Source string      `json:"source"` // the source branch
	Action plan.Action `json:"action"`
	Old    string      `json:"old,omitempty"`
	New    string      `json:"new,omitempty"`
	// Commits is how many commits are new to the mirror with this branch.
	Commits int    `json:"commits"`
	Note    string `json:"note,omitempty"`
}

type tagReport struct {
	Source string      `json:"source"` // the source tag
	Names  []string    `json:"names"`  // in the mirror
	Action plan.Action `json:"action"`
	Commit string      `json:"commit,omitempty"` // in the mirror
	Note   string      `json:"note,omitempty"`
	// Withheld is why it is not published for now.
	Withheld string `json:"withheld,omitempty"`
}

// blocked is the action on what would be published, were it not for a failure
// elsewhere.
const blocked plan.Action = "blocked"

// report tells of a plan, and of what went wrong, by destination, when it was
// carried out.
func (f *flags) report(p *plan.Plan, failures map[string]error) *report {
	r := &report{Destinations: []destinationReport{}}
	for _, d := range p.Destinations {
		r.Destinations = append(r.Destinations, f.destination(d, cmp.Or(failures[d.Name], d.Err)))
	}
	return r
}

// remotes adds to the report where destinations are pushed to, and what arrived there.
func (r *report) remotes(urls map[string]string, pushed map[string]remote.Pushed) {
	for i := range r.Destinations {
		d := &r.Destinations[i]
		d.Remote, d.Pushed = urls[d.Name], pushed[d.Name].Refs
	}
}

func (f *flags) destination(d *plan.Destination, failed error) destinationReport {
	r := destinationReport{
		Name: d.Name, Mirror: mirror.Path(f.mirrors, d.Name),
		Warnings: []warningReport{}, Branches: []branchReport{}, Tags: []tagReport{},
	}
	actual := func(a plan.Action) plan.Action {
		if failed != nil && (a == plan.Create || a == plan.Update) {
			return blocked
		}
		return a
	}
	if failed != nil {
		r.Error = failed.Error()
	}
	for _, w := range d.Warnings {
		warning := warningReport{What: w.What, Count: w.Count, Commit: hash(w.Commit)}
		if w.Err != nil {
			warning.Error = w.Err.Error()
		}
		r.Warnings = append(r.Warnings, warning)
	}
	for _, b := range d.Branches {
		r.Branches = append(r.Branches, branchReport{
			Name: b.Name, Source: b.Source, Action: actual(b.Action),
			Old: hash(b.Old), New: hash(b.New), Commits: b.Commits, Note: b.Note,
		})
	}
	for _, t := range d.Tags {
		names := slices.Clone(t.Names)
		if names == nil {
			names = []string{}
		}
		tag := tagReport{Source: t.Source, Names: names, Action: actual(t.Action), Commit: hash(t.Commit), Note: t.Note}
		if t.Withheld != nil {
			tag.Withheld = t.Withheld.Error()
		}
		r.Tags = append(r.Tags, tag)
	}
	return r
}

func hash(id object.ID) string {
	if id.IsZero() {
		return ""
	}
	return id.String()
}

// failure names the destinations that have an error or withhold a tag; nil where none does. What
// the errors are is in the report.
func (r *report) failure() error {
	var names []string
	for _, d := range r.Destinations {
		if d.Error != "" {
			names = append(names, d.Name)
		}
	}
	if len(names) == 0 {
		return r.withheld()
	}
	what := "cannot be published"
	if r.Done {
		what = "could not be published"
	}
	return fmt.Errorf("%d of %s %s: %s; the report says why", len(names), count(len(r.Destinations), "destination"), what, some(names, few))
}

// withheld counts the tags that are withheld; nil where there are none.
func (r *report) withheld() error {
	n := 0
	for _, d := range r.Destinations {
		for _, t := range d.Tags {
			if t.Withheld != "" {
				n++
			}
		}
	}
	if n == 0 {
		return nil
	}
	return fmt.Errorf("what %s would make is withheld; the report says why", count(n, "source tag"))
}
