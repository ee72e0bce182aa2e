package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"k8s.io/publisher/plan"
	"k8s.io/publisher/rules"
)

// TakeOvers returns what the rules are to say for mirrors to be continued that the
// publisher did not fill, or filled under other rules: those of the given
// destinations, or, where none are given, all that a sync refuses for that reason,
// which may be none.
// The rules in the session change with it; the file does not.
func (s *Session) TakeOvers(ctx context.Context, destinations []string) ([]rules.TakeOverOptions, error) {
	p, _, err := s.Plan(ctx)
	if err != nil {
		return nil, err
	}
	var options []rules.TakeOverOptions
	for _, d := range p.Destinations {
		strange := strangeBranches(d)
		if len(destinations) > 0 && !slices.Contains(destinations, d.Name) || len(destinations) == 0 && len(strange) == 0 {
			continue
		}
		o, err := s.takeOver(d, strange)
		if err != nil {
			return nil, fmt.Errorf("take over %s: %w", d.Name, err)
		}
		options = append(options, o)
	}
	for _, name := range destinations {
		if p.Destination(name) == nil {
			return nil, fmt.Errorf("take over %s: no rule publishes to it", name)
		}
	}
	if len(options) == 0 {
		return nil, nil
	}
	return options, s.digestTags(ctx, options)
}

// strangeBranches are the branches of a destination that could be taken over.
func strangeBranches(d *plan.Destination) []string {
	var names []string
	for _, conflict := range d.Conflicts {
		if name, ok := strings.CutPrefix(conflict.Ref, "refs/heads/"); ok && conflict.TakeOver {
			names = append(names, name)
		}
	}
	return names
}

// takeOver lists the branches to take over, the mirror's default branch first: those
// that sync refuses, and those that follow nothing and say of no source commit that
// they stand for it. What the rules say of others stays.
func (s *Session) takeOver(d *plan.Destination, strange []string) (rules.TakeOverOptions, error) {
	o := rules.TakeOverOptions{Destination: d.Name}
	m, rule := s.Past.Mirrors[d.Name], s.RuleSet.Rule(d.Name)
	if m.Err != nil || !m.Exists {
		return o, cmp.Or(m.Err, fmt.Errorf("there is no mirror %s", m.Dir))
	}
	for name, tip := range m.Tips {
		at, _, before := m.TakenOver(name)
		follows := rule.Branch(name) != nil
		switch {
		case slices.Contains(strange, name), !follows && !before && (tip.Source.IsZero() || rule.TakenOver == nil):
			at = tip.Commit
		case !before:
			continue
		}
		o.TakenOver.Branches = append(o.TakenOver.Branches, rules.TakenOverBranch{Branch: name, Commit: at.String()})
	}
	if len(o.TakenOver.Branches) == 0 {
		return o, errors.New("no branch of its mirror is somebody else's")
	}
	first := m.Head()
	rank := func(b rules.TakenOverBranch) int {
		return slices.Index([]string{"main", "master", first}, b.Branch)
	}
	slices.SortFunc(o.TakenOver.Branches, func(a, b rules.TakenOverBranch) int {
		return cmp.Or(cmp.Compare(rank(b), rank(a)), strings.Compare(a.Branch, b.Branch))
	})
	return o, nil
}

// digestTags adds the digests of the tags that are there and not what is published
// on top of the mirrors once they are taken over.
func (s *Session) digestTags(ctx context.Context, options []rules.TakeOverOptions) error {
	data, err := os.ReadFile(s.Rules)
	if err != nil {
		return err
	}
	edited, _, err := rules.TakeOver(data, s.Rules, options)
	if err != nil {
		return err
	}
	if s.RuleSet, err = rules.Parse(s.Rules, edited); err != nil {
		return err
	}
	if s.Remote != "" {
		if err := s.RuleSet.SetRemote(s.Remote); err != nil {
			return err
		}
	}
	p, _, err := s.Plan(ctx)
	if err != nil {
		return err
	}
	for i := range options {
		o := &options[i]
		d := p.Destination(o.Destination)
		if len(d.Conflicts) > 0 || s.Past.Mirrors[d.Name].Err != nil {
			return fmt.Errorf("take over %s: %w", d.Name, d.Err)
		}
		o.TakenOver.Tags = d.ForeignTags()
	}
	return nil
}
