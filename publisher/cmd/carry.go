package cmd

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"k8s.io/publisher/carry"
	"k8s.io/publisher/mirror"
	"k8s.io/publisher/rules"
	"k8s.io/publisher/session"
)

func newCarry(f *flags) *cobra.Command {
	repository, branch := "", ""
	c := &cobra.Command{
		Use:   "carry DESTINATION BASE..TIP",
		Short: "Take commits that were made on a mirror to the source",
		Long: `Take commits that were made on a mirror to the source.

What is printed is a series of patches that "git am" takes in the source. Paths are
those of the source; go.mod and go.sum have there what the commits did to them, but
not the pins of siblings; authors, dates and messages stay, and the trailers of
published commits go. Applied and published, the series gives the files that the
commits have.

The commits are in the mirror, or in the repository that --repository names, such as
a clone of it that has the branch of a pull request. They must be one line of commits
upon one that was published, without merges.

Commits that only move the pins of siblings change nothing in the source, and are
left out.`,
		Example: `  git -C client-go fetch origin pull/17/head:fix
  publisher carry client-go --repository client-go origin/master..fix |
    git am --keep-non-patch
  publisher carry client-go --source ~/src/monorepo --repository client-go \
    origin/master..fix > series.mbox`,
		Args: cobra.ExactArgs(2),
		ValidArgsFunction: func(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			set, err := rules.LoadOrFetch(c.Context(), f.rules)
			if err != nil || len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			var names []string
			for _, r := range set.Rules {
				names = append(names, r.Destination)
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) (err error) {
			set, err := rules.LoadOrFetch(c.Context(), f.rules)
			if err != nil {
				return err
			}
			in := carry.Input{Repository: repository, Range: args[1], Trailer: set.Trailer}
			if in.Directories, err = directories(set, args[0], branch); err != nil {
				return err
			}
			for _, r := range set.Rules {
				for _, b := range r.Branches {
					in.Siblings = append(in.Siblings, b.Source.Directories()...)
				}
			}
			slices.Sort(in.Siblings)
			in.Siblings = slices.Compact(in.Siblings)
			if in.Repository == "" {
				in.Repository = mirror.Path(f.mirrors, args[0])
			}
			source, err := session.OpenSource(c.Context(), f.options())
			if err != nil {
				return err
			}
			defer source.Close()
			in.Source = source.Store.Dirs()
			s, err := carry.Carry(c.Context(), in)
			if err != nil {
				return err
			}
			if s.Commits == 0 && s.Left == 0 {
				return fmt.Errorf("there are no commits in %s of %s", args[1], in.Repository)
			}
			f.log.Info("carried", "commits", s.Commits, "left out", s.Left, "upon", s.Source.String())
			f.screen.end()
			_, err = f.stdout.Write(s.Patches)
			return err
		},
	}
	f.addRepositories(c)
	c.Flags().StringVar(&repository, "repository", "", "the `folder` of a clone of the mirror that has the commits (default the mirror)")
	c.Flags().StringVar(&branch, "branch", "", "the mirror's `branch` that they are for, where directories differ between branches")
	return c
}

// directories are those that a destination is published from.
func directories(set *rules.Rules, destination, branch string) ([]string, error) {
	i := slices.IndexFunc(set.Rules, func(r rules.Rule) bool { return r.Destination == destination })
	if i < 0 {
		return nil, fmt.Errorf("no rule has the destination %q", destination)
	}
	rule := &set.Rules[i]
	if branch != "" {
		b := rule.Branch(branch)
		if b == nil {
			return nil, fmt.Errorf("the rule of %s has no branch %q", destination, branch)
		}
		return b.Source.Directories(), nil
	}
	if len(rule.Branches) == 0 {
		return nil, fmt.Errorf("the rule of %s has no branches", destination)
	}
	dirs := rule.Branches[0].Source.Directories()
	for _, b := range rule.Branches[1:] {
		if !slices.Equal(b.Source.Directories(), dirs) {
			return nil, errors.New("branches of " + destination + " are published from different directories: name one by --branch")
		}
	}
	return dirs, nil
}
