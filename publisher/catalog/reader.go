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
	"golang.org/x/mod/module"
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
	return r.pseudoVersions()
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
	if semver.Canonical(name) == name && !module.IsPseudoVersion(name) {
		path, err := r.modulePath(c)
		if err != nil {
			return err
		}
		if path != "" && module.Check(path, name) == nil {
			t.Version = module.Version{Path: path, Version: name}
			c.latest = later(c.latest, name)
		}
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

// pseudoVersions names the heads of branches as the go command does: after the newest
// version in their history (https://go.dev/ref/mod#pseudo-versions).
func (r *reader) pseudoVersions() error {
	for _, b := range r.Branches {
		path, err := r.modulePath(b.Head)
		if err != nil {
			return fmt.Errorf("branch %s: %w", b.Name, err)
		}
		if b.Name == r.Head {
			r.Module = path
		}
		if path == "" || module.CheckPath(path) != nil {
			continue
		}
		_, major, ok := module.SplitPathVersion(path)
		if !ok {
			continue
		}
		version := b.Head.latest // of a tag on the head itself, it is the version
		if version == "" || module.CheckPathMajor(version, major) != nil {
			older := newest(b.Head, func(v string) bool { return module.CheckPathMajor(v, major) == nil })
			version = module.PseudoVersion(module.PathMajorPrefix(major), older, b.Head.Date, b.Head.ID.String()[:12])
		}
		b.Version = module.Version{Path: path, Version: version}
	}
	return nil
}

// newest returns the newest version among what is behind a commit.
func newest(from *Commit, allowed func(version string) bool) (version string) {
	seen := map[*Commit]bool{from: true}
	for stack := []*Commit{from}; len(stack) > 0; {
		c := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if c.latest != "" && allowed(c.latest) {
			version = later(version, c.latest)
		}
		for _, p := range c.Parents {
			if !seen[p] {
				seen[p] = true
				stack = append(stack, p)
			}
		}
	}
	return version
}

func later(a, b string) string {
	if a == "" || semver.Compare(b, a) > 0 {
		return b
	}
	return a
}

// modulePath returns the path that a commit's go.mod declares; empty where it has none.
func (r *reader) modulePath(c *Commit) (string, error) {
	tree, err := r.objects.Tree(c.Tree)
	if err != nil {
		return "", err
	}
	id, err := object.FindFile(tree, "go.mod")
	if err != nil || id.IsZero() {
		return "", err
	}
	path, known := r.modules[id]
	if !known {
		data, err := r.objects.Blob(id)
		if err != nil {
			return "", err
		}
		path = modfile.ModulePath(data)
		r.modules[id] = path
	}
	return path, nil
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
