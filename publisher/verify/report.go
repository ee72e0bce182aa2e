package verify

import (
	"cmp"
	"fmt"
	"slices"
)

// Kind says what does not hold.
type Kind string

// The kinds of mismatch.
const (
	// Unsound is what git fsck says against the repository, and what makes git
	// show something else than the objects and refs say: files, settings, HEAD.
	Unsound Kind = "unsound repository"
	// UnreadableMirror and UnreadableObject cannot be checked at all.
	UnreadableMirror Kind = "unreadable mirror"
	UnreadableObject Kind = "unreadable object"
	// Uncomputable is a destination that the source and the rules do not make.
	Uncomputable Kind = "uncomputable"

	MissingMirror Kind = "missing mirror"
	MissingBranch Kind = "missing branch"
	MissingTag    Kind = "missing tag"
	// StrayRef is a ref that neither rules nor source tags ask for.
	StrayRef Kind = "stray ref"
	// RewrittenBranch is not at a commit that its source branch makes.
	RewrittenBranch Kind = "rewritten branch"
	// MovedTag is another tag than the source tag makes; LightweightTag is none
	// at all, but a ref to a commit.
	MovedTag       Kind = "moved tag"
	LightweightTag Kind = "lightweight tag"

	// DroppedCommit is one that a branch should have and has not.
	DroppedCommit Kind = "dropped commit"
	// UnexpectedCommit stands for no source commit that is published.
	UnexpectedCommit Kind = "unexpected commit"
	// ChangedCommit differs from the projection of the source commit that it
	// names: in files, authors, message or parents.
	ChangedCommit Kind = "changed commit"

	// WrongProvenance testifies to something that is not so, or nobody who is trusted
	// has signed it.
	WrongProvenance Kind = "wrong provenance"

	// WrongContent differs from the source's directory, of which only go.mod
	// and go.sum may, and these only in what they say about siblings.
	WrongContent Kind = "wrong content"
	// WrongHash is a line of go.sum that the sibling's mirror does not bear out.
	WrongHash Kind = "wrong hash"
	// UnfetchableVersion is one that a go.mod or go.sum names and that cannot be
	// fetched from the sibling's mirror.
	UnfetchableVersion Kind = "unfetchable version"
)

// Mismatch is something that does not hold.
type Mismatch struct {
	Kind Kind `json:"kind"`
	// Ref is the full name of the ref concerned, if it is about one.
	Ref string `json:"ref,omitempty"`
	// Commit is the commit concerned, if it is about one; a dropped commit is
	// the one that is missing.
	Commit string `json:"commit,omitempty"`
	Detail string `json:"detail"`
}

func (m Mismatch) String() string {
	s := string(m.Kind)
	if m.Ref != "" {
		s += " " + m.Ref
	}
	if m.Commit != "" {
		s += " " + m.Commit
	}
	return s + ": " + m.Detail
}

// Destination says what was proven of one mirror.
type Destination struct {
	Name string `json:"name"`
	// Branches, Tags and Commits are how many of them are exactly what the
	// source makes.
	Branches int `json:"branches"`
	Tags     int `json:"tags"`
	Commits  int `json:"commits"`
	// Versions is how many versions of siblings, as go.sum files name them,
	// were hashed.
	Versions int `json:"versions"`
	// Provenances is how many tags have a provenance that states what is so, and that,
	// where keys were given, one of them has signed.
	Provenances int `json:"provenances"`
	// ForeignCommits and ForeignTags were there when the mirror was taken over.
	// Of them not much can be proven.
	ForeignCommits int `json:"foreignCommits"`
	ForeignTags    int `json:"foreignTags"`
	// Notes are worth knowing and nothing to worry about.
	Notes      []string   `json:"notes"`
	Mismatches []Mismatch `json:"mismatches"`
}

// Report is the result of a verification. It is the same for the same source,
// rules and mirrors.
type Report struct {
	// OK tells that there is no mismatch. What is foreign is not proven by that.
	OK bool `json:"ok"`
	// Destinations are in the order of their names.
	Destinations []*Destination `json:"destinations"`
}

// Mismatches returns how many there are in all mirrors.
func (r *Report) Mismatches() int {
	n := 0
	for _, d := range r.Destinations {
		n += len(d.Mismatches)
	}
	return n
}

// finish orders the report, in which checks of any order have written.
func (r *Report) finish() {
	slices.SortFunc(r.Destinations, func(a, b *Destination) int { return cmp.Compare(a.Name, b.Name) })
	for _, d := range r.Destinations {
		slices.Sort(d.Notes)
		slices.SortFunc(d.Mismatches, func(a, b Mismatch) int {
			return cmp.Or(
				cmp.Compare(slices.Index(kinds, a.Kind), slices.Index(kinds, b.Kind)),
				cmp.Compare(a.Ref, b.Ref), cmp.Compare(a.Commit, b.Commit), cmp.Compare(a.Detail, b.Detail),
			)
		})
		d.Mismatches = slices.Compact(d.Mismatches)
	}
	r.OK = r.Mismatches() == 0
}

// count is a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// kinds orders a destination's mismatches: causes before what follows from them.
var kinds = []Kind{
	UnreadableMirror, MissingMirror, Uncomputable, Unsound, UnreadableObject,
	DroppedCommit, UnexpectedCommit, ChangedCommit,
	RewrittenBranch, MovedTag, LightweightTag, MissingBranch, MissingTag, StrayRef, WrongProvenance,
	WrongContent, WrongHash, UnfetchableVersion,
}
