package projection_test

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"

	"k8s.io/publisher/gittest"
	"k8s.io/publisher/object"
	"k8s.io/publisher/pathspec"
)

// reference is the projection as it is defined, without a thought for speed:
// recursive, on objects as they are stored, with ancestors found by
// looking at all of them. Commits and trees are named by their hashes.
type reference struct {
	testing.TB
	dirs    []string // the root is ""
	remove  *pathspec.Set
	trailer string

	objects func(name string) (stored, bool)
	trees   map[string]published
	memo    map[string]string
	parents map[string][]string // of mirror commits
	content map[string]string   // of mirror commits
}

type stored struct{ kind, data string }

// published is the tree to publish for a source commit; none where the
// directory is absent.
type published struct {
	tree     string
	conflict bool
}

func newReference(t testing.TB, objects func(string) (stored, bool), dirs, patterns []string) *reference {
	remove, err := pathspec.Compile(patterns)
	if err != nil {
		t.Fatal(err)
	}
	return &reference{
		TB: t, dirs: dirs, remove: remove, trailer: "Kubernetes-commit", objects: objects,
		trees: make(map[string]published), memo: make(map[string]string),
		parents: make(map[string][]string), content: make(map[string]string),
	}
}

// readObjects asks git for everything that is in a repository.
func readObjects(t testing.TB, dir string) map[string]stored {
	t.Helper()
	out := gittest.Git(t, dir, "", "cat-file", "--batch", "--batch-all-objects", "--unordered")
	objects := make(map[string]stored)
	for r := bytes.NewBuffer(out); r.Len() > 0; {
		var name, kind string
		var size int
		if _, err := fmt.Fscanf(r, "%s %s %d\n", &name, &kind, &size); err != nil {
			t.Fatal(err)
		}
		objects[name] = stored{kind, string(r.Next(size))}
		r.Next(1)
	}
	return objects
}

func (r *reference) object(kind, name string) string {
	o, ok := r.objects(name)
	if !ok || o.kind != kind {
		r.Fatalf("reference: %s is no %s", name, kind)
	}
	return o.data
}

// commit splits a commit into its header lines and its message.
func (r *reference) commit(name string) (header []string, message string) {
	head, message, ok := strings.Cut(r.object("commit", name), "\n\n")
	if !ok {
		return strings.Split(strings.TrimSuffix(head, "\n"), "\n"), ""
	}
	return strings.Split(head, "\n"), message
}

func (r *reference) sourceParents(name string) []string {
	header, _ := r.commit(name)
	var parents []string
	for _, line := range header {
		if p, ok := strings.CutPrefix(line, "parent "); ok {
			parents = append(parents, p)
		}
	}
	return parents
}

// reachable returns a commit and all that is behind it.
func (r *reference) reachable(name string, parents func(string) []string) map[string]bool {
	seen := map[string]bool{name: true}
	for _, parent := range parents(name) {
		if !seen[parent] {
			for other := range r.reachable(parent, parents) {
				seen[other] = true
			}
		}
	}
	return seen
}

// project returns the mirror commit that stands for a source commit, or "".
func (r *reference) project(name string) string {
	if known, ok := r.memo[name]; ok {
		return known
	}
	r.memo[name] = r.projectNew(name)
	return r.memo[name]
}

func (r *reference) projectNew(name string) string {
	parents := r.sourceParents(name)
	tree := r.tree(name)
	var projected []string
	for _, parent := range parents {
		if q := r.project(parent); q != "" && !slices.Contains(projected, q) {
			projected = append(projected, q)
		}
	}
	behind := func(q, head string) bool {
		return r.reachable(head, func(c string) []string { return r.parents[c] })[q]
	}
	// joins tells that a commit has all of them behind it.
	joins := func(head string) bool {
		return !slices.ContainsFunc(projected, func(q string) bool { return !behind(q, head) })
	}
	if tree == "" {
		if len(projected) == 0 {
			return ""
		}
		if i := slices.IndexFunc(projected, joins); i >= 0 {
			return projected[i]
		}
		tree = strings.TrimPrefix(strings.SplitN(r.content[projected[0]], "\n", 2)[0], "tree ")
	} else if len(parents) > 0 && tree == r.tree(parents[0]) && joins(r.project(parents[0])) {
		return r.project(parents[0])
	}
	var kept []string
	for i, q := range projected {
		if !slices.ContainsFunc(projected[:i], func(before string) bool { return behind(q, before) }) {
			kept = append(kept, q)
		}
	}

	header, message := r.commit(name)
	lines := []string{"tree " + tree}
	for _, q := range kept {
		lines = append(lines, "parent "+q)
	}
	for _, key := range []string{"author ", "committer ", "encoding "} {
		for _, line := range header {
			if strings.HasPrefix(line, key) {
				lines = append(lines, line)
			}
		}
	}
	text := strings.Join(lines, "\n") + "\n\n" + string(object.AppendTrailer([]byte(message), r.trailer, name))
	id := plumbing.ComputeHash(plumbing.CommitObject, []byte(text)).String()
	r.parents[id], r.content[id] = kept, text
	return id
}

// tree returns the tree to publish for a source commit, or "".
func (r *reference) tree(name string) string {
	p, ok := r.trees[name]
	if !ok {
		p = r.makeTree(name)
		r.trees[name] = p
	}
	return p.tree
}

// leaf is what is at a path and no directory.
type leaf struct{ mode, id string }

func (r *reference) makeTree(name string) published {
	header, _ := r.commit(name)
	root := strings.TrimPrefix(header[0], "tree ")
	all := make(map[string]leaf)
	owner := make(map[string]string)
	present := false
	for _, dir := range r.dirs {
		tree := root
		for _, element := range strings.FieldsFunc(dir, func(c rune) bool { return c == '/' }) {
			if tree == "" {
				break
			}
			found := ""
			for _, e := range r.entries(tree) {
				if e.name == element && e.mode == "40000" {
					found = e.id
				}
			}
			tree = found
		}
		if tree == "" {
			continue
		}
		present = true
		mine := make(map[string]leaf)
		r.flatten(tree, "", mine)
		for path := range mine {
			if r.remove.Match(path) {
				delete(mine, path)
			}
		}
		for path, l := range mine {
			for other := range owner {
				if owner[other] != dir && (other == path || strings.HasPrefix(other, path+"/") || strings.HasPrefix(path, other+"/")) {
					return published{conflict: true}
				}
			}
			all[path], owner[path] = l, dir
		}
	}
	if !present {
		return published{}
	}
	return published{tree: r.build(all)}
}

type entry struct{ mode, name, id string }

func (r *reference) entries(tree string) []entry {
	var entries []entry
	for data := r.object("tree", tree); data != ""; {
		head, rest, _ := strings.Cut(data, "\x00")
		mode, name, _ := strings.Cut(head, " ")
		entries = append(entries, entry{mode, name, fmt.Sprintf("%x", rest[:20])})
		data = rest[20:]
	}
	return entries
}

func (r *reference) flatten(tree, prefix string, into map[string]leaf) {
	for _, e := range r.entries(tree) {
		if e.mode == "40000" {
			r.flatten(e.id, prefix+e.name+"/", into)
		} else {
			into[prefix+e.name] = leaf{e.mode, e.id}
		}
	}
}

// build names the tree of these files.
func (r *reference) build(all map[string]leaf) string {
	below := make(map[string]map[string]leaf)
	var entries []entry
	for path, l := range all {
		dir, rest, ok := strings.Cut(path, "/")
		if !ok {
			entries = append(entries, entry{l.mode, path, l.id})
			continue
		}
		if below[dir] == nil {
			below[dir] = make(map[string]leaf)
		}
		below[dir][rest] = l
	}
	for name, files := range below {
		entries = append(entries, entry{"40000", name, r.build(files)})
	}
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.sortName(), b.sortName()) })
	var data []byte
	for _, e := range entries {
		id := plumbing.NewHash(e.id)
		data = append(append(data, e.mode+" "+e.name+"\x00"...), id[:]...)
	}
	return plumbing.ComputeHash(plumbing.TreeObject, data).String()
}

func (e entry) sortName() string {
	if e.mode == "40000" {
		return e.name + "/"
	}
	return e.name
}
