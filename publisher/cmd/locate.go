package cmd

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
)

// repository is the source or a mirror, as far as names and hashes are looked
// up in it. Git is not asked: it would obey the configuration of a repository
// that somebody else may have written.
type repository struct {
	name    string // "the source", or the destination
	objects *odb.Store
	ref     func(full string) (object.ID, bool)
}

// location is a commit, and a repository that has it.
type location struct {
	in     *repository
	commit object.ID
	ref    string // the full name of what names it; empty for a hash
}

// hashDigits are 7 digits of a hash or more: fewer are not taken for one by all of
// several repositories.
var hashDigits = regexp.MustCompile(`^[0-9a-fA-F]{7,40}$`)

// locate finds what an argument names. Names go before hashes, and tags before
// branches, as git has it; the source goes before the mirrors.
func locate(arg string, source *repository, mirrors []*repository) (found []location, err error) {
	add := func(r *repository, id object.ID, ref string) error {
		kind, commit, _, err := r.objects.Reader().Peel(id)
		if err != nil {
			return fmt.Errorf("object %s of %s: %w", id, r.name, err)
		}
		at := location{r, commit, ref}
		if kind == object.CommitType && !slices.Contains(found, at) {
			found = append(found, at)
		}
		return nil
	}
	for _, in := range [][]*repository{{source}, mirrors} {
		for _, full := range []string{"refs/tags/" + arg, "refs/heads/" + arg, arg} {
			for _, r := range in {
				if id, ok := r.ref(full); ok {
					err = errors.Join(err, add(r, id, full))
				}
			}
			if err != nil {
				return nil, err
			}
			if len(found) > 0 {
				return found, nil
			}
		}
	}
	if !hashDigits.MatchString(arg) {
		return nil, errors.New("neither the source nor a mirror has a tag or branch of this name that names a commit; " +
			"if it is new, fetch it into the source; for a commit's hash, give 7 digits or more")
	}
	for _, r := range append([]*repository{source}, mirrors...) {
		ids, err := r.objects.WithPrefix(arg)
		for _, id := range ids {
			err = errors.Join(err, add(r, id, ""))
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.name, err)
		}
	}
	var candidates strings.Builder
	for _, at := range found {
		fmt.Fprintf(&candidates, "\n  %s in %s", at.commit, at.in.name)
	}
	switch {
	case len(found) == 0:
		return nil, errors.New("neither the source nor a mirror has a commit with this hash; if it is new, fetch it into the source")
	case slices.ContainsFunc(found, func(at location) bool { return at.commit != found[0].commit }):
		return nil, fmt.Errorf("several hashes begin like this; give more digits of one of them:%s", candidates.String())
	}
	return found, nil
}
