package plan

import (
	"fmt"
	"strings"

	"k8s.io/publisher/object"
	"k8s.io/publisher/projection"
	"k8s.io/publisher/publication"
)

// find returns the index of a mirror's commit in the branch's projection.
func (m *maker) find(b *publication.Branch, id object.ID) (int32, bool, error) {
	if base, ok := m.took.Base(b.Name); ok && base.Commit == id {
		i, _, ok := m.pub.Lookup(b.Projection, base.Source)
		return i, ok, nil
	}
	c, err := m.commit(id)
	if err != nil {
		return 0, false, err
	}
	from, ok := m.pub.TrailerOf(c)
	if !ok {
		return 0, false, nil
	}
	i, _, ok := m.pub.Lookup(b.Projection, from)
	if !ok || i == projection.None {
		return 0, false, nil
	}
	mine, err := b.Projection.Commit(i)
	return i, mine.ID == id, err
}

func (m *maker) commit(id object.ID) (*object.Commit, error) {
	data, err := m.reader.Commit(id)
	if err != nil {
		return nil, fmt.Errorf("read mirror %s: %w", m.to.Mirror.Dir, err)
	}
	c, err := object.ParseCommit(data)
	if err != nil {
		return nil, fmt.Errorf("read mirror %s: commit %s: %w", m.to.Mirror.Dir, id, err)
	}
	return c, nil
}

// foreigners says what is known of a branch whose tip the publisher did not
// make from this source.
type foreigners struct {
	reason string
	base   *publication.Base // where the branch can be taken over
}

// foreign follows the mirror's first parents. Where it meets a commit that is
// the publisher's own, what is above was put there by someone; where it meets
// none, the whole branch is someone else's, and can be continued if a trailer
// tells from where.
func (m *maker) foreign(b *publication.Branch, tip object.ID) (foreigners, error) {
	var above []string
	var base *publication.Base
	var stranger object.ID
	own := true // as long as no commit shows another bot's hand
	for id := tip; ; {
		if _, ok, err := m.find(b, id); err != nil {
			return foreigners{}, err
		} else if ok {
			if base != nil && (m.took != nil || m.in.TakeOver) {
				// What is common to its branches may be there already.
				return foreigners{base: base, reason: "it was filled by someone else after it was taken over"}, nil
			}
			const most = 5
			if len(above) > most {
				above = append(above[:most], fmt.Sprintf("%d more", len(above)-most))
			}
			reason := fmt.Sprintf("commits on top of %s are not projections of source branch %s: %s", id, b.Source, strings.Join(above, ", "))
			if base != nil && own {
				reason += "; they were published under other rules, if nobody changed them: undo what changed, or continue on top of what is there with --take-over"
			}
			return foreigners{reason: reason}, nil
		}
		above = append(above, id.String())
		c, err := m.commit(id)
		if err != nil {
			return foreigners{}, err
		}
		from, ok := m.pub.TrailerOf(c)
		if ok && own {
			if own, err = m.pub.OwnForm(c, from); err != nil {
				return foreigners{}, err
			}
		}
		if ok && base == nil {
			if m.pub.OnMainline(b.Source, from) {
				base = &publication.Base{Commit: tip, Source: from}
			} else if stranger.IsZero() {
				stranger = from
			}
		}
		if len(c.Parents) == 0 {
			break
		}
		id = c.Parents[0]
	}
	switch {
	case base != nil && own && !m.in.TakeOver:
		return foreigners{reason: fmt.Sprintf("it was published under other rules, up to source commit %s; "+
			"undo what changed, or continue on top of what is there with --take-over", base.Source)}, nil
	case base != nil:
		return foreigners{base: base, reason: "it was filled by someone else after it was taken over"}, nil
	case !stranger.IsZero():
		return foreigners{reason: fmt.Sprintf("its commits name source commits, such as %s, that are not on the mainline of source branch %s", stranger, b.Source)}, nil
	}
	return foreigners{reason: "the publisher did not make its commits, and no trailer tells which source commits they stand for"}, nil
}
