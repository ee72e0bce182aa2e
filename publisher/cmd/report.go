package cmd

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"k8s.io/publisher/mirror"
	"k8s.io/publisher/object"
	"k8s.io/publisher/plan"
)

// report is what plan and sync print: what will be done, or was done. Hashes are
// in full, and empty where there is none.
type report struct {
	// Done tells a report of sync from one of plan.
	Done bool `json:"done"`
	// Destinations are in the order in which they are published.
	Destinations []destinationReport `json:"destinations"`
}

type destinationReport struct {
	Name string `json:"name"`
	// Mirror is the path of the repository.
	Mirror string `json:"mirror"`
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
}

// blocked is the action on what would be published, were it not for a failure
// elsewhere.
const blocked plan.Action = "blocked"

func (f *flags) report(p *plan.Plan) *report {
	r := &report{Destinations: []destinationReport{}}
	for _, d := range p.Destinations {
		r.Destinations = append(r.Destinations, f.destination(d))
	}
	return r
}

func (f *flags) destination(d *plan.Destination) destinationReport {
	r := destinationReport{
		Name: d.Name, Mirror: mirror.Path(f.mirrors, d.Name),
		Warnings: []warningReport{}, Branches: []branchReport{}, Tags: []tagReport{},
	}
	if d.Err != nil {
		r.Error = f.redact(d.Err.Error())
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
			Name: b.Name, Source: b.Source, Action: actual(d, b.Action),
			Old: hash(b.Old), New: hash(b.New), Commits: b.Commits, Note: b.Note,
		})
	}
	for _, t := range d.Tags {
		names := slices.Clone(t.Names)
		if names == nil {
			names = []string{}
		}
		r.Tags = append(r.Tags, tagReport{Source: t.Source, Names: names, Action: actual(d, t.Action), Commit: hash(t.Commit), Note: t.Note})
	}
	return r
}

// actual is what becomes of an action where the destination may have failed.
func actual(d *plan.Destination, a plan.Action) plan.Action {
	if d.Err != nil && (a == plan.Create || a == plan.Update) {
		return blocked
	}
	return a
}

func hash(id object.ID) string {
	if id.IsZero() {
		return ""
	}
	return id.String()
}

// failure names the destinations that have an error; nil where none has. What
// the errors are is in the report.
func (r *report) failure() error {
	var names []string
	for _, d := range r.Destinations {
		if d.Error != "" {
			names = append(names, d.Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	what := "cannot be published"
	if r.Done {
		what = "could not be published"
	}
	return fmt.Errorf("%d of %s %s: %s", len(names), count(len(r.Destinations), "destination"), what, strings.Join(names, ", "))
}

// table returns a function that writes the report for people. All lists what
// is summed up otherwise.
func (r *report) table(all bool) func(io.Writer) error {
	return func(w io.Writer) error {
		t := new(table)
		t.row("DESTINATION", "REF", "ACTION", "OLD", "NEW", "COMMITS", "NOTE")
		for _, d := range r.Destinations {
			r.branchRows(t, d, all)
			r.tagRows(t, d, all)
		}
		if err := t.write(w); err != nil {
			return err
		}
		separator := "\n"
		for _, d := range r.Destinations {
			for _, warning := range d.Warnings {
				fmt.Fprintf(w, "%s%s: warning: %s\n", separator, d.Name, indent(warning.String()))
				separator = ""
			}
		}
		for _, d := range r.Destinations {
			if d.Error != "" {
				fmt.Fprintf(w, "%s%s: error: %s\n", separator, d.Name, indent(d.Error))
				separator = ""
			}
		}
		_, err := fmt.Fprintf(w, "\n%s\n", r.summary())
		return err
	}
}

func (w warningReport) String() string {
	s := fmt.Sprintf("%s, at source commit %s", w.What, short(w.Commit))
	if w.Count > 1 {
		s += fmt.Sprintf(" and %d more", w.Count-1)
	}
	if w.Error != "" {
		s += ": " + w.Error
	}
	return s
}

func (r *report) branchRows(t *table, d destinationReport, all bool) {
	unchanged := 0
	for _, b := range d.Branches {
		if b.Action == plan.Unchanged && b.Note == "" && !all {
			unchanged++
			continue
		}
		commits := ""
		if b.Commits > 0 {
			commits = strconv.Itoa(b.Commits)
		}
		note := b.Note
		if b.Action == plan.Fail {
			note = "" // It is the destination's error.
		}
		t.row(d.Name, "branch "+b.Name, r.word(b.Action), short(b.Old), short(b.New), commits, note)
	}
	if unchanged > 0 {
		t.row(d.Name, count(unchanged, "branch"), r.word(plan.Unchanged))
	}
}

// fewTags is how many changing tags of a destination a table lists.
const fewTags = 10

func (r *report) tagRows(t *table, d destinationReport, all bool) {
	// What is not listed is summed up by action and note.
	type kind struct {
		action plan.Action
		note   string
	}
	var kinds []kind
	rest := make(map[kind]int)
	listed := 0
	for _, tag := range d.Tags {
		changes := tag.Action != plan.Unchanged && tag.Action != plan.Skip
		if all || changes && listed < fewTags {
			listed++
			t.row(d.Name, tag.ref(), r.word(tag.Action), "", short(tag.Commit), "", tag.from())
			continue
		}
		k := kind{tag.Action, tag.Note}
		if rest[k] == 0 {
			kinds = append(kinds, k)
		}
		rest[k]++
	}
	for _, k := range kinds {
		more := ""
		if k.action != plan.Unchanged && k.action != plan.Skip {
			more = " more"
		}
		what := strings.Replace(count(rest[k], "source tag"), " ", more+" ", 1)
		t.row(d.Name, what, r.word(k.action), "", "", "", k.note)
	}
}

func (t tagReport) ref() string {
	switch len(t.Names) {
	case 0:
		return "source tag " + t.Source
	case 1:
		return "tag " + t.Names[0]
	}
	return "tags " + strings.Join(t.Names, ", ")
}

func (t tagReport) from() string {
	if len(t.Names) == 0 {
		return t.Note
	}
	return strings.TrimSuffix("source tag "+t.Source+"; "+t.Note, "; ")
}

// word is what a table calls an action: in a report of sync it is over.
func (r *report) word(a plan.Action) string {
	past := map[plan.Action]string{plan.Create: "created", plan.Update: "updated", plan.Skip: "skipped", plan.Fail: "failed"}
	if r.Done {
		return cmp.Or(past[a], string(a))
	}
	return string(a)
}

// summary is one line about everything.
func (r *report) summary() string {
	changed, failed, commits, tags := 0, 0, 0, 0
	for _, d := range r.Destinations {
		before := commits + tags
		moved := false
		for _, b := range d.Branches {
			if b.Action == plan.Create || b.Action == plan.Update {
				moved = true
				commits += b.Commits
			}
		}
		for _, t := range d.Tags {
			if t.Action == plan.Create {
				tags += len(t.Names)
			}
		}
		switch {
		case d.Error != "":
			failed++
		case moved || commits+tags > before:
			changed++
		}
	}
	verb := "to change"
	if r.Done {
		verb = "changed"
	}
	return fmt.Sprintf("%s: %d %s (%s, %s), %d up to date, %d failed", count(len(r.Destinations), "destination"),
		changed, verb, count(commits, "new commit"), count(tags, "new tag"), len(r.Destinations)-changed-failed, failed)
}
