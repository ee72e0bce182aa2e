package site_test

import (
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/publisher/checksumdb"
	"k8s.io/publisher/gittest"
	"k8s.io/publisher/mirror"
	"k8s.io/publisher/publishtest"
	"k8s.io/publisher/site"
)

// mirrored is a site of one mirror, which nobody published.
func mirrored(t *testing.T, rules string, history func(*gittest.Repo)) *world {
	t.Helper()
	w := &world{World: publishtest.New(t, "rules:\n"+rules), dir: filepath.Join(t.TempDir(), "site")}
	w.server = httptest.NewServer(http.FileServer(http.Dir(w.dir)))
	t.Cleanup(w.server.Close)
	r := gittest.At(t, mirror.Path(w.Mirrors, "m"))
	history(r)
	r.Git("symbolic-ref", "HEAD", "refs/heads/master")
	return w
}

const oneRule = "- destination: m\n  branches: [{name: master, source: {branch: master, dir: m}}]\n"

func TestMovedTagStopsTheSite(t *testing.T) {
	w := newWorld(t)
	before := w.files()
	head := strings.TrimSpace(w.Git("api", "rev-parse", "master"))
	w.Git("api", "update-ref", "refs/tags/v0.20.1", head)
	w.Git("api", "update-ref", "refs/tags/v0.20.9", head)
	_, err := site.Write(t.Context(), w.options())
	changed, ok := errors.AsType[*checksumdb.ChangedError](err)
	if !ok || changed.Offered.Module.String() != "example.com/api@v0.20.1" {
		t.Fatalf("error %v", err)
	}
	after := w.files()
	maps.DeleteFunc(after, func(name, _ string) bool { return strings.Contains(name, "@v/v0.20.9.") }) // It is not listed.
	if !maps.Equal(before, after) {
		t.Error("something was changed")
	}
	if strings.Contains(w.read("mod/example.com/api/@v/list"), "v0.20.9") {
		t.Error("a version is listed")
	}
	// It goes on where the tag is back.
	w.Git("api", "update-ref", "refs/tags/v0.20.1", strings.TrimSpace(w.Git("api", "rev-parse", "kubernetes-1.20.1")))
	if r := w.write(); r.Destinations[0].New != 1 {
		t.Errorf("%+v", r.Destinations[0])
	}
}

func TestWhatCannotBeFetchedIsLeftOut(t *testing.T) {
	w := mirrored(t, oneRule, func(r *gittest.Repo) {
		r.Add("A", nil, func(files gittest.Files) { files["go.mod"] = gittest.Text("module example.com/m\n") })
		r.Tag("v0.1.0", r.Commits["A"])
		r.Add("B", []string{"A"}, func(files gittest.Files) { files["aux.go"] = gittest.Text("package m\n") })
		r.Tag("v0.2.0", r.Commits["B"])
		r.Branch("master", r.Commits["B"])
	})
	r := w.write()
	if d := r.Destinations[0]; len(d.Unfetchable) != 1 || d.Unfetchable[0].Module != "example.com/m@v0.2.0" || !strings.Contains(d.Unfetchable[0].Why, "aux") || d.Versions != 1 || d.New != 1 {
		t.Errorf("%+v", d)
	}
	if list := w.read("mod/example.com/m/@v/list"); list != "v0.1.0\n" {
		t.Errorf("list %q", list)
	}
	g := w.consumer()
	g.Run("mod", "download", "example.com/m@latest")
	for _, query := range []string{"v0.2.0", "master"} {
		if _, err := g.Try("mod", "download", "example.com/m@"+query); err == nil || !strings.Contains(err.Error(), "404") {
			t.Errorf("%s: %v", query, err)
		}
	}
}

// TestZipHasWhatGitArchives asks the go command about modules whose files git converts.
func TestZipHasWhatGitArchives(t *testing.T) {
	w := mirrored(t, oneRule, func(r *gittest.Repo) {
		r.Add("A", nil, func(files gittest.Files) {
			files["go.mod"] = gittest.Text("module example.com/m\n")
			files[".gitattributes"] = gittest.Text("*.txt text eol=crlf\n")
			files["a.txt"] = gittest.Text("one\ntwo\n")
		})
		r.Tag("v0.1.0", r.Commits["A"])
		r.Branch("master", r.Commits["A"])
	})
	w.write()
	w.consumer().Run("mod", "download", "example.com/m@v0.1.0")
	direct := w.consumer(append(publishtest.Direct(t, "example.com", map[string]string{"example.com/m": w.server.URL + "/git/m.git"}), "GOSUMDB="+strings.TrimSpace(w.read("sumdb/key"))+" "+w.server.URL+"/sumdb")...)
	direct.Run("mod", "download", "example.com/m@v0.1.0")
}

func TestTakenOverVersionsAreServedAndMarked(t *testing.T) {
	var commit string
	w := mirrored(t, "", func(r *gittest.Repo) {
		r.Add("A", nil, func(files gittest.Files) { files["m.go"] = gittest.Text("package m\n") })
		r.Tag("v2.0.0", r.Commits["A"])
		r.Add("B", []string{"A"}, func(files gittest.Files) { files["go.mod"] = gittest.Text("module example.com/m\n") })
		r.Tag("v0.1.0", r.Commits["B"])
		commit = r.Commits["B"].String()
		r.Add("C", []string{"B"}, func(files gittest.Files) { files["c"] = gittest.Text("c") })
		r.Add("D", []string{"C"}, func(files gittest.Files) { files["d"] = gittest.Text("d") })
		r.Tag("v0.2.0", r.Commits["D"])
		r.Branch("master", r.Commits["D"])
	})
	w.Rules += oneRule + "  taken-over: {branches: [{branch: master, commit: " + commit + "}]}\n"
	if d := w.write().Destinations[0]; d.Versions != 3 || d.Foreign != 2 {
		t.Errorf("%+v", d)
	}
	g := w.consumer()
	for _, version := range []string{"v2.0.0+incompatible", "v0.1.0", "v0.2.0"} {
		g.Run("mod", "download", "example.com/m@"+version)
	}
	if list := w.read("mod/example.com/m/@v/list"); list != "v0.1.0\nv0.2.0\n" {
		t.Errorf("list %q", list)
	}
}

func TestRetractedVersionsAreServedAndNotChosen(t *testing.T) {
	w := mirrored(t, oneRule, func(r *gittest.Repo) {
		r.Add("A", nil, func(files gittest.Files) { files["go.mod"] = gittest.Text("module example.com/m/v2\n") })
		r.Tag("v2.0.0", r.Commits["A"])
		r.Add("B", []string{"A"}, func(files gittest.Files) {
			files["go.mod"] = gittest.Text("// Deprecated: use another.\nmodule example.com/m/v2\n\nretract v2.1.0 // broken\n")
		})
		r.Tag("v2.1.0", r.Commits["B"])
		r.Branch("master", r.Commits["B"])
	})
	w.write()
	g := w.consumer()
	if out := g.Run("list", "-m", "example.com/m/v2@latest"); out != "example.com/m/v2 v2.0.0\n" {
		t.Errorf("latest: %s", out)
	}
	out := g.Run("list", "-m", "-u", "-retracted", "-f", "{{.Version}} {{.Retracted}} {{.Deprecated}}", "example.com/m/v2@v2.1.0")
	if out != "v2.1.0 [broken] use another.\n" {
		t.Errorf("retracted: %s", out)
	}
	if latest := w.read("mod/example.com/m/v2/@latest"); !strings.Contains(latest, `"v2.0.0"`) {
		t.Errorf("@latest: %s", latest)
	}
}

// TestGoCommandFindsRepositories lets the go command find the repositories by the pages at
// the modules' paths, as it does with GOPROXY=direct.
func TestGoCommandFindsRepositories(t *testing.T) {
	w := newWorld(t)
	o := w.options()
	o.BaseURL = "http://example.com"
	o.KeyFile += ".other"
	w.Must(os.RemoveAll(w.dir)) // Its database has another name.
	if _, err := site.Write(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	proxy := w.server.URL
	g := w.consumer("GOPROXY=direct", "GOINSECURE=example.com/*", "HTTP_PROXY="+proxy, "http_proxy="+proxy, "HTTPS_PROXY="+proxy, "NO_PROXY=",
		"GOSUMDB="+strings.TrimSpace(w.read("sumdb/key"))+" http://example.com/sumdb")
	g.Run("get", "example.com/group/Client@v0.20.0")
	g.Run("build", "-o", os.DevNull, ".")
}
