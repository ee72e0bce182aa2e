// Package pagestest makes mirrors of a shape that a test asks for, and what else pages
// are made from. The mirrors are real repositories; what is in them was never
// published from anywhere.
package pagestest

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/mod/module"

	"k8s.io/publisher/catalog"
	"k8s.io/publisher/gittest"
	"k8s.io/publisher/mirror"
	"k8s.io/publisher/object"
	"k8s.io/publisher/pages"
	"k8s.io/publisher/rules"
	"k8s.io/publisher/status"
)

// Shape is what the mirrors look like.
type Shape struct {
	// Modules are the destinations, each of which requires the ones before.
	Modules []string
	// First is the first minor version, and Minors how many there are.
	First, Minors int
	// Patches is how many releases a minor version has, and Commits how many commits
	// lie between two releases on main.
	Patches, Commits int
	// TakenOver tells that all was there before, up to the first minor version.
	TakenOver bool
	// Subject, if not nil, gives the message of a commit on main.
	Subject func(n int) string
}

// Small is what most tests need: two modules with three minor versions, the first of
// which was taken over, and hostile text in places.
var Small = Shape{Modules: []string{"api", "org/client"}, First: 34, Minors: 3, Patches: 3, Commits: 4, TakenOver: true, Subject: func(n int) string {
	return []string{
		"Add a lister", "Merge pull request <script>alert(1)</script> & \"quotes\"",
		"A subject that is as long as some people write them, which is longer than most screens of phones are wide, and goes on",
		"日本語 \u202e and \x01control",
	}[n%4] + fmt.Sprintf(" (%d)", n)
}}

// World is what was made.
type World struct {
	testing.TB
	Shape   Shape
	Mirrors string
	Rules   *rules.Rules
	Repos   map[string]*gittest.Repo

	text strings.Builder // the rules
}

// Path is the path of a module.
func Path(destination string) string { return "example.test/" + destination }

// Source is a source commit that a test thinks of by a name.
func Source(name string) object.ID { return object.Hash(object.CommitType, []byte(name)) }

// New makes mirrors.
func New(t testing.TB, shape Shape) *World {
	t.Helper()
	w := &World{TB: t, Shape: shape, Mirrors: t.TempDir(), Repos: make(map[string]*gittest.Repo)}
	w.text.WriteString("rules:\n")
	for i, name := range shape.Modules {
		w.mirror(i, name)
	}
	r, err := rules.Parse("rules.yaml", []byte(w.text.String()))
	if err != nil {
		t.Fatalf("%v\n%s", err, w.text.String())
	}
	w.Rules = r
	return w
}

// mirror makes one.
func (w *World) mirror(number int, name string) {
	w.Helper()
	s := w.Shape
	repo := gittest.At(w, mirror.Path(w.Mirrors, name))
	w.Repos[name] = repo
	clock := int64(1600000000)
	var latest object.ID
	goMod := func(version string) string {
		text := "module " + Path(name) + "\n\ngo 1.25.0\n"
		for _, other := range s.Modules[:number] {
			text += fmt.Sprintf("\nrequire %s %s\n", Path(other), version)
		}
		return text + "\nrequire golang.org/x/mod v0.30.0 // indirect\n\nretract v0." + fmt.Sprint(s.First) + ".1 // It <b>broke</b> things\n"
	}
	commit := func(parent object.ID, message, source, version string) object.ID {
		clock += 3600
		c := &object.Commit{
			Author:    fmt.Appendf(nil, "Ann <i>Author</i> <ann@example.com> %d +0200", clock),
			Committer: fmt.Appendf(nil, "Ann Author <ann@example.com> %d +0200", clock),
			Message:   []byte(message + "\n"),
		}
		if source != "" {
			c.Message = object.AppendTrailer(c.Message, rules.DefaultTrailer, Source(source).String())
		}
		if !parent.IsZero() {
			c.Parents = []object.ID{parent}
		}
		c.Tree = repo.Tree(gittest.Files{
			"go.mod": gittest.Text(goMod(version)),
			"doc.go": gittest.Text(fmt.Sprintf("// Package p is at %d.\npackage p\n", clock)),
			"api.go": gittest.Text(api(clock)),
		})
		return repo.Commit(c)
	}
	// Refs are written by hand, at once: git would take a file and a moment for each.
	var refs strings.Builder
	ref := func(name string, id object.ID) { fmt.Fprintf(&refs, "create %s %s\n", name, id) }
	tag := func(name string, on object.ID) {
		t := object.Tag{
			Target: on, TargetType: object.CommitType, Name: name,
			Tagger: fmt.Appendf(nil, "T Agger <tagger@example.com> %d +0200", clock), Message: []byte("Release " + name + "\n"),
		}
		ref("refs/tags/"+name, repo.Put(object.TagType, t.Encode()))
	}
	fmt.Fprintf(&w.text, "- destination: %s\n  branches:\n", name)
	branch := func(name, from string) {
		fmt.Fprintf(&w.text, "  - {name: %s, source: {branch: %s, dir: staging/%s}}\n", name, from, w.Shape.Modules[number])
	}
	branch("master", "main")
	taken, n := object.ID{}, 0
	for minor := s.First; minor < s.First+s.Minors; minor++ {
		for range s.Commits {
			message := fmt.Sprintf("Change %d", n)
			if s.Subject != nil {
				message = s.Subject(n)
			}
			latest = commit(latest, message, fmt.Sprintf("main %d", n), fmt.Sprintf("v0.%d.0", minor-1))
			n++
		}
		if minor == s.First {
			taken = latest
		}
		head := latest
		for patch := range s.Patches {
			if patch > 0 {
				head = commit(head, fmt.Sprintf("Fix of 1.%d.%d", minor, patch), fmt.Sprintf("1.%d %d", minor, patch), "")
			}
			on := commit(head, "Pin", "", fmt.Sprintf("v0.%d.%d", minor, patch))
			tag(fmt.Sprintf("v0.%d.%d", minor, patch), on)
			tag(fmt.Sprintf("kubernetes-1.%d.%d", minor, patch), on)
			if s.TakenOver && minor == s.First {
				taken = on
			}
		}
		ref(fmt.Sprintf("refs/heads/release-1.%d", minor), head)
		if minor > s.First {
			branch(fmt.Sprintf("release-1.%d", minor), fmt.Sprintf("release-1.%d", minor))
		}
	}
	tag("experiment", latest)
	ref("refs/heads/master", latest)
	fmt.Fprintf(&w.text, "  ended-branches: [release-1.%d]\n", s.First)
	if s.TakenOver {
		fmt.Fprintf(&w.text, "  taken-over:\n    branches:\n    - {branch: release-1.%d, commit: %s}\n", s.First, taken)
	}
	repo.GitInput(refs.String(), "update-ref", "--stdin")
	repo.Git("symbolic-ref", "HEAD", "refs/heads/master")
}

// api is Go code of which something is different now and then.
func api(n int64) string {
	return fmt.Sprintf("package p\n\n// T%d comes and goes.\ntype T%[1]d struct{ F int }\n\nfunc Always() {}\n", n/36000)
}

// Read reads the mirrors.
func (w *World) Read() *catalog.Catalog {
	w.Helper()
	c, err := catalog.Read(w.Context(), catalog.Input{Rules: w.Rules, Mirrors: w.Mirrors})
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(c.Close)
	return c
}

// Input is what pages are made from, with all there can be.
func (w *World) Input() pages.Input {
	w.Helper()
	c := w.Read()
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	s := &status.Status{Run: status.Run{ID: "r", Finished: now}}
	for i, d := range c.Destinations {
		is := status.Destination{Name: d.Name, LastSuccess: &now}
		if i == 1 {
			is.FailingSince, is.Error, is.Waiting = &now, "no route to secret.internal", 3
		}
		s.Destinations = append(s.Destinations, is)
	}
	return pages.Input{
		Catalog: c, Rules: w.Rules, Status: s, Docs: Docs(),
		SumDB: "sum.example.test+1c2d3e4f+AbCdEfGhIjKlMnOpQrStUvWxYz0123456789abcdefgh",
		Hash: func(v module.Version) (string, int64, bool) {
			sum := sha256.Sum256([]byte(v.String()))
			return "h1:" + base64.StdEncoding.EncodeToString(sum[:]), int64(sum[0]), true
		},
	}
}

// Docs is a documentation.
func Docs() fs.FS {
	return fstest.MapFS{
		"running.md": {Data: []byte("# Running <it>\n\nSee [the other](more/other.md#a-table), [alerts](alerts.yaml), [code](../publisher/x.go) and [elsewhere](https://example.test/).\n\n" +
			"```yaml\nkey:\n  indented: value\n```\n\n<script>alert(1)</script>\n\n- [x] done\n")},
		"more/other.md": {Data: []byte("# Other\n\n## A table\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\nBack to [running](../running.md). ![A picture](../picture.svg)\n")},
		"alerts.yaml":   {Data: []byte("alerts: []\n")},
		"picture.svg":   {Data: []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>`)},
	}
}

// Site is a folder for a site.
func Site(t testing.TB) string { return filepath.Join(t.TempDir(), "site") }
