// Package gitserver runs real git servers on loopback, for tests: git's own
// http-backend behind TLS, sshd, git daemon, and git itself for files. Each serves the
// repositories of a folder, and ends with the test. Faults can be put between the
// server and who asks it; see [HTTP].
package gitserver

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/publisher/gittest"
)

// Repositories are those of a folder that a server serves.
type Repositories struct {
	testing.TB
	Root string
}

// New makes an empty folder of repositories.
func New(t testing.TB) *Repositories {
	t.Helper()
	// The names of a test's own folders have what URLs have to escape.
	root, err := os.MkdirTemp("", "gitserver-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// A server that was cut off may be writing still.
		for range 100 {
			if err = os.RemoveAll(root); err == nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
		t.Error(err)
	})
	return &Repositories{t, root}
}

// Create makes empty bare repositories, NAME.git each, that may be pushed to.
func (r *Repositories) Create(names ...string) {
	r.Helper()
	for _, name := range names {
		dir := r.Dir(name)
		if err := os.MkdirAll(filepath.Dir(dir), 0o777); err != nil {
			r.Fatal(err)
		}
		gittest.Git(r.TB, r.Root, "", "init", "--quiet", "--bare", "--initial-branch=master", dir)
		for _, setting := range [][2]string{{"http.receivepack", "true"}, {"core.fsync", "none"}, {"gc.auto", "0"}} {
			r.Git(name, "config", setting[0], setting[1])
		}
	}
}

// Dir is the folder of a repository.
func (r *Repositories) Dir(name string) string {
	return filepath.Join(r.Root, filepath.FromSlash(name)+".git")
}

// Git runs git in a repository.
func (r *Repositories) Git(name string, args ...string) string {
	r.Helper()
	return strings.TrimSpace(string(gittest.Git(r.TB, r.Dir(name), "", args...)))
}

// Refs lists a repository's refs: a line for each, with its name, and what it names.
func (r *Repositories) Refs(name string) string {
	r.Helper()
	return r.Git(name, "for-each-ref", "--format=%(refname) %(objectname) %(*objectname)")
}

// Hook gives a repository a hook, a shell script. An empty one takes it away.
func (r *Repositories) Hook(name, hook, script string) {
	r.Helper()
	file := filepath.Join(r.Dir(name), "hooks", hook)
	if script == "" {
		if err := os.Remove(file); err != nil {
			r.Fatal(err)
		}
		return
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		r.Fatal(err)
	}
	// To be run, it must not be open for writing in a child of ours.
	script = "#!/bin/sh\n" + script + "\n"
	cmd := exec.Command("sh", "-c", `cat > "$1" && chmod +x "$1"`, "sh", file)
	cmd.Stdin = strings.NewReader(script)
	if out, err := cmd.CombinedOutput(); err != nil {
		r.Fatalf("write hook: %v\n%s", err, out)
	}
}

// File is a template for the repositories as git reaches files.
func (r *Repositories) File() string { return "file://" + r.Root + "/{{.Destination}}.git" }

// Daemon starts git daemon, which lets everyone push, and returns a template for URLs
// at it.
func (r *Repositories) Daemon() string {
	r.Helper()
	return "git://" + r.start(func(port string) *exec.Cmd {
		cmd := exec.Command("git", "daemon", "--listen=127.0.0.1", "--port="+port, "--reuseaddr", "--export-all",
			"--enable=receive-pack", "--informative-errors", "--base-path="+r.Root, r.Root)
		cmd.Env = environment(r.Root)
		return cmd
	}) + "/{{.Destination}}.git"
}

// environment is what a server's git gets.
func environment(home string) []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull}
}

// start starts a server on a port that was free, and returns its address once it
// answers.
func (r *Repositories) start(command func(port string) *exec.Cmd) (address string) {
	r.Helper()
	for range 5 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			r.Fatal(err)
		}
		address = l.Addr().String()
		if err := l.Close(); err != nil {
			r.Fatal(err)
		}
		_, port, _ := net.SplitHostPort(address)
		cmd := command(port)
		said, err := os.Create(filepath.Join(r.TempDir(), "server.log"))
		if err != nil {
			r.Fatal(err)
		}
		cmd.Stdout, cmd.Stderr = said, said
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := cmd.Start(); err != nil {
			r.Fatalf("start %s: %v; .ci/run installs what is needed", cmd.Path, err)
		}
		ended := make(chan error, 1)
		go func() { ended <- errors.Join(cmd.Wait(), said.Close()) }()
		r.Cleanup(func() { stop(cmd, ended) })
		if err = waitFor(address, ended); err == nil {
			return address
		}
		text, _ := os.ReadFile(said.Name())
		r.Logf("%s: %v\n%s", cmd.Path, err, text) // Somebody may have taken the port.
	}
	r.Fatal("the server does not start")
	return ""
}

// stop ends a server with all that it has started.
func stop(cmd *exec.Cmd, ended chan error) {
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // It may have ended.
	<-ended
}

// waitFor waits until a server takes connections.
func waitFor(address string, ended chan error) error {
	for range 3000 {
		select {
		case err := <-ended:
			ended <- err
			return fmt.Errorf("it ended: %w", err)
		default:
		}
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			return conn.Close()
		}
		time.Sleep(20 * time.Millisecond)
	}
	return errors.New("it takes no connections")
}
