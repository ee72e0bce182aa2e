package cmd

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"k8s.io/publisher/gitserver"
	"k8s.io/publisher/gittest"
)

// shellBlock is one of the documentation's blocks of commands.
var shellBlock = regexp.MustCompile("(?s)```sh\n(.*?)```")

// TestWayOverFromPublishingBot goes it, command by command as the documentation has
// them, with a server at which only pushes need the token, and a mirror with two
// commits and a tag of another bot.
func TestWayOverFromPublishingBot(t *testing.T) {
	t.Parallel()
	const token = "sesame"
	page, err := os.ReadFile("../../docs/from-publishing-bot.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	repositories := gitserver.New(t)
	repositories.Create("org/monorepo", "mirrors/lib", "mirrors/app")
	git := func(stdin string, args ...string) string {
		t.Helper()
		return strings.TrimSpace(string(gittest.Git(t, dir, stdin, args...)))
	}
	in := func(repository string, args ...string) string {
		t.Helper()
		return git("", append([]string{"-C", repositories.Dir(repository)}, args...)...)
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	commit := func(n int, file, text string) {
		t.Helper()
		from := ""
		if n > 1 {
			from = "from refs/heads/master^0\n"
		}
		git(fmt.Sprintf("commit refs/heads/master\ncommitter C O <c@example.com> %d +0000\ndata 7\nChange\n%sM 100644 inline %s\ndata %d\n%s\n", 1700000000+n, from, file, len(text), text),
			"-C", repositories.Dir("org/monorepo"), "fast-import", "--quiet")
	}
	commit(1, "lib/lib.go", "package lib\n")
	commit(2, "lib/more.go", "package lib\n")
	// The other bot has no author dates of the source, and a trailer.
	identity := []string{"-c", "user.name=Bot", "-c", "user.email=bot@example.com"}
	parent := ""
	for _, at := range []string{"master~1", "master"} {
		id := in("org/monorepo", "rev-parse", at)
		in("mirrors/lib", "fetch", "--quiet", repositories.Dir("org/monorepo"), "master")
		args := append(append([]string{}, identity...), "commit-tree", "-m", "Change\n\nKubernetes-commit: "+id, in("org/monorepo", "rev-parse", at+":lib"))
		if parent != "" {
			args = append(args, "-p", parent)
		}
		parent = in("mirrors/lib", args...)
	}
	in("mirrors/lib", "update-ref", "refs/heads/master", parent)
	commit(3, "app/app.go", "package app\n")
	commit(4, "lib/new.go", "package lib\n")

	server := repositories.HTTP()
	server.Set(func(s *gitserver.HTTP) {
		s.Intercept = func(w http.ResponseWriter, r *http.Request) bool {
			_, password, _ := r.BasicAuth()
			if strings.Contains(r.URL.RequestURI(), "git-receive-pack") && password != token {
				w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
				http.Error(w, "who are you?", http.StatusUnauthorized)
				return false
			}
			return true
		}
	})
	config := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(page)[1]
	write("config", string(config)+"github-host: "+strings.TrimPrefix(server.URL, "https://")+"\nbase-package: example.com\n")
	write("token", token+"\n")
	write("rules.yaml", `recursive-delete-patterns: [BUILD]
rules:
- destination: lib
  branches:
  - name: master
    source: {branch: master, dir: lib}
- destination: app
  branches:
  - name: master
    source: {branch: master, dir: app}
`)
	environment := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "GIT_SSL_CAINFO=" + server.CA, "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C"}
	write(".gitconfig", "[http]\n\tsslCAInfo = "+server.CA+"\n")

	blocks := shellBlock.FindAllSubmatch(page, -1)
	if len(blocks) != 7 {
		t.Fatalf("the page has %d blocks of commands", len(blocks))
	}
	said := ""
	for _, block := range blocks[:len(blocks)-1] {
		cmd := exec.CommandContext(t.Context(), "sh", "-ec", string(block[1]))
		cmd.Dir, cmd.Env = dir, environment
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s%v\n%s", block[1], err, out)
		}
		said += string(out)
	}
	for _, want := range []string{"base-package has no effect", "take-over", "update", "proven"} {
		if !strings.Contains(said, want) {
			t.Errorf("nothing is said of %q in\n%s", want, said)
		}
	}
	if strings.Contains(said, token) {
		t.Error("the token is shown")
	}
	if in("mirrors/lib", "rev-parse", "master~1") != parent || in("mirrors/lib", "rev-parse", "master^{tree}") != in("org/monorepo", "rev-parse", "master:lib") {
		t.Errorf("the mirror does not go on from %s:\n%s", parent, in("mirrors/lib", "log", "--stat", "master"))
	}
	if in("mirrors/app", "rev-parse", "master^{tree}") != in("org/monorepo", "rev-parse", "master:app") {
		t.Error("the new mirror is not published")
	}

	// The last command goes on until it is stopped.
	commit(5, "lib/last.go", "package lib\n")
	cmd := exec.CommandContext(t.Context(), "sh", "-ec", "exec "+string(blocks[len(blocks)-1][1])[:len(blocks[len(blocks)-1][1])-1]+" --listen ''")
	cmd.Dir, cmd.Env = dir, environment
	log := new(strings.Builder)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); in("mirrors/lib", "rev-parse", "master^{tree}") != in("org/monorepo", "rev-parse", "master:lib"); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			t.Fatalf("nothing is published\n%s", log)
		}
	}
	_ = cmd.Process.Signal(os.Interrupt)
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, log)
	}
}
