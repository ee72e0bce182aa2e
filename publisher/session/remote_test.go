package session_test

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

const password = "s3cr3t+/%@pw"

// server serves the world's source over HTTP to those who know the password.
// Whenever it is asked, it looks at the arguments of all processes.
type server struct {
	*httptest.Server
	mu     sync.Mutex
	leaks  []string // arguments with the password in them
	served int      // bytes of packs
	asked  int
}

func (w *world) serve() *server {
	w.Helper()
	w.git(w.source, "config", "http.receivepack", "false")
	backend := &cgi.Handler{
		Path:   filepath.Join(w.git(w.dir, "--exec-path"), "git-http-backend"),
		Stderr: io.Discard,
		Env:    []string{"GIT_PROJECT_ROOT=" + w.dir, "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*"},
	}
	s := new(server)
	s.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.look()
		if _, given, ok := r.BasicAuth(); !ok || given != password {
			rw.Header().Set("WWW-Authenticate", `Basic realm="test"`)
			rw.WriteHeader(http.StatusUnauthorized)
			return
		}
		s.asked++
		if strings.HasSuffix(r.URL.Path, "git-upload-pack") && r.Method == http.MethodPost {
			counted := &counter{ResponseWriter: rw}
			rw = counted
			defer func() { s.served += counted.n }()
		}
		backend.ServeHTTP(rw, r)
	}))
	w.Cleanup(s.Close)
	return s
}

type counter struct {
	http.ResponseWriter
	n int
}

func (c *counter) Write(p []byte) (int, error) {
	c.n += len(p)
	return c.ResponseWriter.Write(p)
}

// look collects what anyone on the machine could see. The publisher's own
// arguments are whoever started it's to hide.
func (s *server) look() {
	names, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, name := range names {
		data, _ := os.ReadFile(name) // The process may have ended.
		if !bytes.HasPrefix(data, []byte(binary)) && tells(string(data)) {
			s.leaks = append(s.leaks, string(bytes.ReplaceAll(data, []byte{0}, []byte{' '})))
		}
	}
}

// tells reports whether a text has the password in it.
func tells(text string) bool {
	return strings.Contains(text, password) || strings.Contains(text, url.QueryEscape(password)) || strings.Contains(text, url.PathEscape(password)) ||
		strings.Contains(text, "s3cr3t")
}

func (w *world) url(s *server, password string) string {
	u, err := url.Parse(s.URL + "/source/.git")
	w.must(err)
	u.User = url.UserPassword("bot", password)
	return u.String()
}

// TestPasswordInURLIsSeenNowhere fetches, fails to fetch, and looks at what is
// logged, what is left on the disk, and what other processes are told.
func TestPasswordInURLIsSeenNowhere(t *testing.T) {
	t.Parallel()
	w := small(t, standardRules)
	want := w.scratch()
	local := w.source
	s := w.serve()
	quiet := func(out string) {
		t.Helper()
		if tells(out) {
			t.Errorf("the password is told:\n%s", out)
		}
	}
	w.source = w.url(s, password)
	quiet(w.sync("--log-level=debug"))
	if got := w.refs(); got != want {
		t.Errorf("the mirrors have\n%s\nfrom the source itself they have\n%s", got, want)
	}
	if s.asked == 0 {
		t.Error("the server was not asked")
	}
	if len(s.leaks) > 0 {
		t.Errorf("anyone could see:\n%s", strings.Join(s.leaks, "\n"))
	}
	w.must(filepath.WalkDir(w.mirrors, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if tells(string(data)) || tells(path) {
			t.Errorf("%s has the password in it", path)
		}
		return err
	}))

	// What is wrong with the source is said without the password.
	for _, wrong := range []string{
		w.url(s, "s3cr3t-but-wrong"),
		strings.Replace(w.url(s, password), "/source/", "/elsewhere/", 1),
		strings.Replace(w.url(s, password), "127.0.0.1", "127.0.0.1.invalid", 1),
		strings.Replace(w.url(s, password), "http:", "unknown:", 1),
		"http://bot:s3cr3t%zz@127.0.0.1:1/source",
		"http://bot:s3cr3t@127.0.0.1:port/source",
		"https://bot:s3cr3t@[::1/source",
		"http://bot:s3cr3t\x7f@127.0.0.1:1/source",
	} {
		w.source = wrong
		quiet(w.failSync())
		quiet(w.fails(w.publisher("plan")))
	}
	w.noLeftovers()

	// News are all that is fetched again.
	w.source = local
	w.commit(commit{files: files{"staging/a/x.go": "package a\n"}})
	noise := strings.Builder{}
	for i := range 4000 {
		fmt.Fprintf(&noise, "%x\n", uint64(i+1)*0x9E3779B97F4A7C15)
	}
	w.commit(commit{files: files{"staging/c/noise.go": "package c\n/*\n" + noise.String() + "*/\n"}})
	w.source = w.url(s, password)
	w.sync()
	first := s.served
	w.source = local
	w.commit(commit{files: files{"staging/a/y.go": "package a\n"}})
	w.source = w.url(s, password)
	w.sync()
	if news := s.served - first; news > 10000 {
		t.Errorf("%d bytes were fetched for one small commit", news)
	}
	w.source = local
	w.sameAsFromScratch()
}

// TestFetchedSourceFollowsItsRemote: what the remote removed or rewrote is
// seen, too.
func TestFetchedSourceFollowsItsRemote(t *testing.T) {
	t.Parallel()
	w := small(t, standardRules)
	local := w.source
	remote := "file://" + local
	w.source = remote
	w.sync()
	w.unchanged(func() { w.sync() })
	packs := func() int {
		names, err := filepath.Glob(filepath.Join(w.work(), "source", "*.git", "objects", "pack", "*.pack"))
		w.must(err)
		return len(names)
	}
	before := packs()
	w.sync()
	if after := packs(); after != before {
		t.Errorf("nothing new made %d packs of %d", after, before)
	}

	w.source = local
	w.commit(commit{files: files{"staging/a/x.go": "package a\n"}})
	w.git(local, "branch", "-m", "feature", "feature/renamed") // in the way of itself
	w.tag("v1.21.0")
	good := w.git(local, "rev-parse", "master")
	w.source = remote
	w.sync()
	w.git(local, "update-ref", "refs/heads/master", "master~2")
	w.failSync("refs/heads/master of a is at")
	w.git(local, "update-ref", "refs/heads/master", good)
	w.sync()

	// A run that was killed while it fetched.
	w.write(filepath.Join(w.work(), "lock"), "process 1 on elsewhere, since long ago\n")
	fetched, err := filepath.Glob(filepath.Join(w.work(), "source", "*.git"))
	w.must(err)
	for _, name := range []string{"packed-refs.lock", "refs/heads/master.lock", "refs/tags/v1.22.0.lock", "objects/pack/tmp_pack_abcdef", "shallow.lock", "config.lock", "HEAD.lock"} {
		w.write(filepath.Join(fetched[0], name), "half")
	}
	w.source = local
	w.commit(commit{files: files{"staging/a/y.go": "package a\n"}})
	w.tag("v1.22.0")
	w.source = remote
	w.sync()
	w.source = local
	w.sameAsFromScratch()

	w.source = "file://" + filepath.Join(w.dir, "nowhere")
	w.unchanged(func() {
		w.failSync("fetch source file://"+filepath.Join(w.dir, "nowhere"), "does not appear to be a git repository")
	})
}

// TestShallowRemoteIsAnError: a fetch from a shallow repository is shallow.
func TestShallowRemoteIsAnError(t *testing.T) {
	t.Parallel()
	w := small(t, standardRules)
	clone := filepath.Join(w.dir, "clone")
	w.git(w.dir, "clone", "--quiet", "--depth=2", "file://"+w.source, clone)
	w.source = "file://" + clone
	said := w.failSync("shallow")
	if !regexp.MustCompile("[0-9a-f]{40}").MatchString(said) {
		t.Errorf("no commit is named: %s", said)
	}
}
