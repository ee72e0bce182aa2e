package modhash

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/publisher/object"
)

// store is an object database in memory. It counts what is read.
type store struct {
	data         map[object.ID][]byte
	trees, blobs int
}

func newStore() *store { return &store{data: make(map[object.ID][]byte)} }

func (s *store) Tree(id object.ID) ([]byte, error) { s.trees++; return s.get(id) }
func (s *store) Blob(id object.ID) ([]byte, error) { s.blobs++; return s.get(id) }

func (s *store) get(id object.ID) ([]byte, error) {
	data, ok := s.data[id]
	if !ok {
		return nil, fmt.Errorf("no object %s", id)
	}
	return data, nil
}

func (s *store) put(t object.Type, data []byte) object.ID {
	id := object.Hash(t, data)
	s.data[id] = data
	return id
}

func (s *store) blob(text string) object.ID { return s.put(object.BlobType, []byte(text)) }

// files describes a tree: contents by path. What a path is other than a regular
// file is said before it: "link:", "exec:", "submodule:", "dir:" (empty) or
// "group:" (a file in the mode that old versions of git gave).
type files map[string]string

func (f files) with(more files) files {
	sum := maps.Clone(f)
	maps.Copy(sum, more)
	return sum
}

var kinds = map[string]object.Mode{
	"link":      object.ModeSymlink,
	"exec":      object.ModeExecutable,
	"submodule": object.ModeSubmodule,
	"dir":       object.ModeDir,
	"group":     0o100664,
}

func splitKind(key string) (object.Mode, string) {
	if kind, name, ok := strings.Cut(key, ":"); ok && kinds[kind] != 0 {
		return kinds[kind], name
	}
	return object.ModeRegular, key
}

// tree stores the tree that f describes.
func (s *store) tree(f files) object.ID {
	var entries []object.Entry
	dirs := make(map[string]files)
	for _, key := range slices.Sorted(maps.Keys(f)) {
		mode, name := splitKind(key)
		if dir, rest, ok := strings.Cut(name, "/"); ok {
			if dirs[dir] == nil {
				dirs[dir] = make(files)
			}
			dirs[dir][strings.TrimSuffix(key, name)+rest] = f[key]
			continue
		}
		e := object.Entry{Mode: mode, Name: name}
		switch mode {
		case object.ModeDir:
			e.ID = s.put(object.TreeType, nil)
		case object.ModeSubmodule:
			e.ID = object.Hash(object.CommitType, []byte(name))
		default:
			e.ID = s.blob(f[key])
		}
		entries = append(entries, e)
	}
	for name, sub := range dirs {
		entries = append(entries, object.Entry{Mode: object.ModeDir, Name: name, ID: s.tree(sub)})
	}
	return s.put(object.TreeType, object.EncodeTree(entries))
}

// rawTree stores a tree whose entries stand as given, as no git writes it.
func (s *store) rawTree(entries ...object.Entry) object.ID {
	var data []byte
	for _, e := range entries {
		data = append(data, object.EncodeTree([]object.Entry{e})...)
	}
	return s.put(object.TreeType, data)
}

// dirTree stores a directory of the file system.
func (s *store) dirTree(t testing.TB, dir string) object.ID {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var entries []object.Entry
	for _, item := range list {
		name := filepath.Join(dir, item.Name())
		if item.IsDir() {
			entries = append(entries, object.Entry{Mode: object.ModeDir, Name: item.Name(), ID: s.dirTree(t, name)})
			continue
		}
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, object.Entry{Mode: object.ModeRegular, Name: item.Name(), ID: s.put(object.BlobType, data)})
	}
	return s.put(object.TreeType, object.EncodeTree(entries))
}

// publish makes a bare repository whose tag has the tree.
func (s *store) publish(t *testing.T, dir string, tree object.ID, tag string) {
	t.Helper()
	if err := writeRepo(dir, s, tree); err != nil {
		t.Fatal(err)
	}
	commit := gitOutput(t, dir, "-c", "user.name=A", "-c", "user.email=a@example.com", "commit-tree", "-m", "publish", tree.String())
	if err := os.Mkdir(filepath.Join(dir, "refs/tags"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "refs/tags", tag), []byte(commit), 0o666); err != nil {
		t.Fatal(err)
	}
}

func gitOutput(t *testing.T, dir string, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out.Bytes())
	}
	return out.String()
}
