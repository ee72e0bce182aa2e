package cmd

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"
)

// mapping is what map has found out about one argument.
type mapping struct {
	Argument string `json:"argument"`
	// Source is the source commit that the argument names, in full, and
	// Mirrors where that is. Both are empty for a commit of a mirror.
	Source  string        `json:"source,omitempty"`
	Mirrors []mirrorPlace `json:"mirrors,omitempty"`
	// Origins are where a commit of a mirror comes from, for each mirror that
	// has it.
	Origins []origin `json:"origins,omitempty"`
}

// mirrorPlace is where a source commit is in a mirror.
type mirrorPlace struct {
	Destination string `json:"destination"`
	// Commit is the mirror's commit, in full, and Source the source commit
	// that it was made from. Published tells whether that is the one asked
	// for; it is an earlier one where the commit changes nothing here. All
	// are empty where the mirror has nothing for it, and Note says why.
	Commit    string `json:"commit,omitempty"`
	Source    string `json:"source,omitempty"`
	Published bool   `json:"published"`
	// Synced tells whether the mirror has the commit yet.
	Synced bool `json:"synced"`
	// Branches are those of the mirror that have the commit in their history.
	Branches []string `json:"branches,omitempty"`
	// Tags are the mirror's tags that stand on the commit, or on one of their
	// own on top of it.
	Tags []string `json:"tags,omitempty"`
	Note string   `json:"note,omitempty"`
}

// origin is where a commit of a mirror comes from.
type origin struct {
	Destination string `json:"destination"`
	Commit      string `json:"commit"` // in full
	// Source is the source commit that its trailer names; empty where it has
	// no trailer.
	Source string `json:"source,omitempty"`
	// Computed tells whether the publication has this commit for that source
	// commit. Where it has not, Note says why. Foreign tells that it was there
	// before the mirror was taken over.
	Computed bool `json:"computed"`
	Foreign  bool `json:"foreign,omitempty"`
	// SourceTags are the source tags that yield tags on the commit.
	SourceTags []string `json:"sourceTags,omitempty"`
	Note       string   `json:"note,omitempty"`
}

func newMap(f *flags) *cobra.Command {
	c := &cobra.Command{
		Use:   "map COMMIT|TAG|BRANCH...",
		Short: "Find a source commit's mirror commits, and the reverse",
		Long: `Find a source commit's mirror commits, and the reverse.

A commit is given by its hash, of which 7 digits do where no other commit begins
with them, by a tag, or by a branch. Names are looked up in the source first,
then in the mirrors; where both have one, the source's is meant.

For a source commit, a table has for each destination the mirror commit that
stands for it. That was made from the commit itself, or, where the commit
changes nothing in the directory, from the last one before that does. The tags
on it begin with those of the source tag that was asked for, and the branches
that have it with the one of that release, or with master or main.

For a mirror's commit, it has the source commit that its trailer names. The
commit is genuine where the publication makes it from that source commit, and
foreign where it was there before the mirror was taken over. Otherwise someone else
made it, and the exit code is 1.

Of long lists the table has the beginning; JSON and YAML are complete.`,
		Example: `  publisher map v1.36.0
  publisher map 2b0d7c6a
  publisher map --mirrors /srv/mirrors kubernetes-1.36.0 -o json`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fmt.Errorf("%s needs a commit, a tag or a branch; see %[1]s --help", c.CommandPath())
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) (err error) {
			s, p, pub, err := f.plan(c.Context(), false)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			m, err := newMapper(s.Repo, s.Past, p, pub)
			if err != nil {
				return err
			}
			defer m.close()
			answers := []mapping{}
			var errs []error
			for _, arg := range args {
				answer, err := m.answer(arg)
				if err != nil {
					errs = append(errs, fmt.Errorf("%s: %w", arg, err))
					continue
				}
				errs = append(errs, answer.failure())
				answers = append(answers, answer)
			}
			if len(answers) > 0 {
				errs = append(errs, f.print(answers, func(w io.Writer) error { return writeMappings(w, answers, f.width()) }))
			}
			return errors.Join(errs...)
		},
	}
	f.addRepositories(c)
	f.addOutput(c)
	return c
}

// failure is an error where a mirror's commit is not what its trailer says.
func (m mapping) failure() error {
	var errs []error
	for _, o := range m.Origins {
		if !o.Computed && !o.Foreign {
			errs = append(errs, fmt.Errorf("%s: commit %s of %s is not what is published from the source: %s; publisher verify tells more",
				m.Argument, short(o.Commit), o.Destination, o.Note))
		}
	}
	return errors.Join(errs...)
}

// mostNames is how many tags of one commit a table lists: those of one source
// tag mostly.
const mostNames = 2

// writeMappings writes a table for each answer: two of a commit that the source
// and a mirror have.
func writeMappings(w io.Writer, answers []mapping, width int) error {
	separator := ""
	for _, m := range answers {
		mirrors := table{{"DESTINATION", "COMMIT", "MADE FROM", "BRANCHES", "TAGS", "NOTE"}}
		for _, p := range m.Mirrors {
			from := short(p.Source)
			if p.Published {
				from = "this commit"
			}
			mirrors.row(p.Destination, short(p.Commit), from, some(p.Branches, 1), some(p.Tags, mostNames), p.Note)
		}
		origins := table{{"DESTINATION", "COMMIT", "SOURCE", "GENUINE", "SOURCE TAGS", "NOTE"}}
		var commits []string
		for _, o := range m.Origins {
			genuine := "no"
			switch {
			case o.Foreign:
				genuine = "foreign"
			case o.Computed:
				genuine = "yes"
			}
			origins.row(o.Destination, short(o.Commit), short(o.Source), genuine, some(o.SourceTags, mostNames), o.Note)
			commits = append(commits, o.Commit)
		}
		slices.Sort(commits)
		headings := []string{"source commit " + m.Source, "mirror commit " + some(slices.Compact(commits), mostNames)}
		for i, t := range []table{mirrors, origins} {
			if len(t) == 1 {
				continue
			}
			fmt.Fprintf(w, "%s%s is %s\n", separator, m.Argument, headings[i])
			if err := t.write(w, width); err != nil {
				return err
			}
			separator = "\n"
		}
	}
	return nil
}
