package refusal_test

import (
	"strings"
	"testing"

	"k8s.io/publisher/gittest"
	"k8s.io/publisher/refusal"
	"k8s.io/publisher/rules"
	"k8s.io/publisher/source"
)

const ruleOfApp = `
- destination: app
  branches:
  - name: main
    source: {branch: main, dir: app}
`

const ruleOfLib = `
- destination: lib
  branches:
  - name: main
    source: {branch: main, dir: lib}
`

// TestWhatNobodyCouldUseIsRefused holds rules against a source with two modules, of
// which app requires something. There, a slash stands for the end of a line, and | for
// a slash.
func TestWhatNobodyCouldUseIsRefused(t *testing.T) {
	tests := []struct {
		name, rules, requires string
		refused               []string // what the only refusal says
		goesOn                bool
	}{
		{"module of the source without a rule", ruleOfApp, "require e.example|lib v0.0.0", []string{
			"rules.yaml:", "go.mod:3 of app requires e.example/lib v0.0.0, which nobody can fetch", `from its directory "lib"`, "add a rule", "skip-gomod"}, false},
		{"module that was replaced by a directory", ruleOfApp, "require e.example|gone v0.0.0//replace e.example|gone => ..|gone", []string{
			"go.mod:3 of app requires e.example/gone v0.0.0, which nobody can fetch: no rule publishes it"}, false},
		{"module of a rule that is no dependency", ruleOfApp + ruleOfLib, "require e.example|lib v0.0.0", []string{
			"go.mod of app requires e.example/lib, which destination lib publishes", "skip-gomod"}, false},
		{"module of somebody else", ruleOfApp, "require e.example|theirs v0.0.0", nil, false},
		{"release of a module of the source", ruleOfApp, "require e.example|lib v1.2.0", nil, false},
		{"go.mod that stays as it is", "\n- destination: app\n  branches: [{name: main, source: {branch: main, dir: app}}]\nskip-gomod: true\n", "require e.example|lib v0.0.0", nil, false},
		{"branch that is not there", strings.ReplaceAll(ruleOfApp, "branch: main", "branch: gone"), "", []string{"has no such branch"}, false},
		{"directory that is not there", strings.ReplaceAll(ruleOfApp, "dir: app", "dir: gone"), "", []string{"source branch main has no such directory"}, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			repo := gittest.New(t)
			slashes := strings.NewReplacer("/", "\n", "|", "/")
			head := repo.Add("A", nil, func(files gittest.Files) {
				files["app/go.mod"] = gittest.Text("module e.example/app\n\n" + slashes.Replace(test.requires) + "\n")
				files["lib/go.mod"] = gittest.Text("module e.example/lib\n")
			})
			repo.Branch("main", head)
			repo.Git("rev-parse") // What was put is there for others to see then.
			r, err := rules.Parse("rules.yaml", []byte("rules:"+test.rules))
			if err != nil {
				t.Fatal(err)
			}
			s, err := source.Open(repo.Dir)
			if err != nil {
				t.Fatal(err)
			}
			found, err := refusal.Find(r, s)
			if err != nil {
				t.Fatal(err)
			}
			if test.refused == nil {
				if len(found) > 0 {
					t.Errorf("refused: %v", found)
				}
				return
			}
			if len(found) != 1 || found[0].Destination != "app" || found[0].Stops == test.goesOn {
				t.Fatalf("got %v", found)
			}
			for _, part := range test.refused {
				if said := found[0].Problem.Error(); !strings.Contains(said, part) {
					t.Errorf("it says %q, and nothing of %q", said, part)
				}
			}
		})
	}
}
