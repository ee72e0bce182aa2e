package spec_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"k8s.io/publisher/rules"
	"k8s.io/publisher/spec"
)

// graph says what each destination depends on. Each is published from a directory
// of its name, but for a branch that is old.
type graph map[string]string

// file writes rules, in any order, with these branches.
func (g graph) file(random *rand.Rand, branches ...string) string {
	text := "rules:\n"
	names := slices.Sorted(maps.Keys(g))
	shuffle := func(of []string) []string {
		of = slices.Clone(of)
		if random != nil {
			random.Shuffle(len(of), func(i, j int) { of[i], of[j] = of[j], of[i] })
		}
		return of
	}
	for _, name := range shuffle(names) {
		text += "- destination: " + name + "\n  branches:\n"
		for _, b := range shuffle(branches) {
			dir := name
			if b == "old" {
				dir = "old/" + name
			}
			text += fmt.Sprintf("  - name: %s\n    source: {branch: %s, dir: %s}\n", b, b, dir)
			if on := strings.Fields(g[name]); len(on) > 0 {
				text += "    dependencies:\n"
				for _, dep := range shuffle(on) {
					text += fmt.Sprintf("    - {repository: %s, branch: %s}\n", dep, b)
				}
			}
		}
	}
	return text
}

func derive(t *testing.T, file string) *spec.Specs {
	t.Helper()
	r, err := rules.Parse("rules.yaml", []byte(file))
	if err != nil {
		t.Fatal(err, file)
	}
	s, err := spec.New(r)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// keys lists the keys of a destination's specs, by branch.
func keys(s *spec.Specs, destination string) map[string]string {
	of := make(map[string]string)
	for _, b := range s.Destination(destination).Branches {
		of[b.Name] = b.Spec.Key
	}
	return of
}

var graphs = map[string]graph{
	"alone":               {"a": ""},
	"chain":               {"a": "", "b": "a", "c": "b a"},
	"circle of two":       {"a": "b", "b": "a"},
	"circle of three":     {"a": "b", "b": "c", "c": "a"},
	"all of each other":   {"a": "b c", "b": "a c", "c": "a b"},
	"two circles":         {"a": "b", "b": "a", "x": "y", "y": "x"},
	"circle on a circle":  {"a": "b", "b": "a", "x": "y a", "y": "x"},
	"circle between":      {"a": "", "b": "c a", "c": "b", "d": "b"},
	"circles of a circle": {"a": "b", "b": "a c", "c": "b"},
}

// TestSpecsDoNotDependOnTheOrderOfRules shuffles rules, branches and dependencies.
func TestSpecsDoNotDependOnTheOrderOfRules(t *testing.T) {
	t.Parallel()
	for name, g := range graphs {
		want := derive(t, g.file(nil, "main", "next", "old"))
		for seed := range 8 {
			file := g.file(rand.New(rand.NewPCG(uint64(seed), 1)), "main", "next", "old")
			got := derive(t, file)
			if got.Key != want.Key {
				t.Errorf("%s: the key of all changes with the order of\n%s", name, file)
			}
			for to := range g {
				if got, want := keys(got, to), keys(want, to); !maps.Equal(got, want) {
					t.Errorf("%s: %s has the keys %v, want %v, with\n%s", name, to, got, want, file)
				}
			}
		}
	}
}

// TestBranchLikeAnotherChangesNoSpec starts a branch from the same directories: it
// has the others' specs.
func TestBranchLikeAnotherChangesNoSpec(t *testing.T) {
	t.Parallel()
	for name, g := range graphs {
		one, two := derive(t, g.file(nil, "main")), derive(t, g.file(nil, "main", "next"))
		if len(one.Ordered) != len(g) || len(two.Ordered) != len(g) {
			t.Errorf("%s: %d specs become %d, want %d", name, len(one.Ordered), len(two.Ordered), len(g))
		}
		for to := range g {
			if got, want := keys(two, to), keys(one, to)["main"]; got["main"] != want || got["next"] != want {
				t.Errorf("%s: %s has the keys %v, want %s", name, to, got, want)
			}
		}
	}
}

// TestSpecsTellApartWhatDiffers changes one directory: what may be pinned to it, or
// to what is pinned to it, becomes another spec, and nothing else does.
func TestSpecsTellApartWhatDiffers(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		graph
		moved, others string
	}{
		"chain":              {graphs["chain"], "b", "b c"},
		"circle of three":    {graphs["circle of three"], "b", "a b c"},
		"two circles":        {graphs["two circles"], "x", "x y"},
		"circle below":       {graphs["circle on a circle"], "b", "a b x y"},
		"circle above":       {graphs["circle on a circle"], "x", "x y"},
		"below a circle":     {graphs["circle between"], "a", "a b c d"},
		"circle of a circle": {graphs["circles of a circle"], "c", "a b c"},
	} {
		file := test.file(nil, "main")
		before, after := derive(t, file), derive(t, strings.ReplaceAll(file, "dir: "+test.moved+"}", "dir: elsewhere}"))
		seen := make(map[string]bool)
		for to := range test.graph {
			was, is := keys(before, to)["main"], keys(after, to)["main"]
			if changes := slices.Contains(strings.Fields(test.others), to); changes != (was != is) {
				t.Errorf("%s: that the spec of %s changes is %t, want %t", name, to, !changes, changes)
			}
			if seen[is] {
				t.Errorf("%s: %s has the spec of another destination", name, to)
			}
			seen[is] = true
		}
	}
}

// TestCirclesAreComputedTogether looks at numbers and dependencies.
func TestCirclesAreComputedTogether(t *testing.T) {
	t.Parallel()
	for name, g := range graphs {
		s := derive(t, g.file(rand.New(rand.NewPCG(1, 1)), "main", "next"))
		reaches := func(from, to string) bool {
			seen := map[string]bool{}
			todo := strings.Fields(g[from])
			for len(todo) > 0 {
				at := todo[0]
				if todo = todo[1:]; !seen[at] {
					seen[at] = true
					todo = append(todo, strings.Fields(g[at])...)
				}
			}
			return seen[to]
		}
		for a := range g {
			of := s.Destination(a).Specs[0]
			if s.Ordered[of.Number] != of {
				t.Errorf("%s: spec of %s has another's number", name, a)
			}
			for b := range g {
				on := s.Destination(b).Specs[0]
				if got, want := of.InCircle(on), a == b || reaches(a, b) && reaches(b, a); got != want {
					t.Errorf("%s: that %s and %s are in one circle is %t, want %t", name, a, b, got, want)
				}
				if got, want := slices.Contains(of.Deps, on), a != b && reaches(a, b); got != want {
					t.Errorf("%s: that %s may be pinned to %s is %t, want %t", name, a, b, got, want)
				}
				if reaches(a, b) && !of.InCircle(on) && of.Number < on.Number {
					t.Errorf("%s: %s comes before %s, which it depends on", name, a, b)
				}
			}
		}
		for i, sp := range s.Ordered[1:] {
			if before := s.Ordered[i]; sp.Circle < before.Circle {
				t.Errorf("%s: circles do not stand together", name)
			}
		}
	}
}
