// Package carry takes changes that were made on a mirror to the source.
//
// People open pull requests where they find the code, which is the mirror. But a mirror has
// nothing that the source has not: the change has to be made there, and comes back by being
// published. So the commits become a series of patches that "git am" takes in the source:
//
//	paths           below the directory that the mirror is published from
//	go.mod, go.sum  as the source has them, with what each commit did to them: that siblings are
//	                pinned there is undone
//	messages        without the trailers by which published commits name their source
//	the rest        author, date and message of each commit, binary files, modes
//
// Applied and published, the series gives the files that the mirror's commits have.
//
// It is made as if the commits had been made in the source: upon the source commit that the
// mirror's last published commit comes from, each with the tree that it should have
// there. Git then writes the patches.
package carry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"k8s.io/publisher/git"
	"k8s.io/publisher/object"
)

// Input says what is carried where to.
type Input struct {
	// Source are the object directories of the source.
	Source []string
	// Repository has the commits: the mirror, or a clone of it.
	Repository string
	// Range is as git log takes it: BASE..TIP.
	Range string
	// Directories are where the source has the mirror's files: paths with slashes. Mostly it is
	// one; none is the root.
	Directories []string
	// Siblings are the directories of all modules that are published.
	Siblings []string
	// Trailer is the key of the trailers of published commits.
	Trailer string
}

// Series is a series of patches.
type Series struct {
	// Source is the commit that they are made for. They apply to later ones, too, where
	// nobody has changed the same lines.
	Source object.ID
	// Commits is how many they are, and Left how many commits were left out, as they change
	// nothing in the source: they only move pins.
	Commits, Left int
	// Patches are in the mbox format.
	Patches []byte
}

// MergeError reports a merge among the commits, which no patch can express.
type MergeError struct{ Commit object.ID }

func (e *MergeError) Error() string {
	return fmt.Sprintf("commit %s is a merge, which no patch can express: rebase the branch first", e.Commit)
}

// UnpublishedError reports that the commits' base does not come from the source.
type UnpublishedError struct {
	Base    object.ID
	Trailer string
}

func (e *UnpublishedError) Error() string {
	return fmt.Sprintf("neither commit %s nor the first parents behind it have the trailer %s: the branch must come from one that was published", e.Base, e.Trailer)
}

// ConflictError reports a file whose change does not fit the form that it has in the
// source.
type ConflictError struct {
	Commit object.ID
	File   string
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("commit %s changes lines of %s that are others in the source: put that change into a commit of its own and make it in the source by hand", e.Commit, e.File)
}

// Carry makes the series.
func Carry(ctx context.Context, in Input) (_ *Series, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("carry %s: %w", in.Range, err)
		}
	}()
	dir, err := os.MkdirTemp("", "publisher-carry-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	c := &carrier{Input: in, ctx: ctx, dir: dir, theirs: git.Command{Dir: gitDir(in.Repository)}}
	c.ours = git.Command{Dir: filepath.Join(dir, "repository"), Env: []string{"GIT_INDEX_FILE=" + filepath.Join(dir, "index")}}
	return c.series()
}

// gitDir is what GIT_DIR has to be.
func gitDir(repository string) string {
	if dot := filepath.Join(repository, ".git"); exists(dot) {
		return dot
	}
	return repository
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

// carrier makes one series.
type carrier struct {
	Input
	ctx    context.Context
	dir    string
	ours   git.Command // in a repository of our own, which borrows the objects of both
	theirs git.Command // in the one that has the commits
	// siblings are the paths of the modules that are published.
	siblings map[string]bool
	binary   []string // paths whose patches have to be binary
}

func (c *carrier) series() (*Series, error) {
	objects, err := c.theirs.Output(c.ctx, "rev-parse", "--path-format=absolute", "--git-path", "objects")
	if err != nil {
		return nil, err
	}
	if err := git.Init(c.ours.Dir, append([]string{strings.TrimSuffix(string(objects), "\n")}, c.Source...)...); err != nil {
		return nil, err
	}
	commits, base, err := c.commits()
	if err != nil || len(commits) == 0 {
		return &Series{}, err
	}
	s := new(Series)
	if s.Source, err = c.source(base); err != nil {
		return nil, err
	}
	if err := c.readSiblings(s.Source); err != nil {
		return nil, err
	}
	if _, err := c.git(nil, "read-tree", s.Source.String()); err != nil {
		return nil, err
	}
	before, tip := base, s.Source
	tree, err := c.id(nil, "rev-parse", s.Source.String()+"^{tree}")
	if err != nil {
		return nil, err
	}
	for _, id := range commits {
		if err := c.apply(before, id); err != nil {
			return nil, err
		}
		before = id
		old := tree
		if tree, err = c.id(nil, "write-tree"); err != nil {
			return nil, err
		}
		if tree == old {
			s.Left++
			continue
		}
		s.Commits++
		if tip, err = c.commit(id, tree, tip); err != nil {
			return nil, err
		}
	}
	s.Patches, err = c.patches(s.Source, tip)
	return s, err
}

// git runs git in our repository.
func (c *carrier) git(stdin io.Reader, args ...string) ([]byte, error) {
	command := c.ours
	command.Stdin = stdin
	return command.Output(c.ctx, args...)
}

// id runs git, which prints an object's name.
func (c *carrier) id(stdin io.Reader, args ...string) (object.ID, error) {
	out, err := c.git(stdin, args...)
	if err != nil {
		return object.ID{}, err
	}
	return object.ParseID(bytes.TrimSpace(out))
}

// commits lists the commits of the range, the oldest first, and the one that they are on
// top of.
func (c *carrier) commits() (commits []object.ID, base object.ID, err error) {
	out, err := c.theirs.Output(c.ctx, "rev-list", "--reverse", "--topo-order", "--parents", "--end-of-options", c.Range, "--")
	if err != nil {
		return nil, base, err
	}
	var parents []object.ID
	for line := range strings.Lines(string(out)) {
		var ids []object.ID
		for text := range strings.FieldsSeq(line) {
			id, err := object.ParseID([]byte(text))
			if err != nil {
				return nil, base, err
			}
			ids = append(ids, id)
		}
		switch len(ids) {
		case 1:
			return nil, base, &UnpublishedError{ids[0], c.Trailer}
		case 2:
			commits, parents = append(commits, ids[0]), append(parents, ids[1])
		default:
			return nil, base, &MergeError{ids[0]}
		}
	}
	for i := 1; i < len(commits); i++ {
		if parents[i] != commits[i-1] {
			return nil, base, fmt.Errorf("commit %s does not follow upon %s: give a range that is one line of commits, such as master..branch", commits[i], commits[i-1])
		}
	}
	if len(commits) > 0 {
		base = parents[0]
	}
	return commits, base, nil
}

// source returns the source commit that a published commit comes from. That of a tag, which may stand on
// a commit of its own, is the one of the commit below it.
func (c *carrier) source(published object.ID) (object.ID, error) {
	for id := published; ; {
		commit, err := c.read(id)
		if err != nil {
			return object.ID{}, err
		}
		if source, ok := commit.SourceCommit(c.Trailer); ok {
			if _, err := c.git(nil, "cat-file", "-e", source.String()+"^{commit}"); err != nil {
				return object.ID{}, fmt.Errorf("commit %s comes from the source commit %s, which --source does not have: %w", id, source, err)
			}
			return source, nil
		}
		if len(commit.Parents) == 0 {
			return object.ID{}, &UnpublishedError{published, c.Trailer}
		}
		id = commit.Parents[0]
	}
}

func (c *carrier) read(id object.ID) (*object.Commit, error) {
	data, err := c.git(nil, "cat-file", "commit", id.String())
	if err != nil {
		return nil, err
	}
	commit, err := object.ParseCommit(data)
	if err != nil {
		return nil, fmt.Errorf("commit %s: %w", id, err)
	}
	return commit, nil
}

// apply does to the index what a commit did to the mirror's files.
func (c *carrier) apply(before, after object.ID) error {
	out, err := c.git(nil, "diff-tree", "-r", "-z", "--raw", "--no-renames", "--full-index", before.String(), after.String())
	if err != nil {
		return err
	}
	var index bytes.Buffer
	fields := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	for i := 0; i+1 < len(fields); i += 2 {
		// :old-mode new-mode old-id new-id status
		change := strings.Fields(strings.TrimPrefix(fields[i], ":"))
		if len(change) != 5 {
			return fmt.Errorf("git describes a change as %q", fields[i])
		}
		place, err := c.place(fields[i+1])
		if err != nil {
			return err
		}
		mode, id := change[1], change[3]
		switch path.Base(place) {
		case "go.mod", "go.sum":
			if mode, id, err = c.moduleFile(after, place, mode, change[2], id); err != nil {
				return err
			}
			if mode == "" {
				continue
			}
		}
		fmt.Fprintf(&index, "%s %s\t%s\x00", mode, id, place)
		for m, id := range map[string]string{change[0]: change[2], mode: id} {
			if err := c.noteReturns(place, m, id); err != nil {
				return err
			}
		}
	}
	_, err = c.git(&index, "update-index", "-z", "--index-info")
	return err
}

// place is where the source has a file of the mirror. Where the mirror is made of several
// directories, a new file belongs to the one that has most of the folders above it, and a
// new go.sum to the one that has its go.mod.
func (c *carrier) place(name string) (string, error) {
	switch len(c.Directories) {
	case 0:
		return name, nil
	case 1:
		return path.Join(c.Directories[0], name), nil
	}
	beside := []string{name}
	if path.Base(name) == "go.sum" {
		beside = append(beside, path.Join(path.Dir(name), "go.mod"))
	}
	for above := path.Dir(name); above != "."; above = path.Dir(above) {
		beside = append(beside, above)
	}
	for _, other := range beside {
		for _, dir := range c.Directories {
			out, err := c.git(nil, "ls-files", "--", ":(top,literal)"+path.Join(dir, other))
			if err != nil {
				return "", err
			}
			if len(out) > 0 {
				return path.Join(dir, name), nil
			}
		}
	}
	return path.Join(c.Directories[0], name), nil
}

// noteReturns has the patch of a file be binary where lines end in a carriage return: git am
// would remove it.
func (c *carrier) noteReturns(place, mode, id string) error {
	if !strings.HasPrefix(mode, "100") {
		return nil
	}
	data, err := c.blob(id)
	if err == nil && bytes.Contains(data, []byte("\r\n")) {
		c.binary = append(c.binary, place)
	}
	return err
}

// blob reads a file by its name. That of a file that is not there is zero.
func (c *carrier) blob(id string) ([]byte, error) {
	if strings.Trim(id, "0") == "" {
		return nil, nil
	}
	return c.git(nil, "cat-file", "blob", id)
}

// commit makes a commit of a tree, as the mirror's commit is.
func (c *carrier) commit(mirrored, tree, parent object.ID) (object.ID, error) {
	original, err := c.read(mirrored)
	if err != nil {
		return object.ID{}, err
	}
	made := *original
	made.Tree, made.Parents = tree, []object.ID{parent}
	made.Message = WithoutTrailer(original.Message, c.Trailer)
	made.Headers = nil // Signatures do not hold any more.
	for _, h := range original.Headers {
		if h.Key == "encoding" {
			made.Headers = append(made.Headers, h)
		}
	}
	return c.id(bytes.NewReader(made.Encode()), "hash-object", "-w", "-t", "commit", "--stdin")
}

// patches has git write them.
func (c *carrier) patches(from, to object.ID) ([]byte, error) {
	var attributes strings.Builder
	for _, place := range c.binary {
		fmt.Fprintf(&attributes, "%s -diff\n", attributePattern(place))
	}
	if err := os.WriteFile(filepath.Join(c.ours.Dir, "info", "attributes"), []byte(attributes.String()), 0o666); err != nil {
		return nil, err
	}
	command := c.ours
	command.Config = []git.Setting{{Key: "format.encodeEmailHeaders", Value: "true"}}
	return command.Output(c.ctx, "format-patch", "--stdout", "--binary", "--full-index", "--no-renames", "--no-signature", "--no-stat", "--no-ext-diff", "--no-textconv",
		"--subject-prefix=PATCH", from.String()+".."+to.String())
}

// attributePattern is a pattern that only a path matches.
func attributePattern(place string) string {
	var b strings.Builder
	b.WriteString(`"/`)
	for _, r := range []byte(place) {
		switch {
		case strings.IndexByte(`*?[\`, r) >= 0: // For the pattern, and the quotes around it.
			b.WriteString(`\\` + strings.TrimPrefix(string(rune(r)), `\`))
			if r == '\\' {
				b.WriteString(`\\`)
			}
		case r == '"':
			b.WriteString(`\"`)
		case r < ' ' || r >= 0x7f:
			fmt.Fprintf(&b, `\%03o`, r)
		default:
			b.WriteByte(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// WithoutTrailer returns a message without the trailers of a key, and without the paragraph
// that had nothing else.
func WithoutTrailer(message []byte, key string) []byte {
	for {
		value, ok := object.LastTrailer(message, key)
		if !ok {
			return message
		}
		line := append([]byte("\n"+key+": "), value...)
		at := bytes.LastIndex(message, line)
		if at < 0 {
			return message // It is written in a way that the publisher does not.
		}
		before, after := message[:at+1], bytes.TrimPrefix(message[at+len(line):], []byte("\n"))
		if bytes.HasSuffix(before, []byte("\n\n")) && len(bytes.TrimSpace(after)) == 0 {
			before, after = append(bytes.TrimRight(before, "\n"), '\n'), nil
		}
		message = append(bytes.Clone(before), after...)
	}
}
