package cmd

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"k8s.io/publisher/plan"
)

// many is a destination with more of everything than a table lists, and one
// that failed.
func many() *report {
	hash := func(digit string) string { return strings.Repeat(digit, 40) }
	d := destinationReport{
		Name: "lib", Mirror: "lib/mirror.git",
		Branches: []branchReport{
			{Name: "feature", Source: "feature", Action: plan.Update, Old: hash("1"), New: hash("9"), Commits: 7, Note: "continues what someone else published"},
			{Name: "gone", Source: "gone", Action: plan.Unchanged, Old: hash("4"), New: hash("4"), Note: "directory lib is gone"},
			{Name: "master", Source: "main", Action: plan.Update, Old: hash("1"), New: hash("2"), Commits: 1000},
			{Name: "one", Source: "one", Action: plan.Skip, Note: "skip-source-branches names one"},
		},
	}
	for i := range 7 {
		d.Warnings = append(d.Warnings, warningReport{What: fmt.Sprint("go.mod cannot be read ", i), Count: 1 + i, Commit: hash("a"), Error: "go.mod:1: unknown directive"})
	}
	for i := range 9 {
		release := fmt.Sprint("release-1.", i)
		d.Branches = append(d.Branches, branchReport{Name: release, Source: release, Action: plan.Update, Old: hash("1"), New: hash("2"), Commits: 10})
	}
	for i := range 8 {
		old := fmt.Sprint("old-0.", i)
		d.Branches = append(d.Branches,
			branchReport{Name: old, Source: old, Action: plan.Unchanged, Old: hash("3"), New: hash("3")},
			branchReport{Name: old + ".x", Source: old, Action: plan.Skip, Note: "directory lib has never existed on " + old})
	}
	for i := range 12 {
		d.Tags = append(d.Tags, tagReport{Source: fmt.Sprint("v1.0.", i), Names: []string{fmt.Sprint("v0.0.", i)}, Action: plan.Create, Commit: hash("5")})
	}
	for i := range 84 {
		d.Tags = append(d.Tags, tagReport{Source: fmt.Sprint("v1.1.", i), Names: []string{fmt.Sprint("v0.1.", i)}, Action: plan.Unchanged, Commit: hash("6")})
	}
	for i := range 2 {
		d.Tags = append(d.Tags, tagReport{Source: fmt.Sprint("v1.2.", i), Action: plan.Skip, Note: "it is a lightweight tag"})
	}
	broken := destinationReport{
		Name: "app", Error: "first line\nsecond line",
		Branches: []branchReport{{Name: "master", Source: "main", Action: blocked, Old: hash("7"), New: hash("8"), Commits: 1}},
		Tags:     []tagReport{{Source: "v1.0.0", Names: []string{"v0.0.0", "app-1.0.0"}, Action: blocked, Commit: hash("8")}},
	}
	unreadable := destinationReport{Name: "tool", Error: "open mirror: it is not a repository"}
	for i := range 8 {
		// Conflicts, each with an old and a new commit, are told apart from
		// what fails because all does.
		broken.Branches = append(broken.Branches, branchReport{Name: fmt.Sprint("conflict-", i), Action: plan.Fail, Old: hash("7"), New: hash("8")})
		unreadable.Branches = append(unreadable.Branches, branchReport{Name: fmt.Sprint("branch-", i), Action: plan.Fail})
	}
	return &report{Destinations: []destinationReport{d, broken, unreadable}}
}

func TestTableListsWhatMattersAndCountsTheRest(t *testing.T) {
	const want = `DESTINATION  REF                         ACTION     OLD           NEW           COMMITS  NOTE
lib          branch feature              update     111111111111  999999999999  7        continues what someone else
                                                                                         published
lib          branch gone                 unchanged  444444444444  444444444444  -        directory lib is gone
lib          branch master               update     111111111111  222222222222  1000
lib          9 more branches             update     -             -             90
lib          9 branches                  skip       -             -             -        such as branch one:
                                                                                         skip-source-branches names one
lib          tag v0.0.11                 create     -             555555555555  -        source tag v1.0.11
lib          11 more source tags         create
lib          2 source tags               skip       -             -             -        it is a lightweight tag
lib          8 branches, 84 source tags  unchanged
app          branch master               blocked    777777777777  888888888888  1
app          branch conflict-0           fail       777777777777  888888888888
app          branch conflict-1           fail       777777777777  888888888888
app          branch conflict-2           fail       777777777777  888888888888
app          branch conflict-3           fail       777777777777  888888888888
app          branch conflict-4           fail       777777777777  888888888888
app          branch conflict-5           fail       777777777777  888888888888
app          branch conflict-6           fail       777777777777  888888888888
app          branch conflict-7           fail       777777777777  888888888888
app          tags v0.0.0, app-1.0.0      blocked    -             888888888888  -        source tag v1.0.0
tool         8 branches                  fail

lib: warning: go.mod cannot be read 0, at source commit aaaaaaaaaaaa: go.mod:1: unknown directive
lib: warning: go.mod cannot be read 1, at source commit aaaaaaaaaaaa and 1 more: go.mod:1: unknown directive
lib: warning: go.mod cannot be read 2, at source commit aaaaaaaaaaaa and 2 more: go.mod:1: unknown directive
lib: warning: go.mod cannot be read 3, at source commit aaaaaaaaaaaa and 3 more: go.mod:1: unknown directive
lib: warning: go.mod cannot be read 4, at source commit aaaaaaaaaaaa and 4 more: go.mod:1: unknown directive
lib: warning: 2 more; -o json lists them
app: error: first line
  second line
tool: error: open mirror: it is not a repository

3 destinations: 1 to change (1097 new commits, 12 new tags), 0 up to date, 2 failed
`
	var got bytes.Buffer
	if err := many().table(false, 120)(&got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

func TestTableOfAllLeavesNothingOut(t *testing.T) {
	r := many()
	var got bytes.Buffer
	if err := r.table(true, 200)(&got); err != nil {
		t.Fatal(err)
	}
	for _, d := range r.Destinations {
		for _, b := range d.Branches {
			if !strings.Contains(got.String(), "branch "+b.Name+" ") {
				t.Errorf("branch %s of %s is not listed", b.Name, d.Name)
			}
		}
		for _, tag := range d.Tags {
			if !strings.Contains(got.String(), tag.Source) {
				t.Errorf("source tag %s of %s is not listed", tag.Source, d.Name)
			}
		}
		for _, w := range d.Warnings {
			if !strings.Contains(got.String(), w.What) {
				t.Errorf("the warning %q of %s is not listed", w.What, d.Name)
			}
		}
	}
}

// TestFailureOfARunWinsOverThePlan reports a plan that was carried out.
func TestFailureOfARunWinsOverThePlan(t *testing.T) {
	p := &plan.Plan{Destinations: []*plan.Destination{
		{Name: "a", Branches: []plan.Branch{{Name: "master", Action: plan.Create}}},
		{Name: "b", Err: errors.New("planned")},
		{Name: "c", Err: errors.New("planned")},
	}}
	r := newFlags(io.Discard, io.Discard).report(p, map[string]error{"a": errors.New("full disk"), "b": errors.New("full disk")})
	var got []string
	for _, d := range r.Destinations {
		got = append(got, d.Name+": "+d.Error)
	}
	if diff := cmp.Diff([]string{"a: full disk", "b: full disk", "c: planned"}, got); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
	if action := r.Destinations[0].Branches[0].Action; action != blocked {
		t.Errorf("a branch of a destination that failed is reported as %s", action)
	}
}

func TestEveryCommandExplainsItself(t *testing.T) {
	var visit func(c *cobra.Command)
	visit = func(c *cobra.Command) {
		if c.Short == "" || c.Long == "" || c.Example == "" {
			t.Errorf("%s lacks a description or an example", c.CommandPath())
		}
		for _, line := range strings.Split(c.Long+"\n"+c.Example, "\n") {
			if len(line) > 85 {
				t.Errorf("%s: a line is too long for a terminal: %s", c.CommandPath(), line)
			}
		}
		for _, sub := range c.Commands() {
			visit(sub)
		}
	}
	visit(newRoot(newFlags(io.Discard, io.Discard)))
}

func TestPasswordIsRedacted(t *testing.T) {
	for source, want := range map[string]string{
		"https://user:sesame@host/x.git": "at https://user:xxxxx@host/x.git",
		"https://user:ses%zz@host/x.git": "at https://xxxxx@host/x.git",
		"https://host/x.git":             "at https://host/x.git",
		"my folder/x":                    "at my folder/x",
		"git@host:x.git":                 "at git@host:x.git",
	} {
		f := newFlags(io.Discard, io.Discard)
		f.source = source
		if got := f.redact("at " + source); got != want {
			t.Errorf("redact(%q) = %q, want %q", "at "+source, got, want)
		}
	}
}
