package publication_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"k8s.io/publisher/gittest"
	"k8s.io/publisher/object"
	"k8s.io/publisher/plan"
)

const oneMirror = `
committer: {name: Robot, email: robot@example.com}
rules:
- destination: alpha
  branches:
  - name: main
    source: {branch: main, dir: d}
`

// tagText makes a tag of any content.
func tagText(repo *gittest.Repo, name, target, kind, rest string) object.ID {
	id := repo.Put(object.TagType, fmt.Appendf(nil, "object %s\ntype %s\ntag %s\n%s", target, kind, name, rest))
	repo.SetRef("refs/tags/"+name, id)
	return id
}

// TestSourceTagsYield looks at each kind of source tag.
func TestSourceTagsYield(t *testing.T) {
	t.Parallel()
	w := newWorld(t, oneMirror)
	w.Source.History(`
		A: top=1
		B A: d/x=1
		S B: d/x=2
		M B S: d/x=2
		N M: top=2
		G N: -d
		R G: d/x=3
		O: d/x=4
		branch main R`)
	commit := func(name string) string { return w.source(name) }
	const tagger = "tagger T <t@example.com> 1600000000 -0330\n"
	tag := func(name, at, rest string) object.ID { return tagText(w.Source, name, commit(at), "commit", rest) }
	signature := func(kind string) string { return "-----BEGIN " + kind + "-----\n\nabc\n-----END " + kind + "-----\n" }

	tag("v1.7.0", "M", tagger+"\nold\n")
	tag("v1.8.0-alpha.0", "M", tagger+"\nfirst that counts\n")
	tag("v1.16.15", "M", tagger+"\nold\n")
	tag("v1.17.0-alpha.1", "M", tagger+"\npre-release\n")
	tag("v1.17.0", "M", tagger+"\nRelease.\n\nWith a body.\n")
	tag("v1.18.0+build.7", "M", tagger+"\nmetadata\n")
	tag("v1.19.0", "N", tagger+"\nof a commit that does not change the directory\n")
	tag("v1.20.0", "M", tagger+"\nsigned\n"+signature("PGP SIGNATURE"))
	tag("v1.20.1", "M", tagger+"\nsigned\n"+signature("SSH SIGNATURE"))
	tag("v1.20.2", "M", tagger+"\n"+signature("PGP MESSAGE"))
	tag("v1.20.3", "M", tagger+"\nsigned\n"+signature("SIGNED MESSAGE"))
	tag("v1.20.4", "M", tagger+"gpgsig x\n y\n\nsigned in the header\n")
	tag("v1.21.0", "M", "\nwithout a tagger\n")
	tag("v1.21.1", "M", "tagger T <t@example.com>\n\nwithout a date\n")
	tag("v1.21.2", "M", tagger)
	tag("v1.21.3", "M", "tagger \xff <> 0 +0000\n\nnot \xff UTF-8\n")
	inner := tag("v1.22.0-inner", "M", "tagger I <i@example.com> 1500000000 +0000\n\ninner\n")
	tagText(w.Source, "v1.22.0", inner.String(), "tag", tagger+"\nouter\n")
	w.Source.SetRef("refs/tags/v1.23.0", w.Source.Commits["M"])
	tag("v1.24.0", "S", tagger+"\nmerged, but not on the mainline\n")
	tag("v1.24.1", "O", tagger+"\nunrelated\n")
	tag("v1.25.0", "A", tagger+"\nbefore the directory\n")
	tag("v1.25.1", "G", tagger+"\nwithout the directory\n")
	tree := w.Source.Tree(gittest.Files{"d/x": gittest.Text("1")})
	tagText(w.Source, "v1.26.0", tree.String(), "tree", tagger+"\na tree\n")
	blob := w.Source.Put(object.BlobType, []byte("blob"))
	w.Source.SetRef("refs/tags/v1.26.1", blob)
	for _, name := range []string{"1.27.0", "v1.27", "v1.27.0.1", "release-1.27.0", "v01.27.0", "x/v1.27.0", "vv1.27.0"} {
		tag(name, "M", tagger+"\nno version\n")
	}

	const nobody = "tagger Robot <robot@example.com> "
	date := nobody + "1600000000 -0330\n"
	ofM := nobody + strings.TrimSpace(w.Source.Git("show", "--no-patch", "--date=raw", "--format=%cd", commit("M"))) + "\n"
	type made struct{ at, rest string }
	want := map[string]made{
		"kubernetes-1.8.0-alpha.0": {"M", date + "\nfirst that counts\n"},
		"kubernetes-1.16.15":       {"M", date + "\nold\n"},
	}
	for version, m := range map[string]made{
		"17.0-alpha.1": {"M", date + "\npre-release\n"},
		"17.0":         {"M", date + "\nRelease.\n\nWith a body.\n"},
		"18.0+build.7": {"M", date + "\nmetadata\n"},
		"19.0":         {"M", date + "\nof a commit that does not change the directory\n"},
		"20.0":         {"M", date + "\nsigned\n"},
		"20.1":         {"M", date + "\nsigned\n"},
		"20.2":         {"M", date + "\n"},
		"20.3":         {"M", date + "\nsigned\n"},
		"20.4":         {"M", date + "\nsigned in the header\n"},
		"21.0":         {"M", ofM + "\nwithout a tagger\n"},
		"21.1":         {"M", ofM + "\nwithout a date\n"},
		"21.2":         {"M", date},
		"21.3":         {"M", nobody + "0 +0000\n\nnot \xff UTF-8\n"},
		"22.0-inner":   {"M", nobody + "1500000000 +0000\n\ninner\n"},
		"22.0":         {"M", date + "\nouter\n"},
	} {
		want["kubernetes-1."+version] = m
		want["v0."+version] = m
	}
	const offMainline, lightweight, absent = "its commit is on no published branch's mainline",
		"it is a lightweight tag; only annotated tags are published", "the directory is absent in its commit"
	skipped := map[string]string{
		"v1.23.0": lightweight, "v1.24.0": offMainline, "v1.24.1": offMainline, "v1.25.0": absent, "v1.25.1": absent,
		"v1.26.0": "it names a tree, not a commit", "v1.26.1": "it names a blob, not a commit",
	}

	p := w.Publish()
	for name, m := range want {
		text := fmt.Sprintf("object %s\ntype commit\ntag %s\n%s", w.of("alpha", m.at), name, m.rest)
		if got := w.Git("alpha", "cat-file", "tag", "refs/tags/"+name); got != text {
			t.Errorf("tag %s\ngot:\n%swant:\n%s", name, got, text)
		}
	}
	if got, want := strings.Fields(w.Git("alpha", "tag")), slices.Sorted(maps.Keys(want)); !slices.Equal(slices.Sorted(slices.Values(got)), want) {
		t.Errorf("tags are %q, want %q", got, want)
	}
	got := make(map[string]string)
	for _, tag := range p.Plan.Destination("alpha").Tags {
		if tag.Action == plan.Skip {
			got[tag.Source] = tag.Note
		}
	}
	if !maps.Equal(got, skipped) {
		t.Errorf("skipped are %q, want %q", got, skipped)
	}
	if again := w.Publish(); again.Plan.Changes() {
		t.Error("the second run has something to do")
	}
}

// TestCollidingTagsStopTheDestination has two source tags that yield one name.
func TestCollidingTagsStopTheDestination(t *testing.T) {
	t.Parallel()
	w := newWorld(t, oneMirror)
	w.Source.History("A: d/x=1\nB A: top=1\nO B: d/x=2\nbranch main B\ntag v1.20.0 A\ntag v2.20.0 B\ntag v3.20.0 O")
	p := w.Sync()
	if p.Err == nil || !strings.Contains(p.Err.Error(), "source tags v1.20.0 and v2.20.0 both yield the tag v0.20.0") {
		t.Errorf("got error %v", p.Err)
	}
}

// TestTagOfTwoBranches has tags where two branches part: either would do.
func TestTagOfTwoBranches(t *testing.T) {
	t.Parallel()
	w := newWorld(t, oneMirror+`
  - name: release
    source: {branch: release, dir: d}
`)
	w.Source.History(`
		A: d/x=1
		B A: d/x=2
		R A: d/x=3
		branch main B
		branch release R
		tag v1.20.0-rc.0 A
		tag v1.20.0 R`)
	w.Publish()
	for tag, at := range map[string]string{"v0.20.0-rc.0": "A", "v0.20.0": "R"} {
		if got := strings.TrimSpace(w.Git("alpha", "rev-parse", tag+"^{commit}")); got != w.of("alpha", at) {
			t.Errorf("%s is at %s, want %s", tag, got, w.of("alpha", at))
		}
	}
}

// TestTagStandsOnACommitOfItsOwnExactlyWhereItChangesPins compares the commits
// of tags with those of branches.
func TestTagStandsOnACommitOfItsOwnExactlyWhereItChangesPins(t *testing.T) {
	t.Parallel()
	w := newWorld(t, strings.ReplaceAll(chain, "rules:\n", "committer: {name: Robot, email: robot@example.com}\nrules:\n"))
	w.add("A", "", "-- src/alpha/go.mod --\nmodule mirrors.test/alpha.git\n\ngo 1.21\n-- src/alpha/a.go --\npackage alpha\n"+
		"-- src/beta/go.mod --\nmodule mirrors.test/beta.git/v2\n\ngo 1.21\n-- src/beta/b.go --\npackage beta\n"+
		"-- src/gamma/c.go --\npackage gamma\n")
	// Beta requires alpha from here on.
	w.add("B", "A", "-- src/beta/go.mod --\nmodule mirrors.test/beta.git/v2\n\ngo 1.21\n\nrequire mirrors.test/alpha.git v0.0.0\n\nreplace mirrors.test/alpha.git => ../alpha\n"+
		"-- src/beta/b.go --\npackage beta\n\nimport _ \"mirrors.test/alpha.git\"\n")
	w.add("C", "B", "-- README --\nunrelated\n")
	w.add("D", "C", "-- src/alpha/a.go --\npackage alpha\n\nconst A = 1\n")
	w.Source.Branch("main", w.Source.Commits["D"])
	w.Source.Tag("v1.10.0", w.Source.Commits["B"]) // of old yields no name that is a version
	for i, at := range []string{"A", "B", "C", "D"} {
		w.Source.Tag(fmt.Sprintf("v1.20.%d", i), w.Source.Commits[at])
	}
	w.Source.Tag("v1.21.0", w.Source.Commits["D"])
	w.Publish()
	cache := t.TempDir()
	w.checkPins(cache)
	for _, test := range []struct {
		destination, tag, on string
		own                  bool
	}{
		{"alpha", "v0.20.0", "A", false},
		{"alpha", "v0.20.2", "A", false},
		{"alpha", "v0.20.3", "D", false},
		{"beta", "v2.20.0", "A", false},
		{"beta", "monorepo-1.10.0", "B", false},
		{"beta", "v2.20.1", "B", true},
		{"beta", "v2.20.2", "B", true},
		{"beta", "v2.20.3", "B", true},
		{"beta", "v2.21.0", "B", true},
		{"gamma", "v0.20.1", "A", false},
	} {
		id := strings.TrimSpace(w.Git(test.destination, "rev-parse", test.tag+"^{commit}"))
		base := w.Git(test.destination, "log", "--format=%H", "--grep=Kubernetes-commit: "+w.source(test.on), "main")
		base = strings.TrimSpace(base)
		if !test.own {
			if id != base {
				t.Errorf("%s %s is at %s, want %s", test.destination, test.tag, id, base)
			}
			continue
		}
		if parent := strings.TrimSpace(w.Git(test.destination, "rev-parse", id+"^@")); parent != base {
			t.Errorf("%s %s: its commit is on top of %q, want %s", test.destination, test.tag, parent, base)
		}
		if files := w.Git(test.destination, "diff", "--name-only", base, id); files != "go.mod\ngo.sum\n" {
			t.Errorf("%s %s changes %q", test.destination, test.tag, files)
		}
		commit := w.Git(test.destination, "cat-file", "commit", id)
		// The date is the tag's.
		stamp := strings.TrimSpace(w.Git(test.destination, "for-each-ref", "--format=%(taggerdate:raw)", "refs/tags/"+test.tag))
		name := strings.Replace(test.tag, "v2.", "v1.", 1)
		at := map[string]string{"v1.20.1": "B", "v1.20.2": "C", "v1.20.3": "D", "v1.21.0": "D"}[name]
		want := fmt.Sprintf("author Robot <robot@example.com> %s\ncommitter Robot <robot@example.com> %s\n\n"+
			"Require the versions published with %s\n\nKubernetes-commit: %s\n", stamp, stamp, name, w.source(at))
		if !strings.HasSuffix(commit, want) {
			t.Errorf("%s %s:\n%s\ndoes not end in\n%s", test.destination, test.tag, commit, want)
		}
		if got := w.file(test.destination, id, "go.mod"); !strings.Contains(got, "mirrors.test/alpha.git "+strings.Replace(test.tag, "v2.", "v0.", 1)+"\n") {
			t.Errorf("%s %s has\n%s", test.destination, test.tag, got)
		}
		w.builds(cache, test.destination, test.tag)
	}
	if got := w.file("beta", "main", "go.mod"); !strings.Contains(got, w.pinnedTo(host+"alpha.git", "alpha", w.of("alpha", "A"))) {
		t.Errorf("the branch has\n%s", got)
	}
}

// TestTagsOneByOneAreThoseAtOnce makes tags in several runs: what is there
// stays as it is, what comes is as if it had been there.
func TestTagsOneByOneAreThoseAtOnce(t *testing.T) {
	t.Parallel()
	oneByOne, atOnce := newWorld(t, chain), newWorld(t, chain)
	refs := func(w *world) string {
		var all string
		for _, d := range w.Destinations() {
			all += d + "\n" + w.Git(d, "for-each-ref")
		}
		return all
	}
	for _, w := range []*world{oneByOne, atOnce} {
		modules := staged("alpha", "go 1.21", nil, nil) + staged("beta", "go 1.21", []string{"alpha"}, nil) + staged("gamma", "go 1.21", []string{"beta"}, []string{"alpha"})
		w.add("A", "", strings.ReplaceAll(modules, "-- ", "-- src/"))
		w.Source.History("B A: src/alpha/x=1\nC B: src/beta/x=1\nD C: src/gamma/x=1")
	}
	for i, at := range []string{"A", "B", "C", "D"} {
		before := ""
		for _, w := range []*world{oneByOne, atOnce} {
			w.Source.Tag(fmt.Sprintf("v1.20.%d", i), w.Source.Commits[at])
			w.Source.Branch("main", w.Source.Commits[at])
		}
		if i > 0 {
			before = refs(oneByOne)
		}
		oneByOne.Publish()
		for line := range strings.Lines(before) {
			if strings.Contains(line, "refs/tags/") && !strings.Contains(refs(oneByOne), line) {
				t.Errorf("the tag %s moved or went", line)
			}
		}
		if again := oneByOne.Publish(); again.Plan.Changes() {
			t.Errorf("a second run after v1.20.%d has something to do", i)
		}
	}
	// The older ones stand on commits that the last run did not have to read.
	for i, at := range []string{"A", "B", "C", "D"} {
		for _, w := range []*world{oneByOne, atOnce} {
			w.Source.Tag(fmt.Sprintf("v1.19.%d", i), w.Source.Commits[at])
		}
	}
	oneByOne.Publish()
	atOnce.Publish()
	if got, want := refs(oneByOne), refs(atOnce); got != want {
		t.Errorf("one by one:\n%s\nat once:\n%s", got, want)
	}
}
