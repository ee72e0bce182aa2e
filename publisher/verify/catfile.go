package verify

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"k8s.io/publisher/git"
	"k8s.io/publisher/object"
)

// objects reads a repository with git itself, which shares no code with what made
// the mirrors, and does not mind a repack beside it. It is not safe for
// concurrent use.
type objects struct {
	ctx  context.Context
	repo string
	// Git runs from the first question on, until it is done or dies.
	ask   *os.File
	tell  *os.File
	lines *bufio.Reader
	done  chan error

	trees map[object.ID][]entry
}

// entry is an entry of a tree; the zero one is none.
type entry struct {
	mode string // in octal, as trees have it
	name string
	id   object.ID
}

func (e entry) isDir() bool  { return e.mode == "40000" }
func (e entry) isFile() bool { return strings.HasPrefix(e.mode, "100") }

// mostTrees bounds the trees that are kept: neighbours share most of theirs.
const mostTrees = 1 << 12

func readObjects(ctx context.Context, repo string) *objects {
	return &objects{ctx: ctx, repo: repo, trees: make(map[object.ID][]entry)}
}

func (o *objects) start() error {
	in, ask, err := os.Pipe()
	if err != nil {
		return err
	}
	tell, out, err := os.Pipe()
	if err != nil {
		return errors.Join(err, in.Close(), ask.Close())
	}
	o.ask, o.tell, o.lines, o.done = ask, tell, bufio.NewReaderSize(tell, 1<<16), make(chan error, 1)
	go func() {
		err := git.Command{Dir: o.repo, Stdin: in, Stdout: out}.Run(o.ctx, "cat-file", "--batch")
		o.done <- errors.Join(err, in.Close(), out.Close())
	}()
	return nil
}

// close ends git.
func (o *objects) close() error {
	if o.done == nil {
		return nil
	}
	// Git ends where its input does.
	err := errors.Join(o.ask.Close(), <-o.done, o.tell.Close())
	o.done = nil
	return err
}

// mirrorError is a failure to read a mirror that is the mirror's fault, which is
// for the report.
type mirrorError struct{ err error }

func (e *mirrorError) Error() string { return e.err.Error() }

func (e *mirrorError) Unwrap() error { return e.err }

func ofMirror(err error) error {
	if err == nil {
		return nil
	}
	return &mirrorError{err}
}

// get returns what a revision names: <commit>:<path>, say. The type is zero where
// it names nothing. Where git finds the repository damaged, that is a
// [mirrorError].
func (o *objects) get(revision string) (id object.ID, t object.Type, data []byte, err error) {
	if o.done == nil {
		if err := o.start(); err != nil {
			return id, 0, nil, err
		}
	}
	line := ""
	_, err = o.ask.WriteString(revision + "\n")
	if err == nil {
		line, err = o.lines.ReadString('\n')
	}
	if err == nil {
		fields := strings.Fields(line)
		if strings.HasSuffix(line, " missing\n") {
			return id, 0, nil, nil
		}
		var size int
		if len(fields) == 3 {
			id, err = object.ParseID([]byte(fields[0]))
			t, _ = object.ParseType(fields[1])
			size, _ = strconv.Atoi(fields[2])
		}
		if err != nil || t == 0 {
			return id, 0, nil, fmt.Errorf("git cat-file %s: %q", revision, line)
		}
		data = make([]byte, size+1)
		if _, err = io.ReadFull(o.lines, data); err == nil {
			return id, t, data[:size], nil
		}
	}
	if died := o.close(); died != nil {
		err = fmt.Errorf("read %s: %w", revision, died)
		if failed, ok := errors.AsType[*git.Error](died); ok && failed.Refused() {
			return id, 0, nil, ofMirror(err)
		}
	}
	return id, 0, nil, err
}

// tree returns the entries of the tree that a revision names, and its ID, which
// is zero where there is none.
func (o *objects) tree(revision string) (object.ID, []entry, error) {
	id, t, data, err := o.get(revision)
	if err != nil || t != object.TreeType {
		return object.ID{}, nil, err
	}
	if entries, ok := o.trees[id]; ok {
		return id, entries, nil
	}
	var entries []entry
	for len(data) > 0 {
		mode, rest, ok1 := bytes.Cut(data, []byte(" "))
		name, rest, ok2 := bytes.Cut(rest, []byte{0})
		if !ok1 || !ok2 || len(rest) < len(id) {
			return id, nil, ofMirror(fmt.Errorf("tree %s is malformed", id))
		}
		entries = append(entries, entry{strings.TrimLeft(string(mode), "0"), string(name), object.ID(rest[:len(id)])})
		data = rest[len(id):]
	}
	if len(o.trees) > mostTrees {
		clear(o.trees)
	}
	o.trees[id] = entries
	return id, entries, nil
}

// entries returns those of a tree, which must be there; none of the zero one.
func (o *objects) entries(tree object.ID) ([]entry, error) {
	if tree.IsZero() {
		return nil, nil
	}
	if entries, ok := o.trees[tree]; ok {
		return entries, nil
	}
	found, entries, err := o.tree(tree.String())
	if err == nil && found.IsZero() {
		err = ofMirror(fmt.Errorf("tree %s is missing: %w", tree, fs.ErrNotExist))
	}
	return entries, err
}

// file returns the regular file of that name in the first of some trees that has
// one; zero where none has. regular is false where any has something else there.
func (o *objects) file(trees []object.ID, name string) (id object.ID, regular bool, err error) {
	regular = true
	for _, tree := range trees {
		entries, err := o.entries(tree)
		if err != nil {
			return id, false, err
		}
		for _, e := range entries {
			switch {
			case e.name != name:
			case !e.isFile():
				regular = false
			case id.IsZero():
				id = e.id
			}
		}
	}
	return id, regular, nil
}

// blob returns a blob's content, none of the zero one.
func (o *objects) blob(id object.ID) ([]byte, error) {
	if id.IsZero() {
		return nil, nil
	}
	_, t, data, err := o.get(id.String())
	if err == nil && t != object.BlobType {
		err = ofMirror(fmt.Errorf("blob %s is missing", id))
	}
	return data, err
}
