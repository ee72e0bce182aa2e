package verify

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"

	"k8s.io/publisher/git"
	"k8s.io/publisher/object"
)

// plumbing has git itself read and compare trees, which shares no code with what
// made the mirrors and does not mind a repack beside it. It is not safe for
// concurrent use.
type plumbing struct{ cat, diff process }

func newPlumbing(ctx context.Context, repo string) *plumbing {
	return &plumbing{
		process{ctx: ctx, repo: repo, args: []string{"cat-file", "--batch"}},
		process{ctx: ctx, repo: repo, args: []string{"diff-tree", "-r", "-z", "--no-renames", "--stdin"}},
	}
}

func (p *plumbing) close() error { return errors.Join(p.cat.close(), p.diff.close()) }

// process is a git command that answers line by line. It runs from the first
// question on, until it is closed or dies.
type process struct {
	ctx  context.Context
	repo string
	args []string

	ask, tell *os.File
	answer    *bufio.Reader
	done      chan error // nil where it does not run
}

// question asks git something.
func (p *process) question(line string) error {
	if p.done == nil {
		in, ask, err := os.Pipe()
		if err != nil {
			return err
		}
		tell, out, err := os.Pipe()
		if err != nil {
			return errors.Join(err, in.Close(), ask.Close())
		}
		p.ask, p.tell, p.answer, p.done = ask, tell, bufio.NewReaderSize(tell, 1<<16), make(chan error, 1)
		go func() {
			err := git.Command{Dir: p.repo, Stdin: in, Stdout: out}.Run(p.ctx, p.args...)
			p.done <- errors.Join(err, in.Close(), out.Close())
		}()
	}
	_, err := p.ask.WriteString(line + "\n")
	return err
}

// close ends git, which does so where its input ends.
func (p *process) close() error {
	if p.done == nil {
		return nil
	}
	err := errors.Join(p.ask.Close(), <-p.done, p.tell.Close())
	p.done = nil
	return err
}

// damageError is what git has against the objects, which is for the report.
type damageError struct{ err error }

func (e *damageError) Error() string { return e.err.Error() }

// ofMachine reports whether an error is this machine's rather than the objects'.
func ofMachine(err error) bool {
	if failed, ok := errors.AsType[*git.Error](err); ok {
		return !failed.Refused()
	}
	_, ok := errors.AsType[syscall.Errno](err)
	return ok || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// failed says why there was no answer: a [damageError] where that is the
// objects' fault.
func (p *process) failed(err error) error {
	died := p.close()
	if died != nil && !ofMachine(died) {
		return &damageError{died}
	}
	return errors.Join(err, died)
}

// get returns what a revision names: <commit>:<path>, say. The type is zero where
// it names nothing.
func (p *plumbing) get(revision string) (id object.ID, t object.Type, data []byte, err error) {
	line := ""
	if err = p.cat.question(revision); err == nil {
		line, err = p.cat.answer.ReadString('\n')
	}
	if err == nil && strings.HasSuffix(line, " missing\n") {
		return id, 0, nil, nil
	}
	if fields := strings.Fields(line); err == nil && len(fields) == 3 {
		var size int
		if size, err = strconv.Atoi(fields[2]); err == nil {
			id, err = object.ParseID([]byte(fields[0]))
		}
		t, _ = object.ParseType(fields[1])
		data = make([]byte, size+1)
		if err == nil {
			_, err = io.ReadFull(p.cat.answer, data)
		}
		if err == nil && t != 0 {
			return id, t, data[:size], nil
		}
	}
	return id, 0, nil, p.cat.failed(errors.Join(err, fmt.Errorf("git cat-file %s: %q", revision, line)))
}

// change is a path at which two trees differ. A mode is zero where there is no
// file.
type change struct {
	path             string
	fromMode, toMode object.Mode
	from, to         string
}

func (c change) String() string {
	switch {
	case c.toMode == 0:
		return fmt.Sprintf("%s (%s) is missing", c.path, c.from)
	case c.fromMode == 0:
		return fmt.Sprintf("%s (%s) should not be there", c.path, c.to)
	case c.fromMode != c.toMode:
		return fmt.Sprintf("%s has mode %06o and should have %06o", c.path, c.toMode, c.fromMode)
	}
	return fmt.Sprintf("%s is %s and should be %s", c.path, c.to, c.from)
}

// emptyTree is known to git without being there.
var emptyTree = object.Hash(object.TreeType, nil)

// compare returns in which files one tree differs from another.
func (p *plumbing) compare(from, to object.ID) ([]change, error) {
	if from == to {
		return nil, nil
	}
	// Git repeats the names of trees that it has, and whatever names none.
	trees, end := fmt.Sprintf("%s %s\n", from, to), "end\n"
	err := p.diff.question(trees + "end")
	var changes []change
	known := false
	for err == nil {
		var first []byte
		if first, err = p.diff.answer.Peek(1); err != nil {
			break
		}
		if first[0] != ':' {
			line := ""
			line, err = p.diff.answer.ReadString('\n')
			if known = known || line == trees; line == end && known {
				return changes, nil
			}
			if line == end {
				return nil, &damageError{fmt.Errorf("tree %s or %s is missing", from, to)}
			}
			continue
		}
		var c change
		var line, status string
		if line, err = p.diff.answer.ReadString(0); err == nil {
			_, err = fmt.Sscanf(line, ":%o %o %s %s %s", &c.fromMode, &c.toMode, &c.from, &c.to, &status)
		}
		if err == nil {
			c.path, err = p.diff.answer.ReadString(0)
			c.path = strings.TrimSuffix(c.path, "\x00")
			changes = append(changes, c)
		}
	}
	return nil, p.diff.failed(err)
}
