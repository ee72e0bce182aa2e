package cmd

import (
	"fmt"

	"github.com/spf13/cobra"

	"k8s.io/publisher/rules"
)

func newRulesBranchRemove(f *flags) *cobra.Command {
	var o rules.RemoveBranchOptions
	dryRun := false
	c := &cobra.Command{
		Use:   "remove NAME",
		Short: "End a branch",
		Long: `End a branch in the rules that have it.

Its lines go away, and its name joins the rule's ended-branches; what only it
depended on joins past-dependencies, so that commits which it shared with other
branches stay pinned as they are. The mirrors keep the branch as it is, with its
tags.`,
		Example: `  publisher rules branch remove release-1.30
  publisher rules branch remove release-1.30 --destination client-go --dry-run`,
		Args: oneName,
		RunE: func(c *cobra.Command, args []string) error {
			o.Name = args[0]
			return f.editRules(dryRun,
				func(data []byte) ([]byte, []string, error) { return rules.RemoveBranch(data, f.rules, o) },
				func(changed []string) string { return fmt.Sprintf("ended branch %s in %s", o.Name, inRules(changed)) })
		},
	}
	c.Flags().StringSliceVar(&o.Destinations, "destination", nil, "the `destination` of a rule to change; may be repeated (default all that have the branch)")
	c.Flags().BoolVar(&dryRun, "dry-run", false, "print the new file to stdout and change nothing")
	return c
}
