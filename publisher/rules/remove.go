package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// RemoveBranchOptions say which branch to end.
type RemoveBranchOptions struct {
	Name string
	// Destinations are the rules to change. If there are none, these are all
	// rules that have the branch.
	Destinations []string
}

// RemoveBranch returns the rules file with a branch removed from its rules and
// added to their ended-branches. Comments before the branch's lines stay, as they
// may be about more than this branch. Otherwise it is like [AddBranch].
func RemoveBranch(data []byte, file string, opts RemoveBranchOptions) ([]byte, error) {
	out, err := edit(data, file, func(e *editor) error { return e.remove(opts) })
	if err != nil {
		return nil, fmt.Errorf("remove branch %q: %w", opts.Name, err)
	}
	return out, nil
}

func (e *editor) remove(opts RemoveBranchOptions) error {
	has := func(r *Rule) bool { return r.Branch(opts.Name) != nil }
	selected, err := e.selectRules(opts.Destinations, has)
	if err != nil {
		return err
	}
	if len(selected) == 0 {
		return errors.New("no rule has it")
	}
	var errs []error
	for _, i := range selected {
		if r := &e.rules.Rules[i]; !has(r) {
			errs = append(errs, fmt.Errorf("rule for %q does not have it", r.Destination))
		} else {
			errs = append(errs, e.removeFrom(i, opts.Name))
		}
	}
	return errors.Join(errs...)
}

func (e *editor) removeFrom(i int, name string) error {
	r := &e.rules.Rules[i]
	_, branches := lookUp(e.nodes[i], "branches")
	if err := e.blockStyle(branches); err != nil {
		return err
	}
	j := slices.IndexFunc(r.Branches, func(b Branch) bool { return b.Name == name })
	if err := e.blockStyle(branches.Content[j]); err != nil {
		return err
	}
	from, to, err := e.block(branches, branches.Content[j])
	if err != nil {
		return err
	}
	before := branches.Line - 1
	if j > 0 {
		if _, before, err = e.block(branches, branches.Content[j-1]); err != nil {
			return err
		}
	}
	// Blank lines on both sides become those on one side.
	if e.blank(to) {
		for from > before && e.blank(from-1) {
			from--
		}
	}
	e.replace(from, to)
	if err := e.end(i, branches, name); err != nil {
		return err
	}
	r.Branches = slices.Delete(slices.Clone(r.Branches), j, j+1)
	r.EndedBranches = append(slices.Clone(r.EndedBranches), name)
	return nil
}

// end adds a name to the ended branches of a rule.
func (e *editor) end(i int, branches *yaml.Node, name string) error {
	value, err := writeScalar(name, 0)
	if err != nil {
		return err
	}
	entry := func(dash int) string { return strings.Repeat(" ", dash-1) + "- " + value + e.eol }

	key, ended := lookUp(e.nodes[i], "ended-branches")
	switch {
	case key == nil:
		branchesKey, _ := lookUp(e.nodes[i], "branches")
		_, to, err := e.block(branches, branches.Content[len(branches.Content)-1])
		if err != nil {
			return err
		}
		header := strings.Repeat(" ", branchesKey.Column-1) + "ended-branches:" + e.eol
		e.replace(to, to, header, entry(branches.Column))
	case isNull(ended):
		e.replace(key.Line, key.Line, entry(branches.Column))
	default:
		if err := e.blockStyle(ended); err != nil {
			return err
		}
		_, to, err := e.block(ended, ended.Content[len(ended.Content)-1])
		if err != nil {
			return err
		}
		e.replace(to, to, entry(ended.Column))
	}
	return nil
}
