package remote

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/semver"

	"k8s.io/publisher/git"
	"k8s.io/publisher/mirror"
	"k8s.io/publisher/object"
)

// named is a ref with its name.
type named struct {
	name string
	mirror.Ref
}

// ordered returns refs in the order of the package's comment: branches, then tags by
// version, each with what testifies to it right behind.
func (p *push) ordered(update map[string]mirror.Ref) []named {
	var refs []named
	for name, ref := range update {
		if p.read[name].ID != ref.ID {
			refs = append(refs, named{name, ref})
		}
	}
	slices.SortFunc(refs, func(a, b named) int {
		return cmp.Or(cmp.Compare(rank(a.name), rank(b.name)), semver.Compare(version(a.name), version(b.name)),
			strings.Compare(tag(a.name), tag(b.name)), strings.Compare(b.name, a.name))
	})
	return refs
}

func rank(ref string) int {
	switch {
	case ref == "refs/heads/main" || ref == "refs/heads/master":
		return 0 // Others mostly begin there.
	case strings.HasPrefix(ref, "refs/heads/"):
		return 1
	}
	return 2
}

// tag is the tag that a ref is, or testifies to.
func tag(ref string) string {
	return strings.TrimPrefix(strings.TrimPrefix(ref, "refs/tags/"), mirror.ProvenanceRefs)
}

// version is what follows the prefix of a tag such as kubernetes-1.36.0.
func version(ref string) string {
	name := tag(ref)
	if i := strings.LastIndex(name, "kubernetes-"); i >= 0 {
		name = "v" + name[i+len("kubernetes-"):]
	}
	return name
}

func asMap(refs []named) map[string]mirror.Ref {
	update := make(map[string]mirror.Ref, len(refs))
	for _, ref := range refs {
		update[ref.name] = ref.Ref
	}
	return update
}

// steps pushes in steps of as many refs as a push may have; one where that is not
// atomic, as otherwise a tag could arrive without what is before it.
func (p *push) steps(update map[string]mirror.Ref, atomic bool) error {
	most := min(cmp.Or(p.MostRefs, mostArguments), mostArguments)
	if !atomic {
		most = 1
	}
	for refs := range slices.Chunk(p.ordered(update), most) {
		err := p.step(asMap(refs), atomic)
		failed, ok := errors.AsType[*Error](err)
		switch {
		case ok && failed.Kind == TooLarge:
			err = p.halves(refs, atomic, err)
		case ok && failed.Kind == NotAtomic && atomic:
			return p.steps(update, false)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// halves pushes what was too large, for the given reason, in two halves.
func (p *push) halves(refs []named, atomic bool, reason error) error {
	halves := [][]named{refs[:len(refs)/2], refs[len(refs)/2:]}
	if len(refs) == 1 {
		middle, ok, err := p.middle(refs[0])
		switch {
		case err != nil:
			return err
		case !ok:
			return reason
		}
		halves = [][]named{{{refs[0].name, mirror.Ref{ID: middle}}}, refs}
	}
	for _, half := range halves {
		err := p.step(asMap(half), atomic)
		if failed, ok := errors.AsType[*Error](err); ok && failed.Kind == TooLarge {
			err = p.halves(half, atomic, err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// middle returns the commit half-way on a branch's first parents, among those that the
// remote does not have. It is not ok where there is none but the last.
func (p *push) middle(ref named) (middle object.ID, ok bool, err error) {
	if !strings.HasPrefix(ref.name, "refs/heads/") {
		return middle, false, nil
	}
	var from strings.Builder
	fmt.Fprintf(&from, "%s\n", ref.ID)
	for name, old := range p.read {
		if strings.HasPrefix(name, "refs/heads/") {
			fmt.Fprintf(&from, "^%s\n", old.ID)
		}
	}
	cmd := git.Command{Dir: p.dir, Stdin: strings.NewReader(from.String())}
	out, err := cmd.Output(p.ctx, "rev-list", "--first-parent", "--stdin")
	if err != nil {
		return middle, false, &Error{Doing: "push to", URL: p.url, Kind: Local, Err: err}
	}
	commits := strings.Fields(string(out)) // The newest is first.
	if len(commits) < 2 {
		return middle, false, nil
	}
	middle, err = object.ParseID([]byte(commits[len(commits)/2]))
	return middle, err == nil, err
}
