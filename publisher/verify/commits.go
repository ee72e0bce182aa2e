package verify

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/publisher/object"
	"k8s.io/publisher/projection"
)

// mostCommits bounds how many commits of a mirror are diagnosed one by one, and
// mostParts in how much of each.
const (
	mostCommits = 20
	mostParts   = 10
)

// atMost joins the first few texts.
func atMost(texts []string) string {
	if n := len(texts) - mostParts; n > 0 {
		texts = append(slices.Clone(texts[:mostParts]), fmt.Sprintf("and %d more", n))
	}
	return strings.Join(texts, "; ")
}

// commits accounts for all commits of the mirror. A name that is expected
// proves the commit with all that is behind it, since git fsck has hashed it.
func (c *checker) commits() error {
	d := diagnosis{checker: c, claims: make(map[int32]object.ID), unknown: make(map[object.ID]bool)}
	var unexpected []int32
	for n, id := range c.h.IDs {
		switch {
		case c.foreign[n]:
			c.out.ForeignCommits++
		case c.expects(id):
			c.out.Commits++
		default:
			unexpected = append(unexpected, int32(n))
		}
	}
	faults := 0
	for _, n := range unexpected {
		m, err := d.diagnose(n)
		if err != nil {
			return err
		}
		if m == nil {
			continue
		}
		if faults++; faults <= mostCommits {
			c.mismatch(*m)
		}
	}
	if faults > mostCommits {
		c.mismatch(Mismatch{Kind: UnexpectedCommit, Detail: fmt.Sprintf("%s more are not as they should be", count(faults-mostCommits, "commit"))})
	}
	return nil
}

// diagnosis finds out what is wrong with commits that are not expected. One on
// top of a changed commit has another name, with nothing wrong about itself: so
// parents are compared by the source commits that they claim to stand for.
type diagnosis struct {
	*checker
	// claims has, by node, the source commit that its trailer names; unknown are
	// the commits of which nobody can say what they should be.
	claims  map[int32]object.ID
	unknown map[object.ID]bool
}

// diagnose says in what a commit differs from the projection of the source
// commit that it names; nil if only in what is behind it.
func (d *diagnosis) diagnose(n int32) (*Mismatch, error) {
	id := d.h.IDs[n]
	have, err := d.h.commit(n)
	if err != nil {
		return &Mismatch{Kind: UnreadableObject, Commit: id.String(), Detail: err.Error()}, nil
	}
	from := sourceOf(have, d.run.pub.Trailer())
	d.claims[n] = from
	want, wantID, err := d.expected(n, have, from)
	if err != nil {
		return nil, err
	}
	if want == nil {
		d.unknown[id] = true
		detail := fmt.Sprintf("it names source commit %s, ", from)
		_, published := d.run.pub.Graph.Node(from)
		switch {
		case from.IsZero():
			detail = "it names no source commit"
		case !d.run.in.Source.Store.Has(from):
			detail += "which the source does not have"
		case published:
			detail += "of which nothing is published here"
		default:
			detail += "which is in the history of no published branch"
		}
		return &Mismatch{Kind: UnexpectedCommit, Commit: id.String(), Detail: detail}, nil
	}
	changes, err := d.git.compare(want.Tree, have.Tree)
	if damaged := (*damageError)(nil); errors.As(err, &damaged) {
		return &Mismatch{Kind: UnreadableObject, Commit: id.String(), Detail: err.Error()}, nil
	}
	if err != nil {
		return nil, err
	}
	var differences []string
	for _, c := range changes {
		differences = append(differences, c.String())
	}
	for _, part := range []struct {
		name       string
		have, want []byte
	}{
		{"author", have.Author, want.Author}, {"committer", have.Committer, want.Committer}, {"message", have.Message, want.Message},
	} {
		if !bytes.Equal(part.have, part.want) {
			differences = append(differences, fmt.Sprintf("%s is %q and should be %q", part.name, part.have, part.want))
		}
	}
	if !slices.EqualFunc(have.Headers, want.Headers, func(a, b object.Header) bool { return a.Key == b.Key && bytes.Equal(a.Value, b.Value) }) {
		differences = append(differences, "it has other headers")
	}
	if haveParents, wantParents := d.standFor(have.Parents), d.standFor(want.Parents); haveParents != wantParents && !slices.ContainsFunc(have.Parents, func(p object.ID) bool { return d.unknown[p] }) {
		differences = append(differences, fmt.Sprintf("its parents stand for %s and should for %s", haveParents, wantParents))
	}
	if len(differences) == 0 {
		return nil, nil
	}
	return &Mismatch{Kind: ChangedCommit, Commit: id.String(),
		Detail: fmt.Sprintf("for source commit %s it should be %s: %s", from, wantID, atMost(differences))}, nil
}

// standFor names the source commits that commits stand for; those that stand for
// none by themselves.
func (d *diagnosis) standFor(commits []object.ID) string {
	var names []string
	for _, id := range commits {
		n, ok := d.h.Node(id)
		from, claimed := d.claims[n]
		if !ok || !claimed {
			from = id
			for of, index := range d.projections {
				if i, ok := index[id]; ok && i >= of.Base() {
					from = d.run.pub.Graph.IDs[of.Node(i)]
				}
			}
		}
		names = append(names, from.String())
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// expected returns the commit that should stand for a source commit: that of a
// tag where a tag names the node and no branch can. It is nil if there is none.
func (d *diagnosis) expected(n int32, have *object.Commit, from object.ID) (*object.Commit, object.ID, error) {
	for _, ref := range d.h.refs {
		t := d.byName[ref].Tag
		if t == nil || d.h.targets[ref].commit != n || t.Target == t.Parent {
			continue
		}
		_, _, data, err := d.git.get(t.Target.String())
		if err != nil {
			return nil, t.Target, err
		}
		want, err := object.ParseCommit(data)
		return want, t.Target, err
	}
	var best *object.Commit
	var bestID object.ID
	for _, b := range d.d.Branches {
		if d.projections[b.Projection] == nil {
			continue
		}
		i, _, ok := b.Projection.Lookup(from)
		if !ok || i < b.Projection.Base() {
			continue
		}
		at, err := b.Projection.Commit(i)
		if err != nil || at.Source != from {
			continue
		}
		want, err := d.project(b.Projection, i, at)
		if err != nil {
			return nil, at.ID, err
		}
		if best == nil || want.Tree == have.Tree {
			best, bestID = want, at.ID
		}
	}
	return best, bestID, nil
}

// project makes a projected commit once more, with all that it consists of.
func (d *diagnosis) project(of *projection.Projection, i int32, at projection.Commit) (*object.Commit, error) {
	from, err := object.ParseCommit(d.run.pub.Graph.Raw[of.Node(i)])
	if err != nil {
		return nil, err
	}
	want := &object.Commit{
		Tree: at.Tree, Author: from.Author, Committer: from.Committer,
		Message: object.AppendTrailer(bytes.Clone(from.Message), d.run.pub.Trailer(), at.Source.String()),
	}
	if encoding, ok := from.Header("encoding"); ok {
		want.Headers = []object.Header{{Key: "encoding", Value: encoding}}
	}
	for _, q := range at.Parents {
		parent, err := of.Commit(q)
		if err != nil {
			return nil, err
		}
		want.Parents = append(want.Parents, parent.ID)
	}
	return want, nil
}

// lineDifference returns the lines that only one of two texts has, in order and
// without blanks at their ends.
func lineDifference(a, b string) (onlyA, onlyB []string) {
	count := make(map[string]int)
	for line := range strings.Lines(b) {
		count[strings.TrimSpace(line)]++
	}
	for line := range strings.Lines(a) {
		line = strings.TrimSpace(line)
		if count[line] > 0 {
			count[line]--
		} else {
			onlyA = append(onlyA, line)
		}
	}
	for line := range strings.Lines(b) {
		line = strings.TrimSpace(line)
		if count[line] > 0 {
			count[line]--
			onlyB = append(onlyB, line)
		}
	}
	return onlyA, onlyB
}

// list says which lines a file has and lacks.
func list(file string, extra, missing []string) []string {
	var problems []string
	for _, line := range extra {
		problems = append(problems, fmt.Sprintf("%s has %q", file, line))
	}
	for _, line := range missing {
		problems = append(problems, fmt.Sprintf("%s lacks %q", file, line))
	}
	return problems
}
