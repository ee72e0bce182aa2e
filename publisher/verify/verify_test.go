package verify_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"k8s.io/publisher/gittest"
	"k8s.io/publisher/object"
	"k8s.io/publisher/session"
	"k8s.io/publisher/verify"
)

func TestWhatASyncPublishedIsProven(t *testing.T) {
	w := publish(t)
	w.clean(
		verify.Destination{Name: lib, Branches: 2, Tags: 6, Commits: 6},
		verify.Destination{Name: app, Branches: 2, Tags: 6, Commits: 7, Versions: 10},
		verify.Destination{Name: tool, Branches: 1, Tags: 4, Commits: 4, Versions: 12},
	)
	// What a cache says must not matter.
	w.Must(os.WriteFile(filepath.Join(w.Mirrors, ".publisher", "cache.db"), []byte("nonsense"), 0o666))
	w.clean()
	w.Must(os.RemoveAll(filepath.Join(w.Mirrors, ".publisher")))
	w.clean()
}

// Patterns are for what the source has; pins write a go.sum all the same.
func TestGoSumThatIsRemovedMayBeMadeAgain(t *testing.T) {
	w := publish(t)
	w.Must(os.RemoveAll(w.Mirrors))
	w.Rules = strings.Replace(rulesText, "- BUILD\n", "- BUILD\n- go.sum\n", 1)
	w.Publish()
	if sum := w.mirror(app).Git("cat-file", "blob", "master:go.sum"); !strings.Contains(sum, "example.com/lib") || strings.Contains(sum, "golang.org/x/mod") {
		t.Errorf("go.sum is\n%s", sum)
	}
	w.clean()
}

func TestMirrorMayBeBehindItsSource(t *testing.T) {
	w := publish(t)
	w.Source.History(`
G F: staging/lib/lib.go=package/lib//3
H G: staging/app/h.go=package/app
I H: other=1
tag v1.21.0 H
branch master I
`)
	w.clean(
		verify.Destination{Name: lib, Branches: 2, Tags: 6, Commits: 6, Notes: []string{
			"2 tags not published yet, such as kubernetes-1.21.0", "branch master is behind source branch master by 1 commit"}},
		verify.Destination{Name: app, Branches: 2, Tags: 6, Commits: 7, Versions: 10, Notes: []string{
			"2 tags not published yet, such as kubernetes-1.21.0", "branch master is behind source branch master by 1 commit"}},
		verify.Destination{Name: tool, Branches: 1, Tags: 4, Commits: 4, Versions: 12, Notes: []string{
			"2 tags not published yet, such as kubernetes-1.21.0"}},
	)
	w.Publish()
	w.clean(
		verify.Destination{Name: lib, Branches: 2, Tags: 8, Commits: 7},
		verify.Destination{Name: app, Branches: 2, Tags: 8, Commits: 9, Versions: 12},
		verify.Destination{Name: tool, Branches: 1, Tags: 6, Commits: 5, Versions: 16},
	)
}

func TestSourceMayBorrowObjects(t *testing.T) {
	w := publish(t)
	clone := filepath.Join(t.TempDir(), "clone.git")
	gittest.Git(t, t.TempDir(), "", "clone", "--quiet", "--mirror", "--shared", w.Source.Dir, clone)
	w.Source.Dir = clone
	w.clean(verify.Destination{Name: lib, Branches: 2, Tags: 6, Commits: 6})
}

func TestEndedBranchIsProven(t *testing.T) {
	w := publish(t)
	w.Rules = endedRules
	// Its tags stay, as long as the source tags are there, and whether the
	// source branch still is or not.
	want := []verify.Destination{
		{Name: lib, Branches: 2, Tags: 6, Commits: 6},
		{Name: app, Branches: 2, Tags: 6, Commits: 7, Versions: 10},
		{Name: tool, Branches: 1, Tags: 4, Commits: 4, Versions: 12},
	}
	w.clean(want...)
	w.Source.Git("update-ref", "-d", "refs/heads/release-1.20")
	w.clean(want...)
	w.Publish()
	w.clean(want...)
	// A tag that comes after the end is not waited for.
	w.Source.History("T Q: other=3\ntag v1.20.2 T")
	w.clean(want...)

	m := w.mirror(lib)
	m.rewrite(release, m.of(release, w.Source.Commits["R"]), func(c *object.Commit) bool {
		c.Message = append([]byte("Other "), c.Message...)
		return true
	})
	w.finds(
		finding{lib, verify.RewrittenBranch, []string{release, m.id(release).String()}},
		finding{lib, verify.ChangedCommit, []string{m.id(release).String(), "message", w.Source.Commits["R"].String()}},
	)
}

var endedRules = strings.NewReplacer(`
  - name: release-1.20
    source: {branch: release-1.20, dir: staging/lib}
`, `
  ended-branches: [release-1.20]
`, `
  - name: release-1.20
    dependencies: [{repository: lib, branch: release-1.20}]
    source: {branch: release-1.20, dir: staging/app}
`, `
  ended-branches: [release-1.20]
`).Replace(rulesText)

func TestBranchOfASkippedSourceBranchIsProven(t *testing.T) {
	w := publish(t)
	w.Rules = "skip-source-branches: [release-1.20]\n" + rulesText
	w.clean(
		verify.Destination{Name: lib, Branches: 2, Tags: 6, Commits: 6},
		verify.Destination{Name: app, Branches: 2, Tags: 6, Commits: 7, Versions: 10},
	)
}

// A byte is flipped at many places of a pack, where it hits commits, trees,
// blobs, tags and what holds them together.
func TestDamagedPackIsFound(t *testing.T) {
	w := publish(t)
	m := w.mirror(lib)
	m.Git("repack", "-a", "-d", "-q")
	packs, err := filepath.Glob(filepath.Join(m.Dir, "objects", "pack", "*.pack"))
	w.Must(err)
	if len(packs) != 1 {
		t.Fatalf("there are %d packs", len(packs))
	}
	w.Must(os.Chmod(packs[0], 0o666))
	whole, err := os.ReadFile(packs[0])
	w.Must(err)
	const places = 12
	for i := range places {
		at := len(whole) * (2*i + 1) / (2 * places)
		damaged := append([]byte(nil), whole...)
		damaged[at] ^= 0x10
		w.Must(os.WriteFile(packs[0], damaged, 0o666))
		r := w.Verify()
		kinds := make(map[verify.Kind]bool)
		for _, mismatch := range of(r, lib).Mismatches {
			kinds[mismatch.Kind] = true
		}
		if r.OK || !kinds[verify.Unsound] {
			t.Errorf("byte %d of %d is changed, and found is only\n%s", at, len(whole), text(r))
		}
	}
	w.Must(os.WriteFile(packs[0], whole, 0o666))
	w.clean()
}

// git fsck names the object.
func TestDamagedObjectIsNamed(t *testing.T) {
	w := publish(t)
	m := w.mirror(lib)
	m.Git("repack", "-a", "-d", "-q")
	id := m.id(master + ":lib.go").String()
	gittest.Unpack(m.TB, m.Dir)
	file := filepath.Join(m.Dir, "objects", id[:2], id[2:])
	w.Must(os.Chmod(file, 0o666))
	data, err := os.ReadFile(file)
	w.Must(err)
	data[len(data)-1] ^= 1
	w.Must(os.WriteFile(file, data, 0o666))
	r := w.Verify()
	found := false
	for _, mismatch := range of(r, lib).Mismatches {
		found = found || mismatch.Kind == verify.Unsound && strings.Contains(mismatch.Detail, id)
	}
	if !found {
		t.Errorf("object %s is damaged, and found is only\n%s", id, text(r))
	}
}

func TestSourceThatWasRewrittenIsFound(t *testing.T) {
	w := publish(t)
	w.Source.History(`
X D: staging/lib/lib.go=package/lib//4
branch master X
`)
	m := w.mirror(lib)
	w.finds(
		finding{lib, verify.RewrittenBranch, []string{master, m.id(master).String()}},
		finding{lib, verify.UnexpectedCommit, []string{m.id(master).String(), w.Source.Commits["E"].String(), "in the history of no published branch"}},
		finding{lib, verify.StrayRef, []string{"refs/tags/v0.21.0-alpha.1"}},
		finding{app, verify.RewrittenBranch, []string{master}},
		finding{app, verify.UnexpectedCommit, nil},
		finding{app, verify.StrayRef, nil},
		finding{tool, verify.RewrittenBranch, []string{master}},
		finding{tool, verify.UnexpectedCommit, nil},
		finding{tool, verify.StrayRef, nil},
	)
}

func TestTakenOverMirrorIsProvenFromThereOn(t *testing.T) {
	w := takenOver(t)
	m := w.mirror(lib)
	w.clean(verify.Destination{Name: lib, Branches: 1, Tags: 2, Commits: 2, ForeignCommits: 5, ForeignTags: 1, Notes: []string{
		"branch legacy was taken over at " + m.id("legacy").String() + "; what was there before is not proven",
		"branch master was taken over at " + m.id("master~2").String() + "; what was there before is not proven"}})
	bad := m.rewrite(master, m.of(master, w.Source.Commits["D"]), func(c *object.Commit) bool {
		c.Tree = m.replaceFile(c.Tree, "lib.go", func(string) string { return "package evil\n" })
		return true
	})
	w.finds(
		finding{lib, verify.ChangedCommit, []string{bad.String(), "lib.go is "}},
		finding{lib, verify.RewrittenBranch, []string{master}},
	)
}

// Whoever reads the report must not take silence for a proof.
func TestWhatIsForeignIsNotCountedAsProven(t *testing.T) {
	w := takenOver(t)
	m := w.mirror(lib)
	for _, name := range []string{"kubernetes-1.20.0", "v0.20.0"} {
		m.Git("update-ref", "-d", "refs/tags/"+name)
	}
	m.Git("update-ref", master, "master~2")
	r := w.clean()
	if got := *of(r, lib); got.Branches+got.Tags+got.Commits != 0 || got.ForeignCommits != 5 || got.ForeignTags != 1 {
		t.Errorf("got %+v", got)
	}
}

// What the rules say of a mirror that was taken over is all that excuses what
// the source does not make.
func TestOnlyWhatTheRulesStateIsForeign(t *testing.T) {
	for _, test := range []struct {
		name   string
		tamper func(w *world, m mirrorRepo) []finding
	}{
		{"foreign history that was rewritten", func(w *world, m mirrorRepo) []finding {
			bad := m.rewrite(master, m.id("master~3"), func(c *object.Commit) bool {
				c.Message = append([]byte("Other "), c.Message...)
				return true
			})
			m.Git("update-ref", "-d", "refs/heads/legacy")
			m.Git("update-ref", "-d", "refs/tags/kubernetes-1.0.0")
			return []finding{
				{lib, verify.UnexpectedCommit, []string{bad.String()}},
				{lib, verify.RewrittenBranch, []string{master}},
				{lib, verify.DroppedCommit, []string{"refs/heads/legacy"}},
				{lib, verify.StrayRef, []string{"refs/tags/", "digest"}},
			}
		}},
		{"foreign tag that was moved", func(w *world, m mirrorRepo) []finding {
			m.SetRef("refs/tags/kubernetes-1.0.0", m.id("master~3"))
			return []finding{{lib, verify.StrayRef, []string{"refs/tags/", "digest"}}, {lib, verify.StrayRef, []string{"refs/tags/kubernetes-1.0.0"}}}
		}},
		{"foreign tag that was added", func(w *world, m mirrorRepo) []finding {
			m.SetRef("refs/tags/mine", m.id("master~3"))
			return []finding{{lib, verify.StrayRef, []string{"refs/tags/", "digest"}}, {lib, verify.StrayRef, []string{"refs/tags/mine"}}}
		}},
		{"tag of ours that was moved", func(w *world, m mirrorRepo) []finding {
			m.retag("v0.20.0", m.id("master~1"))
			return []finding{
				{lib, verify.MovedTag, []string{"refs/tags/v0.20.0", "source tag v1.20.0"}},
				{lib, verify.WrongContent, []string{"refs/tags/v0.20.0"}},
			}
		}},
		{"tag that was added to a commit of ours", func(w *world, m mirrorRepo) []finding {
			m.SetRef("refs/tags/mine", m.id(master))
			return []finding{{lib, verify.StrayRef, []string{"refs/tags/mine", m.id(master).String()}}}
		}},
		{"ended branch that went on", func(w *world, m mirrorRepo) []finding {
			c := m.read(m.id("legacy"))
			c.Parents = []object.ID{m.id("legacy")}
			m.SetRef("refs/heads/legacy", m.Commit(c))
			return []finding{
				{lib, verify.RewrittenBranch, []string{"refs/heads/legacy", "names no source commit"}},
				{lib, verify.UnexpectedCommit, nil},
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := takenOver(t)
			w.finds(test.tamper(w, w.mirror(lib))...)
		})
	}
}

// takenOver makes a mirror that another bot filled and that a sync continued.
// Two of its commits have no trailer, among them an old branch's; one names a
// commit of no published branch.
func takenOver(t *testing.T) *world {
	t.Helper()
	w := empty(t, "rules: []")
	w.Source.History(`
A: lib/lib.go=1
B A: lib/lib.go=2
C B: other=1
Z A: other=2
branch master C
branch other Z
`)
	m := gittest.At(t, w.mirror(lib).Dir)
	m.History(`
A: lib.go=1
B A: lib.go=2
C B: bot=1
L A: old=1
M L: old=2
`)
	became := make(map[string]object.ID)
	for _, name := range []string{"A", "B", "C", "L", "M"} {
		c, err := object.ParseCommit(m.Objects[m.Commits[name]].Data)
		w.Must(err)
		if parent := map[string]string{"B": "A", "C": "B", "L": "A", "M": "L"}[name]; parent != "" {
			c.Parents = []object.ID{became[parent]}
		}
		c.Committer = []byte("Bot <bot@example.com> 1500000500 +0000")
		if from := map[string]string{"A": "Z", "B": "B"}[name]; from != "" {
			c.Message = []byte(name + "\n\nKubernetes-commit: " + w.Source.Commits[from].String() + "\n")
		}
		became[name] = m.Commit(c)
	}
	m.Branch("master", became["C"])
	m.Branch("legacy", became["M"])
	m.Git("symbolic-ref", "HEAD", master)
	m.Tag("kubernetes-1.0.0", became["C"])
	w.Rules = fmt.Sprintf(`
rules:
- destination: lib
  branches:
  - name: master
    source: {branch: master, dir: lib}
  ended-branches: [legacy]
  taken-over:
    branches:
    - {branch: master, commit: %s}
    - {branch: legacy, commit: %s}
    tags: %x
`, became["C"], became["M"], sha256.Sum256([]byte(m.Git("for-each-ref", "--format=%(objectname) %(refname)", "refs/tags/"))))
	w.Source.History(`
D C: lib/lib.go=3
E D: lib/lib.go=4
tag v1.20.0 E
branch master E
`)
	w.Publish()
	return w
}

func TestReportIsTheSameEachTime(t *testing.T) {
	w := publish(t)
	for _, name := range []string{lib, app, tool} {
		m := w.mirror(name)
		m.SetRef("refs/heads/mine", m.id(master))
		m.SetRef("refs/other/mine", m.id(master))
		m.Git("tag", "--annotate", "--message=Mine", "v9.9.9", master)
		m.retag("kubernetes-1.20.0", m.id(master))
		m.Git("update-ref", "-d", "refs/tags/v0.20.0")
		for _, commit := range []string{"B", "D", "E", "C", "F"} {
			for id := range strings.FieldsSeq(m.Git("rev-list", master)) {
				if strings.Contains(string(m.read(m.id(id)).Message), w.Source.Commits[commit].String()) {
					m.rewrite(master, m.id(id), func(c *object.Commit) bool {
						c.Author = []byte("M Allory <mallory@example.com> 1500000003 +0000")
						return true
					})
				}
			}
		}
	}
	first := w.Verify()
	if n := first.Mismatches(); n < 20 {
		t.Fatalf("only %d mismatches:\n%s", n, text(first))
	}
	for range 5 {
		if again := w.Verify(); !reflect.DeepEqual(again, first) {
			t.Fatalf("first\n%s\nand then\n%s", text(first), text(again))
		}
	}
}

// Other programs read these names.
func TestReportHasStableNames(t *testing.T) {
	r := &verify.Report{Destinations: []*verify.Destination{{
		Name: "a", Notes: []string{}, Mismatches: []verify.Mismatch{{Kind: verify.StrayRef, Ref: "refs/heads/x", Commit: "1", Detail: "d"}, {Kind: verify.Unsound, Detail: "e"}},
	}}}
	got, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"ok":false,"destinations":[{"name":"a","branches":0,"tags":0,"commits":0,"versions":0,"provenances":0,"foreignCommits":0,"foreignTags":0,"notes":[],` +
		`"mismatches":[{"kind":"stray ref","ref":"refs/heads/x","commit":"1","detail":"d"},{"kind":"unsound repository","detail":"e"}]}]}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestVerifyingChangesNothingAndCanBeInterrupted(t *testing.T) {
	w := publish(t)
	before := w.listing()
	w.clean()
	if after := w.listing(); after != before {
		t.Errorf("the files were\n%s\nand are\n%s", before, after)
	}
	s := w.Open(session.Options{Forget: true})
	defer func() { w.Must(s.Close()) }()
	ctx, cancel := context.WithCancel(t.Context())
	progressed := false
	_, err := verify.Run(ctx, verify.Input{Source: s.Repo, Rules: s.RuleSet, Mirrors: w.Mirrors,
		Progress: func(string, int, int) { progressed = true; cancel() }})
	if !progressed || !errors.Is(err, context.Canceled) {
		t.Errorf("progress %t, error %v", progressed, err)
	}
}
