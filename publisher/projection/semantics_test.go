package projection_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"k8s.io/publisher/gittest"
	"k8s.io/publisher/object"
	"k8s.io/publisher/projection"
	"k8s.io/publisher/publication"
)

// render writes a branch of a mirror like a history without edits, commits
// called as those that they stand for; or why there is no branch.
func render(t testing.TB, repo *gittest.Repo, b *publication.Branch) string {
	t.Helper()
	if b.Skipped != "" {
		return "skipped: " + b.Skipped + "\n"
	}
	names := make(map[object.ID]string)
	for name, id := range repo.Commits {
		names[id] = name
	}
	var text strings.Builder
	seen := make(map[int32]bool)
	var write func(i int32) string
	write = func(i int32) string {
		c, err := b.Projection.Commit(i)
		if err != nil {
			t.Fatal(err)
		}
		name := names[c.Source]
		if seen[i] {
			return name
		}
		seen[i] = true
		line := name
		for _, parent := range c.Parents {
			line += " " + write(parent)
		}
		text.WriteString(line + "\n")
		return name
	}
	write(b.Commit)
	if b.Note != "" {
		text.WriteString("note: " + b.Note + "\n")
	}
	return text.String()
}

const oneDirectory = `
rules:
- destination: m
  branches:
  - name: main
    source: {branch: main, dir: d}
`

var semanticsTests = []struct {
	name, history, want string
}{
	{
		"published exactly when it changes the directory",
		`A: d/x=1 top=1
		 B A: top=2
		 C B: d/x=2
		 D C:
		 E D: top=3 d/y=1`,
		`A
		 C A
		 E C`,
	},
	{
		"not published before the directory exists",
		`A: top=1
		 B A: d/x=1
		 C B: d/y=1`,
		`B
		 C B`,
	},
	{
		"revert is published",
		`A: d/x=1
		 B A: d/x=2
		 C B: ^A`,
		`A
		 B A
		 C B`,
	},
	{
		"mode alone is a change",
		`A: d/x=1
		 B A: d/x*=1
		 C B: d/x->1
		 D C: d/x@1`,
		`A
		 B A
		 C B
		 D C`,
	},
	{
		"merge stays on the mainline though it would be a fast-forward",
		`A: d/x=1
		 B A: d/x=2
		 M A B: ^B
		 C M: d/y=1`,
		`A
		 B A
		 M A B
		 C M`,
	},
	{
		"merge of a branch that leaves the directory alone is not published",
		`A: d/x=1 top=1
		 B A: top=2
		 M A B: ^B
		 C M: d/x=2`,
		`A
		 C A`,
	},
	{
		"merge that keeps the first parent's directory is published with what it merged",
		`A: d/x=1
		 B A: d/x=2
		 C A: top=1
		 M C B:
		 D M: d/y=1`,
		`A
		 B A
		 M A B
		 D M`,
	},
	{
		"merge of what is an ancestor already, with the first parent's directory, is not published",
		`A: d/x=1
		 B A: top=1
		 C A: d/x=2
		 M C B: top=2
		 D M: d/y=1`,
		`A
		 C A
		 D C`,
	},
	{
		"merge that is fast-forwarded to follows its other parent",
		`A: d/x=1
		 B A: d/x=2
		 C A: d/x=2
		 D C: d/y=1
		 M D B: top=1
		 E M: d/z=1`,
		`A
		 C A
		 D C
		 B A
		 M D B
		 E M`,
	},
	{
		"merge that takes over the second parent's directory is published",
		`A: d/x=1
		 B A: d/x=2
		 C A: d/x=3
		 M C B: ^B`,
		`A
		 C A
		 B A
		 M C B`,
	},
	{
		"evil merge",
		`A: d/x=1
		 B A: d/y=1
		 C A: top=1
		 M C B: d/y=1 d/z=1`,
		`A
		 B A
		 M A B`,
	},
	{
		"merge that changes the directory, of a branch that does not, has one parent",
		`A: d/x=1
		 B A: top=1
		 M A B: d/x=2`,
		`A
		 M A`,
	},
	{
		"parent that is an ancestor of one before it is dropped",
		`A: d/x=1
		 B A: d/x=2
		 M B A: d/x=3`,
		`A
		 B A
		 M B`,
	},
	{
		"parent that is an ancestor of one after it stays",
		`A: d/x=1
		 B A: d/x=2
		 M A B: d/x=3`,
		`A
		 B A
		 M A B`,
	},
	{
		"octopus drops those behind any parent before them",
		`A: d/x=1
		 B A: d/x=2
		 C A: d/x=3
		 D A: top=1
		 M B C A D: d/x=4`,
		`A
		 B A
		 C A
		 M B C`,
	},
	{
		"criss-cross",
		`A: d/x=1
		 B A: d/x=2
		 C A: d/y=2
		 D B C: d/y=2
		 E C B: d/x=2
		 M D E: d/z=1`,
		`A
		 B A
		 C A
		 D B C
		 E C B
		 M D E`,
	},
	{
		"merges of the same source states come together in one commit",
		`A: d/x=1
		 B A: top=1
		 C A: top=2
		 M B C: d/x=2`,
		`A
		 M A`,
	},
	{
		"parent named twice",
		`A: d/x=1
		 M A A: d/x=2`,
		`A
		 M A`,
	},
	{
		"merge of an unrelated history",
		`A: d/x=1
		 R: d/y=1
		 M A R: d/y=1`,
		`A
		 R
		 M A R`,
	},
	{
		"directory that comes by merging an unrelated history",
		`A: top=1
		 R: d/y=1
		 S R: d/y=2
		 M A S: ^S
		 B M: d/z=1`,
		`R
		 S R
		 M S
		 B M`,
	},
	{
		"directory that goes and returns continues its history",
		`A: d/x=1
		 B A: -d
		 C B: top=1
		 D C: d/x=1`,
		`A
		 D A`,
	},
	{
		"directory that is gone leaves the branch where it was",
		`A: d/x=1
		 B A: d/x=2
		 C B: -d`,
		`A
		 B A
		 note: directory d is gone from main; the branch stays at its last commit`,
	},
	{
		"merge into a line without the directory brings its history back",
		`A: d/x=1
		 B A: -d
		 C A: d/x=2
		 M B C: ^C`,
		`A
		 C A
		 M A C`,
	},
	{
		"merge that removes the directory joins what both had",
		`A: d/x=1
		 B A: d/x=2
		 C A: d/x=3
		 M B C: -d
		 D M: d/x=4`,
		`A
		 B A
		 C A
		 M B C
		 D M`,
	},
	{
		"merge that removes the directory where one parent has all of the other passes that on",
		`A: d/x=1
		 B A: top=1
		 C A: d/x=3
		 M B C: -d
		 D M: d/x=4`,
		`A
		 C A
		 D C`,
	},
	{
		"file, link or submodule of the directory's name is no directory",
		`A: d/x=1
		 B A: d=file
		 C B: d/x=2
		 D C: d->e
		 E D: d/x=3
		 F E: d@module
		 G F: d/x=4`,
		`A
		 C A
		 E C
		 G E`,
	},
	{
		"directory that never existed",
		`A: d=file`,
		`skipped: directory d has never existed on main`,
	},
	{
		"mainline merges into a release branch",
		`A: d/x=1
		 R A: d/version=1
		 B A: d/x=2
		 S R B: d/x=2
		 C B: d/x=3
		 T S C: d/x=3
		 U T B: d/version=2`,
		`A
		 R A
		 B A
		 S R B
		 C B
		 T S C
		 U T`,
	},
}

func lines(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(strings.TrimSpace(line) + "\n")
	}
	return b.String()
}

// TestShapeOfTheMirror pins the semantics down, history by history. The last
// commit is the source branch's head.
func TestShapeOfTheMirror(t *testing.T) {
	t.Parallel()
	for _, test := range semanticsTests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			repo := gittest.New(t)
			repo.History(test.history)
			all := strings.Split(lines(test.history), "\n")
			head := strings.Fields(strings.ReplaceAll(all[len(all)-2], ":", " "))[0]
			repo.Branch("main", repo.Commits[head])
			p := compute(t, repo.Dir, parseRules(t, oneDirectory))
			d := p.Destination("m")
			if d.Err != nil {
				t.Fatal(d.Err)
			}
			if got, want := render(t, repo, d.Branches[0]), lines(test.want); got != want {
				t.Errorf("got:\n%swant:\n%s", got, want)
			}
		})
	}
}

const unionRules = `
recursive-delete-patterns: [BUILD, "*/BUILD"]
rules:
- destination: m
  branches:
  - name: main
    source: {branch: main, dirs: [x, y/z]}
`

// TestUnionOfDirectories looks at the tree that directories published together
// make, and at what stops them.
func TestUnionOfDirectories(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, history, want, conflict string
	}{
		{"one of two", "A: x/f=1", "f=1", ""},
		{"side by side", "A: x/f=1 y/z/g*=2 y/other=3", "f=1 g*=2", ""},
		{"in a common directory", "A: x/s/f=1 y/z/s/g=2 y/z/s/t/h=3 x/s/t/i=4", "s/f=1 s/g=2 s/t/h=3 s/t/i=4", ""},
		{"cleaned", "A: x/BUILD=1 x/s/BUILD=2 y/z/s/BUILD=3 y/z/t/BUILD=4 y/z/s/f=5", "s/f=5", ""},
		{"both have a file", "A: x/s/f=1 y/z/s/f=1", "", "s/f"},
		{"both have a file that is removed", "A: x/BUILD=1 y/z/BUILD=2", "", ""},
		{"file and directory", "A: x/s=1 y/z/s/f=1", "", "s"},
		{"link and directory", "A: x/s->1 y/z/s/f=1", "", "s"},
		{"several", "A: x/c=1 x/a/s=1 x/b=1 y/z/c=1 y/z/b=1 y/z/a/s=1", "", "b"},
		{"long ago", "A: x/f=1\nB A: y/z/f=2\nC B: -y/z/f y/z/g=1", "", "f"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			repo := gittest.New(t)
			repo.History(test.history)
			names := repo.Names()
			repo.Branch("main", repo.Commits[names[len(names)-1]])
			r := parseRules(t, unionRules)
			p := compute(t, repo.Dir, r)
			d := p.Destination("m")
			if test.conflict != "" {
				conflict, ok := errors.AsType[*projection.ConflictError](d.Err)
				if !ok || conflict.Path != test.conflict || !slices.Equal(conflict.Dirs, []string{"x", "y/z"}) {
					t.Errorf("got error %v, want a conflict at %s", d.Err, test.conflict)
				}
				return
			}
			if d.Err != nil {
				t.Fatal(d.Err)
			}
			c, err := d.Branches[0].Projection.Commit(d.Branches[0].Commit)
			if err != nil {
				t.Fatal(err)
			}
			repo.History("Want: " + test.want)
			want, err := object.ParseCommit(repo.Objects[repo.Commits["Want"]].Data)
			if err != nil {
				t.Fatal(err)
			}
			if c.Tree != want.Tree {
				t.Errorf("the tree is %s, want %s", c.Tree, want.Tree)
			}
		})
	}
}

var commitTests = []struct {
	name           string
	header, wanted string // after the tree
	message, want  string
}{
	{
		name:    "people and dates are kept",
		header:  "author A \xfc <a@b> 12 -0730\ncommitter C <c@d> 99999999999 +1345\n",
		wanted:  "author A \xfc <a@b> 12 -0730\ncommitter C <c@d> 99999999999 +1345\n",
		message: "Title\n", want: "Title\n\nKubernetes-commit: SOURCE\n",
	},
	{
		name:    "signature and other headers are dropped, encoding is kept",
		header:  "author A <a> 1 +0000\ncommitter C <c> 2 +0000\nmergetag object x\n type commit\nencoding ISO-8859-1\ngpgsig -----BEGIN\n encoding x\n -----END\nHG:extra x\n",
		wanted:  "author A <a> 1 +0000\ncommitter C <c> 2 +0000\nencoding ISO-8859-1\n",
		message: "Gr\xfc\xdfe\n", want: "Gr\xfc\xdfe\n\nKubernetes-commit: SOURCE\n",
	},
	{
		name:    "trailer joins the trailers",
		header:  "author A <a> 1 +0000\ncommitter C <c> 2 +0000\n",
		wanted:  "author A <a> 1 +0000\ncommitter C <c> 2 +0000\n",
		message: "Title\n\nBody.\n\nSigned-off-by: A <a>\nReviewed-by: B <b>",
		want:    "Title\n\nBody.\n\nSigned-off-by: A <a>\nReviewed-by: B <b>\nKubernetes-commit: SOURCE\n",
	},
	{
		name:    "trailer of another mirror stays",
		header:  "author A <a> 1 +0000\ncommitter C <c> 2 +0000\n",
		wanted:  "author A <a> 1 +0000\ncommitter C <c> 2 +0000\n",
		message: "Title\n\nKubernetes-commit: 0123456789012345678901234567890123456789\n",
		want:    "Title\n\nKubernetes-commit: 0123456789012345678901234567890123456789\nKubernetes-commit: SOURCE\n",
	},
	{
		name:    "empty message",
		header:  "author A <a> 1 +0000\ncommitter C <c> 2 +0000\n",
		wanted:  "author A <a> 1 +0000\ncommitter C <c> 2 +0000\n",
		message: "", want: "(no message)\n\nKubernetes-commit: SOURCE\n",
	},
	{
		name:    "dates that git cannot read",
		header:  "author A <a>\ncommitter C <c> 99999999999999999999 +0000\n",
		wanted:  "author A <a>\ncommitter C <c> 99999999999999999999 +0000\n",
		message: "Title\n", want: "Title\n\nKubernetes-commit: SOURCE\n",
	},
	{
		name:    "no dates",
		header:  "author A\ncommitter C <c>\n",
		wanted:  "author A\ncommitter C <c>\n",
		message: "Title\n", want: "Title\n\nKubernetes-commit: SOURCE\n",
	},
}

// TestCommitKeepsWhatHolds compares whole mirror commits.
func TestCommitKeepsWhatHolds(t *testing.T) {
	t.Parallel()
	for _, test := range commitTests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			repo := gittest.New(t)
			tree := repo.Tree(gittest.Files{"d/x": gittest.Text("1")})
			id := repo.Put(object.CommitType, fmt.Appendf(nil, "tree %s\n%s\n%s", tree, test.header, test.message))
			repo.Branch("main", id)
			p := compute(t, repo.Dir, parseRules(t, oneDirectory))
			d := p.Destination("m")
			if d.Err != nil {
				t.Fatal(d.Err)
			}
			_, data, ok, err := p.scratch.Reader().Read(d.Branches[0].Tip)
			if !ok || err != nil {
				t.Fatal(ok, err)
			}
			want := fmt.Sprintf("tree %s\n%s\n%s", repo.Tree(gittest.Files{"x": gittest.Text("1")}), test.wanted, test.want)
			want = strings.ReplaceAll(want, "SOURCE", id.String())
			if string(data) != want {
				t.Errorf("got  %q\nwant %q", data, want)
			}
		})
	}
}

// TestTrailerKeyIsTheRules publishes under another key.
func TestTrailerKeyIsTheRules(t *testing.T) {
	t.Parallel()
	repo := gittest.New(t)
	repo.History("A: d/x=1\nbranch main A")
	p := compute(t, repo.Dir, parseRules(t, "trailer: Garden-commit\n"+oneDirectory))
	_, data, _, err := p.scratch.Reader().Read(p.Destination("m").Branches[0].Tip)
	if err != nil {
		t.Fatal(err)
	}
	if want := "\n\nA\n\nGarden-commit: " + repo.Commits["A"].String() + "\n"; !strings.HasSuffix(string(data), want) {
		t.Errorf("got %q, which does not end in %q", data, want)
	}
}
