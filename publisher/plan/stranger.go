package plan

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
	"k8s.io/publisher/past"
	"k8s.io/publisher/publication"
)

// mostStrangers bounds how many commits are named that somebody put on top.
const mostStrangers = 5

// stranger says why a branch of a mirror is not what the publisher makes of its
// source, and what to do. It follows the mirror's first parents: where they lead to
// a commit that is the publisher's own, somebody has put others on top; where they
// lead to none, the whole branch is somebody else's. takeOver tells whether it could
// be continued.
func (m *maker) stranger(b *publication.Branch, tip past.Tip) (reason string, takeOver bool, err error) {
	command := fmt.Sprintf("%q", "publisher rules take-over --destination "+m.to.Name)
	var above []string
	var last, unknown object.ID // source commits that the commits name
	own := true                 // as long as no commit shows another bot's hand
	for c := range m.mirror.FirstParents(tip.Commit, &err) {
		at := past.Tip{Commit: c.ID, Source: c.Source}
		if base, from, ok := m.mirror.TakenOver(b.Name); ok && base == c.ID {
			at.Source = from
		}
		if _, ok, err := standing(b, at); err != nil {
			return "", false, err
		} else if ok {
			if n := len(above); n > mostStrangers {
				above = append(above[:mostStrangers], fmt.Sprintf("%d more", n-mostStrangers))
			}
			reason = fmt.Sprintf("commits on top of %s are not projections of source branch %s: %s", c.ID, b.Source, strings.Join(above, ", "))
			if own && !last.IsZero() {
				reason += "; they were published under other rules, if nobody changed them: undo what changed, or let " + command + " note in the rules that what is there is to be continued"
			}
			return reason, !last.IsZero(), nil
		}
		above = append(above, c.ID.String())
		if c.Source.IsZero() {
			continue
		}
		if own {
			if own, err = m.ownForm(c.Commit, c.Source); err != nil {
				return "", false, err
			}
		}
		switch _, known := m.pub.Graph.Node(c.Source); {
		case !last.IsZero():
		case known || m.remembered(b, c.Source):
			last = c.Source
		case unknown.IsZero():
			unknown = c.Source
		}
	}
	switch {
	case err != nil:
		return "", false, err
	case !last.IsZero() && own:
		return fmt.Sprintf("it was published under other rules, up to source commit %s; undo what changed, or let %s note in the rules that what is there is to be continued", last, command), true, nil
	case !last.IsZero():
		return fmt.Sprintf("someone else filled it, up to source commit %s; to continue on top of what is there, let %s note that in the rules", last, command), true, nil
	case !unknown.IsZero():
		return fmt.Sprintf("its commits name source commits, such as %s, that are not in the history of source branch %s", unknown, b.Source), false, nil
	}
	return "the publisher did not make its commits, and no trailer tells which source commits they stand for", false, nil
}

// remembered reports whether a source commit that was not read is known.
func (m *maker) remembered(b *publication.Branch, commit object.ID) bool {
	_, _, ok := b.Projection.Lookup(commit)
	return ok
}

// ownForm reports whether a mirror commit is what the publisher makes of a source
// commit, but for its tree and parents, which rules decide: other bots commit in
// their own name.
func (m *maker) ownForm(c *object.Commit, from object.ID) (bool, error) {
	data, err := m.repo.Store.Reader().Commit(from)
	var missing *odb.MissingError
	if errors.As(err, &missing) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	made, err := object.ParseCommit(data)
	if err != nil {
		return false, fmt.Errorf("source commit %s: %w", from, err)
	}
	return bytes.Equal(c.Author, made.Author) && bytes.Equal(c.Committer, made.Committer) &&
		bytes.Equal(c.Message, object.AppendTrailer(bytes.Clone(made.Message), m.pub.Trailer(), from.String())), nil
}
