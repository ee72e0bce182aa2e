package rules

import (
	"slices"
	"strings"
)

// Groups returns the indices of all unskipped Rules in groups, such that each
// group comes after those that it depends on by [Rule.DependsOn]. A group of more than
// one is a circle: each of its destinations depends on all the others, directly or not.
// Members are sorted by destination, and where a rule stands in the file does
// not matter.
func (r *Rules) Groups() [][]int {
	t := tarjan{rules: r, byDestination: map[string]int{}, low: map[int]int{}}
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
	return t.groups
}

// tarjan finds strongly connected components by Tarjan's algorithm (SIAM Journal
// on Computing 1.2, 1972).
type tarjan struct {
	rules         *Rules
	byDestination map[string]int
	// low is the smallest number known to be reachable of those on the stack;
	// numbers count visits from 1. Those of finished groups are too large to matter.
	low    map[int]int
	visits int
	stack  []int
	groups [][]int
}

func (t *tarjan) compare(a, b int) int {
	return strings.Compare(t.rules.Rules[a].Destination, t.rules.Rules[b].Destination)
}

// visit returns the rule's low number.
func (t *tarjan) visit(i int) int {
	if low, ok := t.low[i]; ok {
		return low
	}
	t.visits++
	number := t.visits
	t.low[i] = number
	at := len(t.stack)
	t.stack = append(t.stack, i)
	for _, destination := range t.rules.Rules[i].DependsOn() {
		if on, ok := t.byDestination[destination]; ok {
			t.low[i] = min(t.low[i], t.visit(on))
		}
	}
	if t.low[i] < number {
		return t.low[i]
	}
	group := slices.SortedFunc(slices.Values(t.stack[at:]), t.compare)
	t.stack = t.stack[:at]
	for _, member := range group {
		t.low[member] = len(t.rules.Rules) + 1
	}
	t.groups = append(t.groups, group)
	return t.low[i]
}
