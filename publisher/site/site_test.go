package site_test

import (
	"encoding/json"
	"fmt"
	"html"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/zip"

	"k8s.io/publisher/gittest"
	"k8s.io/publisher/publishtest"
)

func TestConsumerPinsFromTheSite(t *testing.T) {
	w := newWorld(t)
	for _, query := range []string{"v0.20.0", "latest", "master", "kubernetes-1.20.0", "v0.20", "upgrade"} {
		t.Run(query, func(t *testing.T) {
			t.Parallel()
			g := w.consumer()
			g.TB = t
			g.Run("get", "example.com/group/Client@"+query)
			g.Run("build", "-mod=readonly", "-o", os.DevNull, ".")
			g.Run("mod", "verify")
			want := map[string]string{"v0.20.0": "v0.20.0", "kubernetes-1.20.0": "v0.20.0", "master": "v0.0.0-"}[query]
			if want == "" {
				want = "v0.20.1"
			}
			if goMod := g.Read("go.mod"); !strings.Contains(goMod, "example.com/group/Client "+want) {
				t.Errorf("go.mod has not %s:\n%s", want, goMod)
			}
		})
	}
}

func TestSiteThroughTheProxyAlone(t *testing.T) {
	w := newWorld(t)
	g := w.consumer("GOSUMDB=" + strings.TrimSpace(w.read("sumdb/key")))
	g.Run("get", "example.com/group/Client@latest")
	g.Run("build", "-o", os.DevNull, ".")
}

// TestCommandsOnTheFirstPagePin types what the page says.
func TestCommandsOnTheFirstPagePin(t *testing.T) {
	w := newWorld(t)
	page := w.read("index.html")
	_, page, _ = strings.Cut(page, "<pre><code>")
	commands, _, ok := strings.Cut(page, "</code></pre>")
	if !ok {
		t.Fatal("the first page has no commands")
	}
	// Nothing here reaches that database: who asks it fails.
	g := publishtest.NewGo(t, "GOSUMDB=sum.golang.org")
	g.Write("go.mod", "module consumer\n\ngo 1.24\n")
	g.Write("main.go", "package main\n\nimport \"example.com/api\"\n\nfunc main() { println(api.Number) }\n")
	cmd := exec.Command("sh", "-ec", html.UnescapeString(commands))
	cmd.Dir, cmd.Env = g.Dir, g.Env
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s\n%v: %s", commands, err, out)
	}
	g.Run("build", "-mod=readonly", "-o", os.DevNull, ".")
	for command, name := range map[string]string{"GOSUMDB='": "the checksum database", "GONOSUMDB='example.com/api'": "the module"} {
		if !strings.Contains(html.UnescapeString(commands), command) {
			t.Errorf("%s is not in the commands:\n%s", name, commands)
		}
	}
	if goMod := g.Read("go.mod"); !strings.Contains(goMod, "example.com/api v0.20.1") {
		t.Errorf("go.mod has no newest release:\n%s", goMod)
	}
}

// download is what go mod download -json says.
type download struct {
	Path, Version, Error, Sum, GoModSum, Query string
	Zip, Info                                  string
	Origin                                     struct{ VCS, URL, Hash, Ref string }
}

// TestSiteSaysWhatTheRepositoriesSay compares what the go command gets from the site with
// what it gets from the repositories in the site.
func TestSiteSaysWhatTheRepositoriesSay(t *testing.T) {
	w := newWorld(t)
	ask := func(env ...string) (all []download) {
		g := w.consumer(env...)
		args := []string{"mod", "download", "-json"}
		for _, path := range []string{"example.com/api", "example.com/group/Client"} {
			for _, query := range []string{"v0.20.0", "v0.20.1", "master", "kubernetes-1.20.1"} {
				args = append(args, path+"@"+query)
			}
		}
		for decoder := json.NewDecoder(strings.NewReader(g.Run(args...))); decoder.More(); {
			var d download
			w.Must(decoder.Decode(&d))
			if d.Sum == "" {
				t.Errorf("%s@%s: %s", d.Path, d.Version, d.Error)
			}
			hash, err := dirhash.HashZip(d.Zip, dirhash.Hash1)
			w.Must(err)
			if hash != d.Sum {
				t.Errorf("%s has the hash %s", d.Zip, hash)
			}
			d.Zip, d.Info = "", ""
			all = append(all, d)
		}
		return all
	}
	got := ask()
	want := ask(append(w.direct(), "GOSUMDB=off")...)
	if !slices.Equal(got, want) {
		t.Errorf("from the site:\n%+v\nfrom the repositories:\n%+v", got, want)
	}
}

// direct is the environment in which git fetches the repositories of the site over plain
// HTTP.
func (w *world) direct() []string {
	return publishtest.Direct(w, "example.com", map[string]string{
		"example.com/api":          w.server.URL + "/git/api.git",
		"example.com/group/Client": w.server.URL + "/git/group/Client.git",
	})
}

func TestGitClonesFromTheSite(t *testing.T) {
	w := newWorld(t)
	clone := func() string {
		dir := filepath.Join(t.TempDir(), "clone")
		gittest.Git(t, t.TempDir(), "", "clone", "--quiet", w.server.URL+"/git/group/Client.git", dir)
		gittest.Git(t, dir, "", "fsck", "--full")
		return string(gittest.Git(t, dir, "", "show-ref"))
	}
	before := clone()
	w.commit("D", 3, "C")
	w.Source.Branch("main", w.Source.Commits["D"])
	w.Source.Tag("v1.20.2", w.Source.Commits["D"])
	w.Publish()
	w.Git("group/Client", "repack", "-adq")
	w.write()
	after := clone()
	if before == after || !strings.Contains(after, "refs/tags/v0.20.2") {
		t.Errorf("refs %s after %s", after, before)
	}
}

func TestNothingIsWrittenWhereNothingIsNew(t *testing.T) {
	w := newWorld(t)
	before := w.stats()
	if r := w.write(); !r.Unchanged {
		t.Errorf("%+v", r)
	}
	// Without the state, everything is looked at again.
	w.Must(os.Remove(filepath.Join(w.dir, "state")))
	if r := w.write(); r.Unchanged || r.Destinations[0].New != 0 {
		t.Errorf("%+v", r)
	}
	after := w.stats()
	delete(before, "state")
	delete(after, "state")
	for name, stat := range before {
		if after[name] != stat {
			t.Errorf("%s was written again", name)
		}
	}
	if len(after) != len(before) {
		t.Errorf("there are %d files, not %d", len(after), len(before))
	}
}

// stats tell whether files were written again.
func (w *world) stats() map[string]string {
	w.Helper()
	stats := make(map[string]string)
	for name := range w.files() {
		info, err := os.Stat(filepath.Join(w.dir, filepath.FromSlash(name)))
		w.Must(err)
		stats[name] = fmt.Sprint(info.ModTime(), info.Size())
	}
	return stats
}

func TestSiteGrowsByWhatIsNew(t *testing.T) {
	w := newWorld(t)
	before, stats := w.files(), w.stats()
	w.commit("D", 3, "C")
	w.Source.Branch("main", w.Source.Commits["D"])
	w.Source.Tag("v1.21.0", w.Source.Commits["D"])
	w.Publish()
	r := w.write()
	for _, d := range r.Destinations {
		if d.New == 0 || d.Versions < 3 {
			t.Errorf("%+v", d)
		}
	}
	after := w.stats()
	var changed []string
	for name := range before {
		if after[name] != stats[name] && strings.HasPrefix(name, "mod/example.com/api") {
			changed = append(changed, name)
		}
	}
	slices.Sort(changed)
	want := []string{"mod/example.com/api/@latest", "mod/example.com/api/@v/list", "mod/example.com/api/@v/master.info"}
	if !slices.Equal(changed, want) {
		t.Errorf("written again: %q, want %q", changed, want)
	}
	if list := w.read("mod/example.com/api/@v/list"); list != "v0.20.0\nv0.20.1\nv0.21.0\n" {
		t.Errorf("list: %q", list)
	}
	for name := range before {
		if after[name] == "" {
			t.Errorf("%s is gone", name)
		}
	}
	// What was pinned yesterday can be had today.
	g := w.consumer()
	for name := range maps.Keys(before) {
		if version, ok := apiZip(name); ok {
			g.Run("mod", "download", "example.com/api@"+version)
		}
	}
}

// apiZip returns the version of which a file is the zip.
func apiZip(name string) (version string, ok bool) {
	file, ok := strings.CutPrefix(name, "mod/example.com/api/@v/")
	version, zip := strings.CutSuffix(file, ".zip")
	return version, ok && zip
}

func TestZipsAreWhatTheGoCommandWouldMake(t *testing.T) {
	w := newWorld(t)
	zips := 0
	for name := range w.files() {
		version, ok := apiZip(name)
		if !ok {
			continue
		}
		zips++
		m := module.Version{Path: "example.com/api", Version: version}
		file := filepath.Join(w.dir, name)
		if _, err := zip.CheckZip(m, file); err != nil {
			t.Error(err)
		}
		dir := filepath.Join(t.TempDir(), version)
		w.Must(zip.Unzip(dir, m, file))
		if data, err := os.ReadFile(filepath.Join(dir, "unicode-é.txt")); string(data) != "é\n" {
			t.Errorf("%s: %q, %v", name, data, err)
		}
	}
	if zips < 3 {
		t.Errorf("there are %d zips", zips)
	}
}
