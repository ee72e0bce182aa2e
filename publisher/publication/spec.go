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

// specs derives the specs of all branches, with dependencies before their
// dependents.
type specs struct {
	config  *Config
	byKey   map[string]*spec
	ordered []*spec
	of      map[branchRef]*spec
	// closure lists, for each branch, the branches that it depends on,
	// directly or not.
	closure map[branchRef][]branchRef
}

func newSpecs(c *Config) *specs {
	s := &specs{config: c, byKey: make(map[string]*spec), of: make(map[branchRef]*spec), closure: make(map[branchRef][]branchRef)}
	for _, rule := range c.Rules.Rules {
		for i := range rule.Branches {
			s.add(branchRef{rule.Destination, rule.Branches[i].Name})
		}
	}
	return s
}

// add derives the spec of a branch, those of its dependencies first. Rules are
// free of cycles: that was validated.
func (s *specs) add(ref branchRef) *spec {
	if sp, ok := s.of[ref]; ok {
		return sp
	}
	branch := s.branch(ref)
	sp := &spec{dirs: directories(branch), pinned: !s.config.Rules.SkipGoMod, took: s.config.Takeovers[ref.destination]}
	if sp.took != nil {
		sp.tookKey = ref.destination + " " + sp.took.key()
	}
	var closure []branchRef
	reach := func(r branchRef) {
		if !slices.Contains(closure, r) {
			closure = append(closure, r)
			if dep := s.of[r]; !slices.Contains(sp.deps, dep) {
				sp.deps = append(sp.deps, dep)
			}
		}
	}
	for _, d := range branch.Dependencies {
		r := branchRef{d.Repository, d.Branch}
		if s.branch(r) == nil {
			continue
		}
		s.add(r)
		for _, further := range s.closure[r] {
			reach(further)
		}
		reach(r)
	}
	s.closure[ref] = closure
	// The order of dependencies in the file must not matter.
	slices.SortFunc(sp.deps, func(a, b *spec) int { return strings.Compare(a.key, b.key) })
	sp.key = s.hash(sp)
	if same, ok := s.byKey[sp.key]; ok {
		sp = same
	} else {
		s.byKey[sp.key] = sp
		s.ordered = append(s.ordered, sp)
	}
	s.of[ref] = sp
	return sp
}

func (s *specs) branch(ref branchRef) *rules.Branch {
	for i := range s.config.Rules.Rules {
		rule := &s.config.Rules.Rules[i]
		if rule.Destination != ref.destination {
			continue
		}
		for j := range rule.Branches {
			if rule.Branches[j].Name == ref.branch {
				return &rule.Branches[j]
			}
		}
	}
	return nil
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
