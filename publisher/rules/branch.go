package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// AddBranchOptions say which branch to start and what to copy.
type AddBranchOptions struct {
	// Name of the new branch in all mirrors.
	Name string
	// From is the branch to copy. If it is empty, it is master or main,
	// whichever the rule has.
	From string
	// Go is the new branch's Go version. If it is empty, that of From stays.
	Go string
	// SourceBranch is what the new branch is built from; Name if it is empty.
	SourceBranch string
	// Destinations are the rules to change. If there are none, these are all
	// unskipped rules that have From.
	Destinations []string
}

// AddBranch returns the rules file with one more branch in its rules, and their
// destinations. The branch is a copy of another one, without its comments, after the
// rule's last one. Its dependencies are on branches of its own name. All else stays as it
// is, byte for byte, but for a line break at the end where that is missing.
//
// There is an error, and no file, where a rule has the branch already, where
// no rule has the one to copy, where the file's style leaves a branch no lines of its
// own, and where the file would be invalid before or after.
func AddBranch(data []byte, file string, opts AddBranchOptions) (out []byte, destinations []string, err error) {
	if err := opts.validate(); err != nil {
		return nil, nil, fmt.Errorf("add branch %q: %w", opts.Name, err)
	}
	if opts.SourceBranch == "" {
		opts.SourceBranch = opts.Name
	}
	from := mainBranches
	if opts.From != "" {
		from = []string{opts.From}
	}
	s := selection{destinations: opts.Destinations, none: "no rule has a branch " + strings.Join(from, " or ") + " to copy"}
	s.suits = func(r *Rule) bool {
		return !r.Skipped && slices.ContainsFunc(from, func(name string) bool { return r.Branch(name) != nil })
	}
	out, destinations, err = edit(data, file, s, func(e *editor, r *Rule, n *yaml.Node) error { return e.addBranch(r, n, from, opts) })
	if err != nil {
		return nil, nil, fmt.Errorf("add branch %q: %w", opts.Name, err)
	}
	return out, destinations, nil
}

// validate leaves it to the edited file to show what else is wrong.
func (o AddBranchOptions) validate() error {
	var errs []error
	for _, err := range []*field.Error{branchName(field.NewPath("name"), o.Name), goVersion(field.NewPath("go"), o.Go)} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// mainBranches are what the branch to copy is called where nobody says so.
var mainBranches = []string{"master", "main"}

func (e *editor) addBranch(r *Rule, rule *yaml.Node, from []string, opts AddBranchOptions) error {
	if r.Branch(opts.Name) != nil {
		return errors.New("has the branch already")
	}
	if slices.Contains(r.EndedBranches, opts.Name) {
		return errors.New("had the branch; it has ended")
	}
	j := -1
	for k := range r.Branches {
		switch {
		case !slices.Contains(from, r.Branches[k].Name):
		case j >= 0:
			return fmt.Errorf("has both %s; say which to copy", strings.Join(from, " and "))
		default:
			j = k
		}
	}
	if j < 0 {
		return fmt.Errorf("has no branch %s to copy", strings.Join(from, " or "))
	}

	_, branches := lookUp(rule, "branches")
	branch := copyNode(branches.Content[j])
	_, name := lookUp(branch, "name")
	_, source := lookUp(branch, "source")
	_, sourceBranch := lookUp(source, "branch")
	name.SetString(opts.Name)
	sourceBranch.SetString(opts.SourceBranch)
	if _, dependencies := lookUp(branch, "dependencies"); dependencies != nil {
		for _, dependency := range dependencies.Content {
			_, n := lookUp(dependency, "branch")
			n.SetString(opts.Name)
		}
	}
	b := r.Branches[j]
	b.Name, b.Source.Branch = opts.Name, opts.SourceBranch
	b.Dependencies = slices.Clone(b.Dependencies)
	for k := range b.Dependencies {
		b.Dependencies[k].Branch = opts.Name
	}
	if opts.Go != "" {
		b.Go = opts.Go
		if _, n := lookUp(branch, "go"); n != nil {
			n.SetString(opts.Go)
		} else {
			at := slices.Index(branch.Content, name) + 1
			branch.Content = slices.Insert(branch.Content, at, stringNode("go"), stringNode(opts.Go))
		}
	}
	e.add(rule, "branches", branch)
	r.Branches = append(r.Branches, b)
	return nil
}

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
func RemoveBranch(data []byte, file string, opts RemoveBranchOptions) (out []byte, destinations []string, err error) {
	s := selection{destinations: opts.Destinations, none: "no rule has it"}
	s.suits = func(r *Rule) bool { return r.Branch(opts.Name) != nil }
	out, destinations, err = edit(data, file, s, func(e *editor, r *Rule, n *yaml.Node) error { return e.removeBranch(r, n, opts.Name) })
	if err != nil {
		return nil, nil, fmt.Errorf("remove branch %q: %w", opts.Name, err)
	}
	return out, destinations, nil
}

func (e *editor) removeBranch(r *Rule, rule *yaml.Node, name string) error {
	j := slices.IndexFunc(r.Branches, func(b Branch) bool { return b.Name == name })
	if j < 0 {
		return errors.New("does not have it")
	}
	before := r.DependsOn()
	if r.Branches = slices.Delete(slices.Clone(r.Branches), j, j+1); len(r.Branches) == 0 {
		r.Branches = nil
	}
	after := r.DependsOn()
	past := slices.DeleteFunc(before, func(d string) bool { return slices.Contains(after, d) })
	r.EndedBranches = append(r.EndedBranches, name)
	r.PastDependencies = append(r.PastDependencies, past...)

	_, branches := lookUp(rule, "branches")
	e.remove(branches, j)
	e.add(rule, "ended-branches", stringNode(name))
	e.add(rule, "past-dependencies", stringNodes(past)...)
	return nil
}
