package verify_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"k8s.io/publisher/gittest"
	"k8s.io/publisher/object"
	"k8s.io/publisher/verify"
)

// Each of these changes one thing about published mirrors.
func TestTamperingIsFound(t *testing.T) {
	for _, test := range []struct {
		name   string
		tamper func(w *world) []finding
	}{
		{"changed blob", func(w *world) []finding {
			m := w.mirror(lib)
			at := m.of(master, w.Source.Commits["B"])
			var have string
			bad := m.rewrite(master, at, func(c *object.Commit) bool {
				c.Tree = m.replaceFile(c.Tree, "b.go", func(string) string { return "package evil\n" })
				have = object.Hash(object.BlobType, []byte("package evil\n")).String()
				return true
			})
			want := object.Hash(object.BlobType, []byte("package/lib")).String()
			return []finding{
				{lib, verify.ChangedCommit, []string{bad.String(), w.Source.Commits["B"].String(), at.String(), "b.go is " + have + " and should be " + want}},
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
				{lib, verify.ChangedCommit, []string{bad.String(), "lib.go is "}},
				{lib, verify.RewrittenBranch, []string{master, bad.String()}},
				// No projection is needed to see that.
				{lib, verify.WrongContent, []string{master, bad.String(), "staging/lib", "lib.go is "}},
			}
		}},
		{"changed file mode", func(w *world) []finding {
			m := w.mirror(lib)
			bad := m.rewrite(master, m.id(master), func(c *object.Commit) bool {
				entries, err := object.ParseTree([]byte(m.Git("cat-file", "tree", c.Tree.String())))
				w.Must(err)
				for i := range entries {
					if entries[i].Name == "run.sh" {
						entries[i].Mode = object.ModeRegular
					}
				}
				c.Tree = m.Put(object.TreeType, object.EncodeTree(entries))
				return true
			})
			return []finding{
				{lib, verify.ChangedCommit, []string{bad.String(), "run.sh has mode 100644 and should have 100755"}},
				{lib, verify.RewrittenBranch, []string{master}},
				{lib, verify.WrongContent, []string{"run.sh has mode"}},
			}
		}},
		{"changed author", func(w *world) []finding {
			m := w.mirror(lib)
			bad := m.rewrite(master, m.of(master, w.Source.Commits["S"]), func(c *object.Commit) bool {
				c.Author = []byte("M Allory <mallory@example.com> 1500000003 +0000")
				return true
			})
			return []finding{
				{lib, verify.ChangedCommit, []string{bad.String(), w.Source.Commits["S"].String(), "author is", "mallory@example.com", "author@example.com"}},
				{lib, verify.RewrittenBranch, []string{master}},
			}
		}},
		{"dropped commit", func(w *world) []finding {
			m := w.mirror(lib)
			at := m.of(master, w.Source.Commits["B"])
			m.rewrite(master, at, func(*object.Commit) bool { return false })
			return []finding{
				{lib, verify.ChangedCommit, []string{"its parents stand for", w.Source.Commits["B"].String()}},
				{lib, verify.RewrittenBranch, []string{master}},
			}
		}},
		{"branch set back behind its tags", func(w *world) []finding {
			m := w.mirror(lib)
			at := m.of(master, w.Source.Commits["E"])
			m.SetRef(master, m.id(master+"^"))
			return []finding{{lib, verify.DroppedCommit, []string{master, at.String(), "v1.21.0-alpha.1"}}}
		}},
		{"changed parents", func(w *world) []finding {
			m := w.mirror(lib)
			bad := m.rewrite(master, m.of(master, w.Source.Commits["M"]), func(c *object.Commit) bool {
				c.Parents = []object.ID{c.Parents[1], c.Parents[0]}
				return true
			})
			return []finding{
				{lib, verify.ChangedCommit, []string{bad.String(), w.Source.Commits["M"].String()}},
				{lib, verify.RewrittenBranch, []string{master}},
			}
		}},
		{"trailer that names nothing", func(w *world) []finding {
			m := w.mirror(lib)
			nothing := strings.Repeat("1234", 10)
			bad := m.rewrite(master, m.of(master, w.Source.Commits["B"]), func(c *object.Commit) bool {
				c.Message = []byte(strings.ReplaceAll(string(c.Message), w.Source.Commits["B"].String(), nothing))
				return true
			})
			return []finding{
				{lib, verify.UnexpectedCommit, []string{bad.String(), nothing, "which the source does not have"}},
				{lib, verify.RewrittenBranch, []string{master}},
			}
		}},
		{"trailer that names another commit", func(w *world) []finding {
			m := w.mirror(lib)
			bad := m.rewrite(master, m.of(master, w.Source.Commits["B"]), func(c *object.Commit) bool {
				c.Message = []byte(strings.ReplaceAll(string(c.Message), w.Source.Commits["B"].String(), w.Source.Commits["S"].String()))
				return true
			})
			return []finding{
				{lib, verify.ChangedCommit, []string{bad.String(), "for source commit " + w.Source.Commits["S"].String(), w.Source.Commits["B"].String()}},
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
			bad := m.rewrite(master, m.of(master, w.Source.Commits["B"]), func(c *object.Commit) bool {
				c.Message = []byte("B\n")
				return true
			})
			return []finding{
				{lib, verify.UnexpectedCommit, []string{bad.String(), "it names no source commit"}},
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
				{app, verify.ChangedCommit, []string{bad.String(), "go.sum is "}},
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
				{app, verify.ChangedCommit, []string{bad.String(), "go.sum is "}},
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
				{app, verify.ChangedCommit, []string{bad.String(), "go.sum is "}},
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
				{app, verify.ChangedCommit, []string{bad.String(), "go.mod is "}},
				{app, verify.UnfetchableVersion, []string{master, bad.String(), "no branch or tag of lib has a commit 123412341234"}},
				{app, verify.RewrittenBranch, []string{master}},
			}
		}},
		{"nested module on a version that is nowhere", func(w *world) []finding {
			m := w.mirror(app)
			bad := m.rewrite(master, m.id(master), func(c *object.Commit) bool {
				c.Tree = m.replaceFile(c.Tree, "examples/hello/go.mod", func(text string) string {
					return regexp.MustCompile(`example.com/lib v\S+`).ReplaceAllString(text, "example.com/lib v0.0.0-20170714024320-123412341234")
				})
				return true
			})
			return []finding{
				{app, verify.ChangedCommit, []string{bad.String(), "examples/hello/go.mod is "}},
				{app, verify.UnfetchableVersion, []string{master, bad.String(), "examples/hello/go.mod requires example.com/lib@", "no branch or tag of lib has a commit 123412341234"}},
				{app, verify.RewrittenBranch, []string{master}},
			}
		}},
		{"nested module with a hash of nothing", func(w *world) []finding {
			m := w.mirror(app)
			wrong := ""
			bad := m.rewrite(master, m.id(master), func(c *object.Commit) bool {
				c.Tree = m.replaceFile(c.Tree, "examples/hello/go.sum", func(text string) string {
					text, wrong = spoil(t, text, "example.com/lib v0.0.0-")
					return text
				})
				return true
			})
			return []finding{
				{app, verify.ChangedCommit, []string{bad.String(), "examples/hello/go.sum is "}},
				{app, verify.WrongHash, []string{master, bad.String(), "examples/hello/go.sum has", wrong, "of lib has h1:"}},
				{app, verify.RewrittenBranch, []string{master}},
			}
		}},
		{"nested module as the source has it", func(w *world) []finding {
			m := w.mirror(app)
			bad := m.rewrite(master, m.id(master), func(c *object.Commit) bool {
				c.Tree = m.replaceFile(c.Tree, "examples/hello/go.mod", func(string) string {
					return w.Source.Git("cat-file", "blob", "master:staging/app/examples/hello/go.mod")
				})
				return true
			})
			return []finding{
				{app, verify.ChangedCommit, []string{bad.String(), "examples/hello/go.mod is "}},
				{app, verify.WrongContent, []string{master, `examples/hello/go.mod has "replace example.com/lib => ../../../lib", which leads out of the mirror`}},
				{app, verify.RewrittenBranch, []string{master}},
			}
		}},
		{"go.mod of test data that is pinned", func(w *world) []finding {
			m := w.mirror(app)
			bad := m.rewrite(master, m.id(master), func(c *object.Commit) bool {
				c.Tree = m.replaceFile(c.Tree, "testdata/mod/go.mod", func(text string) string {
					return strings.Replace(text, "replace example.com/lib => ../../../lib\n", "", 1)
				})
				return true
			})
			return []finding{
				{app, verify.ChangedCommit, []string{bad.String(), "testdata/mod/go.mod is "}},
				{app, verify.WrongContent, []string{master, "testdata/mod/go.mod is "}},
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
			w.Must(os.RemoveAll(w.mirror(tool).Dir))
			return []finding{{tool, verify.MissingMirror, nil}}
		}},
		{"symbolic ref", func(w *world) []finding {
			m := w.mirror(lib)
			m.Git("symbolic-ref", "refs/heads/mine", master)
			return []finding{{lib, verify.StrayRef, []string{"refs/heads/mine", "symbolic ref"}}}
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
		{"ref that claims a takeover", func(w *world) []finding {
			m := w.mirror(lib)
			m.SetRef("refs/publisher/takeover/mine", m.id(master))
			return []finding{{lib, verify.StrayRef, []string{"refs/publisher/takeover/mine", "git update-ref -d"}}}
		}},
		{"missing object", func(w *world) []finding {
			m := w.mirror(lib)
			m.Git("repack", "-a", "-d", "-q")
			id := m.id(master + ":lib.go").String()
			gittest.Unpack(m.TB, m.Dir)
			w.Must(os.Remove(filepath.Join(m.Dir, "objects", id[:2], id[2:])))
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
