package verify

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strings"

	"k8s.io/publisher/mirror"
	"k8s.io/publisher/object"
)

// complaint is a line of git fsck about the form of one object.
var complaint = regexp.MustCompile(`^(?:error|warning) in (?:commit|tree|blob|tag) ([0-9a-f]{40}): `)

// fsck has git hash all objects of a repository and check that they fit
// together. It returns what git says, line by line; nothing if all is well.
func fsck(ctx context.Context, dir string) ([]string, error) {
	cmd := exec.CommandContext(ctx, "git", "fsck", "--full", "--strict", "--no-dangling", "--no-progress")
	cmd.Env = append(mirror.Environment(), "GIT_DIR="+dir)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	failed := cmd.Run()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var lines []string
	for s := bufio.NewScanner(&out); s.Scan(); {
		if line := strings.TrimSpace(s.Text()); line != "" && !strings.HasPrefix(line, "notice: ") {
			lines = append(lines, line)
		}
	}
	if failed != nil && len(lines) == 0 {
		lines = append(lines, "git fsck: "+failed.Error())
	}
	return lines, nil
}

// mostFsck bounds the lines of git fsck that are repeated: a repository that is
// broken at one place can have thousands.
const mostFsck = 20

// sound reports what git fsck said. Oddities of form that the source's own
// objects have, and those made from them, are for the source's owner to know.
func (c *checker) sound(lines []string) {
	odd, bad := 0, 0
	example := ""
	for _, line := range lines {
		if m := complaint.FindStringSubmatch(line); m != nil && c.fromSource(m[1]) {
			if odd == 0 {
				example = line
			}
			odd++
			continue
		}
		if bad++; bad <= mostFsck {
			c.mismatch(Mismatch{Kind: Unsound, Detail: line})
		}
	}
	if bad > mostFsck {
		c.mismatch(Mismatch{Kind: Unsound, Detail: fmt.Sprintf("git fsck says %d more lines", bad-mostFsck)})
	}
	if odd > 0 {
		c.note("git fsck says of %d objects that are as the source has them: %s", odd, example)
	}
}

// fromSource reports whether an object is the source's, or what is to be made
// of it.
func (c *checker) fromSource(hex string) bool {
	id, err := object.ParseID([]byte(hex))
	if err != nil {
		return false
	}
	return c.run.in.Source.Store.Has(id) || c.expects(id) || c.run.scratch.Has(id)
}
