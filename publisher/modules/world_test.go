package modules_test

import (
	"path/filepath"
	"testing"

	"k8s.io/publisher/gittest"
	"k8s.io/publisher/modhash"
	"k8s.io/publisher/modules"
	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
	"k8s.io/publisher/pin"
	"k8s.io/publisher/spec"
)

// world is a source whose trees are pinned.
type world struct {
	*gittest.Repo
	line     *modules.Line
	siblings modules.Siblings
	versions map[*modules.Line]*modules.Version
}

// newWorld has siblings with these paths, at v1.0.0 with a hash that is made up.
// One whose path begins with "!" exists, but has no version.
func newWorld(t testing.TB, siblings ...string) *world {
	t.Helper()
	w := &world{gittest.New(t), &modules.Line{Spec: &spec.Spec{Pinned: true}}, make(modules.Siblings), make(map[*modules.Line]*modules.Version)}
	for _, path := range siblings {
		l := new(modules.Line)
		if path[0] == '!' {
			path = path[1:]
		} else {
			w.versions[l] = &modules.Version{Module: pin.Module{Path: path, Version: "v1.0.0", Sum: "h1:zip", GoModSum: "h1:mod"}}
		}
		w.siblings[path] = l
	}
	return w
}

// worker returns a worker for what is in the repository by now.
func (w *world) worker() *modules.Worker {
	w.Helper()
	w.Git("count-objects") // Writes what was put.
	store, err := odb.Open(filepath.Join(w.Dir, "objects"))
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(store.Close)
	scratch, err := odb.NewScratch(filepath.Join(w.TempDir(), "objects"))
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { scratch.Close() })
	shop := &modules.Workshop{Scratch: scratch, Source: store, Sums: new(modhash.MemorySums)}
	return shop.Worker()
}

// commit is a source commit for warnings.
var commit = object.Hash(object.CommitType, []byte("a commit"))

func (w *world) lookup(sibling *modules.Line) (*modules.Version, error) {
	return w.versions[sibling], nil
}

// pin pins a tree.
func (w *world) pin(worker *modules.Worker, tree object.ID) modules.Pinned {
	w.Helper()
	pinned, err := worker.Pin(w.line, commit, tree, w.siblings, w.lookup)
	if err != nil {
		w.Fatal(err)
	}
	return pinned
}

// warnings returns what was warned of.
func (w *world) warnings() []string {
	var out []string
	for _, warning := range w.line.Warnings.List() {
		out = append(out, warning.What)
	}
	return out
}

// list returns the files of a tree.
func (w *world) list(worker *modules.Worker, tree object.ID, dir string, files gittest.Files) gittest.Files {
	w.Helper()
	data, err := worker.Objects.Tree(tree)
	if err != nil {
		w.Fatal(err)
	}
	entries, err := object.ParseTree(data)
	if err != nil {
		w.Fatal(err)
	}
	for _, e := range entries {
		if e.Mode.IsDir() {
			w.list(worker, e.ID, dir+e.Name+"/", files)
			continue
		}
		text, err := worker.Objects.Blob(e.ID)
		if err != nil {
			w.Fatal(err)
		}
		files[dir+e.Name] = gittest.File{Mode: e.Mode, Text: string(text)}
	}
	return files
}
