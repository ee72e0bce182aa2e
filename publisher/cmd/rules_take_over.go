package cmd

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"k8s.io/publisher/mirror"
	"k8s.io/publisher/plan"
	"k8s.io/publisher/rules"
)

func newRulesTakeOver(f *flags) *cobra.Command {
	var destinations []string
	dryRun := false
	c := &cobra.Command{
		Use:   "take-over",
		Short: "Continue on top of what somebody else published",
		Long: `Continue on top of what somebody else published.

The rules get to know what the mirrors have now, as taken-over: the tip of each
branch, and a digest of the tags. All of that is somebody else's and stays as
it is; a sync goes on from there. Branches of a mirror that its rule does not
have become ended-branches. Look at the change before you sync: whoever trusts
the rules trusts what was taken over.`,
		Example: `  publisher rules take-over --mirrors /srv/mirrors
  publisher rules take-over --destination client-go --dry-run`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			proposals, err := f.proposals(c.Context(), destinations)
			if err != nil {
				return err
			}
			return f.editRules(dryRun,
				func(data []byte) ([]byte, []string, error) { return rules.TakeOver(data, f.rules, proposals) },
				func(changed []string) string { return "taken over in " + inRules(changed) })
		},
	}
	f.addRepositories(c)
	c.Flags().StringSliceVar(&destinations, "destination", nil, "the `destination` of a mirror to take over; may be repeated (default all that a sync would refuse)")
	c.Flags().BoolVar(&dryRun, "dry-run", false, "print the new file to stdout and change nothing")
	return c
}

// proposals returns where the mirrors stand, as what is to be taken over: those of the
// named destinations or, where there are none, those that a sync would refuse.
func (f *flags) proposals(ctx context.Context, destinations []string) (proposals []rules.TakeOverOptions, err error) {
	if len(destinations) == 0 {
		if destinations, err = f.refused(ctx); err != nil {
			return nil, err
		}
	}
	for _, d := range destinations {
		t, err := takenOver(mirror.Path(f.mirrors, d))
		if err != nil {
			return nil, fmt.Errorf("take over %s: %w", d, err)
		}
		proposals = append(proposals, rules.TakeOverOptions{Destination: d, TakenOver: t})
	}
	return proposals, nil
}

// refused returns the destinations with a branch that a sync cannot continue.
func (f *flags) refused(ctx context.Context) (destinations []string, err error) {
	s, p, _, err := f.plan(ctx, false)
	if err != nil {
		return nil, err
	}
	for _, d := range p.Destinations {
		var conflict *plan.ConflictError
		if errors.As(d.Err, &conflict) && strings.HasPrefix(conflict.Ref, "refs/heads/") {
			destinations = append(destinations, d.Name)
		}
	}
	return destinations, s.Close()
}

// takenOver returns what is in a mirror. The branch of its HEAD comes first, then master
// and main, then the others by name.
func takenOver(dir string) (t rules.TakenOver, err error) {
	m, err := mirror.Open(dir)
	if err != nil {
		return t, err
	}
	if !m.Exists {
		return t, fmt.Errorf("there is no mirror in %s", dir)
	}
	head, err := os.ReadFile(filepath.Join(dir, "HEAD"))
	if err != nil {
		return t, err
	}
	first := []string{strings.TrimPrefix(strings.TrimSpace(string(head)), "ref: refs/heads/"), "master", "main"}
	var tags []string
	for name, ref := range m.Refs() {
		if branch, ok := strings.CutPrefix(name, "refs/heads/"); ok {
			t.Branches = append(t.Branches, rules.TakenOverBranch{Branch: branch, Commit: ref.ID.String()})
		} else if strings.HasPrefix(name, "refs/tags/") {
			tags = append(tags, ref.ID.String()+" "+name+"\n")
		}
	}
	rank := func(b rules.TakenOverBranch) int {
		if i := slices.Index(first, b.Branch); i >= 0 {
			return i
		}
		return len(first)
	}
	slices.SortFunc(t.Branches, func(a, b rules.TakenOverBranch) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(a.Branch, b.Branch))
	})
	if len(tags) > 0 {
		slices.Sort(tags)
		t.Tags = fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(tags, ""))))
	}
	return t, nil
}
