package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// RemoveBranchOptions say which branch to end.
type RemoveBranchOptions struct {
	Name string
	// Destinations are the rules to change. If there are none, these are all
	// rules that have the branch.
	Destinations []string
}

// RemoveBranch returns the rules file with a branch removed from its rules and
// added to their ended-branches. What no other branch of a rule depends on joins
// its past-dependencies, so that [Rule.DependsOn] is what it was. Comments before
// the branch's lines stay, as they may be about more than this branch. Otherwise
// it is like [AddBranch].
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

	ended := *r
	ended.Branches = slices.Delete(slices.Clone(r.Branches), j, j+1)
	ended.EndedBranches = append(slices.Clone(r.EndedBranches), name)
	left := ended.DependsOn()
	past := slices.DeleteFunc(r.DependsOn(), func(d string) bool { return slices.Contains(left, d) })
	ended.PastDependencies = append(slices.Clone(r.PastDependencies), past...)

	_, end, err := e.block(branches, branches.Content[len(branches.Content)-1])
	if err != nil {
		return err
	}
	end, err = e.extend(i, "ended-branches", []string{name}, end)
	if err != nil {
		return err
	}
	if len(past) > 0 {
		if _, err := e.extend(i, "past-dependencies", past, end); err != nil {
			return err
		}
	}
	*r = ended
	return nil
}

// extend adds values to a list of a rule. Where the rule has no such list, it
// comes before the line at. The list ends before the line that is returned.
func (e *editor) extend(i int, name string, values []string, at int) (end int, err error) {
	branchesKey, branches := lookUp(e.nodes[i], "branches")
	key, list := lookUp(e.nodes[i], name)
	dash := branches.Column
	var lines []string
	switch {
	case key == nil:
		lines = append(lines, strings.Repeat(" ", branchesKey.Column-1)+name+":"+e.eol)
	case isNull(list) && (list.Value != "" || list.Style != 0):
		return 0, e.uneditable(list, "a list is to take its place; remove it")
	case isNull(list):
		at = key.Line
	default:
		if err := e.blockStyle(list); err != nil {
			return 0, err
		}
		if _, at, err = e.block(list, list.Content[len(list.Content)-1]); err != nil {
			return 0, err
		}
		dash = list.Column
	}
	for _, v := range values {
		value, err := writeScalar(v, 0)
		if err != nil {
			return 0, err
		}
		lines = append(lines, strings.Repeat(" ", dash-1)+"- "+value+e.eol)
	}
	e.replace(at, at, lines...)
	return at, nil
}
