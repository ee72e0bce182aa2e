package cmd

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"k8s.io/publisher/plan"
)

// few is how many things of one kind a table lists. Where there are more, they
// are counted.
const few = 5

// table returns a function that writes the report for people. All lists what
// is counted otherwise.
func (r *report) table(all bool, width int) func(io.Writer) error {
	return func(w io.Writer) error {
		t := new(table)
		t.row("DESTINATION", "REF", "ACTION", "OLD", "NEW", "COMMITS", "NOTE")
		for _, d := range r.Destinations {
			r.rows(t, d, all)
		}
		if err := t.write(w, width); err != nil {
			return err
		}
		l := lines{w: w, all: all}
		for _, d := range r.Destinations {
			var warnings []string
			for _, warning := range d.Warnings {
				warnings = append(warnings, "warning: "+warning.String())
			}
			l.list(d.Name, "warning", warnings)
		}
		for _, d := range r.Destinations {
			if d.Error != "" {
				l.list(d.Name, "error", []string{"error: " + d.Error})
			}
			var withheld []string
			for _, t := range d.Tags {
				if t.Withheld != "" {
					withheld = append(withheld, fmt.Sprintf("withheld: %s: %s", t.ref(), t.Withheld))
				}
			}
			l.list(d.Name, "withheld", withheld)
		}
		_, err := fmt.Fprintf(w, "\n%s\n", r.summary())
		return err
	}
}

// lines writes what there is to say about destinations below a table.
type lines struct {
	w       io.Writer
	all     bool
	started bool
}

// list writes a few texts of a kind about a destination, and counts the others.
func (l *lines) list(destination, kind string, texts []string) {
	if rest := len(texts) - few; rest > 1 && !l.all {
		texts = append(slices.Clone(texts[:few]), fmt.Sprintf("%s: %d more; -o json lists them", kind, rest))
	}
	for _, text := range texts {
		if !l.started {
			fmt.Fprintln(l.w)
		}
		l.started = true
		fmt.Fprintf(l.w, "%s: %s\n", destination, indent(text))
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

// refRow is what a table can say about a branch, or about what a source tag
// yields.
type refRow struct {
	name, ref, old, new string
	commits             int
	note                string
	reason              string // the part of the note that others may share
}

// refKind is what refs have in common that are counted together.
type refKind struct {
	noun   string
	action plan.Action
	reason string
	only   string // the one ref of its kind; empty where there can be more
}

// rows lists a destination's refs. Of many that change alike it lists the one
// that matters most, and counts the others; what stays as it is comes last.
func (r *report) rows(t *table, d destinationReport, all bool) {
	add := func(k refKind, row refRow) {
		commits := ""
		if row.commits > 0 {
			commits = strconv.Itoa(row.commits)
		}
		t.row(d.Name, row.ref, r.word(k.action), short(row.old), short(row.new), commits, row.note)
	}
	var unchanged []string
	kinds, refs := d.refs()
	for _, k := range kinds {
		rows, most := refs[k], few
		switch {
		case all:
			most = len(rows)
		case k.action == plan.Unchanged && k.reason == "":
			unchanged = append(unchanged, count(len(rows), k.noun))
			continue
		case k.quiet() && k.noun != "branch":
			most = 1
		}
		if len(rows) <= most {
			for _, row := range rows {
				add(k, row)
			}
			continue
		}
		rest, noun, note := rows, k.noun, rows[0].reason
		if k.quiet() {
			if slices.ContainsFunc(rows, func(row refRow) bool { return row.reason != note }) {
				note = fmt.Sprintf("such as %s: %s", rows[0].ref, note)
			}
		} else {
			rest = slices.SortedStableFunc(slices.Values(rows), k.order)
			add(k, rest[0])
			rest, noun, note = rest[1:], "more "+noun, ""
		}
		commits := 0
		for _, row := range rest {
			commits += row.commits
		}
		add(k, refRow{ref: count(len(rest), noun), commits: commits, note: note})
	}
	if len(unchanged) > 0 {
		t.row(d.Name, strings.Join(unchanged, ", "), r.word(plan.Unchanged))
	}
}

// quiet tells that nothing becomes of such refs.
func (k refKind) quiet() bool {
	return k.action == plan.Unchanged || k.action == plan.Skip || k.action == plan.Fail
}

// order puts first what matters most.
func (k refKind) order(a, b refRow) int {
	if k.noun == "branch" {
		return byInterest("")(a.name, b.name)
	}
	return newestFirst(a.name, b.name)
}

// refs sorts a destination's refs by kinds, and the kinds as they come.
func (d destinationReport) refs() (kinds []refKind, refs map[refKind][]refRow) {
	refs = make(map[refKind][]refRow)
	add := func(k refKind, row refRow) {
		if refs[k] == nil {
			kinds = append(kinds, k)
		}
		refs[k] = append(refs[k], row)
	}
	for _, b := range d.Branches {
		k := refKind{noun: "branch", action: b.Action}
		row := refRow{b.Name, "branch " + b.Name, b.Old, b.New, b.Commits, b.Note, b.Note}
		switch {
		case b.Action == plan.Fail:
			row.note, row.reason = "", "" // It is the destination's error.
			if b.New != "" {
				k.only = b.Name // A conflict of its own.
			}
		case b.Action == plan.Update && b.Note != "":
			k.only = b.Name
		case b.Note != "":
			k.reason = "each its own"
		}
		add(k, row)
	}
	for _, tag := range d.Tags {
		k := refKind{noun: "source tag", action: tag.Action, reason: tag.Note}
		add(k, refRow{tag.Source, tag.ref(), "", tag.Commit, 0, tag.from(), tag.Note})
	}
	return kinds, refs
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
	past := map[plan.Action]string{plan.Create: "created", plan.Update: "updated", plan.Skip: "skipped", plan.Fail: "failed", plan.Withhold: "withheld"}
	if r.Done {
		return cmp.Or(past[a], string(a))
	}
	return string(a)
}

// summary is one line about everything.
func (r *report) summary() string {
	changed, failed, commits, tags := 0, 0, 0, 0
	remotes, pushed, refs := 0, 0, 0
	for _, d := range r.Destinations {
		if d.Remote != "" {
			remotes++
		}
		if d.Pushed > 0 {
			pushed++
			refs += d.Pushed
		}
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
	text := fmt.Sprintf("%s: %d %s (%s, %s), %d up to date, %d failed", count(len(r.Destinations), "destination"),
		changed, verb, count(commits, "new commit"), count(tags, "new tag"), len(r.Destinations)-changed-failed, failed)
	switch {
	case remotes > 0 && r.Push:
		text += fmt.Sprintf("; pushed %s to %s", count(refs, "ref"), count(pushed, "remote"))
	case remotes > 0 && r.Done:
		text += fmt.Sprintf("; not pushed to %s", count(remotes, "remote"))
	case remotes > 0:
		text += fmt.Sprintf("; compared with %s", count(remotes, "remote"))
	}
	return text
}
