package day

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/publisher/gitserver"
	"k8s.io/publisher/proctest"
)

// The destinations; each requires those that requires names.
var (
	destinations = []string{"api", "client", "controller", "tools"}
	requires     = map[string][]string{"client": {"api"}, "controller": {"api", "client"}}
)

// tested is the destination with a smoke test.
const tested = "client"

// modules is where the module paths begin. The certificate of servers for tests is good
// for this host.
const modules = "example.com/"

// canary is the secret of all servers.
const canary = "canary-4b07aa"

// world is a source, remotes, and who works with them.
type world struct {
	*testing.T
	dir      string
	remotes  *gitserver.Repositories
	server   *gitserver.HTTP
	source   string // its URL
	checkout string // of a developer
	webhook  string // URL
	commits  int
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, dir: t.TempDir(), remotes: gitserver.New(t)}
	w.remotes.Create(append([]string{"source"}, destinations...)...)
	w.remotes.Git("source", "symbolic-ref", "HEAD", "refs/heads/main")
	for _, d := range destinations {
		w.remotes.Git(d, "symbolic-ref", "HEAD", "refs/heads/main")
		// The server's journal of what came when.
		w.remotes.Hook(d, "post-receive", `while read old new ref; do echo "$(date +%s.%N) $old $new $ref"; done >> journal`)
	}
	w.server = w.remotes.HTTP()
	w.server.Set(func(s *gitserver.HTTP) { s.Password = canary })
	ssh := w.remotes.SSH()
	w.source = w.server.URL + "/source.git"
	w.write("rules.yaml", rules(w.server.Template, ssh.Template))
	w.write("secret", canary+"\n")
	host := ssh.Template[:strings.Index(ssh.Template, "/{{")]
	w.write("credentials.yaml", fmt.Sprintf("- {url: %q, token-file: secret, ca-file: %q}\n- {url: %q, key-file: %q, known-hosts-file: %q}\n",
		w.server.URL, w.server.CA, host, ssh.Key, ssh.KnownHosts))
	w.write(".netrc", "machine 127.0.0.1 login developer password "+canary+"\n")
	w.write(".gitconfig", "[user]\n\tname = A Developer\n\temail = dev@example.com\n[init]\n\tdefaultBranch = main\n")

	w.checkout = filepath.Join(w.dir, "checkout")
	w.git("clone", "--quiet", w.source, w.checkout)
	for _, d := range destinations {
		mod := "module " + modules + d + "\n\ngo 1.24\n"
		for _, r := range requires[d] {
			mod += fmt.Sprintf("\nrequire %s v0.0.0\n\nreplace %[1]s => ../%s\n", modules+r, r)
		}
		w.edit(d, "go.mod", mod)
		w.edit(d, "version.go", fmt.Sprintf("// Package %s is published.\npackage %[1]s\n\n// Name is its name.\nconst Name = %[1]q\n", d))
	}
	w.edit(tested, "limit.go", whole)
	w.save("The first commit")
	w.git("-C", w.checkout, "push", "--quiet", "origin", "HEAD:refs/heads/main")
	return w
}

// rules publish all from main, one of them over ssh.
func rules(https, ssh string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "remote: %s\nrules:\n", https)
	for _, d := range destinations {
		fmt.Fprintf(&b, "- destination: %s\n", d)
		if d == "tools" {
			fmt.Fprintf(&b, "  remote: %s\n", ssh)
		}
		if d == tested {
			fmt.Fprint(&b, "  smoke-test: go build ./...\n")
		}
		fmt.Fprintf(&b, "  branches:\n  - name: main\n    source: {branch: main, dir: %s}\n", d)
		for i, r := range requires[d] {
			if i == 0 {
				fmt.Fprint(&b, "    dependencies:\n")
			}
			fmt.Fprintf(&b, "    - {repository: %s, branch: main}\n", r)
		}
	}
	return b.String()
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

func (w *world) write(name, text string) {
	w.Helper()
	w.must(os.WriteFile(w.path(name), []byte(text), 0o600))
}

// environment is that of all commands: none of the user's configuration counts, and the
// servers' certificate is known.
func (w *world) environment(more ...string) []string {
	return append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + w.dir, "GOCACHE=" + w.path("gocache"), "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C",
		"GIT_SSL_CAINFO=" + w.server.CA, "GIT_TERMINAL_PROMPT=0",
	}, more...)
}

// run runs a command that must succeed, and returns what it prints.
func (w *world) run(cmd *exec.Cmd) string {
	w.Helper()
	var stderr bytes.Buffer
	if cmd.Env == nil {
		cmd.Env = w.environment()
	}
	if cmd.Dir == "" {
		cmd.Dir = w.dir
	}
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		w.Fatalf("%s: %v\n%s%s", strings.Join(cmd.Args, " "), err, out, stderr.Bytes())
	}
	return strings.TrimSpace(string(out))
}

func (w *world) git(args ...string) string {
	w.Helper()
	return w.run(exec.Command("git", args...))
}

// publish runs a verb of the publisher for the source.
func (w *world) publish(verb, mirrors string, args ...string) string {
	w.Helper()
	return w.run(exec.Command(publisher, append([]string{verb, "--rules", w.path("rules.yaml"), "--source", w.source,
		"--credentials", w.path("credentials.yaml"), "--mirrors", mirrors}, args...)...))
}

// bot is publisher run.
type bot struct {
	*world
	cmd   *exec.Cmd
	log   proctest.Output
	ended chan error
}

func (w *world) startBot() *bot {
	w.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	w.must(err)
	address := l.Addr().String()
	w.must(l.Close())
	b := &bot{world: w, ended: make(chan error, 1)}
	b.cmd = exec.Command(publisher, "run", "--rules", w.path("rules.yaml"), "--source", w.source,
		"--credentials", w.path("credentials.yaml"), "--mirrors", w.path("mirrors"), "--listen", address,
		"--github-secret-file", w.path("secret"), "--log-format", "json")
	b.cmd.Dir, b.cmd.Env, b.cmd.Stdout, b.cmd.Stderr = w.dir, w.environment(), &b.log, &b.log
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	w.must(b.cmd.Start())
	go func() { b.ended <- b.cmd.Wait() }()
	w.Cleanup(func() {
		_ = syscall.Kill(-b.cmd.Process.Pid, syscall.SIGKILL)
		<-b.ended
		if w.Failed() {
			w.Logf("the publisher says:\n%s", &b.log)
		}
	})
	w.webhook = "http://" + address + "/webhook/github"
	w.eventually("the publisher takes requests", func() error {
		answer, err := http.Get("http://" + address + "/readyz")
		if err == nil {
			answer.Body.Close()
		}
		return err
	})
	return b
}

// mustStop has the publisher end, as a service manager does.
func (b *bot) mustStop() {
	b.Helper()
	b.must(b.cmd.Process.Signal(syscall.SIGTERM))
	err := <-b.ended
	b.ended <- err
	b.must(err)
}

// tell sends GitHub's webhook for a push.
func (w *world) tell(ref string) {
	w.Helper()
	body, err := json.Marshal(map[string]any{"ref": ref, "repository": map[string]string{"clone_url": w.source}})
	w.must(err)
	mac := hmac.New(sha256.New, []byte(canary))
	mac.Write(body)
	request, err := http.NewRequest(http.MethodPost, w.webhook, bytes.NewReader(body))
	w.must(err)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-GitHub-Event", "push")
	request.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	answer, err := http.DefaultClient.Do(request)
	w.must(err)
	answer.Body.Close()
	if answer.StatusCode != http.StatusAccepted {
		w.Fatalf("the webhook for %s: %s", ref, answer.Status)
	}
}

// mustNotice waits until the publisher has said that it cannot publish a destination:
// people mend what they are told of.
func (b *bot) mustNotice(destination string) {
	b.Helper()
	b.eventually("the publisher notices the bad commit", func() error {
		for _, r := range b.runs() {
			if r.failures[destination] != "" {
				return nil
			}
		}
		return errors.New("it has not")
	})
}

// eventually tries until there is no error, for much longer than it should take.
func (w *world) eventually(what string, try func() error) {
	w.Helper()
	end := time.Now().Add(5 * time.Minute)
	for {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			w.Fatalf("%s: %v", what, err)
		}
		time.Sleep(500 * time.Millisecond)
	}
}
