package rules

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

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
		checkRemovals(t, r, data)
		const name = "fuzz-branch"
		added, _, err := AddBranch(data, "f", AddBranchOptions{Name: name, Go: "1.22"})
		if err != nil {
			return
		}
		removed, _, err := RemoveBranch(added, "f", RemoveBranchOptions{Name: name})
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
		if diff := cmp.Diff(r.Rules, after.Rules, ignoreUnexported, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("(-before +after):\n%s\n%s", diff, removed)
		}
	})
}

// checkRemovals ends each branch. Rules go on to depend on what they did.
func checkRemovals(t *testing.T, r *Rules, data []byte) {
	for i := range r.Rules {
		for _, b := range r.Rules[i].Branches {
			out, _, err := RemoveBranch(data, "f", RemoveBranchOptions{Name: b.Name, Destinations: []string{r.Rules[i].Destination}})
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
			if diff := cmp.Diff(r.Groups(), after.Groups()); diff != "" {
				t.Errorf("groups (-before +after):\n%s\n%s", diff, out)
			}
		}
	}
}
