package publishtest

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// GoCommand is a go command of somebody who has never used it: its caches are empty, and
// nothing of the user's settings counts. GOPROXY is off unless Env has another.
type GoCommand struct {
	testing.TB
	// Dir is where it runs: an empty folder that is in no module.
	Dir string
	Env []string
}

// NewGo returns one with more of an environment.
func NewGo(t testing.TB, env ...string) *GoCommand {
	t.Helper()
	home := t.TempDir()
	g := &GoCommand{TB: t, Dir: filepath.Join(home, "work")}
	if err := os.Mkdir(g.Dir, 0o777); err != nil {
		t.Fatal(err)
	}
	cache, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	g.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "LC_ALL=C", "GOPATH=" + filepath.Join(home, "go"),
		// What is compiled is named by what it is made of.
		"GOCACHE=" + strings.TrimSpace(string(cache)),
		"GOENV=off", "GOFLAGS=-modcacherw", "GOWORK=off", "GOTOOLCHAIN=local", "GOPROXY=off", "GOSUMDB=off", "GOVCS=*:git",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_TERMINAL_PROMPT=0",
	}, env...)
	return g
}

// Try runs the go command, and returns what it writes to its standard output. The error
// has the rest of what it says.
func (g *GoCommand) Try(args ...string) (string, error) {
	g.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir, cmd.Env = g.Dir, g.Env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("go %s: %w\n%s%s", strings.Join(args, " "), err, out, stderr.Bytes())
	}
	return string(out), err
}

// Run runs the go command, which must not fail.
func (g *GoCommand) Run(args ...string) string {
	g.Helper()
	out, err := g.Try(args...)
	if err != nil {
		g.Fatal(err)
	}
	return out
}

// Write writes a file into the folder in which it runs.
func (g *GoCommand) Write(name, text string) {
	g.Helper()
	if err := os.WriteFile(filepath.Join(g.Dir, name), []byte(text), 0o666); err != nil {
		g.Fatal(err)
	}
}

// Read reads a file of that folder.
func (g *GoCommand) Read(name string) string {
	g.Helper()
	data, err := os.ReadFile(filepath.Join(g.Dir, name))
	if err != nil {
		g.Fatal(err)
	}
	return string(data)
}

// Direct is the environment in which the go command gets modules from git repositories,
// with nothing between: their host, of which there is none, says where they are
// (https://go.dev/ref/mod#vcs-find). The folders are named by the path at the root of
// each repository; all paths begin with the host.
func Direct(t testing.TB, host string, repositories map[string]string) []string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for root, repository := range repositories {
			if asked := r.URL.Host + r.URL.Path; r.URL.Host == host && (asked == root || strings.HasPrefix(asked, root+"/")) {
				if filepath.IsAbs(repository) {
					repository = "https://repositories.invalid" + repository
				}
				fmt.Fprintf(w, `<meta name="go-import" content="%s git %s">`, root, repository)
				return
			}
		}
		http.Error(w, "there is nothing else here", http.StatusNotFound)
	}))
	t.Cleanup(server.Close)
	return []string{
		"GOPROXY=direct", "GOINSECURE=" + host + "/*", "HTTP_PROXY=" + server.URL, "HTTPS_PROXY=" + server.URL, "NO_PROXY=127.0.0.1",
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=url.file:///.insteadOf", "GIT_CONFIG_VALUE_0=https://repositories.invalid/",
	}
}
