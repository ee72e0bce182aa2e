package verify

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/publisher/object"
	"k8s.io/publisher/spec"
)

// subject is a tree of the mirror and where it comes from.
type subject struct {
	refs   []string
	commit object.ID // in the mirror
	source object.ID
	layout spec.Layout
	branch string // whose tip it is; empty for tags
}

// contents checks what tags and branches have, without projecting anything.
func (c *checker) contents() error {
	subjects := c.subjects()
	if len(subjects) == 0 {
		return nil
	}
	source := <-c.run.sources
	defer func() { c.run.sources <- source }()
	mirror := readObjects(c.run.ctx, c.h.view)
	compare := &comparison{checker: c, source: source, mirror: mirror, same: make(map[pair]bool)}
	manifests := newManifests(c, source, mirror)
	for _, s := range subjects {
		if err := c.run.ctx.Err(); err != nil {
			return errors.Join(err, mirror.close())
		}
		err := c.content(s, compare, manifests)
		if damaged := (*mirrorError)(nil); errors.As(err, &damaged) {
			c.mismatch(Mismatch{Kind: UnreadableObject, Ref: s.refs[0], Commit: s.commit.String(), Detail: damaged.Error()})
		} else if err != nil {
			return errors.Join(err, mirror.close())
		}
	}
	manifests.finish()
	return mirror.close()
}

// subjects are the tips of branches and the tags, those that name one commit
// together.
func (c *checker) subjects() []*subject {
	var all []*subject
	type key struct{ commit, source object.ID }
	known := make(map[key]*subject)
	add := func(ref string, s *subject) {
		k := key{s.commit, s.source}
		if known[k] == nil {
			known[k] = s
			all = append(all, s)
		}
		known[k].refs = append(known[k].refs, ref)
	}
	for _, b := range c.d.Branches {
		ref := "refs/heads/" + b.Name
		at, ok := c.h.targets[ref]
		if !ok || b.Projection == nil || at.commit == none || c.foreign[at.commit] {
			continue
		}
		commit, err := commitOf(c.reader, c.h.ids[at.commit])
		if err != nil {
			continue // Reading the history has reported it.
		}
		from, ok := sourceOf(commit, c.run.pub.Trailer())
		if _, in := c.run.pub.Graph.Node(from); ok && in {
			add(ref, &subject{commit: c.h.ids[at.commit], source: from, layout: b.Layout(), branch: b.Name})
		}
	}
	for _, t := range c.d.Tags {
		for _, name := range t.Names {
			ref := "refs/tags/" + name
			at, ok := c.h.targets[ref]
			if ok && at.commit != none && !c.foreign[at.commit] {
				add(ref, &subject{commit: c.h.ids[at.commit], source: t.Commit, layout: t.Layout()})
			}
		}
	}
	return all
}

func (c *checker) content(s *subject, compare *comparison, manifests *manifests) error {
	tree, _, err := compare.mirror.tree(s.commit.String() + "^{tree}")
	if err == nil && tree.IsZero() {
		err = ofMirror(fmt.Errorf("the tree of commit %s is missing", s.commit))
	}
	if err != nil {
		return err
	}
	var parts []object.ID
	for _, dir := range s.layout.Dirs {
		part, _, err := compare.source.tree(s.source.String() + ":" + dir)
		if err != nil {
			return ofSource(err)
		}
		if !part.IsZero() {
			parts = append(parts, part)
		}
	}
	compare.problems = nil
	if err := compare.trees(parts, tree, ""); err != nil {
		return err
	}
	problems := compare.problems
	more, err := manifests.check(s, parts, tree)
	if err != nil {
		return err
	}
	if problems = append(problems, more...); len(problems) > 0 {
		c.mismatch(Mismatch{Kind: WrongContent, Ref: s.refs[0], Commit: s.commit.String(),
			Detail: fmt.Sprintf("%s differs from source commit %s: %s", describe(s.layout.Dirs), s.source, atMost(problems))})
	}
	return nil
}

// ofSource makes an error that ends the run of one that is about an object.
func ofSource(err error) error {
	if damaged := (*mirrorError)(nil); errors.As(err, &damaged) {
		return fmt.Errorf("read source: %w", damaged.err)
	}
	return err
}

func describe(dirs []string) string {
	if len(dirs) == 1 && dirs[0] == "" {
		return "the root"
	}
	return strings.Join(dirs, " + ")
}

// comparison compares trees of the mirror with directories of the source.
type comparison struct {
	*checker
	source, mirror *objects
	// same are those found alike: most tags have most of them in common.
	same     map[pair]bool
	problems []string
}

// pair is a tree of the source and one of the mirror, and where they stand if
// that matters.
type pair struct {
	source, mirror object.ID
	prefix         string
}

func (c *comparison) problem(format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}

// trees compares a tree of the mirror, zero where it is absent, with the union
// of some of the source's.
func (c *comparison) trees(parts []object.ID, tree object.ID, prefix string) error {
	deletes := !c.run.remove.Empty() && (prefix == "" || c.run.remove.MayMatchUnder(strings.TrimSuffix(prefix, "/")))
	if len(parts) == 1 && parts[0] == tree && !deletes {
		return nil
	}
	known := pair{mirror: tree}
	if len(parts) == 1 {
		if known.source = parts[0]; deletes || prefix == "" {
			known.prefix = prefix + "/"
		}
		if c.same[known] {
			return nil
		}
	}
	before := len(c.problems)
	published := make(map[string]entry)
	entries, err := c.mirror.entries(tree)
	if err != nil {
		return err
	}
	for _, e := range entries {
		published[e.name] = e
	}
	dirs := make(map[string][]object.ID)
	for _, part := range parts {
		entries, err := c.source.entries(part)
		if err != nil {
			return ofSource(err)
		}
		for _, e := range entries {
			if e.isDir() {
				dirs[e.name] = append(dirs[e.name], e.id)
				continue
			}
			c.file(prefix+e.name, e, published[e.name])
			delete(published, e.name)
		}
	}
	for name, sub := range dirs {
		e, ok := published[name]
		delete(published, name)
		if ok && !e.isDir() {
			c.problem("%s should be a directory", prefix+name)
			continue
		}
		if err := c.trees(sub, e.id, prefix+name+"/"); err != nil {
			return err
		}
	}
	for name, e := range published {
		// Where the source has no go.sum, pins make one.
		if prefix+name != "go.sum" || !e.isFile() {
			c.problem("%s (%s) should not be there", prefix+name, e.id)
		}
	}
	if len(parts) == 1 && len(c.problems) == before {
		c.same[known] = true
	}
	slices.Sort(c.problems[before:])
	return nil
}

// file compares a file of the source with what the mirror has at its place.
func (c *comparison) file(path string, want, have entry) {
	removed := c.run.remove.Match(path)
	switch {
	case removed && have.mode != "":
		c.problem("%s (%s) should have been removed", path, have.id)
	case removed:
	case have.mode == "":
		c.problem("%s (%s) is missing", path, want.id)
	case (path == "go.mod" || path == "go.sum") && want.isFile() && have.mode == want.mode:
		// What it says is compared elsewhere.
	case have.mode != want.mode:
		c.problem("%s has mode %s and should have %s", path, have.mode, want.mode)
	case have.id != want.id:
		c.problem("%s is %s and should be %s", path, have.id, want.id)
	}
}
