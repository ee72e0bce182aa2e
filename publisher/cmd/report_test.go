package cmd

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"k8s.io/publisher/plan"
)

// many is a destination with more of everything than a table lists.
func many() *report {
	hash := func(digit string) string { return strings.Repeat(digit, 40) }
	d := destinationReport{
		Name: "lib", Mirror: "lib/mirror.git",
		Warnings: []warningReport{
			{What: "go.mod cannot be read", Count: 3, Commit: hash("a"), Error: "go.mod:1: unknown directive"},
			{What: "go.sum has gaps", Count: 1, Commit: hash("b")},
		},
		Branches: []branchReport{
			{Name: "master", Source: "main", Action: plan.Update, Old: hash("1"), New: hash("2"), Commits: 1234},
			{Name: "old", Source: "old", Action: plan.Skip, Note: "skip-source-branches names old"},
			{Name: "same", Source: "same", Action: plan.Unchanged, Old: hash("3"), New: hash("3")},
			{Name: "told", Source: "told", Action: plan.Unchanged, Old: hash("4"), New: hash("4"), Note: "directory lib is gone"},
		},
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
	return &report{Destinations: []destinationReport{d, broken}}
}

func TestTableSumsUpWhatIsLongOrUnchanged(t *testing.T) {
	const want = `DESTINATION  REF                     ACTION     OLD           NEW           COMMITS  NOTE
lib          branch master           update     111111111111  222222222222  1234
lib          branch old              skip       -             -             -        skip-source-branches names old
lib          branch told             unchanged  444444444444  444444444444  -        directory lib is gone
lib          1 branch                unchanged
lib          tag v0.0.0              create     -             555555555555  -        source tag v1.0.0
lib          tag v0.0.1              create     -             555555555555  -        source tag v1.0.1
lib          tag v0.0.2              create     -             555555555555  -        source tag v1.0.2
lib          tag v0.0.3              create     -             555555555555  -        source tag v1.0.3
lib          tag v0.0.4              create     -             555555555555  -        source tag v1.0.4
lib          tag v0.0.5              create     -             555555555555  -        source tag v1.0.5
lib          tag v0.0.6              create     -             555555555555  -        source tag v1.0.6
lib          tag v0.0.7              create     -             555555555555  -        source tag v1.0.7
lib          tag v0.0.8              create     -             555555555555  -        source tag v1.0.8
lib          tag v0.0.9              create     -             555555555555  -        source tag v1.0.9
lib          2 more source tags      create
lib          84 source tags          unchanged
lib          2 source tags           skip       -             -             -        it is a lightweight tag
app          branch master           blocked    777777777777  888888888888  1
app          tags v0.0.0, app-1.0.0  blocked    -             888888888888  -        source tag v1.0.0

lib: warning: go.mod cannot be read, at source commit aaaaaaaaaaaa and 2 more: go.mod:1: unknown directive
lib: warning: go.sum has gaps, at source commit bbbbbbbbbbbb
app: error: first line
  second line

2 destinations: 1 to change (1234 new commits, 12 new tags), 0 up to date, 1 failed
`
	var got bytes.Buffer
	if err := many().table(false)(&got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

func TestTableOfAllLeavesNothingOut(t *testing.T) {
	r := many()
	var got bytes.Buffer
	if err := r.table(true)(&got); err != nil {
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
