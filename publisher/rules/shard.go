package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Shard is a part of the destinations, for one of several publishers that share the
// work. The zero value is all of them.
type Shard struct {
	// Index counts from 0 on, and is less than Count.
	Index, Count int
}

var shard = regexp.MustCompile(`^(\d{1,4})/([1-9]\d{0,3})$`)

// ParseShard reads INDEX/COUNT.
func ParseShard(text string) (Shard, error) {
	m := shard.FindStringSubmatch(text)
	if m == nil {
		return Shard{}, fmt.Errorf("%q is no shard: INDEX/COUNT is one, such as 0/4 to 3/4", text)
	}
	index, _ := strconv.Atoi(m[1]) // The expression sees to it.
	count, _ := strconv.Atoi(m[2])
	if index >= count {
		return Shard{}, fmt.Errorf("%q is no shard: the last of %d is %d/%[2]d", text, count, count-1)
	}
	return Shard{index, count}, nil
}

// String is INDEX/COUNT, or empty for all.
func (s Shard) String() string {
	if s.Count == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", s.Index, s.Count)
}

// Set makes Shard the value of a flag.
func (s *Shard) Set(text string) (err error) {
	*s, err = ParseShard(text)
	return err
}

// Type is what help calls the value.
func (*Shard) Type() string { return "index/count" }

// Restrict skips all rules but those of a shard and those that they depend on.
//
// Destinations that no other depends on are dealt out by name, together with those
// that they are in a circle with; each takes along all that it depends on, so every
// destination is in some shard, and none comes before its dependencies. Destinations
// that many depend on are in several shards. That is as good as with several
// publishers at once: all make the same of them.
func (r *Rules) Restrict(s Shard) {
	if s.Count == 0 {
		return
	}
	groups := r.Groups() // Each comes after those that it depends on.
	groupOf := make(map[string]int)
	for g, group := range groups {
		for _, i := range group {
			groupOf[r.Rules[i].Destination] = g
		}
	}
	dependsOn := make([][]int, len(groups))
	wanted := make([]bool, len(groups)) // by another one
	for g, group := range groups {
		for _, i := range group {
			for _, on := range r.Rules[i].DependsOn() {
				if to, ok := groupOf[on]; ok && to != g {
					dependsOn[g] = append(dependsOn[g], to)
					wanted[to] = true
				}
			}
		}
	}
	name := func(g int) string { return r.Rules[groups[g][0]].Destination }
	var tops []int
	for g := range groups {
		if !wanted[g] {
			tops = append(tops, g)
		}
	}
	slices.SortFunc(tops, func(a, b int) int { return strings.Compare(name(a), name(b)) })
	ours := make([]bool, len(groups))
	for n, g := range tops {
		ours[g] = n%s.Count == s.Index
	}
	for g := range slices.Backward(groups) {
		for _, on := range dependsOn[g] {
			ours[on] = ours[on] || ours[g]
		}
	}
	for g, group := range groups {
		for _, i := range group {
			r.Rules[i].Skipped = !ours[g]
		}
	}
}
