package oracle_test

import (
	"bufio"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"k8s.io/publisher/git"
)

// branch is the release branch, in the monorepo and in the mirrors.
const branch = "release-1.36"

// monorepo is a repository whose release branch has a commit for each release,
// with an annotated tag.
type monorepo struct {
	t    *testing.T
	dir  string
	when int // seconds since 1970
}

func newMonorepo(t *testing.T, public map[string]release, versions ...string) *monorepo {
	t.Helper()
	r := &monorepo{t: t, dir: t.TempDir(), when: 1_780_000_000}
	runGit(t, "init", "--quiet", "--bare", "--initial-branch="+branch, r.dir)
	for _, version := range versions {
		r.release(version, public[version])
	}
	return r
}

// release commits modules in staging form, and tags v0.x.y as v1.x.y.
func (r *monorepo) release(version string, public release) {
	r.t.Helper()
	tag := "v1" + strings.TrimPrefix(version, "v0")
	first := runGit(r.t, "--git-dir="+r.dir, "for-each-ref") == ""
	r.when += 24 * 60 * 60
	ident := fmt.Sprintf("Release Team <release@example.com> %d +0200", r.when)

	// fast-import takes bytes as they are: no attribute and no configuration
	// has a say in what gets into the blobs (git help fast-import).
	var text strings.Builder
	stream := bufio.NewWriter(&text)
	data := func(content string) { fmt.Fprintf(stream, "data %d\n%s\n", len(content), content) }
	fmt.Fprintf(stream, "commit refs/heads/%s\nmark :1\ncommitter %s\n", branch, ident)
	data("Release " + tag + "\n")
	if !first {
		fmt.Fprintf(stream, "from refs/heads/%s^0\n", branch)
	}
	fmt.Fprint(stream, "deleteall\nM 100644 inline VERSION\n")
	data(tag + "\n")
	for _, m := range modules {
		files := public[m.path()].files(r.t)
		stage(r.t, files)
		for _, name := range slices.Sorted(maps.Keys(files)) {
			fmt.Fprintf(stream, "M 100644 inline %s/%s\n", m.dir(), name)
			data(files[name])
		}
	}
	fmt.Fprintf(stream, "tag %s\nfrom :1\ntagger %s\n", tag, ident)
	data("Kubernetes " + tag + "\n")
	fmt.Fprint(stream, "done\n")
	stream.Flush()

	fast := git.Command{Dir: r.dir, Stdin: strings.NewReader(text.String())}
	if err := fast.Run(r.t.Context(), "fast-import", "--quiet", "--done"); err != nil {
		r.t.Fatal(err)
	}
}

// git runs git without anyone's configuration.
func runGit(t *testing.T, args ...string) string {
	t.Helper()
	out, err := git.Command{}.Output(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
