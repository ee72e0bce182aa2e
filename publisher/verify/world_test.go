package verify_test

import (
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/publisher/gittest"
	"k8s.io/publisher/object"
	"k8s.io/publisher/publishtest"
	"k8s.io/publisher/verify"
)

// world is a source with its rules, and the mirrors that a real run publishes.
type world struct{ publishtest.World }

// Of the three modules, lib stands alone, app requires lib, and tool, which is
// made of two directories, requires both. The branch old was published once.
const rulesText = `
recursive-delete-patterns:
- BUILD
- "*/BUILD"
rules:
- destination: lib
  branches:
  - name: master
    source: {branch: master, dir: staging/lib}
  - name: release-1.20
    source: {branch: release-1.20, dir: staging/lib}
- destination: org/app
  branches:
  - name: master
    dependencies: [{repository: lib, branch: master}]
    source: {branch: master, dir: staging/app}
  - name: release-1.20
    dependencies: [{repository: lib, branch: release-1.20}]
    source: {branch: release-1.20, dir: staging/app}
- destination: tool
  branches:
  - name: master
    dependencies:
    - {repository: lib, branch: master}
    - {repository: org/app, branch: master}
    source: {branch: master, dirs: [staging/tool, docs]}
`

const (
	lib     = "lib"
	app     = "org/app"
	tool    = "tool"
	master  = "refs/heads/master"
	release = "refs/heads/release-1.20"
)

// publish makes the source, with merges, pins, removed files, a file mode, a
// link and tags, and publishes it.
func publish(t testing.TB) *world {
	t.Helper()
	w := empty(t, rulesText)
	w.commit("A", "", func(f gittest.Files) {
		maps.Copy(f, gittest.Archive(`
-- README --
root
-- docs/guide --
guide
-- staging/lib/go.mod --
module example.com/lib

go 1.24
-- staging/lib/lib.go --
package lib
-- staging/lib/BUILD --
removed
-- staging/lib/sub/BUILD --
removed
-- staging/lib/.gitattributes --
*.txt text eol=crlf
-- staging/lib/crlf.txt --
line
-- staging/app/go.mod --
module example.com/app

go 1.24

require (
	example.com/lib v0.0.0
	golang.org/x/mod v0.20.0
)

replace example.com/lib => ../lib
-- staging/app/go.sum --
golang.org/x/mod v0.20.0 h1:utOm6MM3R3dnawAiJgn0y+xvuYRsm1RKM/4giyfDgV0=
golang.org/x/mod v0.20.0/go.mod h1:hTbmBsO62+eylJbnUtE2MGJUyE7QWk4xUqPFrRgJ+7c=
-- staging/app/app.go --
package app
-- staging/app/examples/hello/go.mod --
module example.com/app/examples/hello

go 1.24

require (
	example.com/app v0.0.0
	example.com/lib v0.0.0
)

replace example.com/app => ../..

replace example.com/lib => ../../../lib
-- staging/app/examples/hello/hello.go --
package hello
-- staging/app/testdata/mod/go.mod --
module example.com/app/testdata/mod

require example.com/lib v0.0.0

replace example.com/lib => ../../../lib
-- staging/tool/go.mod --
module example.com/tool

go 1.24

require example.com/app v0.0.0

require example.com/lib v0.0.0 // indirect

replace example.com/app => ../app

replace example.com/lib => ../lib
-- staging/tool/tool.go --
package tool
`))
		f.Set("staging/lib/run.sh", gittest.File{Mode: object.ModeExecutable, Text: "#!/bin/sh\n"})
		f.Set("staging/lib/link", gittest.File{Mode: object.ModeSymlink, Text: "lib.go"})
	})
	w.Source.History(`
B A: staging/lib/b.go=package/lib
C B: staging/app/c.go=package/app
S B: staging/lib/side.go=package/lib
M C S: staging/lib/side.go=package/lib
D M: README=2
E D: staging/lib/lib.go=package/lib//2 staging/app/e.go=package/app
R D: staging/lib/release.go=package/lib
Q R: staging/app/release.go=package/app
F E: docs/guide=2
tag v1.20.0 D
tag v1.20.1 Q
tag v1.21.0-alpha.1 F
branch master F
branch release-1.20 Q
`)
	w.Publish()
	return w
}

func empty(t testing.TB, rules string) *world {
	t.Helper()
	return &world{*publishtest.New(t, rules)}
}

// commit adds a commit to the source; parents are separated by blanks.
func (w *world) commit(name, parents string, edit func(gittest.Files)) {
	w.Helper()
	w.Source.Add(name, strings.Fields(parents), edit)
}

// clean verifies and expects no mismatch, and in each destination these counts.
func (w *world) clean(want ...verify.Destination) *verify.Report {
	w.Helper()
	r := w.Verify()
	if !r.OK {
		w.Errorf("mismatches in mirrors that nobody touched:\n%s", text(r))
	}
	for i, d := range r.Destinations {
		if i >= len(want) {
			break
		}
		got := fmt.Sprintf("%+v", *d)
		want := want[i]
		if want.Notes == nil {
			want.Notes = []string{}
		}
		want.Mismatches = d.Mismatches
		if got != fmt.Sprintf("%+v", want) {
			w.Errorf("got  %+v\nwant %+v", *d, want)
		}
	}
	return r
}

// finding is a mismatch that a test expects. Texts must all be in it.
type finding struct {
	destination string
	kind        verify.Kind
	texts       []string
}

// finds verifies and expects findings, and no mismatch of a kind or in a
// destination that none of them has.
func (w *world) finds(want ...finding) *verify.Report {
	w.Helper()
	r := w.Verify()
	if r.OK {
		w.Error("the report is OK")
	}
	used := make(map[string]bool)
	for _, f := range want {
		used[f.destination+string(f.kind)] = true
		found := slices.ContainsFunc(of(r, f.destination).Mismatches, func(m verify.Mismatch) bool {
			return m.Kind == f.kind && !slices.ContainsFunc(f.texts, func(text string) bool { return !strings.Contains(m.String(), text) })
		})
		if !found {
			w.Errorf("%s has no %q that says %q:\n%s", f.destination, f.kind, f.texts, text(r))
		}
	}
	for _, d := range r.Destinations {
		for _, m := range d.Mismatches {
			if !used[d.Name+string(m.Kind)] {
				w.Errorf("%s: not expected: %s", d.Name, m)
			}
		}
	}
	return r
}

// of returns what was found of a destination.
func of(r *verify.Report, destination string) *verify.Destination {
	i := slices.IndexFunc(r.Destinations, func(d *verify.Destination) bool { return d.Name == destination })
	return r.Destinations[i]
}

func text(r *verify.Report) string {
	var b strings.Builder
	for _, d := range r.Destinations {
		for _, m := range d.Mismatches {
			fmt.Fprintf(&b, "%s: %s\n", d.Name, m)
		}
		for _, n := range d.Notes {
			fmt.Fprintf(&b, "%s: note: %s\n", d.Name, n)
		}
	}
	return b.String()
}

// mirror is a published repository to be tampered with.
type mirrorRepo struct {
	*gittest.Repo
}

func (w *world) mirror(destination string) mirrorRepo {
	return mirrorRepo{&gittest.Repo{TB: w.TB, Dir: w.Mirror(destination), Objects: make(map[object.ID]gittest.Object)}}
}

func (m mirrorRepo) id(rev string) object.ID {
	m.Helper()
	id, err := object.ParseID([]byte(strings.TrimSpace(m.Git("rev-parse", "--verify", rev))))
	if err != nil {
		m.Fatal(err)
	}
	return id
}

func (m mirrorRepo) read(id object.ID) *object.Commit {
	m.Helper()
	c, err := object.ParseCommit([]byte(m.Git("cat-file", "commit", id.String())))
	if err != nil {
		m.Fatal(err)
	}
	return c
}

// of returns the commit of a branch that stands for a source commit.
func (m mirrorRepo) of(ref string, source object.ID) object.ID {
	m.Helper()
	for id := range strings.FieldsSeq(m.Git("rev-list", ref)) {
		if value, _ := object.LastTrailer(m.read(m.id(id)).Message, "Kubernetes-commit"); value == source.String() {
			return m.id(id)
		}
	}
	m.Fatalf("%s has no commit for %s", ref, source)
	return object.ID{}
}

// rewrite gives a ref the history that it has, but for one commit: edit changes
// it, or, where it returns false, it is dropped. It returns the new commit that
// stands where the one was.
func (m mirrorRepo) rewrite(ref string, at object.ID, edit func(*object.Commit) bool) object.ID {
	m.Helper()
	became := make(map[object.ID]object.ID)
	for hex := range strings.FieldsSeq(m.Git("rev-list", "--reverse", "--topo-order", ref)) {
		old := m.id(hex)
		c := m.read(old)
		for i, parent := range c.Parents {
			c.Parents[i] = became[parent]
		}
		if old == at && !edit(c) {
			became[old] = c.Parents[0]
			continue
		}
		became[old] = m.Commit(c)
	}
	m.SetRef(ref, became[m.id(ref)])
	return became[at]
}

// replaceFile returns a tree with another file at a path.
func (m mirrorRepo) replaceFile(tree object.ID, name string, edit func(string) string) object.ID {
	m.Helper()
	entries, err := object.ParseTree([]byte(m.Git("cat-file", "tree", tree.String())))
	if err != nil {
		m.Fatal(err)
	}
	name, below, isDir := strings.Cut(name, "/")
	for i, e := range entries {
		if e.Name == name && isDir {
			entries[i].ID = m.replaceFile(e.ID, below, edit)
			return m.Put(object.TreeType, object.EncodeTree(entries))
		}
		if e.Name == name {
			entries[i].ID = m.Put(object.BlobType, []byte(edit(m.Git("cat-file", "blob", e.ID.String()))))
			return m.Put(object.TreeType, object.EncodeTree(entries))
		}
	}
	m.Fatalf("tree %s has no file %s", tree, name)
	return tree
}

// retag moves an annotated tag to another commit.
func (m mirrorRepo) retag(name string, target object.ID) {
	m.Helper()
	tag, err := object.ParseTag([]byte(m.Git("cat-file", "tag", name)))
	if err != nil {
		m.Fatal(err)
	}
	tag.Target = target
	m.SetRef("refs/tags/"+name, m.Put(object.TagType, tag.Encode()))
}

// listing is all files of the mirrors, with their sizes and times.
func (w *world) listing() string {
	w.Helper()
	var b strings.Builder
	w.Must(filepath.WalkDir(w.Mirrors, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil {
			fmt.Fprintln(&b, path, info.Size(), info.ModTime())
		}
		return err
	}))
	return b.String()
}
