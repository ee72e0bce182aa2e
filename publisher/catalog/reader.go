package catalog

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"

	"k8s.io/publisher/mirror"
	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
)

// reader reads one mirror.
type reader struct {
	*Destination
	ctx     context.Context
	trailer string
	objects *odb.Reader
	modules map[object.ID]string // by the blob of go.mod
}

func (r *reader) read() (err error) {
	if r.Store, err = odb.Open(r.Mirror.ObjectsDir()); err != nil {
		return err
	}
	r.objects, r.Commits = r.Store.Reader(), make(map[object.ID]*Commit)
	if err := r.foreign(); err != nil {
		return err
	}
	refs := r.Mirror.Refs()
	for _, name := range slices.Sorted(maps.Keys(refs)) {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		if short, ok := strings.CutPrefix(name, "refs/tags/"); ok {
			err = r.tag(short, refs[name])
		} else if short, ok := strings.CutPrefix(name, "refs/heads/"); ok {
			err = r.branch(short, refs[name].ID)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	slices.SortStableFunc(r.Tags, func(a, b *Tag) int {
		return cmp.Or(b.Date.Compare(a.Date), semver.Compare(b.Name, a.Name), strings.Compare(b.Name, a.Name))
	})
	return r.name()
}

// foreign marks what was there when the mirror was taken over.
func (r *reader) foreign() error {
	if r.Rule.TakenOver == nil {
		return nil
	}
	for _, b := range r.Rule.TakenOver.Branches {
		id, err := object.ParseID([]byte(b.Commit))
		if err != nil {
			return fmt.Errorf("taken-over in the rules: %w", err)
		}
		if _, err := r.commit(id); err != nil {
			return fmt.Errorf("taken-over in the rules, branch %s: %w", b.Branch, err)
		}
	}
	for _, c := range r.Commits { // There are no others yet.
		c.Foreign = true
	}
	return nil
}

// tag reads a tag. What names no commit is left out, as it is nothing that could be
// required.
func (r *reader) tag(name string, ref mirror.Ref) error {
	kind, peeled, tag, err := r.objects.Peel(ref.ID)
	if _, strange := errors.AsType[*object.FormatError](err); strange || err == nil && kind != object.CommitType {
		return nil
	}
	if err != nil {
		return err
	}
	c, err := r.commit(peeled)
	if err != nil {
		return err
	}
	t := &Tag{Name: name, ID: ref.ID, Commit: c, Source: c.FirstSource(), Date: c.Date}
	// A tag may stand on a commit of its own, on top of what was taken over.
	t.Foreign = c.Foreign || r.Rule.TakenOver != nil && c.Source.IsZero() && len(c.Parents) > 0 && c.Parents[0].Foreign
	if tag != nil {
		if date, err := object.IdentTime(tag.Tagger); err == nil {
			t.Date = date
		}
	}
	if v := tagVersion(name); v != "" {
		c.versions = append(c.versions, v)
	}
	r.Tags = append(r.Tags, t)
	return nil
}

func (r *reader) branch(name string, id object.ID) error {
	c, err := r.commit(id)
	if err != nil {
		return err
	}
	b := &Branch{Name: name, Head: c, Source: c.FirstSource()}
	if rule := r.Rule.Branch(name); rule != nil {
		b.SourceBranch = rule.Source.Branch
	}
	r.Branches = append(r.Branches, b)
	return nil
}

// modulePath returns the path that a commit's go.mod declares; empty where it declares
// none, or there is no go.mod, which is told by ok.
func (r *reader) modulePath(c *Commit) (path string, ok bool, err error) {
	id, err := r.file(c, "go.mod")
	if err != nil || id.IsZero() {
		return "", false, err
	}
	path, known := r.modules[id]
	if !known {
		data, err := r.objects.Blob(id)
		if err != nil {
			return "", true, err
		}
		path = modfile.ModulePath(data)
		r.modules[id] = path
	}
	return path, true, nil
}

// file returns the blob of a file at the root of a commit's tree, or zero.
func (r *reader) file(c *Commit, name string) (object.ID, error) {
	tree, err := r.objects.Tree(c.Tree)
	if err != nil {
		return object.ID{}, err
	}
	return object.FindFile(tree, name)
}

// commit reads a commit with all that is behind it.
func (r *reader) commit(from object.ID) (*Commit, error) {
	if c, ok := r.Commits[from]; ok {
		return c, nil
	}
	first := &Commit{ID: from}
	r.Commits[from] = first
	for left := []*Commit{first}; len(left) > 0; {
		c := left[len(left)-1]
		left = left[:len(left)-1]
		data, err := r.objects.Commit(c.ID)
		if err != nil {
			return nil, err
		}
		parsed, err := object.ParseCommit(data)
		if err != nil {
			return nil, fmt.Errorf("commit %s: %w", c.ID, err)
		}
		c.Tree, c.Author, c.Subject = parsed.Tree, author(parsed.Author), subject(parsed.Message)
		c.Source, _ = parsed.SourceCommit(r.trailer)
		if date, err := parsed.CommitTime(); err == nil {
			c.Date = date
		}
		for _, id := range parsed.Parents {
			p, known := r.Commits[id]
			if !known {
				p = &Commit{ID: id}
				r.Commits[id] = p
				left = append(left, p)
			}
			c.Parents = append(c.Parents, p)
		}
	}
	return first, nil
}

func author(ident []byte) string {
	name, _, _ := bytes.Cut(ident, []byte("<"))
	return strings.ToValidUTF8(strings.TrimSpace(string(name)), "\uFFFD")
}

func subject(message []byte) string {
	line, _, _ := bytes.Cut(bytes.TrimLeft(message, "\n"), []byte("\n"))
	return strings.ToValidUTF8(strings.TrimSpace(string(line)), "\uFFFD")
}
