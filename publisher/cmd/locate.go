package cmd

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"k8s.io/publisher/mirror"
	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
	"k8s.io/publisher/source"
)

// repository is the source or a mirror, as far as names are resolved in it.
type repository struct {
	name   string // "source", or the destination
	gitDir string
	store  *odb.Store
	ref    func(full string) (object.ID, bool)
}

func sourceRepository(r *source.Repository) *repository {
	// Its own objects come before those of its alternates.
	gitDir := filepath.Dir(r.Store.Dirs()[0])
	return &repository{name: "source", gitDir: gitDir, store: r.Store, ref: func(full string) (object.ID, bool) {
		if branch, ok := strings.CutPrefix(full, "refs/heads/"); ok {
			return r.Branch(branch)
		}
		for _, t := range r.Tags() {
			if "refs/tags/"+t.Name == full {
				return t.ID, true
			}
		}
		return object.ID{}, false
	}}
}

func mirrorRepository(destination string, m *mirror.Mirror, store *odb.Store) *repository {
	return &repository{name: destination, gitDir: m.Dir, store: store, ref: m.Ref}
}

// location is a commit and a repository that has it.
type location struct {
	in     *repository
	commit object.ID
}

// hex is a hash, or the beginning of one.
var hex = regexp.MustCompile(`^[0-9a-fA-F]{4,40}$`)

// fewestDigits is how much of a hash it takes to be taken for one by all of
// several repositories.
const fewestDigits = 7

// locate finds what an argument names. Names go before hashes, and tags before
// branches, as git has it; the source goes before the mirrors.
func locate(ctx context.Context, arg string, source *repository, mirrors []*repository) ([]location, error) {
	for _, in := range [][]*repository{{source}, mirrors} {
		for _, full := range []string{"refs/tags/" + arg, "refs/heads/" + arg, arg} {
			found, err := locateRef(full, in)
			if len(found) > 0 || err != nil {
				return found, err
			}
		}
	}
	if !hex.MatchString(arg) {
		return nil, errors.New("neither the source nor a mirror has a commit, tag or branch of this name")
	}
	if len(arg) < fewestDigits {
		return nil, fmt.Errorf("neither the source nor a mirror has a tag or branch of this name; for a commit, give %d digits or more", fewestDigits)
	}
	return locateHash(ctx, arg, append([]*repository{source}, mirrors...))
}

func locateRef(full string, repositories []*repository) ([]location, error) {
	var found []location
	for _, r := range repositories {
		id, ok := r.ref(full)
		if !ok {
			continue
		}
		kind, commit, err := r.peel(id)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", r.name, full, err)
		}
		if kind != object.CommitType {
			return nil, fmt.Errorf("%s of %s names a %s, not a commit", full, r.name, kind)
		}
		found = append(found, location{r, commit})
	}
	return found, nil
}

// locateHash finds the commits whose hashes begin in prefix.
func locateHash(ctx context.Context, prefix string, repositories []*repository) ([]location, error) {
	var found []location
	for _, r := range repositories {
		out, err := mirror.Git(ctx, []string{"GIT_DIR=" + r.gitDir}, nil, "rev-parse", "--disambiguate="+strings.ToLower(prefix))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.name, err)
		}
		for line := range strings.Lines(string(out)) {
			id, err := object.ParseID([]byte(strings.TrimSpace(line)))
			if err != nil {
				return nil, fmt.Errorf("%s: git rev-parse: %w", r.name, err)
			}
			kind, commit, err := r.peel(id)
			if err != nil {
				return nil, fmt.Errorf("%s: object %s: %w", r.name, id, err)
			}
			at := location{r, commit}
			if kind == object.CommitType && !slices.Contains(found, at) {
				found = append(found, at)
			}
		}
	}
	if len(found) == 0 {
		return nil, errors.New("neither the source nor a mirror has a commit with this hash")
	}
	candidates := make(map[object.ID]bool)
	var lines []string
	for _, at := range found {
		candidates[at.commit] = true
		lines = append(lines, fmt.Sprintf("  %s in %s", at.commit, at.in.name))
	}
	if len(candidates) > 1 {
		return nil, fmt.Errorf("this is the beginning of several hashes:\n%s", strings.Join(lines, "\n"))
	}
	return found, nil
}

// peel follows tags to what they name.
func (r *repository) peel(id object.ID) (object.Type, object.ID, error) {
	reader := r.store.Reader()
	for {
		kind, data, err := reader.ReadAny(id)
		if err != nil || kind != object.TagType {
			return kind, id, err
		}
		tag, err := object.ParseTag(data)
		if err != nil {
			return kind, id, err
		}
		id = tag.Target
	}
}

// reaches reports whether a commit is in the history of a head.
func (r *repository) reaches(ctx context.Context, head, commit object.ID) (bool, error) {
	_, err := mirror.Git(ctx, []string{"GIT_DIR=" + r.gitDir}, nil, "merge-base", "--is-ancestor", commit.String(), head.String())
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		return false, nil
	}
	return err == nil, err
}
