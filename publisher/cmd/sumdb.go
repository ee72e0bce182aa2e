package cmd

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"k8s.io/publisher/checksumdb"
)

func newSumdb(f *flags) *cobra.Command {
	c := &cobra.Command{
		Use:   "sumdb",
		Short: "Audit a checksum database, and replace its key",
		Long: `Audit a checksum database, and replace its key.

"publisher site" writes the database. docs/checksum-database.md says how consumers
use it, and how a key is replaced without a moment in which theirs does not fit.`,
		Example: `  publisher sumdb verify --key key site/sumdb
  publisher sumdb rotate --key-file ~/.config/publisher/sumdb.key sum2.example.org
  publisher sumdb retire --key-file ~/.config/publisher/sumdb.key sum.example.org`,
		Args: cobra.ArbitraryArgs,
		RunE: needsVerb,
	}
	c.AddCommand(newSumdbVerify(f), newSumdbRotate(f), newSumdbRetire(f))
	return c
}

// sumdbProof is what was proven of a checksum database.
type sumdbProof struct {
	Name    string `json:"name"`
	Records int64  `json:"records"`
	Hash    string `json:"hash"`
	// Heads is how many signed heads the log contains.
	Heads int `json:"heads"`
}

func newSumdbVerify(f *flags) *cobra.Command {
	key := ""
	var heads []string
	c := &cobra.Command{
		Use:   "verify DIR",
		Short: "Prove that a checksum database is whole, and that it has only grown",
		Long: `Prove that a checksum database is whole, and that it has only grown.

Only its files are read, or those of a copy of it, and the verifier key, which
should come from elsewhere. Every tile and every lookup must have what follows from
the records, and the log must contain all heads that were ever signed: those in the
lookups, and those that you have kept, such as "latest" of an earlier visit.`,
		Example: `  publisher sumdb verify --key key site/sumdb
  publisher sumdb verify --key key --head latest.yesterday site/sumdb -o json`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			data, err := os.ReadFile(key)
			if err != nil {
				return fmt.Errorf("read the verifier key: %w", err)
			}
			var kept [][]byte
			for _, name := range heads {
				head, err := os.ReadFile(name)
				if err != nil {
					return fmt.Errorf("read a head that was kept: %w", err)
				}
				kept = append(kept, head)
			}
			r, err := checksumdb.Verify(c.Context(), args[0], strings.TrimSpace(string(data)), kept...)
			if err != nil {
				return err
			}
			proof := sumdbProof{r.Name, r.Head.N, r.Head.Hash.String(), r.Heads}
			return f.print(proof, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "%s: proven: %s, whose hash is %s, and which %s contained one after the other\n",
					proof.Name, count(int(proof.Records), "record"), proof.Hash, count(proof.Heads, "signed head"))
				return err
			})
		},
	}
	c.Flags().StringVar(&key, "key", "", "the `file` with the verifier key")
	c.Flags().StringArrayVar(&heads, "head", nil, "a `file` with a signed head that was seen before; can be repeated")
	_ = c.MarkFlagRequired("key")
	f.addOutput(c)
	return c
}

func newSumdbRotate(f *flags) *cobra.Command {
	file := ""
	c := &cobra.Command{
		Use:   "rotate NAME",
		Short: "Make a new key, and let it sign beside the one that there is",
		Long: `Make a new key, and let it sign beside the one that there is.

From the next "publisher site" on, both keys sign all heads, and consumers can go
over to the new one, whose verifier key is printed. It has another name, as go
commands keep what they know of a database by the name of its key.`,
		Example: `  publisher sumdb rotate --key-file ~/.config/publisher/sumdb.key sum2.example.org`,
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			key, err := checksumdb.Rotate(file, args[0])
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(f.stdout, key)
			return err
		},
	}
	addKeyFile(c, &file)
	return c
}

func newSumdbRetire(*flags) *cobra.Command {
	file := ""
	c := &cobra.Command{
		Use:   "retire NAME",
		Short: "Remove a key that was replaced",
		Long: `Remove a key that was replaced.

From the next "publisher site" on, only the others sign, and go commands that know
the removed one alone do not accept the database.`,
		Example: `  publisher sumdb retire --key-file ~/.config/publisher/sumdb.key sum.example.org`,
		Args:    cobra.ExactArgs(1),
		RunE:    func(_ *cobra.Command, args []string) error { return checksumdb.Retire(file, args[0]) },
	}
	addKeyFile(c, &file)
	return c
}

func addKeyFile(c *cobra.Command, file *string) {
	c.Flags().StringVar(file, "key-file", "", "the `file` with the private key")
	_ = c.MarkFlagRequired("key-file")
}
