package modhash

import (
	"compress/zlib"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
)

// writeRepo makes a bare repository with a tree and all that is below it. It
// has the attributes that the go command gives to every repository it fetches.
func writeRepo(dir string, objects Objects, tree object.ID) error {
	for _, sub := range []string{"objects/pack", "refs", "info"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o777); err != nil {
			return err
		}
	}
	for name, text := range map[string]string{
		"HEAD":            "ref: refs/heads/main\n",
		"config":          "[core]\n\trepositoryformatversion = 0\n\tbare = true\n",
		"info/attributes": "\n* -export-subst -export-ignore\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			return err
		}
	}
	return writePack(dir, objects, tree)
}

// writePack puts a tree and all that is below it into a repository. One pack is
// many times faster to write than a file per object. It is read once and removed:
// not worth compressing.
func writePack(repo string, objects Objects, tree object.ID) error {
	pack, err := odb.NewPackWriter(filepath.Join(repo, "objects/pack"), zlib.NoCompression)
	if err != nil {
		return err
	}
	w := packing{objects: objects, pack: pack, seen: make(map[object.ID]bool)}
	if err := errors.Join(w.addTree(tree), pack.Finish(false)); err != nil {
		return errors.Join(err, pack.Close())
	}
	return pack.Close()
}

// packing puts trees and what is below them into a pack.
type packing struct {
	objects Objects
	pack    *odb.PackWriter
	seen    map[object.ID]bool
}

func (w *packing) addTree(id object.ID) error {
	data, err := w.add(id, object.TreeType, w.objects.Tree)
	if err != nil {
		return err
	}
	entries, err := object.ParseTree(data)
	if err != nil {
		return fmt.Errorf("reading tree %s: %w", id, err)
	}
	for _, e := range entries {
		switch {
		case w.seen[e.ID]:
		case e.Mode.IsDir():
			err = w.addTree(e.ID)
		case e.Mode.IsRegular() || isSymlink(e.Mode):
			_, err = w.add(e.ID, object.BlobType, w.objects.Blob)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", e.Name, err)
		}
	}
	return nil
}

func (w *packing) add(id object.ID, t object.Type, get func(object.ID) ([]byte, error)) ([]byte, error) {
	w.seen[id] = true
	data, err := get(id)
	if err == nil && object.Hash(t, data) != id {
		err = errors.New("its content is not what its name says")
	}
	if err == nil {
		_, err = w.pack.Put(id, t, data)
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s %s: %w", t, id, err)
	}
	return data, nil
}
