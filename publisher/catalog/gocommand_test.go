package catalog_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"k8s.io/publisher/catalog"
	"k8s.io/publisher/gittest"
	"k8s.io/publisher/mirror"
	"k8s.io/publisher/publishtest"
	"k8s.io/publisher/rules"
)

// A history is lines of three kinds:
//
//	commit NAME PARENT…: TEXT   go.mod is TEXT, after "module "; none where it is "-"
//	branch NAME COMMIT
//	tag NAME COMMIT             annotated; light, for one that is not
var histories = map[string]string{
	"none": "commit A: PATH\ncommit B A: PATH\nbranch master B",
	"behind": `commit A: PATH
tag v0.1.0 A
commit B A: PATH
branch master B
branch old A`,
	"light": "commit A: PATH\nlight v0.1.0 A\ncommit B A: PATH\nbranch master B\nbranch old A",
	"several": `commit A: PATH
tag v0.1.0 A
tag v0.10.0 A
commit B A: PATH
tag v0.9.0 B
tag v0.9.1-rc.1 B
commit C B: PATH
branch master C
branch nine B
branch release-1.0 B
branch feature/x C
branch UPPER C`,
	"pre": "commit A: PATH\ntag v0.3.0-rc.1 A\ncommit B A: PATH\nbranch master B",
	"retracted": `commit A: PATH
tag v0.1.0 A
commit B A: PATH;retract v0.2.0
tag v0.2.0 B
commit C B: PATH
branch master C
branch two B`,
	"later": `commit A: PATH
tag v0.1.0 A
commit B A: PATH
tag v0.2.0 B
commit C B: PATH
branch master C
commit D C: PATH;retract [v0.2.0,v0.3.0]
tag v0.3.0 D
branch next D`,
	"unreleased retraction": `commit A: PATH
tag v0.1.0 A
commit B A: PATH;retract v0.1.0
branch master B`,
	"retracted by a pre-release": `commit A: PATH
tag v0.1.0-a A
commit B A: PATH;retract v0.1.0-a
tag v0.1.0-b B
commit C A: PATH
branch master C`,
	"metadata": `commit A: PATH
tag v0.4.0+build A
commit B A: PATH
branch master B
branch at A`,
	"not versions": `commit A: PATH
tag kubernetes-1.2.3 A
tag v1 A
tag v2.0 A
tag v0.0.0-20200101000000-0123456789ab A
commit B A: PATH
branch master B`,
	"sides": `commit A: PATH
commit B A: PATH
tag v0.7.0 B
commit C A: PATH
branch master C
commit D C B: PATH
branch merged D`,
	"other path": `commit A: mods.test/elsewhere
tag v0.5.0 A
commit B A: PATH
branch master B`,
	"major": `commit A: PATH
tag v1.2.0 A
branch one A
commit B A: PATH/v2
tag v2.0.0 B
commit C B: PATH/v2
branch master C
commit D A: PATH/v2
branch early D`,
	"incompatible": `commit A: -
tag v1.0.0 A
tag v2.0.0 A
commit B A: -
tag v3.1.0 B
commit C B: PATH
branch master C
commit D C: PATH
tag v0.2.0 D
branch dev D
tag kubernetes-1.9.0 B`,
	"incompatible only": `commit A: -
tag v2.0.0 A
commit B A: -
tag v3.0.0 B
commit C B: PATH/v3
tag v3.1.0 C
commit D B: PATH
branch master D`,
}

// TestVersionsAreTheGoCommands asks the go command about every branch and tag.
func TestVersionsAreTheGoCommands(t *testing.T) {
	mirrors, text := t.TempDir(), "rules:\n"
	repositories := make(map[string]string)
	for name, history := range histories {
		destination := strings.ReplaceAll(name, " ", "-")
		text += fmt.Sprintf("- {destination: %s, branches: [{name: master, source: {branch: master, dir: x}}]}\n", destination)
		root := "mods.test/" + destination
		repositories[root] = build(t, mirror.Path(mirrors, destination), root, history).Dir
	}
	set, err := rules.Parse("rules.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	c, err := catalog.Read(t.Context(), catalog.Input{Rules: set, Mirrors: mirrors})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if len(c.Destinations) != len(histories) {
		t.Errorf("there are %d destinations, not %d", len(c.Destinations), len(histories))
	}

	ours := make(map[string]string) // by path and query
	args := []string{"list", "-m", "-e", "-json"}
	ask := func(path, query, version string) {
		ours[path+"@"+query] = version
		args = append(args, path+"@"+query)
	}
	for _, d := range c.Destinations {
		for _, b := range d.Branches {
			ask(b.Version.Path, b.Name, b.Version.Version)
		}
		for _, tag := range d.Tags {
			if tag.Version.Version != "" {
				ask(tag.Version.Path, tag.Version.Version, tag.Version.Version)
			} else if m, ok := d.Query(tag); ok {
				ask(m.Path, tag.Name, m.Version)
			}
		}
		ask(d.Module, "v0.99.0", "")
	}
	g := publishtest.NewGo(t, publishtest.Direct(t, "mods.test", repositories)...)
	for _, m := range modules(t, g.Run(args...)) {
		key := m.Path + "@" + m.Query
		if want, ok := ours[key]; !ok || m.Version != want && !(want == "" && m.Error != nil) {
			t.Errorf("%s is %q, the go command says %q %v", key, want, m.Version, m.Error)
		}
		delete(ours, key)
	}
	if len(ours) > 0 {
		t.Errorf("the go command says nothing of %v", ours)
	}

	args = []string{"list", "-m", "-e", "-json", "-versions", "-retracted"}
	lists := make(map[string][]string)
	for _, d := range c.Destinations {
		for _, path := range d.Paths() {
			if path != "mods.test/elsewhere" { // There is no such repository.
				lists[path] = d.Listed(path)
				args = append(args, path)
			}
		}
	}
	// The go command lists what it then cannot fetch, too.
	args, more := []string{"list", "-m", "-e", "-json"}, g.Run(args...)
	for _, m := range modules(t, more) {
		for _, version := range m.Versions {
			if !slices.Contains(lists[m.Path], version) {
				args = append(args, m.Path+"@"+version)
			}
		}
		fetchable := slices.DeleteFunc(m.Versions, func(v string) bool { return !slices.Contains(lists[m.Path], v) })
		if !slices.Equal(lists[m.Path], fetchable) {
			t.Errorf("versions of %s: %v, the go command says %v", m.Path, lists[m.Path], fetchable)
		}
	}
	for _, m := range modules(t, g.Run(args...)) {
		// What declares another path is good for a replace directive at most.
		if m.Error == nil && m.Path != "mods.test/other-path" {
			t.Errorf("%s@%s is not listed, and the go command can fetch it", m.Path, m.Version)
		}
	}
}

// build makes a repository of a history.
func build(t *testing.T, dir, path, history string) *gittest.Repo {
	r := gittest.At(t, dir)
	for line := range strings.Lines(history) {
		fields := strings.Fields(line)
		switch fields[0] {
		case "commit":
			head, goMod, _ := strings.Cut(strings.TrimSpace(line), ": ")
			names := strings.Fields(head)[1:]
			r.Add(names[0], names[1:], func(files gittest.Files) {
				files["file"] = gittest.Text(names[0])
				delete(files, "go.mod")
				if goMod != "-" {
					text := "module " + strings.ReplaceAll(goMod, ";", "\n") + "\n"
					files["go.mod"] = gittest.Text(strings.ReplaceAll(text, "PATH", path))
				}
			})
		case "branch":
			r.Branch(fields[1], r.Commits[fields[2]])
		case "tag":
			r.Tag(fields[1], r.Commits[fields[2]])
		case "light":
			r.SetRef("refs/tags/"+fields[1], r.Commits[fields[2]])
		}
	}
	r.Git("symbolic-ref", "HEAD", "refs/heads/master")
	return r
}

// goModule is what go list -m says of a module.
type goModule struct {
	Path, Version, Query string
	Versions             []string
	Error                *struct{ Err string }
}

func modules(t *testing.T, out string) (all []goModule) {
	t.Helper()
	for decoder := json.NewDecoder(strings.NewReader(out)); ; {
		var m goModule
		err := decoder.Decode(&m)
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if m.Query == "" {
			m.Query = m.Version
		}
		all = append(all, m)
	}
}

func TestMirrorIsReadWithItsCommits(t *testing.T) {
	mirrors := t.TempDir()
	r := gittest.At(t, mirror.Path(mirrors, "m"))
	r.History("A: go.mod=x\nB A: a=1\nC A: b=1\nD B C: c=1\nbranch master D\ntag t B\ntag kubernetes-1.0.0 A\n")
	blob := r.Put(3, []byte("no commit"))
	r.SetRef("refs/tags/blob", blob)
	text := "rules:\n- destination: m\n  taken-over: {branches: [{branch: master, commit: " + r.Commits["B"].String() + "}]}\n" +
		"  branches: [{name: master, source: {branch: main, dir: x}}]\n- {destination: none, branches: [{name: master, source: {branch: main, dir: y}}]}\n"
	set, err := rules.Parse("rules.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	c, err := catalog.Read(t.Context(), catalog.Input{Rules: set, Mirrors: mirrors})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if c.Destination("none") != nil || c.Destination("m") == nil {
		t.Fatalf("destinations: %v", c.Destinations)
	}
	d := c.Destination("m")
	foreign := make(map[string]bool)
	for _, commit := range d.Commits {
		foreign[commit.Subject] = commit.Foreign
	}
	if want := map[string]bool{"A": true, "B": true, "C": false, "D": false}; !maps.Equal(foreign, want) {
		t.Errorf("foreign: %v, want %v", foreign, want)
	}
	var tags []string
	for _, tag := range d.Tags {
		tags = append(tags, fmt.Sprint(tag.Name, " ", tag.Commit.Subject, " ", tag.Foreign))
	}
	if want := []string{"kubernetes-1.0.0 A true", "t B true"}; !slices.Equal(tags, want) {
		t.Errorf("tags %q, want %q", tags, want)
	}
	if b := d.Branches[0]; b.Name != "master" || b.SourceBranch != "main" || b.Head.Subject != "D" || len(b.Head.Parents) != 2 {
		t.Errorf("branch %+v", b)
	}
}
