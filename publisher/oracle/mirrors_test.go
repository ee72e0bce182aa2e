package oracle_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gomodule "golang.org/x/mod/module"

	"k8s.io/publisher/goproxy"
	"k8s.io/publisher/mirror"
	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
	"k8s.io/publisher/publishtest"
)

// mirrors are the published repositories of a monorepo.
type mirrors struct{ *publishtest.World }

func newMirrors(t *testing.T, source *monorepo) *mirrors {
	t.Helper()
	var rules strings.Builder
	fmt.Fprintln(&rules, "rules:")
	for _, module := range modules {
		fmt.Fprintf(&rules, "- destination: %s\n  branches:\n  - name: %s\n    source:\n      branch: %s\n      dirs: [%s]\n",
			module.name, branch, branch, module.dir())
		if len(module.dependencies) > 0 {
			fmt.Fprintln(&rules, "    dependencies:")
		}
		for _, d := range module.dependencies {
			fmt.Fprintf(&rules, "    - repository: %s\n      branch: %s\n", d, branch)
		}
	}
	w := publishtest.New(t, rules.String())
	w.Source = source.Repo
	return &mirrors{w}
}

// publish is a sync that has nothing to warn of.
func (m *mirrors) publish() {
	m.Helper()
	for _, d := range m.Publish().Plan.Destinations {
		if len(d.Warnings) > 0 {
			m.Errorf("%s: %v", d.Name, d.Warnings)
		}
	}
}

func (m *mirrors) git(module staged, args ...string) string {
	m.Helper()
	return m.Git(module.name, args...)
}

func (m *mirrors) refs(module staged) string { return m.git(module, "show-ref", "--dereference") }

// commit returns the commit behind a tag.
func (m *mirrors) commit(module staged, tag string) string {
	m.Helper()
	return strings.TrimSpace(m.git(module, "rev-parse", tag+"^{commit}"))
}

// compare holds what the go command makes of the mirrors against the public
// modules.
func (m *mirrors) compare(public map[string]release) {
	m.Helper()
	env := m.direct()
	witnesses := make(map[string]int)
	for _, version := range versions {
		published := download(m.TB, env, version)
		for _, s := range modules {
			got, want := published[s.path()], public[version][s.path()]
			if got.Origin.Hash != m.commit(s, version) {
				m.Errorf("%s@%s was made from commit %q, not from the mirror's %s", s.path(), version, got.Origin.Hash, m.commit(s, version))
			}
			if got.Sum != want.Sum || got.GoModSum != want.GoModSum {
				m.Errorf("%s@%s is %s with go.mod %s, publicly %s with %s%s",
					s.path(), version, got.Sum, got.GoModSum, want.Sum, want.GoModSum, differences(got.files(m.TB), want.files(m.TB)))
			}
			for _, name := range []string{"go.mod", "go.sum"} {
				data, err := os.ReadFile(filepath.Join(want.Dir, name))
				if err != nil {
					m.Fatal(err)
				}
				if at := m.git(s, "show", version+":"+name); at != string(data) {
					m.Errorf("%s at %s in the mirror of %s:\n%s\npublicly:\n%s", name, version, s.name, at, data)
				}
				if name == "go.sum" {
					m.witness(string(data), published, witnesses)
				}
			}
		}
	}
	// No staged module requires the last one.
	for _, s := range modules[:len(modules)-1] {
		if witnesses[s.path()] < len(versions) {
			m.Errorf("the public go.sum files name %s %d times, want a witness for each of %v", s.path(), witnesses[s.path()], versions)
		}
	}
}

// witness compares the lines of a public go.sum with what was published, and
// counts those for module zips.
func (m *mirrors) witness(goSum string, published release, seen map[string]int) {
	for line := range strings.Lines(goSum) {
		f := strings.Fields(line)
		p, ok := published[f[0]]
		if !ok {
			continue
		}
		switch want := f[2]; f[1] {
		case p.Version:
			seen[f[0]]++
			if p.Sum != want {
				m.Errorf("%s@%s is %s, %s by a public go.sum", f[0], p.Version, p.Sum, want)
			}
		case p.Version + "/go.mod":
			if p.GoModSum != want {
				m.Errorf("go.mod of %s@%s is %s, %s by a public go.sum", f[0], p.Version, p.GoModSum, want)
			}
		}
	}
}

// differences lists the files that are not the same.
func differences(got, want map[string]string) string {
	all := maps.Clone(got)
	maps.Copy(all, want)
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(all)) {
		g, inGot := got[name]
		w, inWant := want[name]
		switch {
		case !inWant:
			fmt.Fprintf(&text, "\n  %s is not in the public module", name)
		case !inGot:
			fmt.Fprintf(&text, "\n  %s is in the public module only", name)
		case g != w:
			fmt.Fprintf(&text, "\n  %s differs", name)
		}
	}
	return text.String()
}

// direct is the environment in which the go command gets modules from the
// mirrors by git, as it gets them from public repositories: the host k8s.io
// says where they are, and is answered for by a server of our own
// (https://go.dev/ref/mod#vcs-find).
func (m *mirrors) direct() []string {
	m.Helper()
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		known := slices.ContainsFunc(modules, func(s staged) bool { return s.name == name })
		if r.Method != http.MethodGet || r.URL.Host != "k8s.io" || !known {
			http.Error(w, "there is no other host here", http.StatusForbidden)
			return
		}
		fmt.Fprintf(w, `<meta name="go-import" content="k8s.io/%[1]s git https://mirrors.example/%[1]s/mirror.git">`, name)
	}))
	m.Cleanup(host.Close)
	return []string{
		"GOPROXY=direct", "GONOSUMDB=k8s.io/*", "GOINSECURE=k8s.io/*", "GOVCS=*:git",
		"HTTP_PROXY=" + host.URL, "HTTPS_PROXY=" + host.URL, "NO_PROXY=",
		"GOMODCACHE=" + filepath.Join(m.TempDir(), "mod"), "GOFLAGS=-modcacherw",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_CONFIG_COUNT=1",
		"GIT_CONFIG_KEY_0=url.file://" + m.Mirrors + "/.insteadOf", "GIT_CONFIG_VALUE_0=https://mirrors.example/",
	}
}

// proxy writes the tagged versions as a module proxy, and returns its folder.
func (m *mirrors) proxy() string {
	m.Helper()
	dir := m.TempDir()
	for _, s := range modules {
		opened, err := mirror.Open(m.Mirror(s.name))
		if err != nil {
			m.Fatal(err)
		}
		store, err := odb.Open(opened.ObjectsDir())
		if err != nil {
			m.Fatal(err)
		}
		reader := store.Reader()
		writer := &goproxy.Writer{Dir: dir, Objects: reader}
		for _, version := range versions {
			tag, ok := opened.Refs()["refs/tags/"+version]
			if !ok {
				m.Fatalf("%s has no tag %s", opened.Dir, version)
			}
			data, err := reader.Commit(tag.Peeled)
			if err != nil {
				m.Fatal(err)
			}
			commit, err := object.ParseCommit(data)
			if err != nil {
				m.Fatal(err)
			}
			date, err := commit.CommitTime()
			if err != nil {
				m.Fatal(err)
			}
			if err := writer.Add(gomodule.Version{Path: s.path(), Version: version}, date, tag.Peeled, commit.Tree); err != nil {
				m.Fatal(err)
			}
		}
		store.Close()
	}
	return dir
}
