package gitserver

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
)

// SSH is sshd, an ordinary process with keys of its own. Whoever is let in is the user
// who runs the test.
type SSH struct {
	// Template is for the URLs of the repositories.
	Template string
	// Key is the file of a private key that is let in, and KnownHosts one that has the
	// server's.
	Key, KnownHosts string
	// Other is a private key that is not let in, and Strange a file of known hosts in
	// which the server has another key.
	Other, Strange string
}

// SSH starts sshd.
func (r *Repositories) SSH() *SSH {
	r.Helper()
	s := r.sshd("")
	s.Template += r.Root + "/{{.Destination}}.git"
	return s
}

// sshd starts sshd. Options go before the key that is let in. The template is only the
// beginning of one.
func (r *Repositories) sshd(options string) *SSH {
	r.Helper()
	dir, err := os.MkdirTemp("", "sshd-")
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { os.RemoveAll(dir) })
	s := &SSH{
		Key: filepath.Join(dir, "key"), KnownHosts: filepath.Join(dir, "known_hosts"),
		Other: filepath.Join(dir, "other"), Strange: filepath.Join(dir, "strange_hosts"),
	}
	for _, key := range []string{"host", "key", "other"} {
		r.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", key, "-f", filepath.Join(dir, key))
	}
	public := func(key string) string {
		text, err := os.ReadFile(filepath.Join(dir, key+".pub"))
		if err != nil {
			r.Fatal(err)
		}
		return string(text)
	}
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			r.Fatal(err)
		}
		return file
	}
	program, err := exec.LookPath("sshd")
	if err != nil {
		program = "/usr/sbin/sshd" // It starts itself again, and so wants its whole path.
	}
	if os.Getuid() == 0 {
		// sshd, started by root, wants this folder to lock itself up in.
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			r.Fatal(err)
		}
	}
	config := write("sshd_config", fmt.Sprintf(`
HostKey %s/host
AuthorizedKeysFile %s
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
MaxStartups 100
SetEnv GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null LC_ALL=C
`, dir, write("authorized_keys", options+public("key"))))
	address := r.start(func(port string) *exec.Cmd {
		return exec.Command(program, "-D", "-e", "-f", config, "-o", "ListenAddress=127.0.0.1", "-p", port)
	})
	host, port, _ := net.SplitHostPort(address)
	write("known_hosts", fmt.Sprintf("[%s]:%s %s", host, port, public("host")))
	write("strange_hosts", fmt.Sprintf("[%s]:%s %s", host, port, public("other")))
	me, err := user.Current()
	if err != nil {
		r.Fatal(err)
	}
	s.Template = fmt.Sprintf("ssh://%s@%s", me.Username, address)
	return s
}

func (r *Repositories) run(args ...string) {
	r.Helper()
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		r.Fatalf("%s: %v\n%s", args[0], err, out)
	}
}
