package verify

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/publisher/git"
	"k8s.io/publisher/object"
	"k8s.io/publisher/projection"
	"k8s.io/publisher/provenance"
	"k8s.io/publisher/publication"
	"k8s.io/publisher/rules"
)

// checker checks one destination.
type checker struct {
	run        *run
	rule       *rules.Rule
	out        *Destination
	repository *repository // nil where there is no mirror to read
	h          *history    // nil with it
	modules    *modules
	reader     *reader   // of all mirrors
	git        *plumbing // on all objects of the mirror, the source and what was computed
	bases      []base
	fsck       []string // what git fsck says

	d *publication.Destination
	// projections are those of the branches, with the indexes of their commits.
	projections map[*projection.Projection]map[object.ID]int32
	// tagCommits are the commits that tags have of their own.
	tagCommits map[object.ID]*publication.Tag
	byName     map[string]namedTag // by ref
	// foreign are the nodes, and foreignTags the refs, that were there before the
	// mirror was taken over.
	foreign     []bool
	foreignTags map[string]bool
	at          []position
	rewritten   bool // some branch is not where it can be
	pending     []string
}

// namedTag is one of the mirror's tags that a source tag makes.
type namedTag struct {
	*publication.Tag
	id object.ID
	// adopted tells that it is whatever the mirror has, as that may have been there
	// when the mirror was taken over.
	adopted bool
}

// position is how far a branch of the mirror has come.
type position struct {
	branch *publication.Branch
	i      int32
	reach  []bool // by index in the branch's projection
	behind int
}

func (c *checker) mismatch(m Mismatch) { c.out.Mismatches = append(c.out.Mismatches, m) }

func (c *checker) note(format string, args ...any) {
	c.out.Notes = append(c.out.Notes, fmt.Sprintf(format, args...))
}

// check compares the mirror with the publication. The error is about the
// source or this machine.
func (c *checker) check() (err error) {
	c.d = c.run.pub.Destination(c.out.Name)
	if c.d.Err != nil {
		c.mismatch(Mismatch{Kind: Uncomputable, Detail: c.d.Err.Error()})
		return nil
	}
	if err := c.index(); err != nil {
		return err
	}
	if c.h == nil {
		if len(c.out.Mismatches) == 0 && len(c.projections) > 0 {
			c.mismatch(Mismatch{Kind: MissingMirror, Detail: "nothing is published yet"})
		}
		return nil
	}
	repo := c.h.view + "-compared"
	dirs := append([]string{c.h.objectsDir(), c.run.scratch.Dir()}, c.run.in.Source.Store.Dirs()...)
	if err := git.Init(repo, dirs...); err != nil {
		return err
	}
	c.git = newPlumbing(c.run.ctx, repo)
	defer func() { err = errors.Join(err, c.git.close()) }()
	c.findForeign()
	for _, step := range []func() error{c.advertised, c.branches, c.tags, c.provenances, c.strays, c.missing, c.commits, c.contents} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// index prepares looking up what is expected.
func (c *checker) index() error {
	c.projections = make(map[*projection.Projection]map[object.ID]int32)
	c.tagCommits = make(map[object.ID]*publication.Tag)
	c.byName = make(map[string]namedTag)
	for _, b := range c.d.Branches {
		of := b.Projection
		if of == nil || b.Skipped != "" || c.projections[of] != nil {
			continue
		}
		c.projections[of] = make(map[object.ID]int32, of.Len())
		for i := range of.Len() {
			commit, err := of.Commit(i)
			if err != nil {
				return err
			}
			c.projections[of][commit.ID] = i
		}
	}
	for _, t := range c.d.Tags {
		if t.Target != t.Parent {
			c.tagCommits[t.Target] = t
		}
		for k, name := range t.Names {
			c.byName["refs/tags/"+name] = namedTag{t, t.Objects[k], t.Foreign != nil && t.Foreign[k]}
		}
	}
	return nil
}

// expects reports whether an object is a commit that is to be published.
func (c *checker) expects(id object.ID) bool {
	for _, index := range c.projections {
		if _, ok := index[id]; ok {
			return true
		}
	}
	return c.tagCommits[id] != nil
}

func (c *checker) branches() error {
	for _, b := range c.d.Branches {
		ref := "refs/heads/" + b.Name
		at, ok := c.h.targets[ref]
		if !ok || at.commit == none {
			continue // One is missing, the other is reported as unreadable or stray.
		}
		wrong := func(format string, args ...any) {
			c.rewritten = true
			c.mismatch(Mismatch{Kind: RewrittenBranch, Ref: ref, Detail: fmt.Sprintf("it is at %s, ", at.id) + fmt.Sprintf(format, args...)})
		}
		if b.Skipped != "" {
			wrong("but %s", b.Skipped)
			continue
		}
		i, ok := c.projections[b.Projection][at.id]
		switch {
		case !ok:
			wrong("which is no projection of a commit of source branch %s; that is at %s", c.followed(b), b.Tip)
			continue
		case b.Ended && i != b.Commit:
			wrong("but ended at %s", b.Tip)
			continue
		}
		p := position{branch: b, i: i}
		var err error
		if p.reach, err = reach(b.Projection, i); err != nil {
			return err
		}
		whole, err := reach(b.Projection, b.Commit)
		if err != nil {
			return err
		}
		if !whole[i] {
			wrong("which is not in the history that source branch %s makes; that is at %s", c.followed(b), b.Tip)
			continue
		}
		for k := range whole {
			if whole[k] && !p.reach[k] {
				p.behind++
			}
		}
		if p.behind > 0 {
			c.note("branch %s is behind source branch %s by %s", b.Name, b.Source, count(p.behind, "commit"))
		}
		c.at = append(c.at, p)
		if i >= b.Projection.Base() {
			c.out.Branches++ // What was taken over is not proven by being there.
		}
	}
	return nil
}

// followed is the name of the source branch that a branch is made from.
func (c *checker) followed(b *publication.Branch) string {
	if b.Ended {
		return b.Name
	}
	return b.Source
}

// reach marks what a commit of a projection reaches, itself included.
func reach(of *projection.Projection, from int32) ([]bool, error) {
	reached := make([]bool, of.Len())
	stack := []int32{from}
	for len(stack) > 0 {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if reached[i] {
			continue
		}
		reached[i] = true
		commit, err := of.Commit(i)
		if err != nil {
			return nil, err
		}
		stack = append(stack, commit.Parents...)
	}
	return reached, nil
}

func (c *checker) tags() error {
	for _, ref := range c.h.refs {
		if !isTag(ref) {
			continue
		}
		at, want := c.h.targets[ref], c.byName[ref]
		switch {
		case c.foreignTags[ref]:
			c.out.ForeignTags++
		case want.adopted:
			c.mismatch(Mismatch{Kind: MovedTag, Ref: ref, Detail: fmt.Sprintf("it names %s; source tag %s makes another tag, and the rules do not say that this one was there before", c.named(at), want.Source)})
		case want.Tag != nil && at.id == want.id:
			c.out.Tags++
		case want.Tag == nil:
			c.mismatch(Mismatch{Kind: StrayRef, Ref: ref, Detail: fmt.Sprintf("it names %s; no published source tag makes it", c.named(at))})
		case at.t == object.CommitType:
			detail := fmt.Sprintf("it names commit %s itself, in the place of annotated tag %s", at.id, want.id)
			if at.id != want.Target {
				detail += fmt.Sprintf(" on commit %s", want.Target)
			}
			c.mismatch(Mismatch{Kind: LightweightTag, Ref: ref, Detail: detail})
		case at.commit != none && c.h.IDs[at.commit] == want.Target:
			c.mismatch(Mismatch{Kind: MovedTag, Ref: ref, Detail: fmt.Sprintf("it is tag %s on the right commit; source tag %s makes tag %s", at.id, want.Source, want.id)})
		default:
			c.mismatch(Mismatch{Kind: MovedTag, Ref: ref, Detail: fmt.Sprintf("it names %s; source tag %s belongs on commit %s", c.named(at), want.Source, want.Target)})
		}
	}
	return nil
}

// named says what a ref names.
func (c *checker) named(at target) string {
	switch {
	case at.commit != none:
		return "commit " + c.h.IDs[at.commit].String()
	case at.t == 0:
		return at.id.String() + ", which cannot be read"
	}
	return at.t.String() + " " + at.id.String()
}

// formerTakeovers are refs by which earlier versions noted where a mirror was
// taken over.
const formerTakeovers = "refs/publisher/takeover/"

// strays reports refs that should not be there. Tags were looked at before.
func (c *checker) strays() error {
	for _, ref := range c.h.refs {
		at := c.h.targets[ref]
		branch, isBranch := strings.CutPrefix(ref, "refs/heads/")
		detail := fmt.Sprintf("it names %s; the rules have no such ref", c.named(at))
		if _, testifies := provenance.TagOf(ref); testifies {
			continue
		}
		switch {
		case isTag(ref):
			continue
		case isBranch && c.known(branch) && at.t == object.CommitType:
			c.unaccounted(branch, at)
			continue
		case strings.HasPrefix(ref, formerTakeovers):
			detail = "it is of an earlier version and means nothing, as the rules say where a mirror was taken over; run git update-ref -d " + ref
		}
		c.mismatch(Mismatch{Kind: StrayRef, Ref: ref, Detail: detail})
	}
	return nil
}

// known reports whether the rules have a branch of that name, ended or not.
func (c *checker) known(branch string) bool {
	return c.rule.Branch(branch) != nil || slices.Contains(c.rule.EndedBranches, branch)
}

// unaccounted reports an ended branch whose tip says of no commit that it stands
// for it, so that nothing could be computed. One that was taken over, and ended
// where it was, is foreign.
func (c *checker) unaccounted(branch string, at target) {
	if c.tookOver(branch, at.id) || slices.ContainsFunc(c.d.Branches, func(b *publication.Branch) bool { return b.Name == branch }) {
		return
	}
	c.rewritten = true
	c.mismatch(Mismatch{Kind: RewrittenBranch, Ref: "refs/heads/" + branch, Detail: fmt.Sprintf("it is at %s, which names no source commit", at.id)})
}
