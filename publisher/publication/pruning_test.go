package publication_test

import (
	"strings"
	"testing"
)

const tower = `
rules:
- destination: top
  branches:
  - name: main
    source: {branch: main, dir: top}
    dependencies: [{repository: middle, branch: main}, {repository: base, branch: main}, {repository: bottom, branch: main}]
- destination: middle
  branches:
  - name: main
    source: {branch: main, dir: middle}
    dependencies: [{repository: base, branch: main}, {repository: bottom, branch: main}]
- destination: base
  branches:
  - name: main
    source: {branch: main, dir: base}
    dependencies: [{repository: bottom, branch: main}]
- destination: bottom
  branches:
  - name: main
    source: {branch: main, dir: bottom}
`

// staged writes a module as it is in a monorepo, in a directory of its name.
// Those in indirect are required and not imported.
func staged(name, goLine string, imports, indirect []string) string {
	mod := "-- " + name + "/go.mod --\nmodule " + host + name + ".git\n\n" + goLine + "\n"
	code := "-- " + name + "/" + name + ".go --\npackage " + name + "\n"
	for _, i := range imports {
		mod += "\nrequire " + host + i + ".git v0.0.0\n"
		code += "\nimport _ \"" + host + i + ".git\"\n"
	}
	for _, i := range indirect {
		mod += "\nrequire " + host + i + ".git v0.0.0 // indirect\n"
	}
	for _, i := range []string{"middle", "base", "bottom"} {
		if i != name {
			mod += "\nreplace " + host + i + ".git => ../" + i + "\n"
		}
	}
	return mod + code
}

// TestGoSumSufficesWhateverIsPruned builds modules of all ages in their
// mirrors: before go 1.17, builds read the go.mod files of the whole module
// graph, in which siblings have versions other than those that are pinned.
func TestGoSumSufficesWhateverIsPruned(t *testing.T) {
	t.Parallel()
	for name, goLines := range map[string]struct{ low, middle, top string }{
		"pruned":           {"go 1.26", "go 1.26", "go 1.26"},
		"unpruned":         {"go 1.16", "go 1.16", "go 1.16"},
		"without go lines": {"", "", ""},
		"unpruned ends":    {"go 1.16", "go 1.17", "go 1.16"},
		"unpruned top":     {"go 1.17", "go 1.17", "go 1.15"},
		"unpruned middle":  {"go 1.17", "go 1.16", "go 1.26"},
		"unpruned below":   {"go 1.15", "go 1.17", "go 1.20"},
		"unpruned but top": {"go 1.16", "go 1.16", "go 1.17"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tower)
			// From go 1.17 on, go.mod names what the packages below need.
			indirect := func(goLine string, names ...string) []string {
				if goLine >= "go 1.17" {
					return names
				}
				return nil
			}
			w.add("first", "", staged("bottom", goLines.low, nil, nil)+
				staged("base", goLines.low, []string{"bottom"}, nil)+
				staged("middle", goLines.middle, []string{"base"}, indirect(goLines.middle, "bottom")))
			// The middle does not change with those below it, so it keeps
			// requiring their old versions.
			w.add("second", "first", "-- bottom/new.go --\npackage bottom\n-- base/new.go --\npackage base\n")
			w.add("third", "second", staged("top", goLines.top, []string{"middle"}, indirect(goLines.top, "base", "bottom")))
			w.add("fourth", "third", "-- top/new.go --\npackage top\n-- middle/new.go --\npackage middle\n-- base/newer.go --\npackage base\n")
			w.Source.Branch("main", w.Source.Commits["fourth"])
			w.Publish()
			cache := t.TempDir()
			w.checkPins(cache)
			for _, at := range []string{"top main", "top main~1", "middle main", "middle main~1", "base main", "base main~1", "base main~2"} {
				destination, revision, _ := strings.Cut(at, " ")
				w.builds(cache, destination, revision)
			}
			w.consume(cache, host+"top.git", "main")
		})
	}
}
