package rules

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/tools/txtar"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

var update = flag.Bool("update", false, "rewrite what the cases in testdata expect")

var ignoreUnexported = cmpopts.IgnoreUnexported(Rules{}, TagRule{})

// problemLines are what the problems look like to a user.
func problemLines(problems []Problem) []string {
	var lines []string
	for _, p := range problems {
		lines = append(lines, p.Error())
	}
	return lines
}

func TestEveryKeyIsRead(t *testing.T) {
	got, err := Load(filepath.Join("testdata", "sample.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	wantWarnings := []string{
		"testdata/sample.yaml:20:3: rules[0].library: Unsupported value: the key has no effect: all mirrors are published alike",
		"testdata/sample.yaml:30:5: rules[0].branches[0].required-packages: Unsupported value: the key has no effect (used 2 times): what a module requires is in its go.mod",
		"testdata/sample.yaml:38:14: rules[0].branches[1].source.repository: Unsupported value: the key has no effect: the source repository is given to the publisher, not here",
		"testdata/sample.yaml:53:3: rules[2].publish-script: Unsupported value: the key has no effect: publishing runs no scripts",
	}
	if diff := cmp.Diff(wantWarnings, problemLines(got.Warnings)); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
	got.Warnings = nil
	want := &Rules{
		SkipSourceBranches:      []string{"release-0.9"},
		RecursiveDeletePatterns: []string{"BUILD", "*/BUILD", ":(exclude,glob)docs/**/BUILD"},
		DefaultGoVersion:        "1.20",
		Trailer:                 "Garden-commit",
		Tags:                    []TagRule{{Constraint: ">=1.0.0-0, <2.0.0-0", Template: "v0.{{.Minor}}.{{.Patch}}{{.Suffix}}"}},
		Consumers:               AllConsumers,
		Committer:               Identity{Name: "Garden Robot", Email: "robot@garden.example"},
		Rules: []Rule{{
			Destination: "flora/roses",
			SmokeTest:   "go vet ./...",
			Branches: []Branch{{
				Name:         "main",
				Dependencies: []Dependency{{Repository: "soil", Branch: "main"}},
				Source:       Source{Branch: "main", Dirs: []string{"beds/roses"}},
				SmokeTest:    "go test ./...\n",
			}, {
				Name:         "release-1.0",
				Go:           "1.19.13",
				Dependencies: []Dependency{{Repository: "soil", Branch: "release-1.0"}},
				Source:       Source{Branch: "release-1.0", Dir: "old/roses"},
			}},
			EndedBranches:    []string{"release-0.8"},
			PastDependencies: []string{"pots"},
		}, {
			Destination: "soil",
			Branches: []Branch{
				{Name: "main", Source: Source{Branch: "main"}},
				{Name: "release-1.0", Source: Source{Branch: "release-1.0"}},
			},
		}, {
			Destination: "weeds",
			Skipped:     true,
		}, {
			Destination: "pots",
		}},
	}
	if diff := cmp.Diff(want, got, ignoreUnexported); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	if b := got.Branch("soil", "release-1.0"); b != &got.Rules[1].Branches[1] {
		t.Errorf("Branch(soil, release-1.0) = %v", b)
	}
	if got.Rule("roses") != nil || got.Branch("roses", "main") != nil || got.Branch("soil", "master") != nil {
		t.Error("found a rule or a branch that the file does not have")
	}
}

func TestWhatIsLeftOutHasItsDefault(t *testing.T) {
	// As publishing-bot's users have it: keys with nothing behind them.
	got, err := Parse("rules.yaml", []byte(`
skip-source-branches:
recursive-delete-patterns:
rules:
- destination: api
  branches:
`))
	if err != nil {
		t.Fatal(err)
	}
	want := &Rules{
		Trailer: "Kubernetes-commit",
		Tags: []TagRule{
			{Constraint: ">=1.8.0-0", Template: "kubernetes-{{.Version}}"},
			{Constraint: ">=1.17.0-0", Template: "v0.{{.Minor}}.{{.Patch}}{{.Suffix}}"},
		},
		Consumers: NewConsumers,
		Committer: Identity{Name: "Mirror Publisher", Email: "publisher@localhost"},
		Rules:     []Rule{{Destination: "api"}},
	}
	if diff := cmp.Diff(want, got, ignoreUnexported); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	if got := got.Committer.String(); got != "Mirror Publisher <publisher@localhost>" {
		t.Errorf("committer is %s", got)
	}
}

func TestDirectoriesAreThoseOfEitherKey(t *testing.T) {
	for _, c := range []struct {
		source Source
		want   []string
	}{
		{Source{}, nil},
		{Source{Dir: "a"}, []string{"a"}},
		{Source{Dirs: []string{"a", "b"}}, []string{"a", "b"}},
	} {
		if diff := cmp.Diff(c.want, c.source.Directories()); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", c.source, diff)
		}
	}
}

// Each case in invalid.txtar is a file NAME.yaml and its problems in NAME.txt.
func TestEveryProblemIsReportedAtItsPlace(t *testing.T) {
	file := filepath.Join("testdata", "invalid.txtar")
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	wants := map[string]string{}
	for _, f := range archive.Files {
		if name, ok := strings.CutSuffix(f.Name, ".txt"); ok {
			wants[name] = string(f.Data)
		}
	}
	var updated []txtar.File
	for _, f := range archive.Files {
		name, ok := strings.CutSuffix(f.Name, ".yaml")
		if !ok {
			continue
		}
		t.Run(name, func(t *testing.T) {
			r, err := Parse("rules.yaml", f.Data)
			if err == nil {
				t.Fatalf("no error; rules are %+v", r)
			}
			var invalid *InvalidError
			if !errors.As(err, &invalid) || len(invalid.Problems) == 0 {
				t.Fatalf("error of type %T: %v", err, err)
			}
			got := err.Error() + "\n"
			updated = append(updated, f, txtar.File{Name: name + ".txt", Data: []byte(got)})
			if diff := cmp.Diff(wants[name], got); diff != "" && !*update {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
	if *update {
		archive.Files = updated
		if err := os.WriteFile(file, txtar.Format(archive), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFileThatIsNotYAMLIsRefused(t *testing.T) {
	for _, c := range []struct{ name, data, want string }{
		{"empty", "", "rules.yaml:1:1: the file is empty"},
		{"comments only", "# nothing\n", "rules.yaml:1:1: the file is empty"},
		{"null", "---\n~\n", "rules.yaml:2:1: the file is empty"},
		{"tab", "rules:\n- destination: a\n\tbranches: []\n", "rules.yaml:3:1: not YAML: a tab in the indentation; use spaces"},
		{"tab after spaces", "rules:\n- destination: a\n  branches:\n  \t- name: b\n", "rules.yaml:4:3: not YAML: a tab in the indentation; use spaces"},
		{"unclosed", "rules: [\n", "rules.yaml:1:1: not YAML: did not find expected node content"},
		{"UTF-16", "\xff\xfer\x00", "rules.yaml:1:1: not a text in UTF-8"},
		{"control character", "rules:\n- destination: a\x07\n", "rules.yaml:2:17: not a text in UTF-8"},
		{"list", "- destination: a\n", `rules.yaml:1:1: must be a mapping with the key "rules"`},
		{"word", "rules\n", `rules.yaml:1:1: must be a mapping with the key "rules"`},
		{"two documents", "rules: []\n---\nrules: []\n", "rules.yaml:2:1: a second document starts here; a rules file has only one"},
		{"second document broken", "rules: []\n---\n[\n", "rules.yaml:3:1: not YAML: did not find expected node content"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse("rules.yaml", []byte(c.data))
			if err == nil || err.Error() != c.want {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
		})
	}
	if _, err := Load(filepath.Join(t.TempDir(), "rules.yaml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
}

func TestErrorsFoundElsewhereGetTheirPlace(t *testing.T) {
	r, err := Load(filepath.Join("testdata", "sample.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path         *field.Path
		line, column int
	}{
		{BranchPath(0, 0).Child("source", "dirs").Index(0), 29, 9},
		{BranchPath(0, 0).Child("source", "dirs").Index(7), 28, 7},
		{BranchPath(0, 0).Child("source"), 26, 5},
		{BranchPath(0, 1).Child("source", "dir"), 38, 60},
		{BranchPath(1, 0).Child("source", "dirs").Index(0), 48, 13},
		{BranchPath(1, 0).Child("smoke-test"), 46, 5},
		{BranchPath(9, 9), 18, 1},
		{RulePath(2), 51, 3},
		{field.NewPath("nowhere"), 2, 1},
	} {
		got := r.Problem(field.Required(c.path, ""))
		if got.File != "testdata/sample.yaml" || got.Line != c.line || got.Column != c.column {
			t.Errorf("%s is at %s:%d:%d, want %d:%d", c.path, got.File, got.Line, got.Column, c.line, c.column)
		}
	}
}

// Each of these files, with some more entries, kept a reader busy for minutes or filled the screen.
func TestHostileFileCostsNoMoreThanItsSize(t *testing.T) {
	const n = 1_000
	const head = "rules:\n- destination: a\n  branches:\n  - name: main\n    source:\n      branch: main\n"
	each := func(format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	for _, c := range []struct {
		name, text string
		problems   int
	}{
		{"directories", head + "      dirs:\n" + each("      - d%d\n"), 0},
		{"directories in each other", head + "      dirs: [d]\n    smoke-test: x\n" + each("  - {name: b%d, source: {branch: main, dirs: [d, d/x]}}\n"), maxProblems + 1},
		{"deep directories", head + "      dirs:\n" + each("      - "+strings.Repeat("d/", 50)+"%d\n"), 0},
		{"branches", head + each("  - {name: b%d, source: {branch: main}}\n"), 0},
		{"dependencies on branches that are not there", head + "    dependencies:\n" + each("    - {repository: a, branch: b%d}\n"), maxProblems + 1},
		{"destinations", "rules:\n" + each("- destination: d%d\n"), 0},
		{"dependencies on destinations that are not there", "rules:\n" + each("- destination: d%d\n  past-dependencies: [e, f]\n"), maxProblems + 1},
		{"past dependencies", "rules:\n- destination: a\n  past-dependencies:\n" + each("  - d%d\n") + each("- destination: d%d\n"), 0},
		{"a chain", "rules:\n- destination: d\n" + each("- destination: d%d\n  past-dependencies: [d]\n"), 0},
		{"tag rules", "tags:\n" + each("- {constraint: '*', name: 'x%d{{.Version}}'}\n") + "rules:\n- destination: a\n", 1},
		{"tag rules of mirrors", "rules:\n" + each("- destination: d%d\n  tags: [{constraint: '*', name: 'x%[1]d{{.Version}}'}]\n"), 0},
		{"the same tag rules", "rules:\n" + each("- destination: d%d\n  tags: [{constraint: '*', name: 'x{{.Version}}'}]\n"), 0},
		{"unknown keys", each("k%d: 1\n"), maxProblems + 1},
		{"a long key", strings.Repeat("k", 1_000_000) + ": 1\nrules: [{destination: a}]\n", 1},
		{"a long destination", "rules: [{destination: " + strings.Repeat("k", 1_000_000) + "}]\n", 1},
		{"nesting", strings.Repeat("[", 200_000), 1},
		{"size", "#" + strings.Repeat("x", maxFile) + "\nrules: [{destination: a}]\n", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := Parse("f", []byte(c.text))
			var invalid *InvalidError
			if errors.As(err, &invalid) != (c.problems > 0) || invalid != nil && len(invalid.Problems) != c.problems {
				t.Fatalf("want %d problems, got %.2000v", c.problems, err)
			}
			if err != nil && len(err.Error()) > 100_000 {
				t.Errorf("the message has %d bytes", len(err.Error()))
			}
			if r != nil && len(r.Groups()) != len(r.Rules) {
				t.Errorf("%d rules are in %d groups", len(r.Rules), len(r.Groups()))
			}
		})
	}
}

// TestExamplesInTheDocumentationLoad reads what docs/ shows.
func TestExamplesInTheDocumentationLoad(t *testing.T) {
	names, err := filepath.Glob(filepath.Join("..", "..", "docs", "examples", "*.yaml"))
	if err != nil || len(names) == 0 {
		t.Fatalf("there are no examples: %v", err)
	}
	for _, name := range names {
		if _, err := Load(name); err != nil {
			t.Error(err)
		}
	}
}
