package past

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
	"k8s.io/publisher/projection"
	"k8s.io/publisher/source"
	"k8s.io/publisher/spec"
)

// foreign is the history that somebody else left in a mirror: all that is behind
// the commits at which its branches were taken over.
//
// A source commit that such a base covers, which is one in the history of what the
// base stands for, stands at the mirror commit behind the base whose trailer names
// it, or else where its first parent stands. The base itself stands for what the
// newest trailer on its first parents names: bots put commits of their own on top.
//
// Several branches may each have a copy of their own of one source commit. So each
// is looked for behind the branch's own base first. Commits that come after what
// that base stands for are new to the branch, whatever other bases have.
type foreign struct {
	commits []projection.Commit // parents before children; Source is zero without a trailer
	index   map[object.ID]int32
	bases   map[string]*foreignBase // by branch
}

// foreignBase is where one branch was taken over.
type foreignBase struct {
	spec.Base
	i      int32
	source object.ID           // zero where no trailer tells
	behind map[object.ID]int32 // mirror commits by the source commits that they name
}

func readForeign(reader *odb.Reader, bases []spec.Base, trailer string) (*foreign, error) {
	f := &foreign{index: make(map[object.ID]int32), bases: make(map[string]*foreignBase)}
	var parents [][]int32
	for _, b := range bases {
		if err := f.walk(reader, b.Commit, trailer); err != nil {
			var missing *odb.MissingError
			if errors.As(err, &missing) {
				err = fmt.Errorf("%w; taken-over in the rules names commit %s for branch %s", err, b.Commit, b.Branch)
			}
			return nil, err
		}
	}
	for _, c := range f.commits {
		parents = append(parents, c.Parents)
	}
	for _, b := range bases {
		base := &foreignBase{Base: b, i: f.index[b.Commit], behind: make(map[object.ID]int32)}
		for n, reached := range source.Ancestors(parents, base.i) {
			if c := f.commits[n]; reached && !c.Source.IsZero() {
				base.behind[c.Source] = int32(n)
			}
		}
		for i := base.i; base.source.IsZero(); i = f.commits[i].Parents[0] {
			base.source = f.commits[i].Source
			if len(f.commits[i].Parents) == 0 {
				break
			}
		}
		f.bases[b.Branch] = base
	}
	return f, nil
}

// base returns where a branch was taken over, or nil. A nil foreign has none.
func (f *foreign) base(branch string) *foreignBase {
	if f == nil {
		return nil
	}
	return f.bases[branch]
}

// walk adds a commit with all that is behind it.
func (f *foreign) walk(reader *odb.Reader, from object.ID, trailer string) error {
	type frame struct {
		id     object.ID
		left   []object.ID
		commit *object.Commit
	}
	var stack []frame
	push := func(id object.ID) error {
		if _, ok := f.index[id]; ok {
			return nil
		}
		c, err := commitAt(reader, id)
		if err == nil {
			stack = append(stack, frame{id, c.Parents, c})
			f.index[id] = projection.None
		}
		return err
	}
	if err := push(from); err != nil {
		return err
	}
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		if len(top.left) > 0 {
			next := top.left[0]
			top.left = top.left[1:]
			if err := push(next); err != nil {
				return err
			}
			continue
		}
		c := projection.Commit{ID: top.id, Tree: top.commit.Tree, Generation: 1, Time: projection.NoTime}
		c.Source, _ = top.commit.SourceCommit(trailer)
		if date, err := top.commit.CommitTime(); err == nil {
			c.Time = date.Unix()
		}
		for _, parent := range top.commit.Parents {
			i := f.index[parent]
			c.Parents = append(c.Parents, i)
			c.Generation = max(c.Generation, f.commits[i].Generation+1)
		}
		f.index[top.id] = int32(len(f.commits))
		f.commits = append(f.commits, c)
		stack = stack[:len(stack)-1]
	}
	return nil
}

// view is a foreign history as one branch sees it: a projection's past.
type view struct {
	*foreign
	graph *source.Graph
	at    []int32 // by node
}

// uncovered marks nodes that no base has anything to say of.
const uncovered int32 = -2

// view resolves the nodes of the source's history. The branch's own base is the
// first of bases, if it has one.
func (f *foreign) view(g *source.Graph, bases []spec.Base) *view {
	v := &view{foreign: f, graph: g, at: make([]int32, g.Len())}
	for n := range v.at {
		v.at[n] = uncovered
	}
	after := make([]bool, g.Len()) // what descends from the first base's source
	for k, b := range bases {
		base := f.bases[b.Branch]
		end, ok := g.Node(base.source)
		if !ok {
			continue
		}
		covered := g.Ancestors(end)
		at := make([]int32, g.Len())
		for n := range int32(g.Len()) {
			parents := g.Parents[n]
			if k == 0 {
				after[n] = n == end
				for _, parent := range parents {
					after[n] = after[n] || after[parent]
				}
			}
			if !covered[n] {
				continue
			}
			i, named := base.behind[g.IDs[n]]
			switch {
			case n == end:
				i = base.i
			case !named && len(parents) > 0:
				i = at[parents[0]]
			case !named:
				i = projection.None
			}
			at[n] = i
			if v.at[n] == uncovered && (k == 0 || !after[n]) {
				v.at[n] = i
			}
		}
	}
	return v
}

func (v *view) Len() int32 { return int32(len(v.commits)) }

func (v *view) Commit(i int32) (projection.Commit, error) { return v.commits[i], nil }

func (v *view) At(commit object.ID) (i int32, present, ok bool) {
	n, in := v.graph.Node(commit)
	if !in || v.at[n] == uncovered {
		return projection.None, false, false
	}
	return v.at[n], v.at[n] != projection.None, true
}

// Foreign reports whether a commit is behind one of those at which the mirror was
// taken over.
func (m *Mirror) Foreign(commit object.ID) bool {
	if m.foreign == nil {
		return false
	}
	_, ok := m.foreign.index[commit]
	return ok
}

// ForeignTag returns what a tag of a mirror that was taken over names: its object,
// and the commit behind it with its tree. It is not ok where there is none, and in
// mirrors that nobody else filled.
func (m *Mirror) ForeignTag(name string) (tag, commit, tree object.ID, ok bool, err error) {
	r, exists := m.Refs()["refs/tags/"+name]
	if m.foreign == nil || !exists {
		return tag, commit, tree, false, nil
	}
	reader := m.store.Reader()
	kind, commit, _, err := reader.Peel(r.ID)
	if err == nil && kind == object.CommitType {
		var c *object.Commit
		if c, err = commitAt(reader, commit); err == nil {
			return r.ID, commit, c.Tree, true, nil
		}
	}
	if err != nil {
		err = fmt.Errorf("read mirror %s: tag %s: %w", m.Dir, name, err)
	}
	return tag, commit, tree, false, err
}

// DigestTags returns the digest of the mirror's tags that are not ours, in the form
// that the rules have it in; it is empty where there are none. See
// [k8s.io/publisher/rules.TakenOver].
func (m *Mirror) DigestTags(ours map[string]object.ID) string {
	var lines []string
	for ref, r := range m.Refs() {
		if name, ok := strings.CutPrefix(ref, "refs/tags/"); ok && ours[name] != r.ID {
			lines = append(lines, r.ID.String()+" "+ref+"\n")
		}
	}
	if len(lines) == 0 {
		return ""
	}
	slices.Sort(lines)
	return fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(lines, ""))))
}

// TakenOver returns where a branch was taken over, and the source commit that this
// stands for, which is zero where no trailer tells.
func (m *Mirror) TakenOver(branch string) (at, source object.ID, ok bool) {
	base := m.foreign.base(branch)
	if base == nil {
		return at, source, false
	}
	return base.Commit, base.source, true
}
