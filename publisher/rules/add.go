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

// AddBranch returns the rules file with one more branch in its rules: a copy of
// the lines of another branch, after the rule's last one. Its
// dependencies are on branches of its own name. All else stays as it is,
// byte for byte, but for a line break at the end where that is missing.
//
// There is an error, and no file, where a rule has the branch already, where
// no rule has the one to copy, where the file's style leaves a branch no lines of its
// own, and where the file would be invalid before or after.
func AddBranch(data []byte, file string, opts AddBranchOptions) ([]byte, error) {
	err := opts.validate()
	if opts.SourceBranch == "" {
		opts.SourceBranch = opts.Name
	}
	var out []byte
	if err == nil {
		out, err = edit(data, file, func(e *editor) error { return e.add(opts) })
	}
	if err != nil {
		return nil, fmt.Errorf("add branch %q: %w", opts.Name, err)
	}
	return out, nil
}

// validate leaves it to the edited file to show what else is wrong.
func (o AddBranchOptions) validate() error {
	errs := field.ErrorList{}
	for _, err := range []*field.Error{
		branchName(field.NewPath("name"), o.Name),
		goVersion(field.NewPath("go"), o.Go),
	} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	if o.SourceBranch != "" {
		if err := branchName(field.NewPath("source branch"), o.SourceBranch); err != nil {
			errs = append(errs, err)
		}
	}
	return errs.ToAggregate()
}

// mainBranches are what the branch to copy is called where nobody says so.
var mainBranches = []string{"master", "main"}

// from returns the index of the branch to copy in a rule.
func (r *Rule) from(name string) (int, error) {
	names := []string{name}
	if name == "" {
		names = mainBranches
	}
	found := -1
	for j, b := range r.Branches {
		if !slices.Contains(names, b.Name) {
			continue
		}
		if found >= 0 {
			return 0, fmt.Errorf("rule for %q has both %s; say which to copy", r.Destination, strings.Join(names, " and "))
		}
		found = j
	}
	if found < 0 {
		return 0, fmt.Errorf("rule for %q has no branch %s to copy", r.Destination, strings.Join(names, " or "))
	}
	return found, nil
}

func (e *editor) add(opts AddBranchOptions) error {
	has := func(r *Rule) bool {
		names := mainBranches
		if opts.From != "" {
			names = []string{opts.From}
		}
		return !r.Skipped && slices.ContainsFunc(names, func(name string) bool { return r.Branch(name) != nil })
	}
	selected, err := e.selectRules(opts.Destinations, has)
	if err != nil {
		return err
	}
	if len(selected) == 0 {
		if opts.From == "" {
			return fmt.Errorf("no rule has a branch %s to copy", strings.Join(mainBranches, " or "))
		}
		return fmt.Errorf("no rule has the branch %q to copy", opts.From)
	}
	var errs []error
	for _, i := range selected {
		r := &e.rules.Rules[i]
		switch {
		case r.Branch(opts.Name) != nil:
			errs = append(errs, fmt.Errorf("rule for %q has the branch already", r.Destination))
		case slices.Contains(r.EndedBranches, opts.Name):
			errs = append(errs, fmt.Errorf("rule for %q had the branch; it has ended", r.Destination))
		default:
			errs = append(errs, e.addTo(i, opts))
		}
	}
	return errors.Join(errs...)
}

func (e *editor) addTo(i int, opts AddBranchOptions) error {
	r := &e.rules.Rules[i]
	j, err := r.from(opts.From)
	if err != nil {
		return err
	}
	_, branches := lookUp(e.nodes[i], "branches")
	if err := e.blockStyle(branches); err != nil {
		return err
	}
	lines, err := e.copyBranch(branches, branches.Content[j], opts)
	if err != nil {
		return err
	}
	last := len(branches.Content) - 1
	lastFrom, lastTo, err := e.block(branches, branches.Content[last])
	if err != nil {
		return err
	}
	// Where blank lines stand between branches, one more does.
	if last > 0 && e.blank(lastFrom-1) {
		if _, to, err := e.block(branches, branches.Content[last-1]); err == nil && to < lastFrom {
			lines = append([]string{e.eol}, lines...)
		}
	}
	e.replace(lastTo, lastTo, lines...)

	b := r.Branches[j]
	b.Name, b.Source.Branch = opts.Name, opts.SourceBranch
	if opts.Go != "" {
		b.Go = opts.Go
	}
	b.Dependencies = slices.Clone(b.Dependencies)
	for k := range b.Dependencies {
		b.Dependencies[k].Branch = opts.Name
	}
	r.Branches = append(r.Branches, b)
	return nil
}

// copyBranch returns the lines of a new branch like the given one.
func (e *editor) copyBranch(branches, branch *yaml.Node, opts AddBranchOptions) ([]string, error) {
	if err := e.blockStyle(branch); err != nil {
		return nil, err
	}
	from, to, err := e.block(branches, branch)
	if err != nil {
		return nil, err
	}
	lines := slices.Clone(e.lines[from:to])

	type change struct {
		node  *yaml.Node
		value string
	}
	nameKey, name := lookUp(branch, "name")
	_, source := lookUp(branch, "source")
	_, sourceBranch := lookUp(source, "branch")
	changes := []change{{name, opts.Name}, {sourceBranch, opts.SourceBranch}}
	if _, dependencies := lookUp(branch, "dependencies"); dependencies != nil {
		for _, dependency := range dependencies.Content {
			_, n := lookUp(dependency, "branch")
			changes = append(changes, change{n, opts.Name})
		}
	}
	goKey, goValue := lookUp(branch, "go")
	if opts.Go != "" && goKey != nil {
		if isNull(goValue) {
			return nil, e.uneditable(goKey, "it has no value to replace")
		}
		changes = append(changes, change{goValue, opts.Go})
	}
	// From right to left, so that columns hold where a line has two.
	slices.SortFunc(changes, func(a, b change) int { return b.node.Column - a.node.Column })
	for _, c := range changes {
		line := c.node.Line - 1 - from
		if lines[line], err = e.put(lines[line], c.node, c.value); err != nil {
			return nil, err
		}
	}
	if opts.Go != "" && goKey == nil {
		value, err := writeScalar(opts.Go, 0)
		if err != nil {
			return nil, err
		}
		line := strings.Repeat(" ", nameKey.Column-1) + "go: " + value + e.eol
		lines = slices.Insert(lines, name.Line-from, line)
	}
	return lines, nil
}
