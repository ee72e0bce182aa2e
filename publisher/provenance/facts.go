package provenance

import (
	"errors"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"

	"k8s.io/publisher/modhash"
	"k8s.io/publisher/object"
	"k8s.io/publisher/pin"
	"k8s.io/publisher/publication"
)

// Of returns the facts about one of the tags that a source tag yields, without claims,
// and the commit that it names. A tag that is a version by its name, of a module that the
// go command would not fetch, is taken for none.
func Of(objects Objects, hasher *modhash.Hasher, destination string, t *publication.Tag, k int) (Facts, *object.Commit, error) {
	f := Facts{
		Destination: destination, Tag: t.Names[k], Object: t.Objects[k], Commit: t.Target,
		SourceTag: t.Source, SourceObject: t.Object, SourceCommit: t.Commit,
	}
	data, err := objects.Commit(t.Target)
	if err != nil {
		return f, nil, err
	}
	commit, err := object.ParseCommit(data)
	if err != nil {
		return f, nil, err
	}
	path, err := modulePath(objects, t.Tree)
	if err != nil || path == "" || !pin.IsVersion(path, f.Tag) {
		return f, commit, err
	}
	m := module.Version{Path: path, Version: f.Tag}
	sum, err := hasher.Zip(m, t.Tree)
	if _, unfetchable := errors.AsType[*modhash.UnfetchableError](err); unfetchable {
		return f, commit, nil
	}
	f.Module, f.Sum = m, sum
	return f, commit, err
}

// modulePath is what a tree's go.mod calls its module; empty where there is none.
func modulePath(objects Objects, tree object.ID) (string, error) {
	data, err := objects.Tree(tree)
	if err != nil {
		return "", err
	}
	mode, id, ok, err := object.FindEntry(data, "go.mod")
	if err != nil || !ok || !mode.IsRegular() {
		return "", err
	}
	if data, err = objects.Blob(id); err != nil {
		return "", err
	}
	return modfile.ModulePath(data), nil
}
