package verify

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
)

// history is what a mirror's refs reach. A commit is a node, numbered so that
// parents come before children. It is read once and then used by many.
type history struct {
	*repository
	destination string

	refs    []string // sorted; it hides the repository's
	targets map[string]target
	ids     []object.ID
	parents [][]int32
	index   map[object.ID]int32
	// byPrefix finds the commits that a branch or tag reaches by the first 12
	// hexadecimal digits of their IDs, as pseudo-versions name them.
	byPrefix map[string][]int32
	// broken are the objects that could not be read.
	broken []Mismatch
}

// target is what a ref names: directly, and in the end.
type target struct {
	id, peeled object.ID
	t          object.Type
	commit     int32 // none if it is no commit
}

const none int32 = -1

// readHistory follows all refs of a mirror. What cannot be read is left out and
// in broken.
func readHistory(destination string, r *repository, objects *odb.Reader) *history {
	h := &history{
		repository: r, destination: destination, refs: slices.Sorted(maps.Keys(r.refs)),
		targets: make(map[string]target), index: make(map[object.ID]int32), byPrefix: make(map[string][]int32),
	}
	for _, ref := range h.refs {
		h.targets[ref] = h.follow(objects, ref, r.refs[ref])
	}
	var fetchable []int32
	for ref, t := range h.targets {
		if isBranch(ref) || isTag(ref) {
			fetchable = append(fetchable, t.commit)
		}
	}
	for n, in := range h.reach(fetchable...) {
		if in {
			prefix := h.ids[n].String()[:12]
			h.byPrefix[prefix] = append(h.byPrefix[prefix], int32(n))
		}
	}
	return h
}

func isBranch(ref string) bool { return strings.HasPrefix(ref, "refs/heads/") }
func isTag(ref string) bool    { return strings.HasPrefix(ref, "refs/tags/") }

// follow peels a ref and reads the history behind it.
func (h *history) follow(reader *odb.Reader, ref string, id object.ID) target {
	to := target{id: id, commit: none}
	for {
		t, data, err := reader.ReadAny(id)
		if err != nil {
			h.broken = append(h.broken, Mismatch{Kind: UnreadableObject, Ref: ref, Detail: err.Error()})
			return to
		}
		if to.peeled = id; to.t == 0 {
			to.t = t
		}
		switch t {
		case object.CommitType:
			to.commit = h.walk(reader, id)
			return to
		case object.TagType:
			tag, err := object.ParseTag(data)
			if err != nil {
				h.broken = append(h.broken, Mismatch{Kind: UnreadableObject, Ref: ref, Detail: fmt.Sprintf("tag %s: %v", id, err)})
				return to
			}
			id = tag.Target
		default:
			return to
		}
	}
}

func (h *history) walk(reader *odb.Reader, from object.ID) int32 {
	type frame struct {
		id            object.ID
		parents, left []object.ID
	}
	visiting := make(map[object.ID]bool)
	visit := func(id object.ID) frame {
		visiting[id] = true
		data, err := reader.Commit(id)
		var parents []object.ID
		if err == nil {
			_, parents, err = object.ParseLinks(data)
		}
		if err != nil {
			h.broken = append(h.broken, Mismatch{Kind: UnreadableObject, Commit: id.String(), Detail: err.Error()})
		}
		return frame{id, parents, parents}
	}
	if n, ok := h.index[from]; ok {
		return n
	}
	stack := []frame{visit(from)}
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		if len(top.left) > 0 {
			next := top.left[0]
			top.left = top.left[1:]
			if _, done := h.index[next]; !done && !visiting[next] {
				stack = append(stack, visit(next))
			}
			continue
		}
		var parents []int32
		for _, id := range top.parents {
			if n, ok := h.index[id]; ok {
				parents = append(parents, n)
			}
		}
		h.index[top.id] = int32(len(h.ids))
		h.ids = append(h.ids, top.id)
		h.parents = append(h.parents, parents)
		stack = stack[:len(stack)-1]
	}
	return h.index[from]
}

// reach marks the nodes that some nodes reach, themselves included.
func (h *history) reach(from ...int32) []bool {
	reached := make([]bool, len(h.ids))
	top := none
	for _, n := range from {
		if n != none {
			reached[n] = true
			top = max(top, n)
		}
	}
	for n := top; n >= 0; n-- {
		if reached[n] {
			for _, parent := range h.parents[n] {
				reached[parent] = true
			}
		}
	}
	return reached
}

// commitOf reads a commit of the mirror.
func commitOf(reader *odb.Reader, id object.ID) (*object.Commit, error) {
	data, err := reader.Commit(id)
	if err != nil {
		return nil, err
	}
	c, err := object.ParseCommit(data)
	if err != nil {
		return nil, fmt.Errorf("commit %s: %w", id, err)
	}
	return c, nil
}

// sourceOf reads which source commit a mirror commit names.
func sourceOf(c *object.Commit, trailer string) (object.ID, bool) {
	value, ok := object.LastTrailer(c.Message, trailer)
	if !ok {
		return object.ID{}, false
	}
	id, err := object.ParseID([]byte(value))
	return id, err == nil
}
