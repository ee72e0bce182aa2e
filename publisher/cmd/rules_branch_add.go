package cmd

import (
	"fmt"

	"github.com/spf13/cobra"

	"k8s.io/publisher/rules"
)

func newRulesBranchAdd(f *flags) *cobra.Command {
	var o rules.AddBranchOptions
	dryRun := false
	c := &cobra.Command{
		Use:   "add NAME",
		Short: "Start a branch",
		Long: `Start a branch in the rules that have the branch to copy.

The new branch is a copy of another one's lines, after the rule's last branch.
It is built from the source branch of its own name, and its dependencies are on
branches of its own name too. It is an error if a rule has the branch already.`,
		Example: `  publisher rules branch add release-1.36
  publisher rules branch add release-1.36 --from release-1.35 --go 1.26.0
  publisher rules branch add v2 --source-branch next --destination lib --dry-run`,
		Args: oneName,
		RunE: func(c *cobra.Command, args []string) error {
			o.Name = args[0]
			return f.editRules(dryRun,
				func(data []byte) ([]byte, []string, error) { return rules.AddBranch(data, f.rules, o) },
				func(changed []string) string { return fmt.Sprintf("added branch %s to %s", o.Name, inRules(changed)) })
		},
	}
	c.Flags().StringVar(&o.From, "from", "", "the `branch` to copy (default master or main, whichever the rule has)")
	c.Flags().StringVar(&o.Go, "go", "", "the Go `version` of the new branch (default that of the copied one)")
	c.Flags().StringVar(&o.SourceBranch, "source-branch", "", "the source `branch` to build it from (default NAME)")
	c.Flags().StringSliceVar(&o.Destinations, "destination", nil, "the `destination` of a rule to change; may be repeated (default all that have the branch to copy)")
	c.Flags().BoolVar(&dryRun, "dry-run", false, "print the new file to stdout and change nothing")
	return c
}

// oneName asks for one argument.
func oneName(c *cobra.Command, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("%s takes one branch name, not %d; see %[1]s --help", c.CommandPath(), len(args))
	}
	return nil
}
