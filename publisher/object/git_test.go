package object_test

import (
	"bytes"
	"os"
	"os/exec"
	"testing"
)

// repository is a bare repository for git to work on, without any
// configuration from outside.
type repository struct {
	testing.TB
	dir string
}

func newRepository(t testing.TB) repository {
	t.Helper()
	r := repository{TB: t, dir: t.TempDir()}
	r.git(nil, "init", "--quiet", "--bare", "--initial-branch=main")
	return r
}

// git runs git with the given input and returns its output.
func (r repository) git(stdin []byte, args ...string) []byte {
	r.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = r.dir
	cmd.Stdin = bytes.NewReader(stdin)
	cmd.Env = append(os.Environ(),
		"GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C", "HOME="+r.dir,
		"GIT_AUTHOR_NAME=A U Thor", "GIT_AUTHOR_EMAIL=author@example.com", "GIT_AUTHOR_DATE=1112911993 -0730",
		"GIT_COMMITTER_NAME=C O Mitter", "GIT_COMMITTER_EMAIL=committer@example.com", "GIT_COMMITTER_DATE=1112912053 +1345",
	)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		r.Fatalf("git %q: %v\n%s", args, err, stderr.Bytes())
	}
	return out
}

// write makes an object of any content and returns its name.
func (r repository) write(objectType string, content string) string {
	r.Helper()
	return r.line([]byte(content), "hash-object", "-t", objectType, "-w", "--stdin", "--literally")
}

// line runs git and returns its one line of output.
func (r repository) line(stdin []byte, args ...string) string {
	r.Helper()
	return string(bytes.TrimSuffix(r.git(stdin, args...), []byte("\n")))
}
