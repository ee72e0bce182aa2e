package source

import (
	"fmt"
	"strings"

	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
)

// trie is the directories that are looked for, as a tree of their path
// elements: one descent finds them all.
type trie struct {
	name     string
	dir      int // the directory that ends here, or -1
	children []*trie
}

func newTrie(dirs []string) *trie {
	root := &trie{dir: -1}
	for d, dir := range dirs {
		node := root
		if dir != "" {
			for name := range strings.SplitSeq(dir, "/") {
				node = node.child(name)
			}
		}
		node.dir = d
	}
	return root
}

func (t *trie) child(name string) *trie {
	for _, c := range t.children {
		if c.name == name {
			return c
		}
	}
	c := &trie{name: name, dir: -1}
	t.children = append(t.children, c)
	return c
}

// finder looks up directories in root trees. Commits that follow each other
// share most of their trees, so it remembers what each tree held: a descent
// ends where it meets a tree that was seen at the same place.
type finder struct {
	store  *odb.Store
	reader *odb.Reader
	root   *trie
	dirs   int
	seen   map[place][]object.ID
}

type place struct {
	at   *trie
	tree object.ID
}

// remembered bounds the finder's memory; it forgets everything at once, which
// costs one descent.
const remembered = 1 << 15

func newFinder(store *odb.Store, root *trie, dirs int) *finder {
	return &finder{store: store, reader: store.Reader(), root: root, dirs: dirs, seen: make(map[place][]object.ID)}
}

func (f *finder) run(job *treeJob) error {
	job.found = make([]object.ID, len(job.roots)*f.dirs)
	for i, root := range job.roots {
		if err := f.store.Verify(job.commits[i], object.CommitType, job.raw[i]); err != nil {
			return err
		}
		if len(f.seen) > remembered {
			clear(f.seen)
		}
		found, err := f.find(f.root, root)
		if err != nil {
			return fmt.Errorf("tree of commit %s: %w", job.commits[i], err)
		}
		f.collect(f.root, root, found, job.found[i*f.dirs:(i+1)*f.dirs])
	}
	return nil
}

// collect writes the directories at and below a place into out.
func (f *finder) collect(at *trie, tree object.ID, children, out []object.ID) {
	if at.dir >= 0 {
		out[at.dir] = tree
	}
	for i, c := range at.children {
		if id := children[i]; !id.IsZero() {
			f.collect(c, id, f.seen[place{c, id}], out)
		}
	}
}

// find returns the trees that a tree holds for the children of a place, and
// makes sure that those below are remembered too.
func (f *finder) find(at *trie, tree object.ID) ([]object.ID, error) {
	if len(at.children) == 0 {
		return nil, nil
	}
	// Hardly two commits have the same root.
	key := place{at, tree}
	if at != f.root {
		if children, ok := f.seen[key]; ok {
			return children, nil
		}
	}
	data, err := f.reader.ReadVerified(tree, object.TreeType)
	if err != nil {
		return nil, err
	}
	children := make([]object.ID, len(at.children))
	met := make([]bool, len(at.children))
	for left := len(at.children); len(data) > 0 && left > 0; {
		mode, name, id, rest, err := object.NextEntry(data)
		if err != nil {
			return nil, fmt.Errorf("tree %s: %w", tree, err)
		}
		data = rest
		for i, c := range at.children {
			// In a malformed tree that has a name twice, the first one counts, as
			// in all that looks for names. It is no error: much of history is not
			// published.
			if met[i] || c.name != string(name) {
				continue
			}
			met[i] = true
			left--
			if mode.IsDir() { // A file, link or submodule in its place is no directory.
				children[i] = id
				if _, err := f.find(c, id); err != nil {
					return nil, fmt.Errorf("%s: %w", c.name, err)
				}
			}
		}
	}
	if at != f.root {
		f.seen[key] = children
	}
	return children, nil
}
