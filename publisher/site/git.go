package site

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/google/renameio/v2"

	"k8s.io/publisher/catalog"
)

// keepPacks is how long a pack stays that a mirror has no more: somebody may be at work
// with a list that names it.
const keepPacks = 24 * time.Hour

// repositoryURL is where git finds a mirror; empty where the site has no URL.
func (w *writer) repositoryURL(destination string) string {
	if w.BaseURL == "" {
		return ""
	}
	return w.BaseURL + "/git/" + destination + ".git"
}

// writeGit brings the repositories up to date that git fetches from a web server which
// knows nothing of it (https://git-scm.com/book/en/v2/Git-Internals-Transfer-Protocols).
func (w *writer) writeGit(ctx context.Context) error {
	w.progress("writing repositories", 0, 1)
	return w.each(ctx, func(d *catalog.Destination) error {
		if !w.changed(d.Name) {
			return nil
		}
		if err := w.writeRepository(d); err != nil {
			return fmt.Errorf("write the repository of %s: %w", d.Name, err)
		}
		return nil
	})
}

// writeRepository writes objects before the lists that name them, and refs last.
func (w *writer) writeRepository(d *catalog.Destination) error {
	to := w.repository(d)
	packs, err := linkObjects(d.Mirror.ObjectsDir(), filepath.Join(to, "objects"))
	if err != nil {
		return err
	}
	before, err := os.ReadFile(filepath.Join(to, "objects", "info", "packs"))
	if err := ignoreMissing(err); err != nil {
		return err
	}
	files := repositoryFiles(d, packs)
	for _, name := range []string{packList, "HEAD", "info/refs"} {
		if err := writeFile(filepath.Join(to, filepath.FromSlash(name)), []byte(files[name])); err != nil {
			return err
		}
	}
	return removePacks(filepath.Join(to, "objects", "pack"), packs, string(before))
}

// repository is where a mirror is in the site.
func (w *writer) repository(d *catalog.Destination) string {
	return filepath.Join(w.Dir, "git", filepath.FromSlash(d.Name)+".git")
}

const packList = "objects/info/packs"

// repositoryFiles are what git reads to find refs and packs, by name.
func repositoryFiles(d *catalog.Destination, packs []string) map[string]string {
	var list strings.Builder
	for _, pack := range packs {
		list.WriteString("P " + filepath.Base(pack) + "\n")
	}
	list.WriteString("\n")
	return map[string]string{packList: list.String(), "HEAD": "ref: refs/heads/" + d.Head + "\n", "info/refs": refList(d)}
}

// refList is what git asks for first: all refs, and the commits behind tags.
func refList(d *catalog.Destination) string {
	refs, peeled := d.Mirror.Refs(), make(map[string]string)
	for _, t := range d.Tags {
		if t.ID != t.Commit.ID {
			peeled["refs/tags/"+t.Name] = t.Commit.ID.String()
		}
	}
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(refs)) {
		fmt.Fprintf(&text, "%s\t%s\n", refs[name].ID, name)
		if to, ok := peeled[name]; ok {
			fmt.Fprintf(&text, "%s\t%s^{}\n", to, name)
		}
	}
	return text.String()
}

// linkObjects gives all objects of a repository to another, and returns the names of the
// packs.
func linkObjects(from, to string) (packs []string, err error) {
	files, err := fs.Glob(os.DirFS(from), "pack/pack-*.pack")
	if err != nil {
		return nil, err
	}
	for _, name := range files {
		packs = append(packs, filepath.Base(name))
	}
	for _, pack := range packs {
		// Who sees an index takes the pack for there.
		files = append(files, "pack/"+strings.TrimSuffix(pack, ".pack")+".idx")
	}
	loose, err := fs.Glob(os.DirFS(from), "[0-9a-f][0-9a-f]/[0-9a-f]*")
	if err != nil {
		return nil, err
	}
	for _, name := range append(files, loose...) {
		if err := link(filepath.Join(from, filepath.FromSlash(name)), filepath.Join(to, filepath.FromSlash(name))); err != nil {
			return nil, err
		}
	}
	return packs, nil
}

// link makes a file appear at another place, too. Objects of git never change: a link does,
// and where there can be none, a copy.
func link(from, to string) error {
	if _, err := os.Lstat(to); err == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	err := os.Link(from, to)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return nil
	}
	if !errors.Is(err, syscall.EXDEV) && !errors.Is(err, syscall.EPERM) && !errors.Is(err, syscall.EMLINK) && !errors.Is(err, syscall.ENOTSUP) {
		return err
	}
	return copyFile(from, to)
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := renameio.NewPendingFile(to, renameio.WithStaticPermissions(0o444))
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err == nil {
		err = out.CloseAtomicallyReplace()
	}
	return errors.Join(err, out.Cleanup())
}

// removePacks removes packs that a mirror has had no more for a while. Of those that were in
// the list before, that begins now.
func removePacks(dir string, packs []string, before string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return ignoreMissing(err)
	}
	now := time.Now()
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		pack := strings.TrimSuffix(e.Name(), filepath.Ext(e.Name())) + ".pack"
		if slices.Contains(packs, pack) {
			continue
		}
		info, err := e.Info()
		switch {
		case err != nil:
		case strings.Contains(before, "P "+pack+"\n"):
			err = os.Chtimes(name, now, now)
		case now.Sub(info.ModTime()) > keepPacks:
			err = os.Remove(name)
		}
		if err := ignoreMissing(err); err != nil {
			return err
		}
	}
	return nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
