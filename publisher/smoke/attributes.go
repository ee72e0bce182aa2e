package smoke

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path"
	"path/filepath"
	"strings"

	"k8s.io/publisher/mirror"
	"k8s.io/publisher/object"
)

// archived returns a tree with the bytes that the go command would fetch. They
// are a checked-out tree's, since git archive obeys attributes such as eol and
// ident; see [k8s.io/publisher/goproxy]. What the go command turns off,
// export-ignore and export-subst, a check-out does not know of.
func (r *resolver) archived(ctx context.Context, tree object.ID) (_ object.ID, err error) {
	names, err := mirror.Git(ctx, inRepository(r.checkout), nil, "ls-tree", "-r", "-z", "--name-only", tree.String())
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
	work := filepath.Join(r.temp, "tree")
	if err := os.MkdirAll(work, 0o777); err != nil {
		return object.ID{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(r.temp)) }()
	out := append(inRepository(r.checkout),
		"GIT_WORK_TREE="+work, "GIT_INDEX_FILE="+filepath.Join(r.temp, "out"),
		// The go command gives these settings to git archive.
		"GIT_CONFIG_COUNT=3",
		"GIT_CONFIG_KEY_1=core.autocrlf", "GIT_CONFIG_VALUE_1=input",
		"GIT_CONFIG_KEY_2=core.eol", "GIT_CONFIG_VALUE_2=lf")
	if _, err := mirror.Git(ctx, out, nil, "read-tree", "--reset", "-u", tree.String()); err != nil {
		return object.ID{}, err
	}
	// The way back must not undo it.
	attributes := filepath.Join(r.checkout, ".git", "info", "attributes")
	if err := os.MkdirAll(filepath.Dir(attributes), 0o777); err != nil {
		return object.ID{}, err
	}
	if err := os.WriteFile(attributes, []byte("* -text -ident -filter -working-tree-encoding\n"), 0o666); err != nil {
		return object.ID{}, err
	}
	defer func() { err = errors.Join(err, os.Remove(attributes)) }()
	in := append(inRepository(r.checkout), "GIT_WORK_TREE="+work, "GIT_INDEX_FILE="+filepath.Join(r.temp, "in"))
	if _, err := mirror.Git(ctx, in, nil, "add", "--all", "--force", ":/"); err != nil {
		return object.ID{}, err
	}
	name, err := mirror.Git(ctx, in, nil, "write-tree")
	if err != nil {
		return object.ID{}, err
	}
	return object.ParseID(bytes.TrimSpace(name))
}
