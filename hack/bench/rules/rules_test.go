package rules

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

const two = `
rules:
- destination: low
  branches:
  - {name: master, source: {branch: main, dirs: [staging/low]}}
- destination: high
  library: true
  branches:
  - name: master
    source: {branch: main, dir: staging/high}
    dependencies:
    - {repository: low, branch: master}
  - name: old
    source: {branch: old, dir: staging/high}
`

func TestFirstRuleAndItsReductionToOneDirectory(t *testing.T) {
	f, err := Read(write(t, two))
	if err != nil {
		t.Fatal(err)
	}
	if got := f.First(); got.Branch != "main" || got.Directory() != "staging/low" {
		t.Errorf("first is %+v", got)
	}
	if got := f.Directories("main"); !reflect.DeepEqual(got, []string{"staging/low", "staging/high"}) {
		t.Errorf("directories %v", got)
	}
	file := filepath.Join(t.TempDir(), "one.yaml")
	if err := f.One("high").Write(file); err != nil {
		t.Fatal(err)
	}
	one, err := Read(file)
	if err != nil {
		t.Fatal(err)
	}
	want := File{SkipGomod: true, SkipTags: true, Rules: []Rule{{"high", []Branch{{Name: "master", Source: Source{Branch: "main", Dir: "staging/high"}}}}}}
	if !reflect.DeepEqual(one, want) {
		t.Errorf("got %+v, want %+v", one, want)
	}
}

func TestRulesWithNothingToMeasureAreRefused(t *testing.T) {
	for text, complaint := range map[string]string{
		"rules: []":                                 "no branch",
		"rules: [{destination: a}]":                 "no branch",
		"rules: [{destination: a, branches: [{}]}]": "no source branch",
		"rules: {":                                  "yaml",
	} {
		if _, err := Read(write(t, text)); err == nil || !strings.Contains(err.Error(), complaint) {
			t.Errorf("%q: error %v, want %q in it", text, err, complaint)
		}
	}
}
