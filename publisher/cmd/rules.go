package cmd

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"
)

func newRules(f *flags) *cobra.Command {
	c := &cobra.Command{
		Use:   "rules",
		Short: "Edit the rules file",
		Long: `Edit the rules file.

Only the lines that mean something change: comments, order and style stay.`,
		Example: `  publisher rules branch add release-1.36 --go 1.26.0
  publisher rules branch remove release-1.30
  publisher rules take-over --mirrors /srv/mirrors`,
		Args: cobra.ArbitraryArgs,
		RunE: needsVerb,
	}
	branch := &cobra.Command{
		Use:   "branch",
		Short: "Start and end branches in all rules at once",
		Long: `Start and end branches in all rules at once.

A release branch concerns most mirrors alike. "add" gives their rules the new
branch, and "remove" lets it end in all of them.`,
		Example: `  publisher rules branch add release-1.36 --go 1.26.0
  publisher rules branch remove release-1.30`,
		Args: cobra.ArbitraryArgs,
		RunE: needsVerb,
	}
	branch.AddCommand(newRulesBranchAdd(f), newRulesBranchRemove(f))
	c.AddCommand(branch, newRulesTakeOver(f))
	return c
}

// needsVerb is run where the verb is missing or unknown.
func needsVerb(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return c.Help()
	}
	return fmt.Errorf("unknown command %q for %q; see %[2]s --help", args[0], c.CommandPath())
}

// editRules changes the rules file, or, in a dry run, prints what would be in
// it. The summary of the change, made by describe, goes to stdout, or to stderr
// in a dry run.
func (f *flags) editRules(dryRun bool, edit func(data []byte) ([]byte, []string, error), describe func(destinations []string) string) error {
	before, err := os.ReadFile(f.rules)
	if err != nil {
		return fmt.Errorf("edit rules: %w", err)
	}
	after, changed, err := edit(before)
	if err != nil {
		return err
	}
	summary := fmt.Sprintf("%s: %s\n", f.rules, describe(changed))
	if dryRun {
		_, err := f.stdout.Write(after)
		_, err2 := io.WriteString(f.screen, summary)
		return errors.Join(err, err2)
	}
	if err := replaceFile(f.rules, after); err != nil {
		return err
	}
	_, err = io.WriteString(f.stdout, printable(summary))
	return err
}

// replaceFile gives a file new content, or leaves it as it was: no reader, and
// no machine that fails, finds half of it. A link stays a link.
func replaceFile(name string, data []byte) error {
	target, err := filepath.EvalSymlinks(name)
	if err == nil {
		err = renameio.WriteFile(target, data, 0o666, renameio.WithExistingPermissions(), renameio.WithTempDir(filepath.Dir(target)))
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// inRules is the end of a sentence about some rules.
func inRules(destinations []string) string {
	return fmt.Sprintf("%s: %s", count(len(destinations), "rule"), strings.Join(destinations, ", "))
}
