package modhash

import (
	"bufio"
	"compress/zlib"
	"context"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"k8s.io/publisher/git"
	"k8s.io/publisher/object"
)

// writeRepo makes a bare repository with a tree and all that is below it. It
// has the attributes that the go command gives to every repository it fetches.
func writeRepo(dir string, objects Objects, tree object.ID) error {
	if err := git.Init(dir); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "info", "attributes"), []byte("\n* -export-subst -export-ignore\n"), 0o666); err != nil {
		return err
	}
	return writePack(dir, objects, tree)
}

// writePack puts a tree and all that is below it into a repository. One pack is
// many times faster to write than a file per object.
func writePack(repo string, objects Objects, tree object.ID) error {
	l := listing{objects: objects, seen: make(map[object.ID]bool)}
	if err := l.addTree(tree); err != nil {
		return err
	}
	name := filepath.Join(repo, "objects", "pack", "pack-"+tree.String()+".pack")
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := l.encode(f); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return git.Command{Dir: repo}.Run(context.Background(), "index-pack", name)
}

// listing is what goes into a pack.
type listing struct {
	objects Objects
	trees   []object.ID
	blobs   []object.ID
	seen    map[object.ID]bool
}

func (l *listing) addTree(id object.ID) error {
	if l.seen[id] {
		return nil
	}
	l.seen[id] = true
	l.trees = append(l.trees, id)
	data, err := l.objects.Tree(id)
	if err != nil {
		return fmt.Errorf("reading tree %s: %w", id, err)
	}
	entries, err := object.ParseTree(data)
	if err != nil {
		return fmt.Errorf("reading tree %s: %w", id, err)
	}
	for _, e := range entries {
		switch {
		case e.Mode.IsDir():
			if err := l.addTree(e.ID); err != nil {
				return fmt.Errorf("%s: %w", e.Name, err)
			}
		case (e.Mode.IsRegular() || isSymlink(e.Mode)) && !l.seen[e.ID]:
			l.seen[e.ID] = true
			l.blobs = append(l.blobs, e.ID)
		}
	}
	return nil
}

// encode writes a pack of version 2, as gitformat-pack(5) has it, with every
// object whole. It is read once and removed: not worth compressing.
func (l *listing) encode(w io.Writer) error {
	sum := sha1.New()
	out := bufio.NewWriterSize(io.MultiWriter(w, sum), 1<<16)
	z, err := zlib.NewWriterLevel(out, zlib.NoCompression)
	if err != nil {
		return err
	}
	header := binary.BigEndian.AppendUint32([]byte("PACK"), 2)
	header = binary.BigEndian.AppendUint32(header, uint32(len(l.trees)+len(l.blobs)))
	if _, err := out.Write(header); err != nil {
		return err
	}
	entry := func(id object.ID, t object.Type, get func(object.ID) ([]byte, error)) error {
		data, err := get(id)
		if err != nil {
			return fmt.Errorf("reading %s %s: %w", t, id, err)
		}
		if _, err := out.Write(entryHeader(t, len(data))); err != nil {
			return err
		}
		z.Reset(out)
		if _, err := z.Write(data); err != nil {
			return err
		}
		return z.Close()
	}
	for _, id := range l.trees {
		if err := entry(id, object.TreeType, l.objects.Tree); err != nil {
			return err
		}
	}
	for _, id := range l.blobs {
		if err := entry(id, object.BlobType, l.objects.Blob); err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	_, err = w.Write(sum.Sum(nil))
	return err
}

// entryHeader has an object's type between the lowest four and the other bits
// of its size.
func entryHeader(t object.Type, size int) []byte {
	first, size := byte(t)<<4|byte(size&15), size>>4
	if size == 0 {
		return []byte{first}
	}
	return binary.AppendUvarint([]byte{first | 0x80}, uint64(size))
}
