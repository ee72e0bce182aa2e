package verify

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path"
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
	m := newManifests(c)
	for _, s := range c.subjects() {
		if err := c.run.ctx.Err(); err != nil {
			return err
		}
		problems, err := c.differences(s, m)
		if damaged := (*damageError)(nil); errors.As(err, &damaged) {
			c.mismatch(Mismatch{Kind: UnreadableObject, Ref: s.refs[0], Commit: s.commit.String(), Detail: damaged.Error()})
		} else if err != nil {
			return err
		}
		if len(problems) > 0 {
			c.mismatch(Mismatch{Kind: WrongContent, Ref: s.refs[0], Commit: s.commit.String(),
				Detail: fmt.Sprintf("%s differs from source commit %s: %s", cmp.Or(strings.Join(s.layout.Dirs, " + "), "the root"), s.source, atMost(problems))})
		}
	}
	m.finish()
	return nil
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
		commit, err := c.h.commit(at.commit)
		if err != nil {
			continue // It was reported.
		}
		from := sourceOf(commit, c.run.pub.Trailer())
		if _, in := c.run.pub.Graph.Node(from); in {
			add(ref, &subject{commit: c.h.IDs[at.commit], source: from, layout: b.Layout(), branch: b.Name})
		}
	}
	for _, t := range c.d.Tags {
		for _, name := range t.Names {
			ref := "refs/tags/" + name
			at, ok := c.h.targets[ref]
			if ok && at.commit != none && !c.foreign[at.commit] {
				add(ref, &subject{commit: c.h.IDs[at.commit], source: t.Commit, layout: t.Layout()})
			}
		}
	}
	return all
}

// differences compares a subject with the union of its directories in the
// source.
func (c *checker) differences(s *subject, m *manifests) ([]string, error) {
	id, _, data, err := c.git.get(s.commit.String() + "^{tree}")
	if err != nil {
		return nil, err
	}
	if err := m.look(id); err != nil {
		return nil, err
	}
	parts, err := c.directories(s.source, s.layout.Dirs)
	if err != nil {
		return nil, err
	}
	pairs, err := m.pairs(parts, tree{id, data})
	if err != nil {
		return nil, err
	}
	// Pins can make a go.sum again.
	pinned := func(file string) bool {
		dir, name := path.Split(file)
		_, ok := pairs[dir]
		return ok && (name == "go.mod" || name == "go.sum")
	}
	var problems []string
	for file, content := range m.removed {
		if !pinned(file) {
			problems = append(problems, fmt.Sprintf("%s (%s) should have been removed", file, content))
		}
	}
	if len(parts) == 0 {
		parts = append(parts, tree{id: emptyTree})
	}
	added := make(map[string]int)
	for _, part := range parts {
		changes, err := c.git.compare(part.id, id)
		if err != nil {
			return nil, err
		}
		for _, f := range changes {
			switch {
			case c.run.remove.Match(f.path):
				continue
			case f.fromMode == 0:
				// It may be another part's, or a go.sum that pins make.
				if added[f.path]++; added[f.path] < len(parts) || pinned(f.path) && f.toMode.IsRegular() {
					continue
				}
			case pinned(f.path) && f.fromMode.IsRegular() && f.fromMode == f.toMode:
				continue // What it says is compared below.
			}
			problems = append(problems, f.String())
		}
	}
	slices.Sort(problems)
	modules := s.layout.Siblings
	if c.inCircle() {
		modules = append(slices.Clip(modules), s.layout.Dirs) // Its go.sum can have the go.mod of the module itself.
	}
	siblings, err := c.modulePaths(s.source, modules)
	if err != nil {
		return nil, err
	}
	for _, dir := range slices.Sorted(maps.Keys(pairs)) {
		more, err := m.check(s, pairs[dir], siblings)
		if err != nil {
			return nil, err
		}
		problems = append(problems, more...)
	}
	return problems, nil
}
