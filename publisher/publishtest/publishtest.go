// Package publishtest publishes sources that package gittest makes, as the commands
// plan, sync and verify do, but in the test's process.
package publishtest

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/publisher/gittest"
	"k8s.io/publisher/mirror"
	"k8s.io/publisher/plan"
	"k8s.io/publisher/publication"
	"k8s.io/publisher/rules"
	"k8s.io/publisher/session"
	"k8s.io/publisher/verify"
)

// World is a source with rules, and the mirrors that are published from it. A copy
// may have other mirrors or rules.
type World struct {
	testing.TB
	Source  *gittest.Repo
	Rules   string // what the rules file says
	Mirrors string // the folder of the mirrors
}

// New makes a world whose source has no commits, and that has no mirrors.
func New(t testing.TB, rules string) *World {
	t.Helper()
	return &World{t, gittest.New(t), rules, filepath.Join(t.TempDir(), "mirrors")}
}

// Must ends the test if there is an error.
func (w *World) Must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// Run is what a plan or a sync has made.
type Run struct {
	*plan.Plan
	*publication.Publication
	Failures session.Failures
	Err      error // sums the failures up
}

// Plan does what the plan command does.
func (w *World) Plan() Run {
	w.Helper()
	return w.run(false)
}

// Sync does what the sync command does.
func (w *World) Sync() Run {
	w.Helper()
	return w.run(true)
}

// Publish is a sync that must not fail.
func (w *World) Publish() Run {
	w.Helper()
	r := w.Sync()
	w.Must(r.Err)
	return r
}

// Verify does what the verify command does.
func (w *World) Verify() *verify.Report {
	w.Helper()
	s := w.Open(session.Options{Forget: true})
	defer func() { w.Must(s.Close()) }()
	r, err := verify.Run(w.Context(), verify.Input{Source: s.Repo, Rules: s.RuleSet, Mirrors: w.Mirrors})
	w.Must(err)
	return r
}

func (w *World) run(write bool) (r Run) {
	w.Helper()
	s := w.Open(session.Options{Write: write})
	defer func() { w.Must(s.Close()) }()
	var err error
	r.Plan, r.Publication, err = s.Plan(w.Context())
	w.Must(err)
	if write {
		r.Failures, r.Err = s.Apply(w.Context(), r.Plan, r.Publication)
	}
	return r
}

// Open opens a session with options, of which it adds those that the world is about.
// It is to be closed.
func (w *World) Open(o session.Options) *session.Session {
	w.Helper()
	o.Rules, o.Source, o.Mirrors = filepath.Join(w.TempDir(), "rules.yaml"), w.Source.Dir, w.Mirrors
	o.Consumers = rules.NoConsumers
	o.Log = slog.New(slog.NewTextHandler(w.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	w.Must(os.WriteFile(o.Rules, []byte(w.Rules), 0o666))
	s, err := session.Open(w.Context(), o)
	w.Must(err)
	return s
}

// Destinations are those of the rules.
func (w *World) Destinations() []string {
	w.Helper()
	set, err := rules.Parse("rules.yaml", []byte(w.Rules))
	w.Must(err)
	var names []string
	for _, r := range set.Rules {
		names = append(names, r.Destination)
	}
	return names
}

// Published are the destinations that have a mirror.
func (w *World) Published() []string {
	w.Helper()
	var names []string
	for _, d := range w.Destinations() {
		if _, err := os.Stat(w.Mirror(d)); err == nil {
			names = append(names, d)
		}
	}
	return names
}

// Mirror is the folder of a destination's mirror.
func (w *World) Mirror(destination string) string { return mirror.Path(w.Mirrors, destination) }

// Git asks git about a mirror.
func (w *World) Git(destination string, args ...string) string {
	w.Helper()
	return string(gittest.Git(w.TB, w.Mirror(destination), "", args...))
}

// Refs returns, by the names of their refs, the hashes that those of a mirror name
// which begin in a way; the names are as git shortens them.
func (w *World) Refs(destination, prefix string) map[string]string {
	w.Helper()
	refs := make(map[string]string)
	for line := range strings.Lines(w.Git(destination, "for-each-ref", "--format=%(refname:short) %(objectname)", prefix)) {
		name, id, _ := strings.Cut(strings.TrimSpace(line), " ")
		refs[name] = id
	}
	return refs
}
