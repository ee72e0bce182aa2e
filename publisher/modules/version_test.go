package modules_test

import (
	"slices"
	"testing"

	"golang.org/x/mod/module"

	"k8s.io/publisher/gittest"
	"k8s.io/publisher/modules"
	"k8s.io/publisher/object"
	"k8s.io/publisher/projection"
	"k8s.io/publisher/source"
	"k8s.io/publisher/spec"
)

// A version that the go command refuses is never required: the newest one before
// it that can be fetched is, if it is the same module.
func TestUnfetchableVersionIsNeverRequired(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ name, parents, path, fault, want string }{
		{name: "no module", want: ""},
		{name: "broken", parents: "no module", path: "example.test/a", fault: "*.go", want: ""},
		{name: "good", parents: "broken", path: "example.test/a", want: "good"},
		{name: "bad", parents: "good", path: "example.test/a", fault: "*.go", want: "good"},
		{name: "worse", parents: "bad", path: "example.test/a", fault: "a:b", want: "good"},
		{name: "renamed", parents: "worse", path: "example.test/new", fault: "a:b", want: ""},
		{name: "renamed and good", parents: "renamed", path: "example.test/new", want: "renamed and good"},
		{name: "renamed and bad", parents: "renamed and good", path: "example.test/new", fault: "?", want: "renamed and good"},
		{name: "named as before", parents: "renamed and bad", path: "example.test/a", fault: "?", want: ""},
		{name: "good again", parents: "named as before", path: "example.test/a", want: "good again"},
		{name: "bad after a major version", parents: "good again", path: "example.test/a/v2", fault: "?", want: ""},
		{name: "a major version", parents: "bad after a major version", path: "example.test/a/v2", want: "a major version"},
	} {
		var parents []string
		if c.parents != "" {
			parents = append(parents, c.parents)
		}
		w.Add(c.name, parents, func(files gittest.Files) {
			clear(files)
			files.Set("a/a.go", gittest.Text("package a // "+c.name+"\n"))
			if c.path != "" {
				files.Set("a/go.mod", gittest.Text("module "+c.path+"\n\ngo 1.26\n"))
			}
			if c.fault != "" {
				files.Set("a/"+c.fault, gittest.Text("package a\n"))
			}
			files.Set("want", gittest.Text(c.want))
		})
	}
	w.Branch("main", w.Commits["a major version"])
	// The order in which versions are asked for does not matter.
	names := w.Names()
	for _, order := range []string{"by name", "backwards"} {
		worker := w.worker()
		l, at := w.project(w.Commits["a major version"])
		for _, name := range names {
			want := w.Files(name)["want"].Text
			v, err := worker.Fetchable(l, at(name))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			got := ""
			if v != nil {
				c, err := l.Projection.Commit(at(want))
				if err != nil {
					t.Fatal(err)
				}
				if rev, err := module.PseudoVersionRev(v.Version); err != nil || rev != c.ID.String()[:12] {
					t.Errorf("%s, %s: %s is not the pseudo-version of %s: %v", order, name, v.Version, c.ID, err)
				}
				if v.Sum == "" || v.GoModSum == "" {
					t.Errorf("%s, %s: %s has no hashes", order, name, v.Version)
				}
				got = want
			}
			if got != want {
				t.Errorf("%s, %s: version of %q, want that of %q", order, name, got, want)
			}
		}
		slices.Reverse(names)
		if warnings := l.Warnings.List(); len(warnings) != 1 || warnings[0].Count != 7 || warnings[0].Err == nil {
			t.Errorf("%s: warnings %v, want one of 7 commits", order, warnings)
		}
	}
}

// project returns the line of the directory called a, and where commits stand.
func (w *world) project(head object.ID) (*modules.Line, func(name string) int32) {
	w.Helper()
	repo, err := source.Open(w.Dir)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(repo.Close)
	known := func(object.ID) bool { return false }
	graph, err := source.Load(w.Context(), repo.Store, []object.ID{head}, []string{"a"}, known, func(int) {})
	if err != nil {
		w.Fatal(err)
	}
	p, err := projection.New(projection.Input{
		Graph: graph, Trailer: "Source-commit",
		Trees: func(n int32) (object.ID, error) { return graph.Trees("a")[n], nil },
	})
	if err == nil {
		err = p.Publish(nil)
	}
	if err != nil {
		w.Fatal(err)
	}
	return &modules.Line{Spec: new(spec.Spec), Projection: p}, func(name string) int32 {
		n, _ := graph.Node(w.Commits[name])
		return p.At[n]
	}
}
