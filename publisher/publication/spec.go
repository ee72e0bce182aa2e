package publication

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"k8s.io/publisher/rules"
)

// spec is all that decides what a projection is, beside the source. Branches
// with equal specs, which are most branches of a destination, share one.
type spec struct {
	key     string // a hash of the rest
	dirs    []string
	pinned  bool
	deps    []*spec // the specs of all siblings that may be pinned, each once
	tookKey string  // what a mirror was taken over at; empty mostly
	took    *Takeover
}

// branchRef names a branch of a destination.
type branchRef struct{ destination, branch string }

// specs are the specs of all branches.
//
// What a destination may pin is the union of what its branches depend on, or
// did before they ended, not what each one does: the commits that branches
// have in common have to be the same in all of them, whatever a branch came to
// depend on, or ceased to, after they parted.
type specs struct {
	config *Config
	// ordered has dependencies before their dependents.
	ordered []*spec
	byKey   map[string]*spec
	of      map[branchRef]*spec
	// dependencies lists, for each destination, those that it depends on,
	// directly or not, in the order in which they are published.
	dependencies map[string][]string
	owned        map[string][]*spec // by destination
}

// newSpecs derives the specs. order lists the rules with dependencies first.
func newSpecs(c *Config, order []int) *specs {
	s := &specs{
		config: c, byKey: make(map[string]*spec), of: make(map[branchRef]*spec),
		dependencies: make(map[string][]string), owned: make(map[string][]*spec),
	}
	for _, i := range order {
		if !c.Rules.Rules[i].Skipped {
			s.add(&c.Rules.Rules[i])
		}
	}
	return s
}

// add derives the specs of a destination; those of its dependencies are there.
func (s *specs) add(rule *rules.Rule) {
	var on []string
	reach := func(destination string) {
		if _, published := s.owned[destination]; published && !slices.Contains(on, destination) {
			on = append(on, destination)
		}
	}
	for _, d := range rule.DependsOn() {
		for _, further := range s.dependencies[d] {
			reach(further)
		}
		reach(d)
	}
	slices.Sort(on)
	s.dependencies[rule.Destination] = on
	s.owned[rule.Destination] = nil
	for i := range rule.Branches {
		b := &rule.Branches[i]
		sp := &spec{dirs: directories(b), pinned: !s.config.Rules.SkipGoMod, took: s.config.Takeovers[rule.Destination]}
		if sp.took != nil {
			sp.tookKey = rule.Destination + " " + sp.took.key()
		}
		for _, name := range on {
			for _, dep := range s.owned[name] {
				if !slices.Contains(sp.deps, dep) {
					sp.deps = append(sp.deps, dep)
				}
			}
		}
		sp.key = s.hash(sp)
		if same, ok := s.byKey[sp.key]; ok {
			sp = same
		} else {
			s.byKey[sp.key] = sp
			s.ordered = append(s.ordered, sp)
		}
		s.of[branchRef{rule.Destination, b.Name}] = sp
		if !slices.Contains(s.owned[rule.Destination], sp) {
			s.owned[rule.Destination] = append(s.owned[rule.Destination], sp)
		}
	}
	// The order of branches in the file must not matter.
	slices.SortFunc(s.owned[rule.Destination], func(a, b *spec) int { return strings.Compare(a.key, b.key) })
}

func (s *specs) hash(sp *spec) string {
	deps := make([]string, len(sp.deps))
	for i, d := range sp.deps {
		deps[i] = d.key
	}
	r := s.config.Rules
	return digest("projection", sp.dirs, sp.pinned, deps, r.RecursiveDeletePatterns, r.Trailer, sp.tookKey)
}

// directories returns a branch's source directories; the root of the
// repository is the empty path.
func directories(b *rules.Branch) []string {
	dirs := slices.Clone(b.Source.Directories())
	if len(dirs) == 0 {
		return []string{""}
	}
	slices.Sort(dirs)
	return dirs
}

// digest names a combination of values.
func digest(values ...any) string {
	data, err := json.Marshal(values)
	if err != nil {
		panic(err) // Only strings, numbers and slices of them come here.
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func sortedDigest(values []string) string {
	slices.Sort(values)
	return digest(values)
}
