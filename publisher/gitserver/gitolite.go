package gitserver

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// gitoliteShell is what gitolite has sshd run in the place of a shell.
const gitoliteShell = "/usr/share/gitolite3/gitolite-shell"

// gitoliteRules let the publisher make repositories and have their branches go
// forward, and let nobody have tags of one release.
const gitoliteRules = `
repo mirrors/..*
    C = publisher
    -   refs/tags/v0\.99\. = publisher
    RW = publisher
`

// Gitolite starts gitolite behind sshd: a server that decides about each ref by rules
// of its own, and makes repositories when they are first asked for.
func Gitolite(t testing.TB) (*Repositories, *SSH) {
	t.Helper()
	home := New(t)
	gitolite := func(args ...string) {
		t.Helper()
		cmd := exec.Command("gitolite", args...)
		cmd.Env = append(environment(home.Root), "USER=publisher")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("gitolite: %v; .ci/run installs it\n%s", err, out)
		}
	}
	gitolite("setup", "-a", "nobody")
	if err := os.WriteFile(filepath.Join(home.Root, ".gitolite/conf/gitolite.conf"), []byte(gitoliteRules), 0o666); err != nil {
		t.Fatal(err)
	}
	gitolite("compile")
	s := home.sshd(fmt.Sprintf(`command="HOME=%s %s publisher",no-port-forwarding,no-agent-forwarding,no-pty `, home.Root, gitoliteShell))
	s.Template += "/mirrors/{{.Destination}}"
	return &Repositories{t, filepath.Join(home.Root, "repositories", "mirrors")}, s
}
