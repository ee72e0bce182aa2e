package cmd

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"k8s.io/publisher/session"
	"k8s.io/publisher/verify"
)

func newVerify(f *flags) *cobra.Command {
	c := &cobra.Command{
		Use:   "verify",
		Short: "Prove that the mirrors are what source and rules make",
		Long: `Prove that the mirrors are what source and rules make.

Everything is computed again, from the source alone, and nothing is taken from
what a sync left behind but the mirrors. Git hashes all of their objects; every
commit, branch and tag must be the one that was computed; every tag's files are
compared with the source's directory; and what go.sum files say about siblings
is hashed again from the siblings' mirrors. Nor may a mirror have a HEAD, settings,
grafts, hooks or other files by which git would show or do something else.

A mirror may be behind its source: that is a note. Anything else that differs is
a mismatch, and the exit code is 1 where there is any. What the rules say was there
when a mirror was taken over from someone else is counted as foreign, and not
proven.`,
		Example: `  publisher verify
  publisher verify --source ~/src/monorepo --mirrors /srv/mirrors
  publisher verify -o json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			o := f.options()
			o.Forget = true
			s, err := session.Open(c.Context(), o)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			r, err := verify.Run(c.Context(), verify.Input{
				Source: s.Repo, Rules: s.RuleSet, Mirrors: o.Mirrors, Progress: f.screen.progress,
			})
			if err != nil {
				return err
			}
			if err := f.print(r, verifyTable(r)); err != nil {
				return err
			}
			if n := r.Mismatches(); n > 0 {
				return fmt.Errorf("the mirrors are not what source and rules make: %s", count(n, "mismatch"))
			}
			return nil
		},
	}
	f.addRepositories(c)
	f.addOutput(c)
	return c
}

// verifyTable returns a function that writes a report for people: a line for
// each destination, and below what does not hold and what is worth knowing.
func verifyTable(r *verify.Report) func(io.Writer) error {
	return func(w io.Writer) error {
		t := new(table)
		t.row("DESTINATION", "RESULT", "BRANCHES", "TAGS", "COMMITS", "FOREIGN", "VERSIONS")
		number := func(n int) string {
			if n == 0 {
				return ""
			}
			return strconv.Itoa(n)
		}
		for _, d := range r.Destinations {
			result := "proven"
			switch n := len(d.Mismatches); {
			case n > 0:
				result = count(n, "mismatch")
			case d.ForeignCommits+d.ForeignTags > 0:
				result = "proven in part"
			}
			t.row(d.Name, result, strconv.Itoa(d.Branches), strconv.Itoa(d.Tags), strconv.Itoa(d.Commits), number(d.ForeignCommits), strconv.Itoa(d.Versions))
		}
		if err := t.write(w); err != nil {
			return err
		}
		separator := "\n"
		line := func(destination, what, text string) {
			fmt.Fprintf(w, "%s%s: %s%s\n", separator, destination, what, indent(text))
			separator = ""
		}
		for _, d := range r.Destinations {
			for _, m := range d.Mismatches {
				line(d.Name, "", m.String())
			}
		}
		for _, d := range r.Destinations {
			for _, note := range d.Notes {
				line(d.Name, "note: ", note)
			}
		}
		return nil
	}
}
