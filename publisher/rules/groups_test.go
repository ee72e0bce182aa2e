package rules

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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

// groupNames are the groups of a file, each as "a b c".
func groupNames(t *testing.T, data []byte) []string {
	t.Helper()
	r, err := Parse("rules.yaml", data)
	if err != nil {
		t.Fatal(err)
	}
	var groups []string
	for _, group := range r.Groups() {
		var names []string
		for _, i := range group {
			names = append(names, r.Rules[i].Destination)
		}
		groups = append(groups, strings.Join(names, " "))
	}
	return groups
}

func TestGroupsDoNotDependOnTheOrderOfTheFile(t *testing.T) {
	lines := []string{
		"api: machinery",
		"apiserver: api client component",
		"client: api machinery",
		"component: client machinery metrics",
		"machinery: utils",
		"metrics: client component",
		"standalone:",
		"utils:",
	}
	want := []string{"standalone", "utils", "machinery", "api", "client", "component metrics", "apiserver"}
	random := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		random.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
		if diff := cmp.Diff(want, groupNames(t, mirrors(lines...))); diff != "" {
			t.Fatalf("file %v (-want +got):\n%s", lines, diff)
		}
	}
}

func TestGroupsAreWhatDependsOnEachOther(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		n := 1 + random.IntN(8)
		reaches := make([][]bool, n)
		lines := make([]string, n)
		for i := range n {
			reaches[i] = make([]bool, n)
			lines[i] = fmt.Sprintf("%c:", 'a'+i)
			for j := range n {
				if i != j && random.IntN(n) == 0 {
					reaches[i][j] = true
					lines[i] += fmt.Sprintf(" %c", 'a'+j)
				}
			}
		}
		// Warshall's algorithm.
		for k := range n {
			for i := range n {
				for j := range n {
					reaches[i][j] = reaches[i][j] || reaches[i][k] && reaches[k][j]
				}
			}
		}
		r, err := Parse("rules.yaml", mirrors(lines...))
		if err != nil {
			t.Fatal(err)
		}
		groups := r.Groups()
		at := map[int]int{}
		for g, group := range groups {
			for _, i := range group {
				at[i] = g
			}
		}
		for i := range n {
			for j := range n {
				if together := i == j || reaches[i][j] && reaches[j][i]; together != (at[i] == at[j]) {
					t.Fatalf("%v: %v", lines, groups)
				}
				if reaches[i][j] && at[j] > at[i] {
					t.Fatalf("%v: not dependencies first: %v", lines, groups)
				}
			}
		}
		if len(at) != n || len(slices.Concat(groups...)) != n {
			t.Fatalf("%v: not each once: %v", lines, groups)
		}
	}
}

// A dependency may turn round between releases, or be past.
func TestAnyBranchMayCloseACircle(t *testing.T) {
	const b = `
- destination: b
  branches:
  - name: main
    source: {branch: main}
`
	a := strings.ReplaceAll(b, "b\n", "a\n")
	const dependsOnB = "    dependencies: [{repository: b, branch: main}]\n"
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"none", a + b, []string{"a", "b"}},
		{"against the alphabet", a + dependsOnB + b, []string{"b", "a"}},
		{"past", a + "  past-dependencies: [b]" + b, []string{"b", "a"}},
		{"past both", a + "  past-dependencies: [b]" + b + "  past-dependencies: [a]", []string{"a b"}},
		{"past and now", a + dependsOnB + b + "  past-dependencies: [a]", []string{"a b"}},
		{"other branches", a + dependsOnB + "  - name: old\n    source: {branch: old}" + b +
			"  - name: old\n    source: {branch: old}\n    dependencies: [{repository: a, branch: old}]", []string{"a b"}},
		{"skipped", a + dependsOnB + "  skipped: true" + b, []string{"b"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, groupNames(t, []byte("rules:"+c.text))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
