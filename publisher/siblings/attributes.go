package siblings

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path"
	"path/filepath"
	"strings"

	"k8s.io/publisher/git"
	"k8s.io/publisher/object"
)

// archived returns a tree with the bytes that the go command would fetch. They
// are a checked-out tree's, since git archive obeys attributes such as eol and
// ident; see [k8s.io/publisher/goproxy]. What the go command turns off,
// export-ignore and export-subst, a check-out does not know of.
func (o *Offer) archived(ctx context.Context, tree object.ID) (_ object.ID, err error) {
	names, err := o.git().Output(ctx, "ls-tree", "-r", "-z", "--name-only", tree.String())
	if err != nil {
		return object.ID{}, err
	}
	plain := true
	for name := range strings.SplitSeq(string(names), "\x00") {
		plain = plain && path.Base(name) != ".gitattributes"
	}
	if plain {
		return tree, nil
	}
	dir := filepath.Join(o.temp, "tree")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return object.ID{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(o.temp)) }()
	work := func(index string, settings ...git.Setting) git.Command {
		c := o.git()
		c.Env = []string{"GIT_WORK_TREE=" + dir, "GIT_INDEX_FILE=" + filepath.Join(o.temp, index)}
		c.Config = settings
		return c
	}
	// The go command gives these settings to git archive.
	out := work("out", git.Setting{Key: "core.autocrlf", Value: "input"}, git.Setting{Key: "core.eol", Value: "lf"})
	if err := out.Run(ctx, "read-tree", "--reset", "-u", tree.String()); err != nil {
		return object.ID{}, err
	}
	// The way back must not undo it.
	attributes := filepath.Join(o.repo, "info", "attributes")
	if err := os.MkdirAll(filepath.Dir(attributes), 0o777); err != nil {
		return object.ID{}, err
	}
	if err := os.WriteFile(attributes, []byte("* -text -ident -filter -working-tree-encoding\n"), 0o666); err != nil {
		return object.ID{}, err
	}
	defer func() { err = errors.Join(err, os.Remove(attributes)) }()
	in := work("in")
	if err := in.Run(ctx, "add", "--all", "--force", ":/"); err != nil {
		return object.ID{}, err
	}
	name, err := in.Output(ctx, "write-tree")
	if err != nil {
		return object.ID{}, err
	}
	return object.ParseID(bytes.TrimSpace(name))
}
