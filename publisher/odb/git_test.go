package odb

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"k8s.io/publisher/object"
)

// repository is a bare repository for git to work on, without any
// configuration from outside.
type repository struct {
	testing.TB
	dir string
}

func newRepository(t testing.TB) repository {
	t.Helper()
	r := repository{TB: t, dir: filepath.Join(t.TempDir(), "repository")}
	if out, err := exec.Command("git", "init", "--quiet", "--bare", "--template=", "--initial-branch=main", r.dir).CombinedOutput(); err != nil {
		t.Fatalf("git init: %v\n%s", err, out)
	}
	return r
}

func (r repository) objects() string { return filepath.Join(r.dir, "objects") }

// git runs a git command in the repository; env are more variables for it.
func (r repository) git(stdin []byte, env []string, args ...string) []byte {
	r.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = r.dir
	cmd.Stdin = bytes.NewReader(stdin)
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "GIT_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(append(cmd.Env, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull, "LC_ALL=C"), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		r.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	return out
}

// history fills the repository with commits, trees, tags and blobs of all
// sizes, many of which make long chains of deltas.
func (r repository) history(commits int) {
	r.Helper()
	random := rand.New(rand.NewPCG(3, 4))
	lines := make([]string, 400)
	for i := range lines {
		lines[i] = fmt.Sprintf("line %d %x\n", i, random.Uint64())
	}
	noise := make([]byte, 3<<20) // too large for the readers' caches
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	var stream bytes.Buffer
	file := func(name string, content []byte) {
		fmt.Fprintf(&stream, "M 100644 inline %s\ndata %d\n%s\n", name, len(content), content)
	}
	for i := range commits {
		fmt.Fprintf(&stream, "commit refs/heads/main\ncommitter C <c@x> %d +0000\ndata 5\nHello\n", i+1)
		for range 3 {
			lines[random.IntN(len(lines))] = fmt.Sprintf("line %x\n", random.Uint64())
		}
		file("dir/long", []byte(strings.Join(lines, "")))
		file(fmt.Sprintf("dir/sub%d/short", i%20), fmt.Appendf(nil, "%d", i))
		switch i {
		case 1:
			file("empty", nil)
			file("zeros", make([]byte, 1<<20))
			file("noise", noise)
		case 2:
			noise[1<<20] ^= 1
			file("noise", noise)
		case 3:
			file("copies", bytes.Repeat(noise[:70000], 3))
		}
		stream.WriteByte('\n')
	}
	r.git(stream.Bytes(), nil, "fast-import", "--quiet", "--depth=50")
	r.git(nil, []string{"GIT_COMMITTER_NAME=T", "GIT_COMMITTER_EMAIL=t@x", "GIT_COMMITTER_DATE=1700000000 +0000"}, "tag", "-a", "-m", "Tag", "v1", "main")
	// The empty tree is in the repository only if someone writes it.
	r.git(nil, nil, "mktree")
}

// stored is an object as git has it.
type stored struct {
	kind    object.Type
	content []byte
}

// all returns what git finds in an object directory and its alternates.
func (r repository) all() map[object.ID]stored {
	r.Helper()
	output := r.git(nil, nil, "cat-file", "--batch-all-objects", "--batch")
	objects := make(map[object.ID]stored)
	for len(output) > 0 {
		line, rest, _ := bytes.Cut(output, []byte("\n"))
		fields := bytes.Fields(line)
		id, err := object.ParseID(fields[0])
		kind, ok := object.ParseType(string(fields[1]))
		size, err2 := strconv.Atoi(string(fields[2]))
		if err != nil || err2 != nil || !ok {
			r.Fatalf("git cat-file printed %q", line)
		}
		objects[id] = stored{kind, rest[:size]}
		output = rest[size+1:]
	}
	return objects
}
