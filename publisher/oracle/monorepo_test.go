package oracle_test

import (
	"strings"
	"testing"

	"k8s.io/publisher/gittest"
)

// branch is the release branch, in the monorepo and in the mirrors.
const branch = "release-1.36"

// monorepo is a repository whose release branch has a commit for each release,
// with an annotated tag.
type monorepo struct {
	*gittest.Repo
	parents []string // of the next release
}

func newMonorepo(t *testing.T, public map[string]release, versions ...string) *monorepo {
	t.Helper()
	r := &monorepo{Repo: gittest.New(t)}
	for _, version := range versions {
		r.release(version, public[version])
	}
	return r
}

// release commits modules in staging form, and tags v0.x.y as v1.x.y.
func (r *monorepo) release(version string, public release) {
	r.Helper()
	tag := "v1" + strings.TrimPrefix(version, "v0")
	id := r.Add("Release "+tag, r.parents, func(files gittest.Files) {
		clear(files)
		files["VERSION"] = gittest.Text(tag + "\n")
		for _, m := range modules {
			module := public[m.path()].files(r.TB)
			stage(r.TB, module)
			for name, text := range module {
				files[m.dir()+"/"+name] = gittest.Text(text)
			}
		}
	})
	r.parents = []string{"Release " + tag}
	r.Branch(branch, id)
	r.Tag(tag, id)
}
