package verify

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
	"k8s.io/publisher/provenance"
	"k8s.io/publisher/source"
)

// history is what a mirror's refs reach: a commit is a node of the graph.
type history struct {
	*repository
	*source.Graph

	refs    []string // sorted; it hides the repository's
	targets map[string]target
	// byPrefix finds the commits that a branch or tag reaches by the first 12
	// hexadecimal digits of their IDs, as pseudo-versions name them.
	byPrefix map[string][]int32
}

// target is what a ref names: directly, and in the end.
type target struct {
	id, peeled object.ID
	t          object.Type
	commit     int32 // none if it is no commit
}

const none int32 = -1

// readHistory follows all refs of a mirror.
func readHistory(ctx context.Context, r *repository, store *odb.Store) (*history, error) {
	h := &history{repository: r, refs: slices.Sorted(maps.Keys(r.refs)), targets: make(map[string]target), byPrefix: make(map[string][]int32)}
	reader := store.Reader()
	var heads []object.ID
	for _, ref := range h.refs {
		to := target{id: r.refs[ref], peeled: r.refs[ref], commit: none}
		for {
			t, data, err := reader.ReadAny(to.peeled)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", ref, err)
			}
			if to.t == 0 {
				to.t = t
			}
			// What testifies to a tag is no part of any history.
			if _, testifies := provenance.TagOf(ref); t == object.CommitType && !testifies {
				heads = append(heads, to.peeled)
			}
			if t != object.TagType {
				break
			}
			tag, err := object.ParseTag(data)
			if err != nil {
				return nil, fmt.Errorf("%s: tag %s: %w", ref, to.peeled, err)
			}
			to.peeled = tag.Target
		}
		h.targets[ref] = to
	}
	var err error
	if h.Graph, err = source.Load(ctx, store, heads, nil, nil, nil); err != nil {
		return nil, err
	}
	var fetchable []int32
	for ref, to := range h.targets {
		if n, ok := h.Node(to.peeled); ok {
			to.commit = n
			h.targets[ref] = to
			if isBranch(ref) || isTag(ref) {
				fetchable = append(fetchable, n)
			}
		}
	}
	for n, in := range h.reach(fetchable...) {
		if in {
			prefix := h.IDs[n].String()[:12]
			h.byPrefix[prefix] = append(h.byPrefix[prefix], int32(n))
		}
	}
	return h, nil
}

func isBranch(ref string) bool { return strings.HasPrefix(ref, "refs/heads/") }
func isTag(ref string) bool    { return strings.HasPrefix(ref, "refs/tags/") }

// reach marks the nodes that some nodes reach, themselves included.
func (h *history) reach(from ...int32) []bool {
	reached := make([]bool, len(h.IDs))
	top := none
	for _, n := range from {
		if n != none {
			reached[n] = true
			top = max(top, n)
		}
	}
	for n := top; n >= 0; n-- {
		if reached[n] {
			for _, parent := range h.Parents[n] {
				reached[parent] = true
			}
		}
	}
	return reached
}

// commit returns the commit of a node.
func (h *history) commit(n int32) (*object.Commit, error) {
	c, err := object.ParseCommit(h.Raw[n])
	if err != nil {
		return nil, fmt.Errorf("commit %s: %w", h.IDs[n], err)
	}
	return c, nil
}

// sourceOf reads which source commit a mirror commit names; zero where it names
// none.
func sourceOf(c *object.Commit, trailer string) object.ID {
	value, _ := object.LastTrailer(c.Message, trailer)
	id, err := object.ParseID([]byte(value))
	if err != nil {
		return object.ID{}
	}
	return id
}
