package cmd

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"k8s.io/publisher/docblock"
	"k8s.io/publisher/rules"
	"k8s.io/publisher/session"
)

func newDocs(f *flags) *cobra.Command {
	check := false
	c := &cobra.Command{
		Use:   "docs FILE...",
		Short: "Fill tables of branches and releases in Markdown files",
		Long: `Fill tables of branches and releases in Markdown files.

A file says where it wants what, and of which destination:

  <!-- publisher docs: branches client-go -->
  <!-- publisher docs: end -->

What is between such lines is replaced. "branches" is a table of the mirror's
branches, with what each is published from, whether it is maintained, and its newest
release; "compatibility" says which minor version of the client goes with which of
the cluster; "mirrors", without a destination, is the table of branches of all
mirrors. They follow from the rules and from the source's tags, so they are right
before anything is published.

With --check nothing is written, and the exit code is 1 where a block is not as it
should be.`,
		Example: `  publisher docs README.md
  publisher docs --check README.md staging/src/k8s.io/client-go/README.md`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fmt.Errorf("%s needs a file; see %[1]s --help", c.CommandPath())
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			r, err := rules.LoadOrFetch(c.Context(), f.rules)
			if err != nil {
				return err
			}
			repo, err := session.OpenSource(c.Context(), f.options())
			if err != nil {
				return err
			}
			defer repo.Close()
			tables := &docblock.Tables{Rules: r, Repo: repo}
			var errs []error
			for _, name := range args {
				errs = append(errs, f.fillDocs(name, tables.Make, check))
			}
			return errors.Join(errs...)
		},
	}
	c.Flags().BoolVar(&check, "check", false, "write nothing, and fail where a file is not as it should be")
	f.addRepositories(c)
	return c
}

// fillDocs fills the blocks of a file, or checks them.
func (f *flags) fillDocs(name string, fill docblock.Make, check bool) error {
	before, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("fill documentation: %w", err)
	}
	after, blocks, err := docblock.Fill(before, fill)
	var at *docblock.Error
	switch {
	case errors.As(err, &at):
		return fmt.Errorf("%s:%d: %w", name, at.Line, at.Err)
	case err != nil:
		return fmt.Errorf("%s: %w", name, err)
	case blocks == 0:
		return fmt.Errorf("%s: has no block to fill; see publisher docs --help", name)
	case bytes.Equal(before, after):
		return nil
	case check:
		return fmt.Errorf("%s: is stale; run publisher docs %[1]s", name)
	}
	if err := replaceFile(name, after); err != nil {
		return err
	}
	_, err = fmt.Fprintf(f.stdout, "%s: %s filled\n", printable(name), count(blocks, "block"))
	return err
}
