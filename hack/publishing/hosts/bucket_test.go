package hosts

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rclone/gofakes3"
	"github.com/rclone/gofakes3/s3mem"
)

// TestABucketServesTheSite uploads it by the commands of the documentation.
func TestABucketServesTheSite(t *testing.T) {
	t.Parallel()
	s, d, b := newSite(t), readText(t), newBucket(t)
	h := &host{TB: t, site: s, dir: t.TempDir(), url: b.url + "/bucket", client: http.DefaultClient}
	b.upload(s, d)
	b.check(s, d, h)
	b.inOrder()
	h.isPinnedFrom()
	h.isClonedFrom()

	// What is new, and no more than that, is sent the next time, and what is gone goes.
	b.puts = nil
	s.release(12)
	s.Publish()
	s.write()
	gone := "mod/example.com/api/@v/kubernetes-1.20.3.info"
	s.Must(os.Remove(filepath.Join(s.dir, gone)))
	b.upload(s, d)
	b.check(s, d, h)
	b.inOrder()
	for _, name := range b.puts {
		if strings.Contains(name, "@v/v0.20.0.") || strings.Contains(name, "tile/8/0/000") || strings.Contains(name, "lookup/example.com/before@") {
			t.Errorf("%s was sent again", name)
		}
	}
	if answer, _ := h.get(gone); answer.StatusCode != http.StatusNotFound {
		t.Errorf("what the site has no more: %s", answer.Status)
	}
	h.isPinnedFrom()
}

// bucket is that of a server which speaks the protocol of Amazon S3.
type bucket struct {
	testing.TB
	url string

	mu   sync.Mutex
	puts []string // names of what was sent, in order
}

func newBucket(t testing.TB) *bucket {
	b := &bucket{TB: t}
	backend := s3mem.New()
	if err := backend.CreateBucket(t.Context(), "bucket"); err != nil {
		t.Fatal(err)
	}
	s3 := gofakes3.New(backend).Server()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name, ok := strings.CutPrefix(r.URL.Path, "/bucket/"); ok && r.Method == http.MethodPut {
			b.mu.Lock()
			b.puts = append(b.puts, name)
			b.mu.Unlock()
			// Go's server leaves that out where nothing is to come. Then aws waits a minute.
			if r.Header.Get("Expect") == "100-continue" && r.ContentLength == 0 {
				w.WriteHeader(http.StatusContinue)
			}
		}
		s3.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	b.url = server.URL
	return b
}

// upload runs the commands as they are, but for the folder and the server's address.
func (b *bucket) upload(s *site, d text) {
	b.Helper()
	script := "set -eu\naws() { command aws --endpoint-url " + b.url + " \"$@\"; }\n" + d.block("### A bucket", "/srv/site", s.dir)
	cmd := exec.CommandContext(b.Context(), "bash", "-c", script)
	cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=key", "AWS_SECRET_ACCESS_KEY=secret", "AWS_DEFAULT_REGION=us-east-1", "AWS_EC2_METADATA_DISABLED=true", "HOME="+b.TempDir())
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v:\n%s", err, out)
	}
}

// check compares all files, and the headers that a bucket has.
func (b *bucket) check(s *site, d text, h *host) {
	b.Helper()
	rows := d.rows()
	seen := make(map[*row]bool)
	files, hidden := s.files()
	for _, name := range some(files) {
		answer, body := h.get(name)
		if answer.StatusCode != http.StatusOK || string(body) != s.read(name) {
			b.Errorf("%s: %s, with %d bytes", name, answer.Status, len(body))
		}
		want := of(rows, name)
		seen[want] = true
		if got := answer.Header.Get("Cache-Control"); got != want.cache {
			b.Errorf("%s: Cache-Control is %q, not %q", name, got, want.cache)
		}
		mime, _, _ := strings.Cut(answer.Header.Get("Content-Type"), ";")
		if ext := path.Ext(name); mime != want.mime && want.mime != "any" && slices.Contains([]string{".html", ".css", ".svg", ".atom", ".json", ".zip"}, ext) {
			b.Errorf("%s: Content-Type is %q, not %q", name, mime, want.mime)
		}
	}
	if len(seen) != len(rows) {
		b.Errorf("files show %d of the %d rows", len(seen), len(rows))
	}
	for _, name := range hidden {
		if answer, _ := h.get(name); answer.StatusCode != http.StatusNotFound {
			b.Errorf("%s: %s", name, answer.Status)
		}
	}
}

// inOrder makes sure that nothing was sent before what it points at.
func (b *bucket) inOrder() {
	b.Helper()
	stage := func(name string) int {
		file := path.Base(name)
		switch ext := path.Ext(file); {
		case strings.Contains(name, "/objects/") && file != "packs", strings.Contains(name, "/@v/") && (ext == ".zip" || ext == ".mod"):
			return 1
		case strings.Contains(name, "/tile/8/"):
			return 2
		case strings.Contains(name, "/lookup/"):
			return 3
		}
		return 4
	}
	// The proxy's copy of the database is a database of its own.
	for _, other := range []string{"mod/sumdb/", "sumdb/"} {
		last := 0
		for _, name := range b.puts {
			if strings.HasPrefix(name, other) {
				continue
			}
			if is := stage(name); is < last {
				b.Errorf("%s is sent after what points at it", name)
			} else {
				last = is
			}
		}
	}
	if len(b.puts) == 0 {
		b.Error("nothing was sent")
	}
}
