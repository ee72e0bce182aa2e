package docblock_test

import (
	"errors"
	"strings"
	"testing"

	"k8s.io/publisher/docblock"
	"k8s.io/publisher/gittest"
	"k8s.io/publisher/rules"
	"k8s.io/publisher/source"
)

const text = `Before.
<!-- publisher docs: branches api -->
old
<!-- publisher docs: end -->
After.
`

func TestOnlyWhatIsInBlocksChanges(t *testing.T) {
	fill := func(kind, destination string) (string, error) { return kind + " of " + destination + "\n\n", nil }
	for before, want := range map[string]string{
		text: strings.Replace(text, "old", "branches of api", 1),
		"```\n<!-- publisher docs: x -->\n```\nno end": "```\n<!-- publisher docs: x -->\n```\nno end",
		"": "",
		"<!-- publisher docs: mirrors -->\n<!-- publisher docs: end -->": "<!-- publisher docs: mirrors -->\nmirrors of \n<!-- publisher docs: end -->",
	} {
		got, _, err := docblock.Fill([]byte(before), fill)
		if err != nil || string(got) != want {
			t.Errorf("%q gives %q, %v; want %q", before, got, err, want)
		}
		again, _, err := docblock.Fill(got, fill)
		if err != nil || string(again) != want {
			t.Errorf("filled again, it is %q: %v", again, err)
		}
	}
}

func TestErrorsNameTheLine(t *testing.T) {
	failed := errors.New("no")
	for before, line := range map[string]int{
		"\n<!-- publisher docs: end -->\n":                             2,
		"<!-- publisher docs: a b -->\n\n":                             1,
		"<!-- publisher docs: a b -->":                                 1,
		"<!-- publisher docs: a b c -->\n":                             1,
		"<!-- publisher docs:  -->\n":                                  1,
		"<!-- publisher docs: a b -->\n<!-- publisher docs: a b -->\n": 2,
		"\n\n<!-- publisher docs: bad b -->\n":                         3,
	} {
		_, _, err := docblock.Fill([]byte(before), func(kind, _ string) (string, error) {
			if kind == "bad" {
				return "", failed
			}
			return "", nil
		})
		if at, ok := errors.AsType[*docblock.Error](err); !ok || at.Line != line {
			t.Errorf("%q: %v, want an error in line %d", before, err, line)
		}
	}
}

// TestTablesAreOfTagsOnTheMainlines leaves out a tag on a side branch, and one of a branch
// that is not published.
func TestTablesAreOfTagsOnTheMainlines(t *testing.T) {
	repo := gittest.New(t)
	repo.History(`
A: api/f=1
B A: api/f=2
tag v1.35.0 A
S B: api/f=side
tag v1.36.0-alpha.9 S
C B S: api/f=3
tag v1.36.0 C
branch main C
R A: api/f=fix
tag v1.35.1 R
tag v1.35.2-rc.1 R
branch release-1.35 R
X A: api/f=x
tag v1.34.9 X
branch release-1.34 X
`)
	r, err := rules.Parse("rules.yaml", []byte(`
rules:
- destination: client
  branches:
  - {name: master, source: {branch: main, dir: client}}
- destination: api
  ended-branches: [release-1.33]
  branches:
  - {name: master, source: {branch: main, dir: api}}
  - {name: release-1.35, source: {branch: release-1.35, dir: api}}
`))
	if err != nil {
		t.Fatal(err)
	}
	opened, err := source.Open(repo.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	tables := &docblock.Tables{Rules: r, Repo: opened}
	for kind, want := range map[string]string{
		"branches": `
| branch | published from | maintenance | newest release |
|---|---|---|---|
| ` + "`master` | `main`, `api` | followed | `v0.36.0`" + ` |
| ` + "`release-1.35` | `release-1.35`, `api` | followed | `v0.35.1`" + ` |
| ` + "`release-1.33`" + ` | – | ended | – |
`,
		"compatibility": `
|  | Kubernetes 1.36 | Kubernetes 1.35 |
|---|---|---|
| ` + "`master`" + ` | +- | +- |
| ` + "`v0.36.0` / `kubernetes-1.36.0`" + ` | ✓ | +- |
| ` + "`v0.35.1` / `kubernetes-1.35.1`" + ` | +- | ✓ |
`,
		"mirrors": `
| mirror | branch | published from | maintenance | newest release |
|---|---|---|---|---|
| ` + "`client` | `master` | `main`, `client` | followed | `v0.36.0`" + ` |
| ` + "`api` | `master` | `main`, `api` | followed | `v0.36.0`" + ` |
| ` + "`api` | `release-1.35` | `release-1.35`, `api` | followed | `v0.35.1`" + ` |
| ` + "`api` | `release-1.33`" + ` | – | ended | – |
`,
	} {
		destination := "api"
		if kind == "mirrors" {
			destination = ""
		}
		got, err := tables.Make(kind, destination)
		if err != nil || !strings.HasPrefix(got, want) {
			t.Errorf("%s: %v\n%s\nwant\n%s", kind, err, got, want)
		}
	}
	for _, wrong := range [][2]string{{"else", "api"}, {"branches", "else"}, {"branches", ""}, {"mirrors", "api"}} {
		if _, err := tables.Make(wrong[0], wrong[1]); err == nil {
			t.Errorf("%q is no error", wrong)
		}
	}
}
