package day

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// event is one push to the source.
type event struct {
	kind kind
	// ref is where it went, and commit what it brought.
	ref, commit string
	// destinations are those that it changes.
	destinations []string
	at           time.Time
	// arrived is when the last of the destinations had it; zero where one has not.
	arrived time.Time
	// missing are the destinations that have it not.
	missing []string
}

type kind string

const (
	change    kind = "commit"
	bad       kind = "bad commit"
	mend      kind = "mended"
	newBranch kind = "branch"
	newTag    kind = "tag"
)

// whole is a file that builds.
const whole = "package client\n\n// Limit is the most that there may be.\nconst Limit int = 100\n"

// edit writes a file of a module in the developer's check-out.
func (w *world) edit(module, name, text string) {
	w.Helper()
	file := filepath.Join(w.checkout, module, name)
	w.must(os.MkdirAll(filepath.Dir(file), 0o777))
	w.must(os.WriteFile(file, []byte(text), 0o666))
}

func (w *world) save(message string) {
	w.Helper()
	w.git("-C", w.checkout, "add", "--all")
	w.git("-C", w.checkout, "commit", "--quiet", "--no-verify", "-m", message)
}

// commit pushes a commit to a branch that changes these modules.
func (w *world) commit(branch string, k kind, changed ...string) *event {
	w.Helper()
	w.commits++
	if w.git("-C", w.checkout, "branch", "--show-current") != branch {
		w.git("-C", w.checkout, "checkout", "--quiet", branch)
	}
	for _, d := range changed {
		w.edit(d, fmt.Sprintf("change%d.go", w.commits%20), fmt.Sprintf("package %s\n\n// Change%d is number %d.\nconst Change%[2]d = %[3]d\n", d, w.commits%20, w.commits))
	}
	switch k {
	case bad:
		w.edit(tested, "limit.go", strings.ReplaceAll(whole, "100", `"many"`))
	case mend:
		w.edit(tested, "limit.go", whole)
	}
	w.save(fmt.Sprintf("Change %d of %s", w.commits, strings.Join(changed, ", ")))
	return w.push(&event{kind: k, ref: "refs/heads/" + branch, destinations: changed})
}

// branch begins a release branch at main, and tells the rules of it.
func (w *world) branch(name string) *event {
	w.Helper()
	w.git("-C", w.checkout, "branch", name, "main")
	e := &event{kind: newBranch, ref: "refs/heads/" + name, destinations: destinations}
	w.git("-C", w.checkout, "push", "--quiet", "origin", e.ref)
	w.run(exec.Command(publisher, "rules", "branch", "add", name, "--from", "main", "--rules", w.path("rules.yaml")))
	return w.push(e)
}

// tag tags a version at the head of a branch.
func (w *world) tag(version, branch string) *event {
	w.Helper()
	w.git("-C", w.checkout, "tag", "-a", "-m", "Release "+version, version, branch)
	return w.push(&event{kind: newTag, ref: "refs/tags/" + version, destinations: destinations})
}

// push pushes a ref to the source, as which the webhook tells of it.
func (w *world) push(e *event) *event {
	w.Helper()
	w.git("-C", w.checkout, "push", "--quiet", "origin", e.ref)
	e.at, e.commit = time.Now(), w.git("-C", w.checkout, "rev-parse", e.ref+"^{commit}")
	w.tell(e.ref)
	return e
}
