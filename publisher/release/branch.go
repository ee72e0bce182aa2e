package release

import (
	"slices"

	"k8s.io/publisher/rules"
)

// Maintenance is what becomes of a branch of a mirror.
type Maintenance string

const (
	// Followed is a branch that gets what its source branch gets.
	Followed Maintenance = "followed"
	// Ended is a branch that gets nothing any more.
	Ended Maintenance = "ended"
	// Unnamed is a branch that is in the mirror, and that the rules do not name.
	Unnamed Maintenance = "not in the rules"
)

// Meaning says it in a sentence.
func (m Maintenance) Meaning() string {
	switch m {
	case Followed:
		return "Changes in the source are published here as they come."
	case Ended:
		return "It stays as it is; nothing more is published here."
	}
	return "The rules say nothing of it; the publisher leaves it alone."
}

// MaintenanceOf returns what the rules say of a mirror's branch.
func MaintenanceOf(rules *rules.Rules, rule *rules.Rule, branch string) Maintenance {
	switch b := rule.Branch(branch); {
	case b != nil && slices.Contains(rules.SkipSourceBranches, b.Source.Branch):
		return Ended
	case b != nil:
		return Followed
	case slices.Contains(rule.EndedBranches, branch):
		return Ended
	}
	return Unnamed
}
