package verify_test

import (
	"context"
	"encoding/json"
	"errors"
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
	w.must(os.WriteFile(filepath.Join(w.mirrors, ".publisher", "cache.db"), []byte("nonsense"), 0o666))
	w.clean()
	w.must(os.RemoveAll(filepath.Join(w.mirrors, ".publisher")))
	w.clean()
}

func TestMirrorMayBeBehindItsSource(t *testing.T) {
	w := publish(t)
	w.source.History(`
G F: staging/lib/lib.go=package/lib//3
H G: staging/app/h.go=package/app
I H: other=1
tag v1.21.0 H
branch master I
`)
	w.clean(
		verify.Destination{Name: lib, Branches: 2, Tags: 6, Commits: 6, Notes: []string{
			"2 tags are not published yet, such as kubernetes-1.21.0", "branch master is behind source branch master by 1 commits"}},
		verify.Destination{Name: app, Branches: 2, Tags: 6, Commits: 7, Versions: 10, Notes: []string{
			"2 tags are not published yet, such as kubernetes-1.21.0", "branch master is behind source branch master by 1 commits"}},
		verify.Destination{Name: tool, Branches: 1, Tags: 4, Commits: 4, Versions: 12, Notes: []string{
			"2 tags are not published yet, such as kubernetes-1.21.0"}},
	)
	w.sync()
	w.clean(
		verify.Destination{Name: lib, Branches: 2, Tags: 8, Commits: 7},
		verify.Destination{Name: app, Branches: 2, Tags: 8, Commits: 9, Versions: 12},
		verify.Destination{Name: tool, Branches: 1, Tags: 6, Commits: 5, Versions: 16},
	)
}

func TestEndedBranchIsProven(t *testing.T) {
	w := publish(t)
	w.setRules(endedRules)
	// Its tags stay, as long as the source tags are there, and whether the
	// source branch still is or not.
	want := []verify.Destination{
		{Name: lib, Branches: 2, Tags: 6, Commits: 6},
		{Name: app, Branches: 2, Tags: 6, Commits: 7, Versions: 10},
		{Name: tool, Branches: 1, Tags: 4, Commits: 4, Versions: 12},
	}
	w.clean(want...)
	w.source.Git("update-ref", "-d", "refs/heads/release-1.20")
	w.clean(want...)
	w.sync()
	w.clean(want...)
	// A tag that comes after the end is not waited for.
	w.source.History("T Q: other=3\ntag v1.20.2 T")
	w.clean(want...)

	m := w.mirror(lib)
	m.rewrite(release, m.of(release, w.source.Commits["R"]), func(c *object.Commit) bool {
		c.Message = append([]byte("Other "), c.Message...)
		return true
	})
	w.finds(
		finding{lib, verify.RewrittenBranch, []string{release, m.id(release).String()}},
		finding{lib, verify.ChangedMetadata, []string{m.id(release).String(), "message", w.source.Commits["R"].String()}},
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
	w.setRules("skip-source-branches: [release-1.20]\n" + rulesText)
	w.clean(
		verify.Destination{Name: lib, Branches: 2, Tags: 6, Commits: 6},
		verify.Destination{Name: app, Branches: 2, Tags: 6, Commits: 7, Versions: 10},
	)
}

// Each of these changes one thing about published mirrors.
func TestTamperingIsFound(t *testing.T) {
	for _, test := range []struct {
		name   string
		tamper func(w *world) []finding
	}{
		{"changed blob", func(w *world) []finding {
			m := w.mirror(lib)
			at := m.of(master, w.source.Commits["B"])
			var have string
			bad := m.rewrite(master, at, func(c *object.Commit) bool {
				c.Tree = m.replaceFile(c.Tree, "b.go", func(string) string { return "package evil\n" })
				have = object.Hash(object.BlobType, []byte("package evil\n")).String()
				return true
			})
			want := object.Hash(object.BlobType, []byte("package/lib")).String()
			return []finding{
				{lib, verify.ChangedBlob, []string{bad.String(), w.source.Commits["B"].String(), at.String(), "b.go is " + have + " and should be " + want}},
				{lib, verify.RewrittenBranch, []string{master, m.id(master).String()}},
			}
		}},
		{"changed blob at a tip", func(w *world) []finding {
			m := w.mirror(lib)
			bad := m.rewrite(master, m.id(master), func(c *object.Commit) bool {
				c.Tree = m.replaceFile(c.Tree, "lib.go", func(string) string { return "package evil\n" })
				return true
			})
			return []finding{
				{lib, verify.ChangedBlob, []string{bad.String(), "lib.go is "}},
				{lib, verify.RewrittenBranch, []string{master, bad.String()}},
				// No projection is needed to see that.
				{lib, verify.WrongContent, []string{master, bad.String(), "staging/lib", "lib.go is "}},
			}
		}},
		{"changed file mode", func(w *world) []finding {
			m := w.mirror(lib)
			bad := m.rewrite(master, m.id(master), func(c *object.Commit) bool {
				entries, err := object.ParseTree([]byte(m.Git("cat-file", "tree", c.Tree.String())))
				w.must(err)
				for i := range entries {
					if entries[i].Name == "run.sh" {
						entries[i].Mode = object.ModeRegular
					}
				}
				c.Tree = m.Put(object.TreeType, object.EncodeTree(entries))
				return true
			})
			return []finding{
				{lib, verify.ChangedBlob, []string{bad.String(), "run.sh has mode 100644 and should have 100755"}},
				{lib, verify.RewrittenBranch, []string{master}},
				{lib, verify.WrongContent, []string{"run.sh has mode"}},
			}
		}},
		{"changed author", func(w *world) []finding {
			m := w.mirror(lib)
			bad := m.rewrite(master, m.of(master, w.source.Commits["S"]), func(c *object.Commit) bool {
				c.Author = []byte("M Allory <mallory@example.com> 1500000003 +0000")
				return true
			})
			return []finding{
				{lib, verify.ChangedMetadata, []string{bad.String(), w.source.Commits["S"].String(), "author is", "mallory@example.com", "author@example.com"}},
				{lib, verify.RewrittenBranch, []string{master}},
			}
		}},
		{"dropped commit", func(w *world) []finding {
			m := w.mirror(lib)
			at := m.of(master, w.source.Commits["B"])
			m.rewrite(master, at, func(*object.Commit) bool { return false })
			return []finding{
				{lib, verify.DroppedCommit, []string{at.String(), w.source.Commits["B"].String()}},
				{lib, verify.RewrittenBranch, []string{master}},
			}
		}},
		{"branch set back behind its tags", func(w *world) []finding {
			m := w.mirror(lib)
			at := m.of(master, w.source.Commits["E"])
			m.SetRef(master, m.id(master+"^"))
			return []finding{{lib, verify.DroppedCommit, []string{master, at.String(), "v1.21.0-alpha.1"}}}
		}},
		{"changed parents", func(w *world) []finding {
			m := w.mirror(lib)
			bad := m.rewrite(master, m.of(master, w.source.Commits["M"]), func(c *object.Commit) bool {
				c.Parents = []object.ID{c.Parents[1], c.Parents[0]}
				return true
			})
			return []finding{
				{lib, verify.ChangedParents, []string{bad.String(), w.source.Commits["M"].String()}},
				{lib, verify.RewrittenBranch, []string{master}},
			}
		}},
		{"trailer that names nothing", func(w *world) []finding {
			m := w.mirror(lib)
			nothing := strings.Repeat("1234", 10)
			bad := m.rewrite(master, m.of(master, w.source.Commits["B"]), func(c *object.Commit) bool {
				c.Message = []byte(strings.ReplaceAll(string(c.Message), w.source.Commits["B"].String(), nothing))
				return true
			})
			return []finding{
				{lib, verify.ForgedTrailer, []string{bad.String(), nothing, "which the source does not have", w.source.Commits["B"].String()}},
				{lib, verify.RewrittenBranch, []string{master}},
			}
		}},
		{"trailer that names another commit", func(w *world) []finding {
			m := w.mirror(lib)
			bad := m.rewrite(master, m.of(master, w.source.Commits["B"]), func(c *object.Commit) bool {
				c.Message = []byte(strings.ReplaceAll(string(c.Message), w.source.Commits["B"].String(), w.source.Commits["S"].String()))
				return true
			})
			return []finding{
				{lib, verify.ForgedTrailer, []string{bad.String(), w.source.Commits["S"].String(), w.source.Commits["B"].String()}},
				{lib, verify.RewrittenBranch, []string{master}},
			}
		}},
		{"commit of someone else", func(w *world) []finding {
			m := w.mirror(lib)
			c := m.read(m.id(master))
			c.Parents, c.Message = []object.ID{m.id(master)}, []byte("Mine\n")
			bad := m.Commit(c)
			m.SetRef(master, bad)
			return []finding{
				{lib, verify.UnexpectedCommit, []string{bad.String(), "names no source commit"}},
				{lib, verify.RewrittenBranch, []string{master, bad.String()}},
			}
		}},
		{"trailer that was removed", func(w *world) []finding {
			m := w.mirror(lib)
			bad := m.rewrite(master, m.of(master, w.source.Commits["B"]), func(c *object.Commit) bool {
				c.Message = []byte("B\n")
				return true
			})
			return []finding{
				{lib, verify.ForgedTrailer, []string{bad.String(), "it names no source commit", w.source.Commits["B"].String()}},
				{lib, verify.RewrittenBranch, []string{master}},
			}
		}},
		{"wrong hash in go.sum of a tip", func(w *world) []finding {
			m := w.mirror(app)
			wrong := ""
			bad := m.rewrite(master, m.id(master), func(c *object.Commit) bool {
				c.Tree = m.replaceFile(c.Tree, "go.sum", func(text string) string {
					text, wrong = spoil(t, text, "example.com/lib v0.0.0-")
					return text
				})
				return true
			})
			return []finding{
				{app, verify.ChangedGoSum, []string{bad.String(), wrong}},
				{app, verify.WrongHash, []string{master, bad.String(), wrong, "of lib has h1:"}},
				{app, verify.RewrittenBranch, []string{master}},
			}
		}},
		{"wrong hash in go.sum of a tag", func(w *world) []finding {
			m := w.mirror(app)
			c := m.read(m.id("v0.20.0^{commit}"))
			wrong := ""
			c.Tree = m.replaceFile(c.Tree, "go.sum", func(text string) string {
				text, wrong = spoil(t, text, "example.com/lib v0.20.0 ")
				return text
			})
			bad := m.Commit(c)
			m.retag("v0.20.0", bad)
			return []finding{
				{app, verify.ChangedGoSum, []string{bad.String(), wrong}},
				{app, verify.WrongHash, []string{"refs/tags/v0.20.0", bad.String(), wrong, "of lib has h1:"}},
				{app, verify.MovedTag, []string{"refs/tags/v0.20.0", bad.String()}},
				// The tag of tool on the same source commit requires this one.
				{tool, verify.WrongHash, []string{"v0.20.0", "example.com/app"}},
			}
		}},
		{"line of another module in go.sum", func(w *world) []finding {
			m := w.mirror(app)
			wrong := ""
			bad := m.rewrite(master, m.id(master), func(c *object.Commit) bool {
				c.Tree = m.replaceFile(c.Tree, "go.sum", func(text string) string {
					text, wrong = spoil(t, text, "golang.org/x/mod v0.20.0 ")
					return text
				})
				return true
			})
			return []finding{
				{app, verify.ChangedGoSum, []string{bad.String(), wrong}},
				{app, verify.WrongContent, []string{master, "go.sum has", wrong}},
				{app, verify.RewrittenBranch, []string{master}},
			}
		}},
		{"requirement on a version that is nowhere", func(w *world) []finding {
			m := w.mirror(app)
			bad := m.rewrite(master, m.id(master), func(c *object.Commit) bool {
				c.Tree = m.replaceFile(c.Tree, "go.mod", func(text string) string {
					at := strings.Index(text, "example.com/lib v0.0.0-")
					end := at + strings.IndexByte(text[at:], '\n')
					return text[:at] + "example.com/lib v0.0.0-20170714024320-123412341234" + text[end:]
				})
				return true
			})
			return []finding{
				{app, verify.ChangedBlob, []string{bad.String(), "go.mod is "}},
				{app, verify.UnfetchableVersion, []string{master, bad.String(), "no branch or tag of lib has a commit 123412341234"}},
				{app, verify.RewrittenBranch, []string{master}},
			}
		}},
		{"moved tag", func(w *world) []finding {
			m := w.mirror(lib)
			before := m.id("kubernetes-1.20.0^{commit}")
			m.retag("kubernetes-1.20.0", m.id(master))
			return []finding{
				{lib, verify.MovedTag, []string{"refs/tags/kubernetes-1.20.0", m.id(master).String(), before.String(), "source tag v1.20.0"}},
				{lib, verify.WrongContent, []string{"refs/tags/kubernetes-1.20.0", "lib.go is "}},
			}
		}},
		{"another tag on the same commit", func(w *world) []finding {
			m := w.mirror(lib)
			m.Git("tag", "--force", "--annotate", "--message=Mine", "kubernetes-1.20.0", "kubernetes-1.20.0^{commit}")
			return []finding{{lib, verify.MovedTag, []string{"refs/tags/kubernetes-1.20.0", m.id("kubernetes-1.20.0").String(), "right commit"}}}
		}},
		{"lightweight tag", func(w *world) []finding {
			m := w.mirror(lib)
			before := m.id("kubernetes-1.20.0")
			m.SetRef("refs/tags/kubernetes-1.20.0", m.id("kubernetes-1.20.0^{commit}"))
			return []finding{{lib, verify.LightweightTag, []string{"refs/tags/kubernetes-1.20.0", before.String()}}}
		}},
		{"removed tag", func(w *world) []finding {
			m := w.mirror(lib)
			target := m.id("v0.20.0^{commit}")
			m.Git("update-ref", "-d", "refs/tags/v0.20.0")
			return []finding{
				{lib, verify.MissingTag, []string{"refs/tags/v0.20.0", target.String(), "source tag v1.20.0"}},
				{app, verify.UnfetchableVersion, []string{"example.com/lib@v0.20.0", "lib has no such tag"}},
				{tool, verify.UnfetchableVersion, []string{"example.com/lib@v0.20.0", "lib has no such tag"}},
			}
		}},
		{"removed branch", func(w *world) []finding {
			m := w.mirror(lib)
			m.Git("update-ref", "-d", release)
			return []finding{{lib, verify.MissingBranch, []string{release, "source tag v1.20.1"}}}
		}},
		{"removed mirror", func(w *world) []finding {
			w.must(os.RemoveAll(w.mirror(tool).Dir))
			return []finding{{tool, verify.MissingMirror, nil}}
		}},
		{"stray branch", func(w *world) []finding {
			m := w.mirror(lib)
			m.SetRef("refs/heads/mine", m.id(master))
			return []finding{{lib, verify.StrayRef, []string{"refs/heads/mine", m.id(master).String()}}}
		}},
		{"stray tag", func(w *world) []finding {
			m := w.mirror(lib)
			m.Git("tag", "--annotate", "--message=Mine", "v9.9.9", master)
			return []finding{{lib, verify.StrayRef, []string{"refs/tags/v9.9.9", m.id(master).String()}}}
		}},
		{"stray ref of another kind", func(w *world) []finding {
			m := w.mirror(lib)
			m.SetRef("refs/other/mine", m.Put(object.BlobType, []byte("mine")))
			return []finding{{lib, verify.StrayRef, []string{"refs/other/mine", "blob"}}}
		}},
		{"takeover that never was", func(w *world) []finding {
			m := w.mirror(lib)
			m.SetRef("refs/publisher/takeover/mine", m.id(master))
			return []finding{{lib, verify.StrayRef, []string{"refs/publisher/takeover/mine"}}}
		}},
		{"missing object", func(w *world) []finding {
			m := w.mirror(lib)
			m.Git("repack", "-a", "-d", "-q")
			id := m.id(master + ":lib.go").String()
			m.unpack()
			w.must(os.Remove(filepath.Join(m.Dir, "objects", id[:2], id[2:])))
			return []finding{
				{lib, verify.Unsound, []string{"missing blob " + id}},
				{app, verify.UnfetchableVersion, []string{"object " + id + " is missing"}},
				{tool, verify.UnfetchableVersion, []string{"object " + id + " is missing"}},
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := publish(t)
			w.finds(test.tamper(w)...)
		})
	}
}

// spoil changes the first letter of the hash in the line of a go.sum that starts
// so. It returns the hash too.
func spoil(t *testing.T, text, start string) (changed, hash string) {
	at := strings.Index(text, start)
	if at < 0 {
		t.Fatalf("go.sum has no line for %s:\n%s", start, text)
	}
	at += strings.Index(text[at:], "h1:") + len("h1:")
	letter := "A"
	if text[at] == 'A' {
		letter = "B"
	}
	changed = text[:at] + letter + text[at+1:]
	return changed, "h1:" + changed[at:at+10]
}

// A byte is flipped at many places of a pack, where it hits commits, trees,
// blobs, tags and what holds them together.
func TestDamagedPackIsFound(t *testing.T) {
	w := publish(t)
	m := w.mirror(lib)
	m.Git("repack", "-a", "-d", "-q")
	packs, err := filepath.Glob(filepath.Join(m.Dir, "objects", "pack", "*.pack"))
	w.must(err)
	if len(packs) != 1 {
		t.Fatalf("there are %d packs", len(packs))
	}
	w.must(os.Chmod(packs[0], 0o666))
	whole, err := os.ReadFile(packs[0])
	w.must(err)
	const places = 12
	for i := range places {
		at := len(whole) * (2*i + 1) / (2 * places)
		damaged := append([]byte(nil), whole...)
		damaged[at] ^= 0x10
		w.must(os.WriteFile(packs[0], damaged, 0o666))
		r := w.verify()
		kinds := make(map[verify.Kind]bool)
		for _, mismatch := range r.Destination(lib).Mismatches {
			kinds[mismatch.Kind] = true
		}
		if r.OK || !kinds[verify.Unsound] {
			t.Errorf("byte %d of %d is changed, and found is only\n%s", at, len(whole), text(r))
		}
	}
	w.must(os.WriteFile(packs[0], whole, 0o666))
	w.clean()
}

// git fsck names the object.
func TestDamagedObjectIsNamed(t *testing.T) {
	w := publish(t)
	m := w.mirror(lib)
	m.Git("repack", "-a", "-d", "-q")
	id := m.id(master + ":lib.go").String()
	m.unpack()
	file := filepath.Join(m.Dir, "objects", id[:2], id[2:])
	w.must(os.Chmod(file, 0o666))
	data, err := os.ReadFile(file)
	w.must(err)
	data[len(data)-1] ^= 1
	w.must(os.WriteFile(file, data, 0o666))
	r := w.verify()
	found := false
	for _, mismatch := range r.Destination(lib).Mismatches {
		found = found || mismatch.Kind == verify.Unsound && strings.Contains(mismatch.Detail, id)
	}
	if !found {
		t.Errorf("object %s is damaged, and found is only\n%s", id, text(r))
	}
}

func TestSourceThatWasRewrittenIsFound(t *testing.T) {
	w := publish(t)
	w.source.History(`
X D: staging/lib/lib.go=package/lib//4
branch master X
`)
	m := w.mirror(lib)
	w.finds(
		finding{lib, verify.RewrittenBranch, []string{master, m.id(master).String()}},
		finding{lib, verify.UnexpectedCommit, []string{m.id(master).String(), w.source.Commits["E"].String(), "in the history of no published branch"}},
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
	w := takenOver(t, "A")
	m := w.mirror(lib)
	w.clean(verify.Destination{Name: lib, Branches: 1, Tags: 2, Commits: 2, ForeignCommits: 3, ForeignTags: 1, Notes: []string{
		"branch master was taken over at " + m.id(master+"~2").String() + "; of what was there before, only the trailers are checked"}})
	bad := m.rewrite(master, m.of(master, w.source.Commits["D"]), func(c *object.Commit) bool {
		c.Tree = m.replaceFile(c.Tree, "lib.go", func(string) string { return "package evil\n" })
		return true
	})
	w.finds(
		finding{lib, verify.ChangedBlob, []string{bad.String(), "lib.go is "}},
		finding{lib, verify.RewrittenBranch, []string{master}},
	)
}

func TestForeignTrailerMustBeBehindTheTakeover(t *testing.T) {
	w := takenOver(t, "Z")
	m := w.mirror(lib)
	w.finds(finding{lib, verify.ForgedTrailer, []string{m.id(master + "~4").String(), w.source.Commits["Z"].String()}})
}

// takenOver makes a mirror that another bot filled and that a sync continued.
// The first commit of the bot names this source commit.
func takenOver(t *testing.T, first string) *world {
	w := empty(t, "rules:\n- destination: lib\n  branches:\n  - name: master\n    source: {branch: master, dir: lib}\n")
	w.source.History(`
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
`)
	last := object.ID{}
	for _, name := range []string{"A", "B", "C"} {
		c, err := object.ParseCommit(m.Objects[m.Commits[name]].Data)
		w.must(err)
		if !last.IsZero() {
			c.Parents = []object.ID{last}
		}
		c.Committer = []byte("Bot <bot@example.com> 1500000500 +0000")
		if name != "C" {
			from := map[string]string{"A": first, "B": "B"}[name]
			c.Message = []byte(name + "\n\nKubernetes-commit: " + w.source.Commits[from].String() + "\n")
		}
		last = m.Commit(c)
	}
	m.Branch("master", last)
	m.Tag("kubernetes-1.0.0", last)
	w.source.History(`
D C: lib/lib.go=3
E D: lib/lib.go=4
tag v1.20.0 E
branch master E
`)
	w.sync()
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
				if strings.Contains(string(m.read(m.id(id)).Message), w.source.Commits[commit].String()) {
					m.rewrite(master, m.id(id), func(c *object.Commit) bool {
						c.Author = []byte("M Allory <mallory@example.com> 1500000003 +0000")
						return true
					})
				}
			}
		}
	}
	first := w.verify()
	if n := first.Mismatches(); n < 20 {
		t.Fatalf("only %d mismatches:\n%s", n, text(first))
	}
	for range 5 {
		if again := w.verify(); !reflect.DeepEqual(again, first) {
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
	const want = `{"ok":false,"destinations":[{"name":"a","branches":0,"tags":0,"commits":0,"versions":0,"foreignCommits":0,"foreignTags":0,"notes":[],` +
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
	s, err := session.Open(t.Context(), session.Options{Rules: w.rules, Source: w.source.Dir, Mirrors: w.mirrors, Forget: true})
	w.must(err)
	defer func() { w.must(s.Close()) }()
	ctx, cancel := context.WithCancel(t.Context())
	progressed := false
	_, err = verify.Run(ctx, verify.Input{Source: s.Repo, Rules: s.RuleSet, Mirrors: s.MirrorStates, Errs: s.MirrorErrs,
		Progress: func(string, int, int) { progressed = true; cancel() }})
	if !progressed || !errors.Is(err, context.Canceled) {
		t.Errorf("progress %t, error %v", progressed, err)
	}
}
