package publication

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"

	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
	"k8s.io/publisher/projection"
	"k8s.io/publisher/source"
)

// Takeover describes a mirror that someone else filled and that is continued.
// What is in it stays; it decides where the source commits stand that were
// mirrored before.
type Takeover struct {
	// Bases are the mirror's commits, by branch, that new commits go on top of.
	Bases map[string]Base

	// commits is the history behind the bases, parents before children, read
	// when it is needed. Source is zero in those without a trailer.
	commits []projection.Commit
}

// Base is the point at which a branch was taken over.
type Base struct {
	Commit object.ID // in the mirror
	Source object.ID // what its trailer names
}

func (t *Takeover) key() string {
	bases := make([]string, 0, len(t.Bases))
	for branch, base := range t.Bases {
		bases = append(bases, branch+" "+base.Commit.String())
	}
	return sortedDigest(bases)
}

// foreign is the history of a taken-over mirror, as a projection's past.
type foreign struct {
	commits []projection.Commit
	at      map[object.ID]int32
}

// past finds where the source commits stand that the bases cover: at the
// mirror commit whose trailer names them, or else where their first parent
// stands.
func (t *Takeover) past(g *source.Graph, mirror *odb.Reader, trailer string) (projection.Past, error) {
	if err := t.read(mirror, trailer); err != nil {
		return nil, err
	}
	f := &foreign{commits: t.commits, at: make(map[object.ID]int32)}
	byTrailer := make(map[object.ID]int32)
	for i, c := range t.commits {
		if !c.Source.IsZero() {
			byTrailer[c.Source] = int32(i)
		}
	}
	covered := make([]bool, g.Len())
	for _, base := range t.Bases {
		if n, ok := g.Node(base.Source); ok {
			covered[n] = true
		}
	}
	for n := g.Len() - 1; n >= 0; n-- {
		if covered[n] {
			for _, parent := range g.Parents[n] {
				covered[parent] = true
			}
		}
	}
	for n := range g.Len() {
		if !covered[n] {
			continue
		}
		i, ok := byTrailer[g.IDs[n]]
		if !ok {
			i = projection.None
			if parents := g.Parents[n]; len(parents) > 0 {
				i = f.at[g.IDs[parents[0]]]
			}
		}
		f.at[g.IDs[n]] = i
	}
	// A base can have commits on top of the one with the trailer.
	for _, branch := range slices.Sorted(maps.Keys(t.Bases)) {
		base := t.Bases[branch]
		for i, c := range t.commits {
			if c.ID == base.Commit {
				f.at[base.Source] = int32(i)
			}
		}
	}
	return f, nil
}

func (f *foreign) Len() int32 { return int32(len(f.commits)) }

func (f *foreign) Commit(i int32) (projection.Commit, error) { return f.commits[i], nil }

func (f *foreign) At(commit object.ID) (i int32, present, ok bool) {
	i, ok = f.at[commit]
	return i, i != projection.None, ok
}

// TakeoverRefs is where a mirror notes, for each branch that was taken over,
// the commit at which it was. The publisher keeps no state elsewhere.
const TakeoverRefs = "refs/publisher/takeover/"

// Add adds a branch's base.
func (t *Takeover) Add(branch string, base Base) {
	if t.Bases == nil {
		t.Bases = make(map[string]Base)
	}
	t.Bases[branch] = base
}

// Base returns where a branch was taken over. A nil Takeover has none.
func (t *Takeover) Base(branch string) (Base, bool) {
	if t == nil {
		return Base{}, false
	}
	base, ok := t.Bases[branch]
	return base, ok
}

// Has reports whether a mirror commit is behind one of the bases. A nil
// Takeover has none.
func (t *Takeover) Has(commit object.ID, mirror *odb.Reader, trailer string) (bool, error) {
	if t == nil {
		return false, nil
	}
	if err := t.read(mirror, trailer); err != nil {
		return false, err
	}
	return slices.ContainsFunc(t.commits, func(c projection.Commit) bool { return c.ID == commit }), nil
}

// read reads the mirror's history behind the bases; trailer is the key by which
// its commits name their source.
func (t *Takeover) read(reader *odb.Reader, trailer string) error {
	if t.commits != nil {
		return nil
	}
	index := make(map[object.ID]int32)
	type frame struct {
		id      object.ID
		parents []object.ID
		commit  *object.Commit
	}
	branches := slices.Sorted(maps.Keys(t.Bases))
	for _, branch := range branches {
		var stack []frame
		push := func(id object.ID) error {
			data, err := reader.Commit(id)
			if err != nil {
				return fmt.Errorf("read mirror: %w", err)
			}
			c, err := object.ParseCommit(data)
			if err != nil {
				return fmt.Errorf("read mirror: commit %s: %w", id, err)
			}
			stack = append(stack, frame{id, c.Parents, c})
			index[id] = projection.None
			return nil
		}
		if _, ok := index[t.Bases[branch].Commit]; ok {
			continue
		}
		if err := push(t.Bases[branch].Commit); err != nil {
			return err
		}
		for len(stack) > 0 {
			top := &stack[len(stack)-1]
			if len(top.parents) > 0 {
				next := top.parents[0]
				top.parents = top.parents[1:]
				if _, ok := index[next]; !ok {
					if err := push(next); err != nil {
						return err
					}
				}
				continue
			}
			c := projection.Commit{ID: top.id, Tree: top.commit.Tree, Generation: 1, Time: projection.NoTime}
			c.Source, _ = sourceOf(top.commit, trailer)
			if date, err := top.commit.CommitTime(); err == nil {
				c.Time = date.Unix()
			}
			for _, parent := range top.commit.Parents {
				i := index[parent]
				c.Parents = append(c.Parents, i)
				c.Generation = max(c.Generation, t.commits[i].Generation+1)
			}
			index[top.id] = int32(len(t.commits))
			t.commits = append(t.commits, c)
			stack = stack[:len(stack)-1]
		}
	}
	return nil
}

// sourceOf reads which source commit a mirror commit stands for.
func sourceOf(c *object.Commit, trailer string) (object.ID, bool) {
	value, ok := object.LastTrailer(c.Message, trailer)
	if !ok {
		return object.ID{}, false
	}
	id, err := object.ParseID([]byte(value))
	return id, err == nil
}

// OwnForm reports whether a mirror commit is what the publisher makes of a source
// commit, but for its tree and parents, which rules decide: other bots commit in
// their own name.
func (p *Publication) OwnForm(c *object.Commit, from object.ID) (bool, error) {
	data, err := p.config.Source.Store.Reader().Commit(from)
	var missing *odb.MissingError
	if errors.As(err, &missing) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	source, err := object.ParseCommit(data)
	if err != nil {
		return false, fmt.Errorf("source commit %s: %w", from, err)
	}
	return bytes.Equal(c.Author, source.Author) && bytes.Equal(c.Committer, source.Committer) &&
		bytes.Equal(c.Message, object.AppendTrailer(bytes.Clone(source.Message), p.config.Rules.Trailer, from.String())), nil
}

// TrailerOf returns the source commit that a mirror commit's trailer names.
func (p *Publication) TrailerOf(c *object.Commit) (object.ID, bool) {
	return sourceOf(c, p.config.Rules.Trailer)
}

// BaseSource finds the newest source commit that a taken-over branch mirrors:
// the first that a trailer names along its first parents.
func BaseSource(mirror *odb.Reader, base object.ID, trailer string) (object.ID, error) {
	for id := base; ; {
		data, err := mirror.Commit(id)
		if err != nil {
			return object.ID{}, err
		}
		c, err := object.ParseCommit(data)
		if err != nil {
			return object.ID{}, fmt.Errorf("commit %s: %w", id, err)
		}
		if from, ok := sourceOf(c, trailer); ok {
			return from, nil
		}
		if len(c.Parents) == 0 {
			return object.ID{}, fmt.Errorf("no commit from %s on has a %s trailer", base, trailer)
		}
		id = c.Parents[0]
	}
}
