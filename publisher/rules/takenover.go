package rules

import (
	"fmt"
	"maps"
	"regexp"
	"slices"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// TakenOver says what of a mirror is somebody else's: what was there when this
// publisher came.
type TakenOver struct {
	// Branches are those that the mirror had. The first is where branches
	// without an entry of their own look first.
	Branches []TakenOverBranch `yaml:"branches"`
	// Tags is the SHA-256, in hex, of the sorted lines "<object id>
	// refs/tags/<name>\n" of the tags that the mirror had; empty where it had none.
	Tags string `yaml:"tags"`
}

// TakenOverBranch is where a branch of a mirror stood.
type TakenOverBranch struct {
	Branch string `yaml:"branch"`
	// Commit is the ID of a commit of the mirror, in hex.
	Commit string `yaml:"commit"`
}

// TakeOverOptions say where a mirror is taken over.
type TakeOverOptions struct {
	Destination string
	TakenOver   TakenOver
}

// TakeOver returns the rules file with what taken-over is to say of each of the given
// mirrors, in the place of what it said, and the mirrors' destinations. Branches that the
// rule did not have join its ended-branches. Otherwise it is like [AddBranch].
func TakeOver(data []byte, file string, opts []TakeOverOptions) (out []byte, destinations []string, err error) {
	s := selection{suits: func(*Rule) bool { return false }, none: "no mirror is to be taken over"}
	taken := map[string]TakenOver{}
	for _, o := range opts {
		s.destinations = append(s.destinations, o.Destination)
		taken[o.Destination] = o.TakenOver
	}
	out, destinations, err = edit(data, file, s, func(e *editor, r *Rule, n *yaml.Node) error {
		e.takeOver(r, n, taken[r.Destination])
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("take over: %w", err)
	}
	return out, destinations, nil
}

func (e *editor) takeOver(r *Rule, rule *yaml.Node, t TakenOver) {
	r.TakenOver = &t
	known := r.branchNames()
	branches := &yaml.Node{Kind: yaml.SequenceNode}
	var ended []string
	for _, b := range t.Branches {
		branches.Content = append(branches.Content,
			mappingNode(stringNode("branch"), stringNode(b.Branch), stringNode("commit"), stringNode(b.Commit)))
		if !known[b.Branch] {
			ended = append(ended, b.Branch)
		}
	}
	r.EndedBranches = append(r.EndedBranches, ended...)
	block := mappingNode(stringNode("branches"), branches)
	if t.Tags != "" {
		block.Content = append(block.Content, stringNode("tags"), stringNode(t.Tags))
	}
	e.add(rule, "ended-branches", stringNodes(ended)...)
	e.set(rule, "taken-over", block)
}

// branchNames has the rule's branches and ended branches.
func (r *Rule) branchNames() map[string]bool {
	names := map[string]bool{}
	for _, b := range r.Branches {
		names[b.Name] = true
	}
	for _, name := range r.EndedBranches {
		names[name] = true
	}
	return names
}

var (
	commitID = regexp.MustCompile(`^[0-9a-f]{40}$`)
	sha256ID = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

func (v *validator) takenOver(i int) {
	rule, path := &v.rules.Rules[i], RulePath(i).Child("taken-over")
	t := rule.TakenOver
	if t == nil {
		return
	}
	known := rule.branchNames()
	seen := map[string]bool{}
	for j, b := range t.Branches {
		at := path.Child("branches").Index(j)
		branch, commit := at.Child("branch"), at.Child("commit")
		switch {
		case b.Branch == "":
			v.add(field.Required(branch, ""))
		case seen[b.Branch]:
			v.add(field.Duplicate(branch, b.Branch))
		case !known[b.Branch]:
			err := field.NotFound(branch, b.Branch)
			err.Detail = "is neither in branches nor in ended-branches" + v.hint(b.Branch, func() []string { return slices.Sorted(maps.Keys(known)) })
			v.add(err)
		}
		seen[b.Branch] = true
		if b.Commit == "" {
			v.add(field.Required(commit, ""))
		} else if !commitID.MatchString(b.Commit) {
			v.add(field.Invalid(commit, b.Commit, "must be the ID of a commit: 40 lower-case hexadecimal digits"))
		}
	}
	if len(t.Branches) == 0 {
		v.add(field.Required(path.Child("branches"), "a mirror without branches is not taken over"))
	}
	if t.Tags != "" && !sha256ID.MatchString(t.Tags) {
		v.add(field.Invalid(path.Child("tags"), t.Tags, "must be a SHA-256: 64 lower-case hexadecimal digits"))
	}
}
