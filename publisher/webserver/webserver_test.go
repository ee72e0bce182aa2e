package webserver_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"k8s.io/publisher/webserver"
)

// site makes a directory with a file outside of it, to which links lead.
func site(t testing.TB, names ...string) string {
	t.Helper()
	root := t.TempDir()
	dir := filepath.Join(root, "site")
	for _, name := range append(names, "../secret") {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content(name)), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// content is long enough to be compressed.
func content(name string) string {
	return strings.Repeat(filepath.Base(name)+" has this. ", 200)
}

func TestWhatMayBeKeptAndAsWhat(t *testing.T) {
	const (
		forEver = "public, max-age=31536000, immutable"
		minute  = "public, max-age=60"
		pack    = "pack-0123456789abcdef0123456789abcdef01234567"
	)
	files := []struct{ path, cache, mime string }{
		{"mod/k8s.io/client-go/@v/v0.36.0.zip", forEver, "application/zip"},
		{"mod/k8s.io/client-go/@v/v0.36.0.mod", forEver, "text/plain; charset=utf-8"},
		{"mod/k8s.io/client-go/@v/v0.36.0.info", forEver, "application/json"},
		{"mod/k8s.io/client-go/@v/v0.36.0-!r!c.1.info", forEver, "application/json"},
		{"mod/k8s.io/client-go/@v/v0.0.0-20260102150405-2b0d7c6a1f00.zip", forEver, "application/zip"},
		{"mod/k8s.io/client-go/@v/v11.0.0+incompatible.info", forEver, "application/json"},
		{"mod/k8s.io/client-go/@v/master.info", minute, "application/json"},
		{"mod/k8s.io/client-go/@v/v0.36.info", minute, "application/json"},
		{"mod/k8s.io/client-go/@v/list", minute, "text/plain; charset=utf-8"},
		{"mod/k8s.io/client-go/@latest", minute, "application/json"},
		{"mod/sumdb/sum.example.org/supported", minute, "text/plain; charset=utf-8"},
		{"mod/sumdb/sum.example.org/tile/8/0/000", forEver, "application/octet-stream"},
		{"sumdb/latest", minute, "text/plain; charset=utf-8"},
		{"sumdb/lookup/k8s.io/client-go@v0.36.0", minute, "text/plain; charset=utf-8"},
		{"sumdb/tile/8/0/x001/234", forEver, "application/octet-stream"},
		{"sumdb/tile/8/0/001.p/7", minute, "application/octet-stream"},
		{"sumdb/tile/8/data/000", forEver, "text/plain; charset=utf-8"},
		{"git/client-go/mirror.git/HEAD", "no-cache", "text/plain; charset=utf-8"},
		{"git/client-go/mirror.git/info/refs", "no-cache", "text/plain; charset=utf-8"},
		{"git/client-go/mirror.git/objects/info/packs", "no-cache", "text/plain; charset=utf-8"},
		{"git/client-go/mirror.git/objects/pack/" + pack + ".pack", forEver, "application/x-git-packed-objects"},
		{"git/client-go/mirror.git/objects/pack/" + pack + ".idx", forEver, "application/x-git-packed-objects-toc"},
		{"git/client-go/mirror.git/objects/2b/0d7c6a1f000123456789abcdef0123456789ab", forEver, "application/x-git-loose-object"},
		{"index.html", minute, "text/html; charset=utf-8"},
		{"index.json", minute, "application/json"},
		{"modules/client-go.atom", minute, "application/atom+xml; charset=utf-8"},
		{"assets/site.css", minute, "text/css; charset=utf-8"},
		{"assets/drawing.svg", minute, "image/svg+xml"},
	}
	var names []string
	for _, f := range files {
		names = append(names, f.path)
	}
	s := serve(t, site(t, names...), webserver.Options{})
	for _, f := range files {
		w := s.get("/" + f.path)
		if got := w.Header.Get("Cache-Control"); w.StatusCode != 200 || got != f.cache {
			t.Errorf("%s: %d, may be kept: %s", f.path, w.StatusCode, got)
		}
		if got := w.Header.Get("Content-Type"); got != f.mime {
			t.Errorf("%s is %s", f.path, got)
		}
		if w.Body != content(f.path) {
			t.Errorf("%s has other content", f.path)
		}
		if w.Header.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(w.Header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: the headers are %v", f.path, w.Header)
		}
	}
}

func TestNothingButTheSitesFilesIsServed(t *testing.T) {
	dir := site(t, "index.html", "docs/page.html", "docs/.draft.html", ".git/config", "sumdb/.next", "mod/a.b/c/@v/list", "sumdb/supported")
	link := func(target, name string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	link("../secret", "docs/secret.html")
	link("../../secret", "docs/secret2.html")
	link("..", "up")
	link(filepath.Join(dir, "..", "secret"), "absolute.html")
	link("loop", "loop")
	link("../../sumdb", "mod/sumdb/sum.example.org")
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o666); err != nil {
		t.Fatal(err)
	}
	s := serve(t, dir, webserver.Options{})
	for _, path := range []string{
		"/../secret", "/docs/../../secret", "/docs/../index.html", "//index.html", "/docs//page.html", "/./index.html", "/%2e%2e/secret", "/docs/%2e%2e%2f%2e%2e%2fsecret",
		"/..%5csecret", "/docs/secret.html", "/docs/secret2.html", "/up/secret", "/absolute.html", "/loop", "/pipe", "/docs/.draft.html", "/.git/config", "/sumdb/.next",
		"/docs", "/docs/", "/mod/", "/mod/a.b/c/@v/", "/mod/a.b/c/@v", "/index.html/", "/index.html/x", "/none", "/mod/a.b/c/@v/v1.0.0.info", "/index.html%00", "/" + strings.Repeat("a", 5000), "/" + strings.Repeat("a/", 3000),
	} {
		w := s.get(path)
		if w.StatusCode != 404 {
			t.Errorf("%.60s: %d", path, w.StatusCode)
		}
		if strings.Contains(w.Body, "has this") {
			t.Errorf("%.60s: %s", path, w.Body)
		}
	}
	for _, path := range []string{"/", "/index.html", "/docs/page.html", "/mod/a.b/c/@v/list", "/mod/sumdb/sum.example.org/supported", "/healthz"} {
		if w := s.get(path); w.StatusCode != 200 {
			t.Errorf("%s: %d", path, w.StatusCode)
		}
	}
	if w := s.get("/mod/example.com/!m/@v/v1.0.0.info"); !strings.Contains(w.Body, "example.com/!m/@v/v1.0.0.info") {
		t.Errorf("the go command shows its user: %s", w.Body)
	}
}

func TestAFolderIsItsPage(t *testing.T) {
	s := serve(t, site(t, "modules/client-go/index.html"), webserver.Options{})
	w := s.get("/modules/client-go?go-get=1")
	if w.StatusCode != 301 || w.Header.Get("Location") != "/modules/client-go/?go-get=1" {
		t.Errorf("%d, to %s", w.StatusCode, w.Header.Get("Location"))
	}
	w = s.get("/modules/client-go/")
	if w.StatusCode != 200 || !strings.HasPrefix(w.Header.Get("Content-Type"), "text/html") || w.Header.Get("X-Frame-Options") != "DENY" {
		t.Errorf("%d, %v", w.StatusCode, w.Header)
	}
}

func TestOnlyReading(t *testing.T) {
	s := serve(t, site(t, "index.html"), webserver.Options{})
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "FOO"} {
		w := s.ask(method, "/index.html")
		if w.StatusCode != 405 || w.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %d", method, w.StatusCode)
		}
	}
	w := s.ask("HEAD", "/index.html")
	if w.StatusCode != 200 || w.Body != "" || w.Header.Get("Content-Length") == "" {
		t.Errorf("HEAD: %d, %v", w.StatusCode, w.Header)
	}
}

func TestCompressionRangesAndTags(t *testing.T) {
	dir := site(t, "index.html", "mod/a.b/c/@v/v1.0.0.zip")
	s := serve(t, dir, webserver.Options{})
	want := content("index.html")

	plain := s.get("/index.html")
	for _, offer := range []string{"gzip", "deflate, gzip;q=0.5", "*"} {
		w := s.get("/index.html", "Accept-Encoding", offer)
		if w.Header.Get("Content-Encoding") != "gzip" || w.Header.Get("Vary") != "Accept-Encoding" || w.Header.Get("Etag") == plain.Header.Get("Etag") {
			t.Fatalf("%s: %v", offer, w.Header)
		}
		z, err := gzip.NewReader(strings.NewReader(w.Body))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(z); err != nil || string(got) != want {
			t.Errorf("%s: other content, %v", offer, err)
		}
		if again := s.get("/index.html", "Accept-Encoding", offer, "If-None-Match", w.Header.Get("Etag")); again.StatusCode != 304 {
			t.Errorf("%s: what is known already is sent: %d", offer, again.StatusCode)
		}
	}
	for _, offer := range []string{"", "identity", "gzip;q=0", "br"} {
		if w := s.get("/index.html", "Accept-Encoding", offer); w.Header.Get("Content-Encoding") != "" || w.Body != want {
			t.Errorf("%q: %v", offer, w.Header)
		}
	}
	if w := s.get("/mod/a.b/c/@v/v1.0.0.zip", "Accept-Encoding", "gzip"); w.Header.Get("Content-Encoding") != "" {
		t.Error("a zip is compressed again")
	}
	w := s.get("/index.html", "Range", "bytes=10-19", "Accept-Encoding", "gzip")
	if w.StatusCode != 206 || w.Body != want[10:20] {
		t.Errorf("a range: %d, %q", w.StatusCode, w.Body)
	}
	if w := s.get("/index.html", "Range", "bytes=99999-"); w.StatusCode != 416 {
		t.Errorf("a range beyond the end: %d", w.StatusCode)
	}

	// A file that is replaced is another one at once.
	if err := os.WriteFile(filepath.Join(dir, "new"), []byte("new"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, "new"), filepath.Join(dir, "index.html")); err != nil {
		t.Fatal(err)
	}
	w = s.get("/index.html", "If-None-Match", plain.Header.Get("Etag"))
	if w.StatusCode != 200 || w.Body != "new" {
		t.Errorf("after the file was replaced: %d, %q", w.StatusCode, w.Body)
	}
}

func TestRequestsAreLoggedAndCounted(t *testing.T) {
	var out bytes.Buffer
	registry := prometheus.NewRegistry()
	s := serve(t, site(t, "index.html"), webserver.Options{AccessLog: slog.New(slog.NewJSONHandler(&out, nil)), Registry: registry})
	s.get("/index.html", "User-Agent", "a \"browser\"")
	s.get("/none")
	s.end() // The answers may be there before the lines.
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], `"path":"/index.html","status":200`) || !strings.Contains(lines[1], `"status":404`) {
		t.Errorf("the log is %s", &out)
	}
	want := `# HELP publisher_serve_requests_total Requests for files of the site, by what was asked for and the status of the answer.
# TYPE publisher_serve_requests_total counter
publisher_serve_requests_total{code="200",kind="page"} 1
publisher_serve_requests_total{code="404",kind="missing"} 1
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "publisher_serve_requests_total"); err != nil {
		t.Error(err)
	}
}

// Whatever path is asked for, nothing hidden and nothing from elsewhere comes out, and what is
// answered is a page, a redirection within the site, or a 404; a 400 is what package net/http
// does not take for a path, either.
func FuzzPath(f *testing.F) {
	dir := site(f, "index.html", "docs/index.html", ".hidden", "mod/a.b/!c/@v/list", "mod/a.b/!c/@v/.tmp", "a b", "100%", "what?", "ä")
	for name, target := range map[string]string{"out": "../secret", "up": "..", "db": "mod"} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			f.Fatal(err)
		}
	}
	for _, path := range []string{
		"/", "/docs", "/../secret", "/up/secret", "/db/a.b/!c/@v/list", "/.hidden", "/mod/a.b/!c/@v/.tmp", "/mod/a.b/!c/@v/v1.0.0.info", "//evil.example", "/docs/..", "/\\evil",
		"/sumdb/tile/8/0/x001/000.p/3", "/a%20b", "/a b", "/100%25", "/100%", "/what%3f", "/what?", "/\u00e4", "/%C3%A4", "/docs?x=%zz", "/docs?\u00e4", "/docs#x", "http://example.org/docs", "http://example.org", "*", "docs", "", "/\x00", "/%00", "/docs%2findex.html", "/%2e%2e/secret", "/docs/%2E%2E/%2E%2E/secret",
	} {
		f.Add(path)
	}
	s := serve(f, dir, webserver.Options{})
	std := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	f.Cleanup(std.Close)
	f.Fuzz(func(t *testing.T, path string) {
		if strings.ContainsAny(path, "\r\n") {
			return // It would be another request.
		}
		if len(path) > 3<<10 {
			return // What net/http's server says of a bad line that does not fit its buffer gets lost: it hangs up.
		}
		w := ask(t, s.address, "GET", path)
		switch w.StatusCode {
		case 200:
			if strings.HasPrefix(w.Body, "secret") || strings.HasPrefix(w.Body, ".") {
				t.Errorf("%q gives %.20s", path, w.Body)
			}
		case 301:
			if to := w.Header.Get("Location"); !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") {
				t.Errorf("%q leads to %q", path, to)
			}
		case 400, 404:
		default:
			t.Errorf("%q: %d", path, w.StatusCode)
		}
		if w, want := w.StatusCode, ask(t, std.Listener.Addr().String(), "GET", path).StatusCode; strings.HasPrefix(path, "/") && (w == 400) != (want == 400) {
			t.Errorf("%q: %d, net/http's server says %d", path, w, want)
		}
	})
}
