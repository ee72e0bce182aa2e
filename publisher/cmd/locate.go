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

// hex is a hash, or the beginning of one.
var hex = regexp.MustCompile(`^[0-9a-fA-F]{4,40}$`)

// fewestDigits is how much of a hash it takes to be taken for one by all of
// several repositories.
const fewestDigits = 7

// locate finds what an argument names. Names go before hashes, and tags before
// branches, as git has it; the source goes before the mirrors.
func locate(arg string, source *repository, mirrors []*repository) ([]location, error) {
	for _, in := range [][]*repository{{source}, mirrors} {
		for _, full := range []string{"refs/tags/" + arg, "refs/heads/" + arg, arg} {
			if found, err := locateRef(full, in); len(found) > 0 || err != nil {
				return found, err
			}
		}
	}
	const nowhere = "neither the source nor a mirror has a "
	if !hex.MatchString(arg) {
		return nil, errors.New(nowhere + "commit, tag or branch of this name; git fetch --tags in the source may bring it")
	}
	if len(arg) < fewestDigits {
		return nil, fmt.Errorf(nowhere+"tag or branch of this name; for a commit, give %d digits or more", fewestDigits)
	}
	found, err := locateHash(arg, append([]*repository{source}, mirrors...))
	if err == nil && len(found) == 0 {
		err = errors.New(nowhere + "commit with this hash; git fetch in the source may bring it")
	}
	return found, err
}

func locateRef(full string, repositories []*repository) ([]location, error) {
	var found []location
	for _, r := range repositories {
		id, ok := r.ref(full)
		if !ok {
			continue
		}
		kind, commit, _, err := r.objects.Reader().Peel(id)
		if err != nil {
			return nil, fmt.Errorf("%s of %s: %w", full, r.name, err)
		}
		if kind != object.CommitType {
			return nil, fmt.Errorf("%s of %s names a %s; give one that names a commit", full, r.name, kind)
		}
		found = append(found, location{r, commit, full})
	}
	return found, nil
}

// locateHash finds the commit whose hash begins in some digits, or that of a tag
// on it, in all repositories that have it.
func locateHash(digits string, repositories []*repository) ([]location, error) {
	var found []location
	var lines []string
	for _, r := range repositories {
		ids, err := r.objects.WithPrefix(digits)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.name, err)
		}
		for _, id := range ids {
			kind, commit, _, err := r.objects.Reader().Peel(id)
			if err != nil {
				return nil, fmt.Errorf("object %s of %s: %w", id, r.name, err)
			}
			at := location{in: r, commit: commit}
			if kind == object.CommitType && !slices.Contains(found, at) {
				found = append(found, at)
				lines = append(lines, fmt.Sprintf("\n  %s in %s", commit, r.name))
			}
		}
	}
	if slices.ContainsFunc(found, func(at location) bool { return at.commit != found[0].commit }) {
		return nil, fmt.Errorf("several hashes begin like this; give more digits of one of them:%s", strings.Join(lines, ""))
	}
	return found, nil
}
