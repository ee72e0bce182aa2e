package publication_test

import (
	"path/filepath"
	"testing"

	"k8s.io/publisher/rules"
)

const scope = `
rules:
- destination: app
  branches:
  - name: master
    source: {branch: master, dir: app}
  - name: old
    source: {branch: old, dir: app}
    dependencies: [{repository: lib, branch: old}]
- destination: lib
  branches:
  - name: master
    source: {branch: master, dir: lib}
    dependencies: [{repository: base, branch: master}]
  - name: old
    source: {branch: old, dir: lib}
    dependencies: [{repository: base, branch: old}]
- destination: base
  branches:
  - name: master
    source: {branch: master, dir: base}
  - name: old
    source: {branch: old, dir: base}
`

// TestEndOfABranchChangesNoHistory ends the only branch that depends on what
// old commits of another one pin.
func TestEndOfABranchChangesNoHistory(t *testing.T) {
	t.Parallel()
	w := newWorld(t, scope)
	const replace = "\nreplace mirrors.test/base.git => ../base\n"
	w.add("first", "", "-- base/go.mod --\nmodule mirrors.test/base.git\n\ngo 1.16\n-- base/base.go --\npackage base\n"+
		"-- lib/go.mod --\nmodule mirrors.test/lib.git\n\ngo 1.16\n\nrequire mirrors.test/base.git v0.0.0\n"+replace+
		"-- lib/lib.go --\npackage lib\n\nimport _ \"mirrors.test/base.git\"\n"+
		// Before go 1.17, only go.sum has what is needed indirectly.
		"-- app/go.mod --\nmodule mirrors.test/app.git\n\ngo 1.16\n\nrequire mirrors.test/lib.git v0.0.0\n"+
		"\nreplace mirrors.test/lib.git => ../lib\n"+replace+
		"-- app/app.go --\npackage app\n\nimport _ \"mirrors.test/lib.git\"\n")
	w.add("branch", "first", "-- app/branch.go --\npackage app\n")
	w.add("on old", "branch", "-- app/old.go --\npackage app\n-- lib/old.go --\npackage lib\n")
	w.add("alone", "branch", "-- app/go.mod --\nmodule mirrors.test/app.git\n\ngo 1.21\n-- app/app.go --\npackage app\n")
	w.Source.Branch("master", w.Source.Commits["alone"])
	w.Source.Branch("old", w.Source.Commits["on old"])
	w.Publish()
	const lib = host + "lib.git"
	cache := t.TempDir()
	_, pins := w.checkPins(cache)
	if got, want := pins[w.of("app", "branch")][lib], w.pinnedTo(lib, "lib", w.of("lib", "first")); got != want {
		t.Errorf("app, where the branches parted, requires lib %s, want %s", got, want)
	}
	w.builds(cache, "app", w.of("app", "branch"))
	refs := map[string]string{}
	for _, d := range w.Destinations() {
		refs[d] = w.Git(d, "for-each-ref")
	}

	edited, _, err := rules.RemoveBranch([]byte(w.Rules), "rules.yaml", rules.RemoveBranchOptions{Name: "old"})
	w.Must(err)
	w.Rules = string(edited)
	if p := w.Publish(); p.Plan.Changes() {
		t.Errorf("the plan has changes: %+v", p.Plan)
	}
	for _, d := range w.Destinations() {
		if got := w.Git(d, "for-each-ref"); got != refs[d] {
			t.Errorf("%s, after the branch ended:\n%s\nbefore:\n%s", d, got, refs[d])
		}
	}

	// Nor does it matter to those who come later.
	w.add("later", "alone", "-- app/later.go --\npackage app\n-- lib/later.go --\npackage lib\n")
	w.Source.Branch("master", w.Source.Commits["later"])
	w.Publish()
	again := *w
	again.Mirrors = filepath.Join(t.TempDir(), "mirrors")
	again.Publish()
	for _, d := range w.Destinations() {
		const master = "refs/heads/master"
		if got, want := again.Git(d, "rev-parse", master), w.Git(d, "rev-parse", master); got != want {
			t.Errorf("%s: master is %s when published anew, but %s", d, got, want)
		}
	}
}
