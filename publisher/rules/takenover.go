package rules

import (
	"maps"
	"regexp"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// TakenOver says what of a mirror is somebody else's: what was there when this
// publisher came.
type TakenOver struct {
	// Branches are those that the mirror had. The first is where branches
	// without an entry of their own look first.
	Branches []TakenOverBranch
	// Tags is the SHA-256, in hex, of the sorted lines "<object id>
	// refs/tags/<name>\n" of the tags that the mirror had; empty where it had none.
	Tags string
}

// TakenOverBranch is where a branch of a mirror stood.
type TakenOverBranch struct {
	Branch string
	// Commit is the ID of a commit of the mirror, in hex.
	Commit string
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
	known := map[string]bool{}
	for _, b := range rule.Branches {
		known[b.Name] = true
	}
	for _, name := range rule.EndedBranches {
		known[name] = true
	}
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
			err.Detail = "is neither in branches nor in ended-branches" + didYouMean(b.Branch, slices.Sorted(maps.Keys(known)))
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
