package cmd

import (
	"encoding/json"
	"errors"
	"os"

	"github.com/spf13/cobra"
)

func newPlan(f *flags) *cobra.Command {
	return &cobra.Command{
		Use: "plan",
		RunE: func(c *cobra.Command, _ []string) (err error) {
			s, err := f.open(c.Context(), false)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			p, _, err := s.Plan()
			if err != nil {
				return err
			}
			return json.NewEncoder(os.Stdout).Encode(p)
		},
	}
}
