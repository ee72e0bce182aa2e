package cmd

import (
	"errors"
	"io"

	"github.com/spf13/cobra"

	"k8s.io/publisher/rules"
	"k8s.io/publisher/session"
)

func newRulesTakeOver(f *flags) *cobra.Command {
	var destinations []string
	dryRun := false
	c := &cobra.Command{
		Use:   "take-over",
		Short: "Continue mirrors that somebody else filled",
		Long: `Continue mirrors that somebody else filled.

A sync writes on top of nothing that the publisher did not make: whoever can push
to a mirror could put anything there. This notes in the rules, under taken-over,
at which commits the branches of a mirror stand now. All that is behind them is
taken for what its trailers say and stays as it is, and new commits go on top. The
tags that are there are noted by a digest.

The same goes for mirrors that the publisher filled under other rules, where what
changed cannot be undone. Branches that no rule has join the rule's
ended-branches. Look at the mirrors first: verify proves nothing of what was there
before.`,
		Example: `  publisher rules take-over --mirrors /srv/mirrors
  publisher rules take-over --destination client-go --dry-run`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			s, err := session.Open(c.Context(), f.options())
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			options, err := s.TakeOvers(c.Context(), destinations)
			if err != nil {
				return err
			}
			if len(options) == 0 {
				_, err := io.WriteString(f.stdout, "there is nothing to take over: sync refuses no mirror for what somebody else has put there\n")
				return err
			}
			return f.editRules(dryRun,
				func(data []byte) ([]byte, []string, error) { return rules.TakeOver(data, f.rules, options) },
				func(changed []string) string { return "noted where mirrors are taken over in " + inRules(changed) })
		},
	}
	f.addRepositories(c)
	c.Flags().StringSliceVar(&destinations, "destination", nil, "the `destination` of a mirror to take over; may be repeated (default all that sync refuses for what is in them)")
	c.Flags().BoolVar(&dryRun, "dry-run", false, "print the new file to stdout and change nothing")
	return c
}
