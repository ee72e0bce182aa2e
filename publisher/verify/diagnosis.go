package verify

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"k8s.io/publisher/object"
	"k8s.io/publisher/projection"
)

// diagnosis finds out what was done to commits that are not expected. A commit
// on top of a changed one has another name, with nothing wrong about itself.
// So each is compared by what is its own, and its parents by the source commits
// that they stand for.
type diagnosis struct {
	*checker
	objects made
	// stands tells which source commit an unexpected node stands for: by its
	// trailer, or in spite of it.
	stands  map[int32]object.ID
	dropped map[object.ID]bool
	// tagged are the nodes that a tag names and no branch has.
	tagged map[int32]string
	byTree map[object.ID][]*due
	found  int
}

// due is a commit that should be there.
type due struct {
	id, source object.ID
	commit     *object.Commit
	parents    []label
}

// label names a commit by what it stands for: a source commit, or itself where
// it was there when the mirror was taken over.
type label = object.ID

func (c *checker) diagnose(unexpected []int32) error {
	d := &diagnosis{
		checker: c, objects: made{c.run.scratch.Reader(), c.run.in.Source.Store.Reader(), c.reader},
		stands: make(map[int32]object.ID), dropped: make(map[object.ID]bool), tagged: make(map[int32]string),
	}
	d.findTagged()
	commits := make([]*object.Commit, len(unexpected))
	for k, n := range unexpected {
		commit, err := commitOf(d.reader, d.h.ids[n])
		if err != nil {
			continue // Reading the history has reported it.
		}
		commits[k] = commit
		d.stands[n], _ = sourceOf(commit, d.run.pub.Trailer())
	}
	// What commits stand for has to be known before parents can be compared.
	twins := make([]*due, len(unexpected))
	for k, n := range unexpected {
		if commits[k] == nil {
			continue
		}
		twin, err := d.twin(commits[k], d.stands[n])
		if err != nil {
			return err
		}
		twins[k] = twin
	}
	faults := make([][]Mismatch, len(unexpected))
	wants := make([]*due, len(unexpected))
	for k, n := range unexpected {
		if commits[k] == nil {
			continue
		}
		want, forged, err := d.trailer(n, commits[k], twins[k])
		if err != nil {
			return err
		}
		wants[k], faults[k] = want, forged
	}
	for k, n := range unexpected {
		if wants[k] != nil {
			more, err := d.compare(n, commits[k], wants[k])
			if err != nil {
				return err
			}
			faults[k] = append(faults[k], more...)
		}
		for _, m := range faults[k] {
			if d.found++; d.found <= mostCommits {
				d.mismatch(m)
			}
		}
	}
	if d.found > mostCommits {
		d.mismatch(Mismatch{Kind: UnexpectedCommit, Detail: fmt.Sprintf("%d more things are wrong with the mirror's commits", d.found-mostCommits)})
	}
	return nil
}

func (d *diagnosis) findTagged() {
	var branches []int32
	for ref, at := range d.h.targets {
		if isBranch(ref) {
			branches = append(branches, at.commit)
		}
	}
	on := d.h.reach(branches...)
	for _, ref := range d.h.refs {
		if n := d.h.targets[ref].commit; isTag(ref) && n != none && !on[n] {
			d.tagged[n] = ref
		}
	}
}

// label says what a node of the mirror stands for.
func (d *diagnosis) label(n int32) label {
	if d.foreign[n] {
		return d.h.ids[n]
	}
	if from, ok := d.stands[n]; ok {
		return from
	}
	for _, p := range d.projections {
		if i, ok := p.byID[d.h.ids[n]]; ok {
			return d.labelAt(p.Projection, i)
		}
	}
	return d.h.ids[n]
}

func (d *diagnosis) labelAt(of *projection.Projection, i int32) label {
	commit, err := of.Commit(i)
	if err != nil || i < of.Base() {
		return commit.ID
	}
	return commit.Source
}

// trailer finds what a commit should be, from the source commit that it names;
// or, where it names a wrong one, says so.
func (d *diagnosis) trailer(n int32, commit *object.Commit, twin *due) (*due, []Mismatch, error) {
	id, from := d.h.ids[n].String(), d.stands[n]
	want, err := d.due(n, commit, from)
	if err != nil {
		return nil, nil, err
	}
	if want != nil && (twin == nil || sameMetadata(want.commit, commit)) {
		return want, nil, nil
	}
	named := fmt.Sprintf("it names source commit %s", from)
	switch {
	case from.IsZero():
		named = "it names no source commit"
	case !d.run.in.Source.Store.Has(from):
		named += ", which the source does not have"
	case want == nil:
		if _, ok := d.run.pub.Graph.Node(from); ok {
			named += ", of which nothing is published here"
		} else {
			named += ", which is in the history of no published branch"
		}
	}
	switch {
	case twin != nil:
		d.stands[n] = twin.source
		return twin, []Mismatch{{Kind: ForgedTrailer, Commit: id, Detail: fmt.Sprintf("%s; its content is the projection of %s", named, twin.source)}}, nil
	case !from.IsZero() && !d.run.in.Source.Store.Has(from):
		return nil, []Mismatch{{Kind: ForgedTrailer, Commit: id, Detail: named}}, nil
	}
	return nil, []Mismatch{{Kind: UnexpectedCommit, Commit: id, Detail: named}}, nil
}

// due returns the commit that stands for a source commit; nil if there is none.
func (d *diagnosis) due(n int32, commit *object.Commit, from object.ID) (*due, error) {
	if ref := d.tagged[n]; ref != "" {
		if t := d.byName[ref].Tag; t != nil && t.Target != t.Parent {
			data, err := d.objects.read(t.Target, object.CommitType)
			if err != nil {
				return nil, err
			}
			want, err := object.ParseCommit(data)
			if err != nil {
				return nil, err
			}
			due := &due{id: t.Target, source: t.Commit, commit: want}
			for _, p := range d.projections {
				if i, ok := p.byID[t.Parent]; ok {
					due.parents = []label{d.labelAt(p.Projection, i)}
				}
			}
			return due, nil
		}
	}
	var best *due
	for _, p := range d.projections {
		i, _, ok := p.Projection.Lookup(from)
		if !ok || i < p.Base() {
			continue
		}
		at, err := p.Commit(i)
		if err != nil || at.Source != from {
			continue
		}
		want, err := d.dueAt(p.Projection, i)
		if err != nil {
			return nil, err
		}
		if best == nil || want.commit.Tree == commit.Tree {
			best = want
		}
	}
	return best, nil
}

// dueAt makes a projected commit once more, with all that it consists of.
func (d *diagnosis) dueAt(of *projection.Projection, i int32) (*due, error) {
	at, err := of.Commit(i)
	if err != nil {
		return nil, err
	}
	from, err := object.ParseCommit(d.run.pub.Graph.Raw[of.Node(i)])
	if err != nil {
		return nil, err
	}
	want := &due{id: at.ID, source: at.Source, commit: &object.Commit{
		Tree: at.Tree, Author: from.Author, Committer: from.Committer,
		Message: object.AppendTrailer(bytes.Clone(from.Message), d.run.pub.Trailer(), at.Source.String()),
	}}
	if encoding, ok := from.Header("encoding"); ok {
		want.commit.Headers = []object.Header{{Key: "encoding", Value: encoding}}
	}
	for _, q := range at.Parents {
		want.parents = append(want.parents, d.labelAt(of, q))
	}
	return want, nil
}

// twin returns the commit that should be there and is like this one in all but
// its trailer, which names another source commit; nil if there is none.
func (d *diagnosis) twin(commit *object.Commit, from object.ID) (*due, error) {
	if d.byTree == nil {
		d.byTree = make(map[object.ID][]*due)
		for _, p := range d.projections {
			for i := p.Base(); i < p.Len(); i++ {
				want, err := d.dueAt(p.Projection, i)
				if err != nil {
					return nil, err
				}
				d.byTree[want.commit.Tree] = append(d.byTree[want.commit.Tree], want)
			}
		}
	}
	for _, want := range d.byTree[commit.Tree] {
		if want.source == from || !bytes.Equal(want.commit.Author, commit.Author) || !bytes.Equal(want.commit.Committer, commit.Committer) {
			continue
		}
		message := bytes.ReplaceAll(commit.Message, []byte(from.String()), []byte(want.source.String()))
		if from.IsZero() {
			message = object.AppendTrailer(bytes.Clone(commit.Message), d.run.pub.Trailer(), want.source.String())
		}
		if bytes.Equal(message, want.commit.Message) {
			return want, nil
		}
	}
	return nil, nil
}

func sameMetadata(a, b *object.Commit) bool {
	return bytes.Equal(a.Author, b.Author) && bytes.Equal(a.Committer, b.Committer) && bytes.Equal(a.Message, b.Message)
}

// compare says in what a commit differs from what it should be.
func (d *diagnosis) compare(n int32, have *object.Commit, want *due) ([]Mismatch, error) {
	id := d.h.ids[n].String()
	faults, err := d.compareTrees(id, have.Tree, want)
	if err != nil {
		return nil, err
	}
	if !d.forged(n, have) {
		var differs []string
		for _, part := range []struct {
			name       string
			have, want []byte
		}{
			{"author", have.Author, want.commit.Author},
			{"committer", have.Committer, want.commit.Committer},
			{"message", have.Message, want.commit.Message},
		} {
			if !bytes.Equal(part.have, part.want) {
				differs = append(differs, fmt.Sprintf("%s is %q and should be %q", part.name, part.have, part.want))
			}
		}
		if !slices.EqualFunc(have.Headers, want.commit.Headers, func(a, b object.Header) bool { return a.Key == b.Key && bytes.Equal(a.Value, b.Value) }) {
			differs = append(differs, "it has other headers")
		}
		if len(differs) > 0 {
			faults = append(faults, Mismatch{Kind: ChangedMetadata, Commit: id, Detail: d.instead(want) + strings.Join(differs, "; ")})
		}
	}
	return append(faults, d.compareParents(n, have, want)...), nil
}

// forged reports whether the commit's trailer is known to be wrong.
func (d *diagnosis) forged(n int32, have *object.Commit) bool {
	from, _ := sourceOf(have, d.run.pub.Trailer())
	return from != d.stands[n]
}

func (d *diagnosis) instead(want *due) string {
	return fmt.Sprintf("for source commit %s it should be %s: ", want.source, want.id)
}

func (d *diagnosis) compareParents(n int32, have *object.Commit, want *due) []Mismatch {
	var labels []label
	for _, parent := range have.Parents {
		if p, ok := d.h.index[parent]; ok {
			labels = append(labels, d.label(p))
		}
	}
	if slices.Equal(labels, want.parents) {
		return nil
	}
	behind := make(map[label]bool)
	for p, is := range d.h.reach(n) {
		if is {
			behind[d.label(int32(p))] = true
		}
	}
	var faults []Mismatch
	for _, parent := range want.parents {
		if behind[parent] || d.dropped[parent] {
			continue
		}
		d.dropped[parent] = true
		faults = append(faults, Mismatch{Kind: DroppedCommit, Commit: d.idOf(parent).String(),
			Detail: fmt.Sprintf("the projection of source commit %s should be a parent of %s", parent, d.h.ids[n])})
	}
	if len(faults) == 0 && !slices.ContainsFunc(want.parents, func(p label) bool { return d.dropped[p] }) {
		faults = append(faults, Mismatch{Kind: ChangedParents, Commit: d.h.ids[n].String(), Detail: d.instead(want) + fmt.Sprintf(
			"its parents stand for %s and should for %s", join(labels), join(want.parents))})
	}
	return faults
}

// idOf returns the commit that a label is of.
func (d *diagnosis) idOf(l label) object.ID {
	for _, p := range d.projections {
		if i, _, ok := p.Projection.Lookup(l); ok && i != projection.None {
			if commit, err := p.Commit(i); err == nil {
				return commit.ID
			}
		}
	}
	return l
}

func join(ids []object.ID) string {
	if len(ids) == 0 {
		return "none"
	}
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = id.String()
	}
	return strings.Join(names, ", ")
}
