package cmd

import (
	"errors"

	"github.com/spf13/cobra"
)

func newPlan(f *flags) *cobra.Command {
	all := false
	c := &cobra.Command{
		Use:   "plan",
		Short: "Show what a sync would do",
		Long: `Show what a sync would do, without doing it.

The publication is computed from the source and the rules and compared with the
mirrors. For each destination the report says where its branches are and where
they go, with how many new commits; which tags are created; what is skipped and
why. An action is one of:

  create     the branch or tag is new
  update     the branch goes forward
  unchanged  the mirror has it already
  skip       nothing is published, for the reason given
  fail       it cannot be published without moving what is published already
  blocked    nothing is wrong with it, but something else in the destination, or
             in one that it depends on, failed

Of many branches or tags with the same action the table lists the one that
matters most and counts the others. Conflicts are all listed, and so is everything
with --all; JSON and YAML are complete. The exit code is 1 where a destination
has an error. Mirrors are neither written to nor locked.

Where the rules name remotes, or --remote does, it is these that are compared with:
the plan is what "publisher sync --push" would push.

A mirror that someone else filled, or that was published under other rules, is a
conflict until the rules say where it was taken over. The plan then proposes
where, and "publisher rules take-over" writes it into the rules.`,
		Example: `  publisher plan
  publisher plan --all --mirrors /srv/mirrors
  publisher plan -o json | jq '.destinations[] | select(.error) | .name'`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			s, p, _, err := f.plan(c.Context(), false)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			r := f.report(p, nil)
			r.remotes(s.RemoteURLs(), nil)
			if err := f.print(r, r.table(all, f.width())); err != nil {
				return err
			}
			return r.failure()
		},
	}
	f.addRepositories(c)
	f.addOutput(c)
	c.Flags().BoolVar(&all, "all", false, "list in the table what is counted otherwise, what is unchanged too")
	return c
}
