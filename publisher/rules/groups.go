package rules

import (
	"cmp"
	"slices"
	"strings"
)

// Groups returns the indices of all unskipped Rules in groups, such that each
// group comes after those that it depends on by [Rule.DependsOn]. A group of more than
// one is a circle: each of its destinations depends on all the others, directly or not.
//
// First come the groups that depend on none, then those that depend on these alone, and
// so on; those in between are sorted by destination, and so are the members of a group.
// Where a rule stands in the file does not matter.
func (r *Rules) Groups() [][]int {
	t := tarjan{rules: r, byDestination: map[string]int{}, visits: map[int]*visit{}}
	var sorted []int
	for i := range r.Rules {
		if !r.Rules[i].Skipped {
			t.byDestination[r.Rules[i].Destination] = i
			sorted = append(sorted, i)
		}
	}
	slices.SortFunc(sorted, t.compare)
	for _, i := range sorted {
		t.visit(i)
	}
	slices.SortFunc(t.groups, func(a, b []int) int {
		return cmp.Or(cmp.Compare(t.visits[a[0]].depth, t.visits[b[0]].depth), t.compare(a[0], b[0]))
	})
	return t.groups
}

// tarjan finds strongly connected components by Tarjan's algorithm (SIAM Journal
// on Computing 1.2, 1972).
type tarjan struct {
	rules         *Rules
	byDestination map[string]int
	visits        map[int]*visit
	stack         []int
	groups        [][]int
}

type visit struct {
	// low is the smallest number of a visit known to be reachable by rules on the stack.
	low int
	// done tells that the rule's group is complete.
	done bool
	// depth is that of the group: one more than that of any group that it depends on.
	depth int
}

func (t *tarjan) compare(a, b int) int {
	return strings.Compare(t.rules.Rules[a].Destination, t.rules.Rules[b].Destination)
}

func (t *tarjan) visit(i int) *visit {
	if v := t.visits[i]; v != nil {
		return v
	}
	number, at := len(t.visits), len(t.stack)
	v := &visit{low: number}
	t.visits[i] = v
	t.stack = append(t.stack, i)
	for _, destination := range t.rules.Rules[i].DependsOn() {
		on, ok := t.byDestination[destination]
		if !ok {
			continue
		}
		if to := t.visit(on); to.done {
			v.depth = max(v.depth, to.depth+1)
		} else {
			v.low, v.depth = min(v.low, to.low), max(v.depth, to.depth)
		}
	}
	if v.low == number {
		group := slices.SortedFunc(slices.Values(t.stack[at:]), t.compare)
		t.stack = t.stack[:at]
		for _, member := range group {
			t.visits[member].depth, t.visits[member].done = v.depth, true
		}
		t.groups = append(t.groups, group)
	}
	return v
}
