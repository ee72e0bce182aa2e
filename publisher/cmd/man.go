package cmd

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func newMan() *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR",
		Short: "Write the manual pages of all commands",
		Long: `Write the manual pages of all commands.

They have what --help has. The folder is made where it is missing; man finds them in
one that is named man1, in a folder of MANPATH.`,
		Example: `  publisher man ~/.local/share/man/man1
  man publisher-sync`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o777); err != nil {
				return err
			}
			b := readBuildInfo()
			// The same publisher writes the same pages.
			date, err := time.Parse(time.RFC3339, b.Time)
			if err != nil {
				date = time.Unix(0, 0).UTC()
			}
			root := c.Root()
			for _, sub := range root.Commands() {
				sub.DisableAutoGenTag = true
			}
			root.DisableAutoGenTag = true
			header := &doc.GenManHeader{Section: "1", Date: &date, Source: "publisher " + b.Version, Manual: "Publisher"}
			if err := doc.GenManTree(root, header, args[0]); err != nil {
				return fmt.Errorf("write manual pages: %w", err)
			}
			return nil
		},
	}
}
