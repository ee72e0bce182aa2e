package rules

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"go.yaml.in/yaml/v3"
)

// editor changes a file's text and, apart from it, the rules it stands for.
type editor struct {
	*text
	rules *Rules
	// nodes are those of the rules.
	nodes []*yaml.Node
}

// edit lets change the file, and makes sure that the text means
// what it ought to.
func edit(data []byte, file string, change func(*editor) error) ([]byte, error) {
	rules, root, err := parse(file, data)
	if err != nil {
		return nil, err
	}
	text, err := newText(file, data)
	if err != nil {
		return nil, err
	}
	_, list := lookUp(root, "rules")
	for _, n := range append([]*yaml.Node{root, list}, list.Content...) {
		if err := text.blockStyle(n); err != nil {
			return nil, err
		}
	}
	if err := change(&editor{text: text, rules: rules, nodes: list.Content}); err != nil {
		return nil, err
	}

	out := text.bytes()
	edited, err := Parse(file, out)
	if err != nil {
		return nil, fmt.Errorf("the file would become invalid:\n%w", err)
	}
	if !reflect.DeepEqual(withoutEmpty(edited.Rules), withoutEmpty(rules.Rules)) {
		return nil, fileProblem(file, positionOf(list), "cannot be edited line by line: lines would change their meaning")
	}
	return out, nil
}

// withoutEmpty makes lists that are empty and lists that are not there the same.
func withoutEmpty(rules []Rule) []Rule {
	for i := range rules {
		if len(rules[i].Branches) == 0 {
			rules[i].Branches = nil
		}
		if len(rules[i].EndedBranches) == 0 {
			rules[i].EndedBranches = nil
		}
		if len(rules[i].PastDependencies) == 0 {
			rules[i].PastDependencies = nil
		}
		for j, t := range rules[i].Tags {
			rules[i].Tags[j] = TagRule{Constraint: t.Constraint, Template: t.Template}
		}
	}
	return rules
}

// lookUp returns a key of a mapping and its value, or nils.
func lookUp(mapping *yaml.Node, key string) (k, v *yaml.Node) {
	for i := 0; i < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i], mapping.Content[i+1]
		}
	}
	return nil, nil
}

// selectRules returns the rules to change: the named ones or, if none are
// named, those that suit.
func (e *editor) selectRules(destinations []string, suits func(*Rule) bool) ([]int, error) {
	var selected []int
	if len(destinations) == 0 {
		for i := range e.rules.Rules {
			if suits(&e.rules.Rules[i]) {
				selected = append(selected, i)
			}
		}
		return selected, nil
	}
	var errs []error
	known := e.rules.destinations()
	for _, d := range destinations {
		switch i := slices.Index(known, d); {
		case i < 0:
			errs = append(errs, fmt.Errorf("there is no rule for %q%s", d, didYouMean(d, known)))
		case !slices.Contains(selected, i):
			selected = append(selected, i)
		}
	}
	return selected, errors.Join(errs...)
}
