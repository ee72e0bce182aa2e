package session_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"k8s.io/publisher/gitserver"
)

// canary is a token that is to be seen nowhere.
const canary = "c4n4ry+/%@5ecret"

// canaries are the forms that it may take.
func canaries(user string) []string {
	return []string{
		canary, url.QueryEscape(canary), url.PathEscape(canary), base64.StdEncoding.EncodeToString([]byte(user + ":" + canary)),
		base64.StdEncoding.EncodeToString([]byte(canary)), "5ecret",
	}
}

// watcher reads the arguments of all processes, over and over.
type watcher struct {
	stop  chan struct{}
	group sync.WaitGroup
	seen  []string
	looks int
}

func watch(forms []string) *watcher {
	w := &watcher{stop: make(chan struct{})}
	w.group.Go(func() {
		for {
			select {
			case <-w.stop:
				return
			default:
			}
			w.looks++
			names, _ := filepath.Glob("/proc/[0-9]*/cmdline")
			for _, name := range names {
				data, _ := os.ReadFile(name) // The process may have ended.
				if tellsAnyOf(data, forms) {
					w.seen = append(w.seen, string(bytes.ReplaceAll(data, []byte{0}, []byte{' '})))
				}
			}
		}
	})
	return w
}

func (w *watcher) end() []string {
	close(w.stop)
	w.group.Wait()
	return w.seen
}

func tellsAnyOf(data []byte, forms []string) bool {
	return slices.ContainsFunc(forms, func(form string) bool { return bytes.Contains(data, []byte(form)) })
}

// TestTokenIsSeenNowhere pushes, plans, verifies and fails in several ways, with a
// token, and looks at what is written, at what is left in files, and at the arguments
// of all processes meanwhile. A smoke test prints all that it has.
func TestTokenIsSeenNowhere(t *testing.T) {
	t.Parallel()
	for name, scheme := range map[string]string{"basic": "", "bearer": "  scheme: bearer\n"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := small(t, `
rules:
- destination: a
  smoke-test: |
    env
    cat /proc/self/environ /proc/$PPID/environ || true
    git config --list || true
  branches:
  - name: master
    source: {branch: master, dir: staging/a}
- destination: b
  branches:
  - name: master
    dependencies: [{repository: a, branch: master}]
    source: {branch: master, dir: staging/b}
- destination: org/c
  branches:
  - name: master
    source: {branch: master, dir: staging/c}
`).remotes()
			server := s.HTTP()
			s.template = server.Template
			allow := func(secret string) {
				server.Set(func(h *gitserver.HTTP) {
					h.Password, h.Bearer = secret, ""
					if scheme != "" {
						h.Password, h.Bearer = "", secret
					}
				})
			}
			forms := canaries("x-access-token")
			temp := s.dir + "/temp"
			s.must(os.Mkdir(temp, 0o777))
			s.write(s.dir+"/secrets/token", canary+"\n")
			s.write(s.dir+"/credentials.yaml", fmt.Sprintf("- url: %s\n  token-file: secrets/token\n  ca-file: %s\n%s", server.URL, server.CA, scheme))
			s.flags = []string{"--credentials", s.dir + "/credentials.yaml", "--log-level", "debug"}
			s.env = []string{"TMPDIR=" + temp}
			run := func(what string, ok bool, verb string, more ...string) {
				t.Helper()
				w := watch(forms)
				out, err := s.run(verb, more...).CombinedOutput()
				seen := w.end()
				if (err == nil) != ok {
					t.Errorf("%s: %v\n%s", what, err, out)
				}
				if tellsAnyOf(out, forms) {
					t.Errorf("%s: the token was written:\n%s", what, out)
				}
				for _, args := range seen {
					t.Errorf("%s: a process had it in its arguments: %s", what, args)
				}
				if w.looks == 0 {
					t.Errorf("%s: nobody looked", what)
				}
			}
			allow(canary)
			run("plan", true, "plan")
			run("push", true, "sync", "--push")
			s.arrived()
			run("push again", true, "sync", "--push")
			allow("another")
			run("a token that is not taken", false, "sync", "--push")
			allow(canary)
			server.Set(func(h *gitserver.HTTP) {
				h.Intercept = func(rw http.ResponseWriter, r *http.Request) bool {
					http.Error(rw, fmt.Sprintf("you are not %s", r.Header.Get("Authorization")), http.StatusForbidden)
					return false
				}
			})
			run("a server that repeats it", false, "plan")
			server.Set(func(h *gitserver.HTTP) { h.Intercept = nil })
			s.tag("v1.22.0")
			s.Hook("a", "pre-receive", "env >&2; exit 1")
			run("a hook that says no", false, "sync", "--push")
			s.must(filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() || !d.Type().IsRegular() || strings.HasSuffix(path, "/secrets/token") {
					return err
				}
				data, err := os.ReadFile(path)
				if tellsAnyOf(data, forms) {
					t.Errorf("%s has the token in it", path)
				}
				return err
			}))
		})
	}
}

// TestURLsWithPasswordsAreRefused does not repeat them either.
func TestURLsWithPasswordsAreRefused(t *testing.T) {
	t.Parallel()
	w := small(t, standardRules)
	for _, template := range []string{
		"https://bot:h1dden@127.0.0.1/{{.Destination}}.git", "https://h1dden@127.0.0.1/{{.Destination}}.git",
		"ssh://git:h1dden@127.0.0.1/{{.Destination}}.git", "https://bot:h1dden@127.0.0.1/{{.Destination", "https://127.0.0.1/{{.Destination}}?token=h1dden",
	} {
		if said := w.fails(w.publisher("plan", "--remote", template), "remote"); strings.Contains(said, "h1dden") {
			t.Errorf("%s: it said\n%s", template, said)
		}
		w.write(w.dir+"/secret.yaml", "remote: '"+template+"'\n"+standardRules)
		cmd := w.publisher("plan")
		cmd.Args = append(cmd.Args, "--rules", w.dir+"/secret.yaml")
		if said := w.fails(cmd, "remote"); strings.Contains(said, "h1dden") {
			t.Errorf("rules with %s: it said\n%s", template, said)
		}
	}
}
