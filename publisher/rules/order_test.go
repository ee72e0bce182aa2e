package rules

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// mirrors returns a rules file with a rule for each line "name: dependency...",
// all on the branch main.
func mirrors(lines ...string) []byte {
	var b strings.Builder
	b.WriteString("rules:\n")
	for _, line := range lines {
		name, dependencies, _ := strings.Cut(line, ":")
		fmt.Fprintf(&b, "- destination: %s\n  branches:\n  - name: main\n    source: {branch: main}\n    dependencies:\n", name)
		for _, d := range strings.Fields(dependencies) {
			fmt.Fprintf(&b, "    - {repository: %s, branch: main}\n", d)
		}
	}
	return []byte(b.String())
}

func TestOrderOfTheFileDoesNotMatter(t *testing.T) {
	lines := []string{
		"api: machinery",
		"apiserver: api client component",
		"client: api machinery",
		"component: client machinery",
		"machinery: utils",
		"metrics: client api",
		"standalone:",
		"utils:",
	}
	want := []string{"standalone", "utils", "machinery", "api", "client", "component", "apiserver", "metrics"}
	random := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		random.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
		r, err := Parse("rules.yaml", mirrors(lines...))
		if err != nil {
			t.Fatal(err)
		}
		order, err := r.Order()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, i := range order {
			got = append(got, r.Rules[i].Destination)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("file %v (-want +got):\n%s", lines, diff)
		}
		branches, err := r.BranchOrder()
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(order, rulesOf(branches)) {
			t.Fatalf("order of branches is %v, that of rules %v", branches, order)
		}
	}
}

func rulesOf(branches []BranchIndex) []int {
	var rules []int
	for _, b := range branches {
		rules = append(rules, b.Rule)
	}
	return rules
}

// A dependency may turn round between releases. Then rules have no order, but
// branches have.
func TestDependenciesMayDifferByBranch(t *testing.T) {
	r, err := Parse("rules.yaml", []byte(`
rules:
- destination: a
  branches:
  - name: main
    source: {branch: main}
    dependencies: [{repository: b, branch: main}]
  - name: old
    source: {branch: old}
- destination: b
  branches:
  - name: main
    source: {branch: main}
  - name: old
    source: {branch: old}
    dependencies: [{repository: a, branch: old}]
`))
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Order()
	if want := "rules depend on each other, through different branches or past dependencies: a -> b -> a"; err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
	got, err := r.BranchOrder()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]BranchIndex{{0, 1}, {1, 0}, {0, 0}, {1, 1}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What a branch depended on before it ended has to be published first still, but
// no branch waits for it.
func TestPastDependenciesOrderRulesOnly(t *testing.T) {
	const b = `
- destination: b
  branches:
  - name: main
    source: {branch: main}
`
	a := strings.ReplaceAll(b, "b\n", "a\n")
	parse := func(text string) *Rules {
		r, err := Parse("rules.yaml", []byte("rules:"+text))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for _, c := range []struct {
		name, text string
		rules      []int
		err        string
	}{
		{"without", a + b, []int{0, 1}, ""},
		{"against the alphabet", a + "  past-dependencies: [b]" + b, []int{1, 0}, ""},
		{"in a circle", a + "  past-dependencies: [b]" + b + "  past-dependencies: [a]", nil,
			"rules depend on each other, through different branches or past dependencies: a -> b -> a"},
		{"against a branch", a + "    dependencies: [{repository: b, branch: main}]" + b + "  past-dependencies: [a]", nil,
			"rules depend on each other, through different branches or past dependencies: a -> b -> a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := parse(c.text)
			got, err := r.Order()
			if diff := cmp.Diff(c.rules, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if (err == nil) != (c.err == "") || err != nil && err.Error() != c.err {
				t.Errorf("got %v\nwant %s", err, c.err)
			}
			for i := range r.Rules {
				r.Rules[i].PastDependencies = nil
			}
			without, err := r.BranchOrder()
			if err != nil {
				t.Fatal(err)
			}
			with, err := parse(c.text).BranchOrder()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(without, with); diff != "" {
				t.Errorf("branches without and with past dependencies (-without +with):\n%s", diff)
			}
		})
	}
}

func TestBranchOrderOfRulesThatWereNotLoadedNamesCycles(t *testing.T) {
	on := func(repository string) []Branch {
		return []Branch{{Name: "main", Dependencies: []Dependency{{Repository: repository, Branch: "main"}}}}
	}
	r := &Rules{Rules: []Rule{{Destination: "b", Branches: on("a")}, {Destination: "a", Branches: on("b")}, {Destination: "c", Branches: on("a")}}}
	_, err := r.BranchOrder()
	if want := "branches depend on each other: a main -> b main -> a main"; err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

func FuzzParse(f *testing.F) {
	sample, err := os.ReadFile("testdata/sample.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sample)
	f.Add(mirrors("a:", "b: a"))
	f.Add([]byte("rules:\n- destination: a\n  branches:\n  - name: main\n    source: {branch: main}\n\n  # c\n  - source:\n      branch: x\n    name: x\n    smoke-test: |+\n      a\n\n  ended-branches:\n  - y\n"))
	f.Add([]byte("rules:\n- branches:\n\n    -\n      source:\n       branch: 'master'\n# c\n      name: \"master\"\n      go: 1.20\n  destination: a"))
	f.Add([]byte("rules:\n- destination: a\n  branches:\n  - name: old\n    source: {branch: old}\n    dependencies: [{repository: b, branch: old}]\n  past-dependencies:\n  - c\n  ended-branches:\n- destination: b\n  branches:\n  - {name: old, source: {branch: old}}\n- destination: c\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Parse("f", data)
		if err != nil {
			return
		}
		if _, err := r.BranchOrder(); err != nil {
			t.Fatalf("a valid file has no order: %v", err)
		}
		checkRemovals(t, r, data)
		const name = "fuzz-branch"
		added, err := AddBranch(data, "f", AddBranchOptions{Name: name, Go: "1.22"})
		if err != nil {
			return
		}
		removed, err := RemoveBranch(added, "f", RemoveBranchOptions{Name: name})
		if err != nil {
			// Its ended branches may be in a style that leaves no room.
			if strings.Contains(err.Error(), "edited line by line") {
				return
			}
			t.Fatalf("remove what was added: %v\n%s", err, added)
		}
		after, err := Parse("f", removed)
		if err != nil {
			t.Fatal(err)
		}
		for i := range after.Rules {
			ended := &after.Rules[i].EndedBranches
			*ended = slices.DeleteFunc(*ended, func(s string) bool { return s == name })
		}
		if diff := cmp.Diff(withoutEmpty(r.Rules), withoutEmpty(after.Rules)); diff != "" {
			t.Errorf("(-before +after):\n%s\n%s", diff, removed)
		}
	})
}

// checkRemovals ends each branch. Rules go on to depend on what they did.
func checkRemovals(t *testing.T, r *Rules, data []byte) {
	order, _ := r.Order()
	for i := range r.Rules {
		for _, b := range r.Rules[i].Branches {
			out, err := RemoveBranch(data, "f", RemoveBranchOptions{Name: b.Name, Destinations: []string{r.Rules[i].Destination}})
			if err != nil {
				continue
			}
			after, err := Parse("f", out)
			if err != nil {
				t.Fatal(err)
			}
			for j := range r.Rules {
				if diff := cmp.Diff(r.Rules[j].DependsOn(), after.Rules[j].DependsOn(), cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("dependencies of %s (-before +after):\n%s\n%s", r.Rules[j].Destination, diff, out)
				}
			}
			if now, _ := after.Order(); !slices.Equal(order, now) {
				t.Errorf("order was %v, is %v\n%s", order, now, out)
			}
		}
	}
}
