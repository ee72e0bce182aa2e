package cmd

import (
	"errors"

	"github.com/spf13/cobra"
)

func newSync(f *flags) *cobra.Command {
	return &cobra.Command{
		Use: "sync",
		RunE: func(c *cobra.Command, _ []string) (err error) {
			s, err := f.open(c.Context(), true)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			p, pub, err := s.Plan()
			if err != nil {
				return err
			}
			return s.Apply(c.Context(), p, pub)
		},
	}
}
