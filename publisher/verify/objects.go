package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"k8s.io/publisher/git"
	"k8s.io/publisher/object"
)

// complaint is a line of git fsck about the form of one object.
var complaint = regexp.MustCompile(`^(?:error|warning) in (?:commit|tree|blob|tag) ([0-9a-f]{40}): `)

// fsck has git hash all objects of a repository and check that they, commit
// graphs and indexes of many packs fit together. It returns what git says, line
// by line; nothing if all is well.
func (r *repository) fsck(ctx context.Context) ([]string, error) {
	for {
		before, err := r.packs()
		if err != nil {
			return nil, err
		}
		var out, said bytes.Buffer // Git writes to both at once.
		fsck := git.Command{Dir: r.view, Stdout: &out, Stderr: &said}
		err = fsck.Run(ctx, "fsck", "--full", "--strict", "--no-dangling", "--no-progress")
		failed, ok := errors.AsType[*git.Error](err)
		if err != nil && (!ok || !failed.Refused()) {
			return nil, err
		}
		var lines []string
		for line := range strings.Lines(said.String() + "\n" + out.String()) {
			if line = git.Printable(strings.TrimSpace(line)); line != "" && !strings.HasPrefix(line, "notice: ") {
				lines = append(lines, line)
			}
		}
		if err != nil && len(lines) == 0 {
			lines = append(lines, err.Error())
		}
		if len(lines) == 0 {
			return nil, nil
		}
		// Git may have met packs that a repack beside it was about to remove.
		if after, err := r.packs(); err != nil || slices.Equal(before, after) {
			return lines, err
		}
	}
}

// packs lists the packs' files.
func (r *repository) packs() ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(r.objectsDir(), "pack"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, err
}

// mostFsck bounds the lines of git fsck that are repeated: a repository that is
// broken at one place can have thousands.
const mostFsck = 20

// sound reports what git fsck said. Oddities of form that the source's own
// objects have, and those made from them, are for the source's owner to know.
func (c *checker) sound(lines []string) {
	var odd, bad []string
	for _, line := range lines {
		if m := complaint.FindStringSubmatch(line); m != nil && c.fromSource(m[1]) {
			odd = append(odd, line)
		} else {
			bad = append(bad, line)
		}
	}
	for _, line := range bad[:min(len(bad), mostFsck)] {
		c.mismatch(Mismatch{Kind: Unsound, Detail: line})
	}
	if n := len(bad) - mostFsck; n > 0 {
		c.mismatch(Mismatch{Kind: Unsound, Detail: fmt.Sprintf("git fsck says %d more lines", n)})
	}
	if len(odd) > 0 {
		c.note("git fsck says of %s that are as the source has them: %s", count(len(odd), "object"), odd[0])
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
