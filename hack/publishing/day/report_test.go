package day

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

// run is one run of the publisher, as its log has it.
type run struct {
	started, ended time.Time
	failures       map[string]string // by destination
}

// runs reads the log.
func (b *bot) runs() (all []*run) {
	b.Helper()
	byID := make(map[string]*run)
	for line := range strings.Lines(b.log.String()) {
		var entry struct {
			Time                               time.Time
			Msg, Run, Destination, Kind, Error string
		}
		if json.Unmarshal([]byte(line), &entry) != nil || entry.Run == "" {
			continue // What the program says beside its log.
		}
		r := byID[entry.Run]
		if r == nil {
			r = &run{started: entry.Time, failures: make(map[string]string)}
			byID[entry.Run] = r
			all = append(all, r)
		}
		r.ended = entry.Time
		if entry.Msg == "a destination was not published" {
			reason, _, _ := strings.Cut(entry.Error, ";")
			r.failures[entry.Destination] = entry.Kind + ": " + reason
		}
	}
	return all
}

// incident is a time in which a destination was not published.
type incident struct {
	destination, reason string
	from, to            time.Time // to is zero where it did not recover
}

// incidents are what runs failed at until one did not.
func incidents(runs []*run) (all []*incident) {
	open := make(map[string]*incident)
	for _, r := range runs {
		for _, d := range destinations {
			reason, failed := r.failures[d]
			switch i := open[d]; {
			case failed && i == nil:
				i = &incident{destination: d, reason: reason, from: r.ended}
				open[d] = i
				all = append(all, i)
			case !failed && i != nil:
				i.to = r.ended
				delete(open, d)
			}
		}
	}
	return all
}

// report is the day, for people.
type report struct {
	events    []*event
	runs      []*run
	incidents []*incident
}

func (w *world) report(events []*event, runs []*run) *report {
	return &report{events, runs, incidents(runs)}
}

// held reports whether an event waited for the bad commit to be mended.
func (r *report) held(e *event) bool {
	at := func(k kind) time.Time {
		return r.events[slices.IndexFunc(r.events, func(e *event) bool { return e.kind == k })].at
	}
	return !e.at.Before(at(bad)) && e.at.Before(at(mend)) && e.arrived.After(at(mend))
}

func (r *report) write(out io.Writer) {
	begin := r.events[0].at
	clock := func(t time.Time) string {
		d := t.Sub(begin)
		return fmt.Sprintf("%02d:%04.1f", int(d.Minutes()), (d % time.Minute).Seconds())
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "PUSHED\tWHAT\tREF\tCOMMIT\tON THE REMOTES AFTER\tDESTINATIONS\tNOTE")
	for _, e := range r.events {
		took, note := fmt.Sprintf("%.1f s", e.arrived.Sub(e.at).Seconds()), ""
		switch {
		case len(e.missing) > 0:
			took, note = "-", "LOST in "+strings.Join(e.missing, ", ")
		case r.held(e):
			note = "held until the bad commit was mended"
		}
		_, ref, _ := strings.Cut(strings.TrimPrefix(e.ref, "refs/"), "/")
		fmt.Fprintf(table, "%s\t%s\t%s\t%.12s\t%s\t%s\t%s\n", clock(e.at), e.kind, ref, e.commit, took, strings.Join(e.destinations, " "), note)
	}
	table.Flush()
	fmt.Fprintln(out)
	for _, i := range r.incidents {
		recovered := "did not recover"
		if !i.to.IsZero() {
			recovered = fmt.Sprintf("recovered at %s, after %.1f s", clock(i.to), i.to.Sub(i.from).Seconds())
		}
		fmt.Fprintf(out, "%s failed at %s and %s: %s\n", i.destination, clock(i.from), recovered, i.reason)
	}
	last := r.events[len(r.events)-1]
	fmt.Fprintf(out, "\n%d pushes in %s, %d runs.\n\n", len(r.events), last.at.Sub(begin).Round(time.Second), len(r.runs))
	r.summarize(out)
}

// summarize writes how long things took until they were on all of their remotes.
func (r *report) summarize(out io.Writer) {
	fmt.Fprintln(out, "| pushed | times | on the remotes after, median | 95 of 100 within | longest |")
	fmt.Fprintln(out, "|---|--:|--:|--:|--:|")
	line := func(what string, of func(*event) bool) {
		var took []float64
		for _, e := range r.events {
			if len(e.missing) == 0 && of(e) {
				took = append(took, e.arrived.Sub(e.at).Seconds())
			}
		}
		if len(took) == 0 {
			return
		}
		slices.Sort(took)
		at := func(part float64) float64 { return took[int(part*float64(len(took)-1)+0.5)] }
		fmt.Fprintf(out, "| %s | %d | %.1f s | %.1f s | %.1f s |\n", what, len(took), at(0.5), at(0.95), at(1))
	}
	line("commits", func(e *event) bool { return e.kind != newBranch && e.kind != newTag && !r.held(e) })
	line("release branches", func(e *event) bool { return e.kind == newBranch && !r.held(e) })
	line("tags, each built by a consumer first", func(e *event) bool { return e.kind == newTag && !r.held(e) })
	line("held by the bad commit, which is among them", r.held)
	fmt.Fprintln(out)
}

// mustBeWhole: all arrived; the bad commit was noticed, where it was and nowhere else,
// and forgotten when it was mended.
func (r *report) mustBeWhole(t *testing.T) {
	t.Helper()
	for _, e := range r.events {
		if len(e.missing) > 0 {
			t.Errorf("%s %s is not in %s", e.kind, e.wanted(), strings.Join(e.missing, ", "))
		}
		if e.kind == bad && !r.held(e) {
			t.Error("the bad commit was published before it was mended")
		}
	}
	noticed := false
	for _, i := range r.incidents {
		if i.to.IsZero() {
			t.Errorf("%s did not recover", i.destination)
		}
		noticed = noticed || i.destination == tested
		if i.destination != tested && !slices.Contains(requires[i.destination], tested) {
			t.Errorf("%s failed for a module that it does not require: %s", i.destination, i.reason)
		}
	}
	if !noticed {
		t.Error("nobody noticed the bad commit")
	}
}
