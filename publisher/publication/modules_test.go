package publication_test

import (
	"fmt"
	"strings"
	"testing"
)

const chain = `
tags:
- constraint: ">=1.8.0-0"
  name: monorepo-{{.Version}}
- constraint: ">=1.17.0-0"
  name: v0.{{.Minor}}.{{.Patch}}{{.Suffix}}
- constraint: ">=1.17.0-0"
  name: v2.{{.Minor}}.{{.Patch}}{{.Suffix}}
rules:
- destination: gamma
  branches:
  - name: main
    source: {branch: main, dirs: [src/gamma]}
    dependencies:
    - {repository: beta, branch: main}
    - {repository: alpha, branch: main}
- destination: beta
  branches:
  - name: main
    source: {branch: main, dirs: [src/beta]}
    dependencies:
    - {repository: alpha, branch: main}
- destination: alpha
  branches:
  - name: main
    source: {branch: main, dirs: [src/alpha]}
`

// TestPublishedModulesAreWhatTheGoCommandFetches publishes the history of
// three modules that has about everything in it that modules can have, and has
// the go command fetch each version that they name, build them, and build
// others that need them.
func TestPublishedModulesAreWhatTheGoCommandFetches(t *testing.T) {
	t.Parallel()
	w := newWorld(t, chain)
	// The modules do not exist yet.
	w.add("before", "", `
-- src/alpha/a.go --
package alpha

const A = 0
-- src/beta/go.mod --
module mirrors.test/beta.git/v2

go 1.21

require mirrors.test/alpha.git v0.0.0
replace mirrors.test/alpha.git => ../alpha
-- src/beta/b.go --
package beta

import "mirrors.test/alpha.git"

const B = alpha.A
`)
	w.add("broken", "before", `
-- src/alpha/go.mod --
module mirrors.test/alpha.git
<<<<<<< HEAD
`)
	w.add("module", "broken", `
-- src/alpha/go.mod --
module mirrors.test/alpha.git

go 1.21
-- src/beta/b.go --
package beta

import alpha "mirrors.test/alpha.git"

// B is what it is.
const B = alpha.A
`)
	w.add("gamma", "module", `
-- src/gamma/go.mod --
module mirrors.test/gamma.git

go 1.21

require (
	mirrors.test/alpha.git v0.0.0
	mirrors.test/beta.git/v2 v2.0.0-00010101000000-000000000000
)

replace (
	mirrors.test/alpha.git => ../alpha
	mirrors.test/beta.git/v2 => ../beta
)
-- src/gamma/c.go --
package gamma

import (
	alpha "mirrors.test/alpha.git"
	beta "mirrors.test/beta.git/v2"
)

const C = alpha.A + beta.B
`)
	// What is in a repository is not always what is in a module.
	w.add("oddities", "gamma", `
-- src/alpha/.gitattributes --
*.crlf text eol=crlf
ignored.go export-ignore
subst.txt export-subst
*.ident ident
-- src/alpha/a.crlf --
one
two
-- src/alpha/a.ident --
$Id$
-- src/alpha/ignored.go --
package alpha

const I = 1
-- src/alpha/subst.txt --
$Format:%H$
-- src/alpha/nested/go.mod --
module mirrors.test/alpha.git/nested
-- src/alpha/nested/n.go --
package nested
-- src/alpha/vendor/modules.txt --
# example.com/v v1.0.0
-- src/alpha/vendor/example.com/v/v.go --
package v
-- src/alpha/sub/vendor/example.com/v/v.go --
package v
-- src/alpha/sub/s.go --
package sub
-- src/alpha/LICENSE --
Do what you like.
`, "src/alpha/link.go->a.go", "src/alpha/sub/LICENSE->../LICENSE")
	w.add("beta alone", "oddities", `
-- src/beta/more.go --
package beta

import "mirrors.test/alpha.git/sub"

var _ = sub.S
-- src/alpha/sub/s.go --
package sub

const S = 1
`)
	w.add("elsewhere", "beta alone", "-- README --\nhello\n")
	w.add("gamma alone", "elsewhere", "-- src/gamma/d.go --\npackage gamma\n")
	w.add("side", "oddities", "-- src/gamma/e.go --\npackage gamma\n-- src/alpha/side.go --\npackage alpha\n")
	w.add("merge", "gamma alone, side", "-- src/gamma/e.go --\npackage gamma\n-- src/alpha/side.go --\npackage alpha\n")
	w.add("unsibling", "merge", `
-- src/gamma/go.mod --
module mirrors.test/gamma.git

go 1.21
-- src/gamma/c.go --
package gamma
`)
	w.add("again", "unsibling", `
-- src/gamma/go.mod --
module mirrors.test/gamma.git

go 1.21

require mirrors.test/beta.git/v2 v2.0.0

require mirrors.test/alpha.git v0.0.0 // indirect

replace mirrors.test/alpha.git => ../alpha

replace mirrors.test/beta.git/v2 => ../beta
-- src/gamma/c.go --
package gamma

import beta "mirrors.test/beta.git/v2"

const C = beta.B
`)
	w.Source.Branch("main", w.Source.Commits["again"])
	w.Source.Tag("v1.17.0", w.Source.Commits["gamma alone"])
	w.Source.Tag("v1.18.0-rc.1", w.Source.Commits["merge"])
	w.Source.Tag("v1.18.0", w.Source.Commits["again"])
	w.Publish()

	cache := t.TempDir()
	versions, pins := w.checkPins(cache)
	if versions < 10 {
		t.Errorf("only %d versions are pinned: that tests too little", versions)
	}
	const alpha, beta = host + "alpha.git", host + "beta.git/v2"
	for _, test := range []struct{ destination, at, path, dependency, version string }{
		// Where the sibling is no module yet, nothing is pinned.
		{"beta", "before", alpha, "", "v0.0.0"},
		{"beta", "module", alpha, "module", ""},
		{"gamma", "gamma", alpha, "module", ""},
		{"gamma", "gamma", beta, "module", ""},
		{"gamma", "gamma alone", alpha, "beta alone", ""},
		{"gamma", "gamma alone", beta, "beta alone", ""},
		{"gamma", "merge", alpha, "merge", ""},
		{"gamma", "merge", beta, "beta alone", ""},
	} {
		want := test.version
		if want == "" {
			d := strings.Split(strings.TrimPrefix(test.path, host), ".")[0]
			want = w.pinnedTo(test.path, d, w.of(d, test.dependency))
		}
		commits := strings.Fields(w.Git(test.destination, "log", "--all", "--author=author@example.com", "--format=%H", "--grep=Kubernetes-commit: "+w.source(test.at)))
		if len(commits) != 1 || pins[commits[0]][test.path] != want {
			t.Errorf("%s at %s requires %s %s; want %s", test.destination, test.at, test.path, pins[commits[0]][test.path], want)
		}
	}
	for _, tag := range []string{"v0.17.0", "v0.18.0-rc.1", "v0.18.0"} {
		commit := strings.TrimSpace(w.Git("gamma", "rev-parse", tag+"^{commit}"))
		if got, want := fmt.Sprint(pins[commit]), fmt.Sprint(map[string]string{alpha: tag, beta: "v2" + tag[2:]}); got != want {
			t.Errorf("gamma at %s requires %s, want %s", tag, got, want)
		}
		w.builds(cache, "gamma", tag)
	}
	w.builds(cache, "gamma", "main")
	w.builds(cache, "gamma", "main~2")
	w.builds(cache, "beta", "main")
	w.consume(cache, "mirrors.test/gamma.git", "v0.18.0")
	w.consume(cache, "mirrors.test/gamma.git", "main")
	w.consume(cache, "mirrors.test/beta.git/v2", "v2.17.0")
	w.consume(cache, "mirrors.test/beta.git/v2", "main")
}

// consume builds a module that imports another one at a version.
func (w *world) consume(cache, path, version string) {
	w.Helper()
	dir := w.TempDir()
	w.writeFile(dir, "go.mod", "module example.com/consumer\n\ngo 1.21\n")
	w.writeFile(dir, "main.go", fmt.Sprintf("package main\n\nimport _ %q\n\nfunc main() {}\n", path))
	for _, args := range [][]string{
		{"get", path + "@" + version}, {"mod", "tidy"}, {"mod", "download", "-x"}, {"mod", "verify"}, {"build", "-mod=readonly", "./..."},
	} {
		if _, err := w.goIn(dir, cache, args...); err != nil {
			w.Errorf("%s@%s: %v", path, version, err)
			return
		}
	}
}

// TestSiblingIsPinnedWhereItIsAModule follows a requirement through the times
// of a sibling: not there, no module, broken, a module, gone, and back.
func TestSiblingIsPinnedWhereItIsAModule(t *testing.T) {
	t.Parallel()
	w := newWorld(t, chain)
	mod := "-- src/alpha/go.mod --\nmodule mirrors.test/alpha.git\n\ngo 1.21\n"
	touch := func(name string) string {
		return "-- src/beta/touched.go --\npackage beta\n\nconst Touched = \"" + name + "\"\n"
	}
	beta := strings.ReplaceAll(staged("beta", "go 1.21", []string{"alpha"}, nil), "-- beta/", "-- src/beta/")
	w.add("absent", "", beta)
	w.add("no module", "absent", touch("no module")+"-- src/alpha/alpha.go --\npackage alpha\n")
	w.add("broken", "no module", touch("broken")+"-- src/alpha/go.mod --\nmodule (\n")
	w.add("nameless", "broken", touch("nameless")+"-- src/alpha/go.mod --\ngo 1.21\n")
	w.add("module", "nameless", touch("module")+mod)
	w.add("unfetchable", "module", touch("unfetchable")+"-- src/alpha/aux.go --\npackage alpha\n")
	w.add("gone", "unfetchable", touch("gone")+"-- src/alpha --\ngone\n")
	w.add("back", "gone", touch("back")+mod+"-- src/alpha/alpha.go --\npackage alpha\n")
	w.add("renamed", "back", touch("renamed")+"-- src/alpha/go.mod --\nmodule mirrors.test/omega.git\n")
	w.Source.Branch("main", w.Source.Commits["renamed"])
	p := w.Publish()
	_, pins := w.checkPins(t.TempDir())
	for _, at := range []string{"absent", "no module", "broken", "nameless", "module", "unfetchable", "gone", "back", "renamed"} {
		want := "v0.0.0"
		if at == "module" || at == "back" {
			want = w.pinnedTo(host+"alpha.git", "alpha", w.of("alpha", at))
		}
		if at == "unfetchable" { // What comes before it is the newest that can be had.
			want = w.pinnedTo(host+"alpha.git", "alpha", w.of("alpha", "module"))
		}
		if got := pins[w.of("beta", at)][host+"alpha.git"]; got != want {
			t.Errorf("at %s, beta requires alpha %s, want %s", at, got, want)
		}
	}
	warnings := fmt.Sprint(p.Publication.Destination("alpha").Warnings)
	if !strings.Contains(warnings, w.source("unfetchable")) || !strings.Contains(warnings, "aux.go") {
		t.Errorf("the warnings are %s", warnings)
	}
}
