package rules

import (
	"cmp"
	"errors"
	"slices"
	"strings"
)

// BranchIndex is the place of Rules[Rule].Branches[Branch].
type BranchIndex struct {
	Rule, Branch int
}

// Order returns the indices of all Rules, skipped ones too, such that each comes
// after those that [Rule.DependsOn] names. Rules that could come in any order
// come in the order of their destinations' names, wherever they stand in the
// file.
//
// There is an error where two rules depend on each other, which is valid
// as long as no branch does so. [Rules.BranchOrder] knows no such case.
func (r *Rules) Order() ([]int, error) {
	g := graph[int]{edges: map[int][]int{}, compare: func(a, b int) int {
		return cmp.Or(strings.Compare(r.Rules[a].Destination, r.Rules[b].Destination), cmp.Compare(a, b))
	}}
	destinations := r.destinations()
	for i := range r.Rules {
		g.nodes = append(g.nodes, i)
		for _, destination := range r.Rules[i].DependsOn() {
			if to := slices.Index(destinations, destination); to >= 0 {
				g.edges[i] = append(g.edges[i], to)
			}
		}
	}
	order, ok := g.sort()
	if ok {
		return order, nil
	}
	return nil, errors.New("rules depend on each other, through different branches or past dependencies: " +
		describe(g.cycles(), func(i int) string { return r.Rules[i].Destination }))
}

// BranchOrder returns the places of all branches, those of skipped rules too,
// such that each comes after those that it depends on. Branches that could
// come in any order come in the order of destination and name.
//
// There is an error where branches depend on each other, which [Load] and
// [Parse] let no file do.
func (r *Rules) BranchOrder() ([]BranchIndex, error) {
	g := r.branchGraph()
	order, ok := g.sort()
	if ok {
		return order, nil
	}
	return nil, errors.New("branches depend on each other: " + describe(g.cycles(), r.branchTitle))
}

// branchGraph has the dependencies between branches, less those that lead
// nowhere and those of a branch on itself.
func (r *Rules) branchGraph() graph[BranchIndex] {
	g := graph[BranchIndex]{edges: map[BranchIndex][]BranchIndex{}, compare: func(a, b BranchIndex) int {
		return cmp.Or(
			strings.Compare(r.Rules[a.Rule].Destination, r.Rules[b.Rule].Destination),
			strings.Compare(r.Rules[a.Rule].Branches[a.Branch].Name, r.Rules[b.Rule].Branches[b.Branch].Name),
			cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Branch, b.Branch))
	}}
	for i := range r.Rules {
		for j, b := range r.Rules[i].Branches {
			n := BranchIndex{i, j}
			g.nodes = append(g.nodes, n)
			for _, dep := range b.Dependencies {
				if to := r.at(dep); to != nowhere && to != n {
					g.edges[n] = append(g.edges[n], to)
				}
			}
		}
	}
	return g
}

var nowhere = BranchIndex{-1, -1}

// at returns the place of a dependency, or nowhere.
func (r *Rules) at(dep Dependency) BranchIndex {
	for i := range r.Rules {
		if r.Rules[i].Destination != dep.Repository {
			continue
		}
		for j := range r.Rules[i].Branches {
			if r.Rules[i].Branches[j].Name == dep.Branch {
				return BranchIndex{i, j}
			}
		}
		return nowhere
	}
	return nowhere
}

func (r *Rules) branchTitle(n BranchIndex) string {
	rule := &r.Rules[n.Rule]
	return rule.Destination + " " + rule.Branches[n.Branch].Name
}

// describe writes cycles for a person: "a -> b -> a; c -> d -> c".
func describe[N any](cycles [][]N, title func(N) string) string {
	circles := make([]string, len(cycles))
	for i, cycle := range cycles {
		for _, n := range cycle {
			circles[i] += title(n) + " -> "
		}
		circles[i] += title(cycle[0])
	}
	return strings.Join(circles, "; ")
}

// graph has edges from what depends to what it depends on.
type graph[N comparable] struct {
	nodes   []N
	edges   map[N][]N
	compare func(a, b N) int
}

// sort returns the nodes in an order in which every one comes after what it
// depends on, the smallest possible one first. It reports whether these are all:
// those on cycles, and those that depend on them, are missing.
func (g graph[N]) sort() ([]N, bool) {
	waiting := slices.SortedFunc(slices.Values(g.nodes), g.compare)
	done := map[N]bool{}
	var order []N
	for {
		next := slices.IndexFunc(waiting, func(n N) bool {
			return !slices.ContainsFunc(g.edges[n], func(to N) bool { return !done[to] })
		})
		if next < 0 {
			return order, len(waiting) == 0
		}
		done[waiting[next]] = true
		order = append(order, waiting[next])
		waiting = slices.Delete(waiting, next, next+1)
	}
}

// cycles returns cycles, each beginning with its smallest node, such that the
// graph is free of cycles when each loses one edge.
func (g graph[N]) cycles() [][]N {
	left := graph[N]{nodes: g.nodes, edges: map[N][]N{}, compare: g.compare}
	for n, edges := range g.edges {
		left.edges[n] = slices.Compact(slices.SortedFunc(slices.Values(edges), g.compare))
	}
	var cycles [][]N
	for {
		order, ok := left.sort()
		if ok {
			return cycles
		}
		sorted := map[N]bool{}
		for _, n := range order {
			sorted[n] = true
		}
		stuck := func(n N) bool { return !sorted[n] }

		// Every stuck node depends on a stuck node, so that following them
		// must come back to where it has been.
		rest := slices.DeleteFunc(slices.Clone(left.nodes), func(n N) bool { return !stuck(n) })
		walk := []N{slices.MinFunc(rest, g.compare)}
		for {
			edges := left.edges[walk[len(walk)-1]]
			next := edges[slices.IndexFunc(edges, stuck)]
			if start := slices.Index(walk, next); start >= 0 {
				walk = walk[start:]
				break
			}
			walk = append(walk, next)
		}
		first := slices.Index(walk, slices.MinFunc(walk, g.compare))
		cycle := slices.Concat(walk[first:], walk[:first])
		cycles = append(cycles, cycle)

		last := cycle[len(cycle)-1]
		left.edges[last] = slices.DeleteFunc(left.edges[last], func(n N) bool { return n == cycle[0] })
	}
}
