// Package source reads the monorepo that is published: its refs, and, in one
// pass for all rules, the commits behind them with the directories' trees.
package source

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/storer"
	"github.com/go-git/go-git/v5/storage/filesystem"

	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
)

// Repository is a local Git repository, bare or with a work tree.
type Repository struct {
	// Path is where it was opened.
	Path string
	// Store holds its objects.
	Store *odb.Store

	refs map[string]object.ID
}

// Tag is an entry under refs/tags.
type Tag struct {
	Name string // without refs/tags/
	ID   object.ID
}

// ShallowError reports a source whose history is cut off.
type ShallowError struct {
	Path string
	// Boundary are the commits whose parents are missing.
	Boundary []object.ID
}

func (e *ShallowError) Error() string {
	return fmt.Sprintf("source %s is a shallow clone (history ends at %s): projections need all of it; run git fetch --unshallow there",
		e.Path, joinIDs(e.Boundary))
}

func joinIDs(ids []object.ID) string {
	const most = 3
	var names []string
	for _, id := range ids[:min(len(ids), most)] {
		names = append(names, id.String())
	}
	if len(ids) > most {
		names = append(names, fmt.Sprintf("%d more", len(ids)-most))
	}
	return strings.Join(names, ", ")
}

// Open opens the repository at path, which is a work tree, a folder inside
// one, or a bare repository. A shallow one is a [ShallowError], and one of a
// form that is not read an [odb.FormatError].
func Open(path string) (*Repository, error) {
	common, err := commonDir(path)
	if err != nil {
		return nil, fmt.Errorf("open source %s: %w", path, err)
	}
	if err := odb.CheckFormat(common); err != nil {
		return nil, fmt.Errorf("open source %s: %w", path, err)
	}
	if err := checkShallow(path, common); err != nil {
		return nil, err
	}
	refs, err := readRefs(common)
	if err != nil {
		return nil, fmt.Errorf("read refs of source %s: %w", path, err)
	}
	store, err := odb.Open(filepath.Join(common, "objects"))
	if err != nil {
		return nil, fmt.Errorf("open source %s: %w", path, err)
	}
	return &Repository{Path: path, Store: store, refs: refs}, nil
}

// Close releases the repository.
func (r *Repository) Close() { r.Store.Close() }

// commonDir finds the directory that holds objects and refs: path itself for a
// bare repository, .git for a work tree, the main one for linked work trees.
func commonDir(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	// The folder above a link is not the one above where it leads.
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return "", err
	}
	if info, err := os.Stat(path); err != nil {
		return "", err
	} else if !info.IsDir() {
		return "", fmt.Errorf("not a directory")
	}
	for dir := path; ; dir = filepath.Dir(dir) {
		if isGitDir(dir) {
			return dir, nil
		}
		dot := filepath.Join(dir, ".git")
		info, err := os.Stat(dot)
		switch {
		case err == nil && info.IsDir():
			return dot, nil
		case err == nil:
			return linkedDir(dot)
		case dir == filepath.Dir(dir):
			return "", errors.New("no git repository here or in a folder above")
		}
	}
}

func isGitDir(dir string) bool {
	for _, name := range []string{"HEAD", "objects", "refs"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return false
		}
	}
	return true
}

// linkedDir follows a .git file, as linked work trees and submodules have.
func linkedDir(dot string) (string, error) {
	data, err := os.ReadFile(dot)
	if err != nil {
		return "", err
	}
	target, ok := strings.CutPrefix(strings.TrimSpace(string(data)), "gitdir: ")
	if !ok {
		return "", fmt.Errorf("%s does not name a git directory", dot)
	}
	dir := resolve(filepath.Dir(dot), target)
	data, err = os.ReadFile(filepath.Join(dir, "commondir"))
	if errors.Is(err, fs.ErrNotExist) {
		return dir, nil
	}
	if err != nil {
		return "", err
	}
	return resolve(dir, strings.TrimSpace(string(data))), nil
}

func resolve(base, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(base, path)
}

func checkShallow(path, common string) error {
	data, err := os.ReadFile(filepath.Join(common, "shallow"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var ids []object.ID
	for line := range bytes.Lines(data) {
		if id, err := object.ParseID(bytes.TrimSpace(line)); err == nil {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return &ShallowError{Path: path, Boundary: ids}
}

func readRefs(gitDir string) (map[string]object.ID, error) {
	// Opened as a repository, it would be refused for extensions, such as that
	// of sparse work trees, which do not matter to its refs.
	storage := filesystem.NewStorage(osfs.New(gitDir), nil)
	iter, err := storage.IterReferences()
	if err != nil {
		return nil, err
	}
	refs := make(map[string]object.ID)
	err = iter.ForEach(func(ref *plumbing.Reference) error {
		name := ref.Name().String()
		if ref.Type() == plumbing.SymbolicReference {
			target, err := storer.ResolveReference(storage, ref.Name())
			if errors.Is(err, plumbing.ErrReferenceNotFound) {
				return nil // A branch that is not born yet.
			}
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			ref = target
		}
		refs[name] = ref.Hash()
		return nil
	})
	return refs, err
}

// Branch returns the head of a branch: the local one, or, in a clone that has
// none of that name, the one it tracks at origin.
func (r *Repository) Branch(name string) (object.ID, bool) {
	id, ok := r.refs["refs/heads/"+name]
	if !ok {
		id, ok = r.refs["refs/remotes/origin/"+name]
	}
	return id, ok
}

// Branches returns the names of all branches that [Repository.Branch] finds.
func (r *Repository) Branches() []string {
	var names []string
	for ref := range r.refs {
		for _, prefix := range []string{"refs/heads/", "refs/remotes/origin/"} {
			if name, ok := strings.CutPrefix(ref, prefix); ok && name != "HEAD" {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Tags returns the tags, by name.
func (r *Repository) Tags() []Tag {
	var tags []Tag
	for ref, id := range r.refs {
		if name, ok := strings.CutPrefix(ref, "refs/tags/"); ok {
			tags = append(tags, Tag{Name: name, ID: id})
		}
	}
	slices.SortFunc(tags, func(a, b Tag) int { return strings.Compare(a.Name, b.Name) })
	return tags
}
