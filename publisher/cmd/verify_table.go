package cmd

import (
	"fmt"
	"io"
	"strconv"

	"k8s.io/publisher/site"
	"k8s.io/publisher/verify"
)

// verifyTable returns a function that writes a report for people: a line for
// each destination, and below what does not hold and what is worth knowing. Of
// many mismatches of a kind it lists a few and counts the others.
func verifyTable(r *verify.Report, proof *site.Proof, width int) func(io.Writer) error {
	return func(w io.Writer) error {
		t := new(table)
		t.row("DESTINATION", "RESULT", "BRANCHES", "TAGS", "COMMITS", "FOREIGN", "VERSIONS")
		for _, d := range r.Destinations {
			result, foreign := "proven", ""
			if d.ForeignCommits+d.ForeignTags > 0 {
				result = "proven in part"
			}
			if n := len(d.Mismatches); n > 0 {
				result = count(n, "mismatch")
			}
			if d.ForeignCommits > 0 {
				foreign = strconv.Itoa(d.ForeignCommits)
			}
			t.row(d.Name, result, strconv.Itoa(d.Branches), strconv.Itoa(d.Tags), strconv.Itoa(d.Commits), foreign, strconv.Itoa(d.Versions))
		}
		if err := t.write(w, width); err != nil {
			return err
		}
		l := lines{w: w}
		for _, d := range r.Destinations {
			for rest := d.Mismatches; len(rest) > 0; { // They are ordered by kind.
				kind := rest[0].Kind
				var same []string
				for ; len(rest) > 0 && rest[0].Kind == kind; rest = rest[1:] {
					same = append(same, rest[0].String())
				}
				l.list(d.Name, string(kind), same)
			}
		}
		for _, d := range r.Destinations {
			var notes []string
			for _, note := range d.Notes {
				notes = append(notes, "note: "+note)
			}
			l.list(d.Name, "note", notes)
		}
		if proof == nil {
			return nil
		}
		fmt.Fprintf(w, "\nsite: %s served, %s and %s of the checksum database", count(proof.Versions, "version"), count(proof.Records, "record"), count(proof.Heads, "head"))
		if proof.Foreign > 0 {
			fmt.Fprintf(w, "; %d versions are foreign", proof.Foreign)
		}
		fmt.Fprintln(w)
		var problems []string
		for _, p := range proof.Problems {
			problems = append(problems, p.String())
		}
		l.list("site", "mismatch", problems)
		for _, d := range proof.Behind {
			l.list("site", "note", []string{"note: it is behind the mirror of " + d})
		}
		return nil
	}
}
