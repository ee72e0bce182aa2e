package source

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
)

// Graph is a part of the source's history: the commits that can be reached
// from some heads, down to those that are known from an earlier run, which
// stand at its boundary. A commit is a node, numbered so that parents come
// before children.
type Graph struct {
	IDs     []object.ID
	Parents [][]int32
	// Raw is the content of each commit.
	Raw [][]byte
	// Known tells which nodes are at the boundary: they have no Parents here.
	Known []bool

	dirs  map[string]int
	trees [][]object.ID // for each directory, for each node
	index map[object.ID]int32
	lines []int32 // for each node, the line of first parents that it is on
}

// Len returns the number of nodes.
func (g *Graph) Len() int { return len(g.IDs) }

// Node returns the node of a commit.
func (g *Graph) Node(id object.ID) (int32, bool) {
	n, ok := g.index[id]
	return n, ok
}

// Trees returns, for each node, the tree of a directory that was asked for at
// Load; the zero ID where it is absent or no directory.
func (g *Graph) Trees(dir string) []object.ID { return g.trees[g.dirs[dir]] }

// batch is how many commits are handed over at once for their trees to be read.
const batch = 512

// Load reads the history behind heads, each commit once, and the trees of dirs
// in it, each tree once. All of them are hashed: what is published is made of
// them, and a commit or tree that is not what its name says is an
// [odb.CorruptError]. Known says which commits need no reading any more;
// progress, where not nil, is told how many commits were read so far. It ends
// early when ctx is done.
func Load(ctx context.Context, store *odb.Store, heads []object.ID, dirs []string, known func(object.ID) bool, progress func(commits int)) (*Graph, error) {
	// Commits come out of the walk in the order in which they are met; the
	// trees of a batch are read while the walk goes on.
	w := &walk{store: store, known: known, index: make(map[object.ID]int32, 1<<14), progress: progress}
	trie := newTrie(dirs)
	jobs := make(chan *treeJob, 4)
	var group sync.WaitGroup
	var treeErr error
	var once sync.Once
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			finder := newFinder(store, trie, len(dirs))
			for job := range jobs {
				if err := finder.run(job); err != nil {
					once.Do(func() { treeErr = err })
				}
			}
		})
	}
	err := w.run(ctx, heads, func(job *treeJob) { jobs <- job })
	close(jobs)
	group.Wait()
	if err == nil {
		err = treeErr
	}
	if err != nil {
		return nil, fmt.Errorf("read source history: %w", err)
	}
	return w.graph(dirs), nil
}

// walk is a depth-first traversal. Its own numbers are those of discovery;
// order lists them parents first.
type walk struct {
	store    *odb.Store
	known    func(object.ID) bool
	progress func(int)

	ids     []object.ID
	raw     [][]byte
	parents [][]int32
	isKnown []bool
	index   map[object.ID]int32
	order   []int32
	jobs    []*treeJob
}

// treeJob asks for consecutive commits to be hashed, and for their directories'
// trees.
type treeJob struct {
	commits []object.ID
	raw     [][]byte
	roots   []object.ID
	found   []object.ID // len(roots) times the number of directories
}

func (w *walk) run(ctx context.Context, heads []object.ID, hand func(*treeJob)) error {
	reader := w.store.Reader()
	var job *treeJob
	visit := func(id object.ID) (int32, []object.ID, error) {
		data, err := reader.Commit(id)
		if err != nil {
			return 0, nil, err
		}
		root, parents, err := object.ParseLinks(data)
		if err != nil {
			return 0, nil, fmt.Errorf("commit %s: %w", id, err)
		}
		n := int32(len(w.ids))
		w.index[id] = n
		w.ids = append(w.ids, id)
		w.raw = append(w.raw, data)
		known := w.known != nil && w.known(id)
		w.isKnown = append(w.isKnown, known)
		w.parents = append(w.parents, nil)
		if known {
			parents = nil
		}
		if job == nil {
			job = &treeJob{}
			w.jobs = append(w.jobs, job)
		}
		job.commits, job.raw, job.roots = append(job.commits, id), append(job.raw, data), append(job.roots, root)
		if len(job.roots) == batch {
			hand(job)
			job = nil
			if err := ctx.Err(); err != nil {
				return 0, nil, err
			}
			if w.progress != nil {
				w.progress(len(w.ids))
			}
		}
		return n, parents, nil
	}
	type frame struct {
		node    int32
		parents []object.ID
	}
	var stack []frame
	for _, head := range heads {
		if _, ok := w.index[head]; ok {
			continue
		}
		n, parents, err := visit(head)
		if err != nil {
			return err
		}
		stack = append(stack, frame{n, parents})
		for len(stack) > 0 {
			top := &stack[len(stack)-1]
			if len(top.parents) == 0 {
				w.order = append(w.order, top.node)
				stack = stack[:len(stack)-1]
				continue
			}
			id := top.parents[0]
			top.parents = top.parents[1:]
			n, ok := w.index[id]
			if ok {
				w.parents[top.node] = append(w.parents[top.node], n)
				continue
			}
			n, parents, err := visit(id)
			if err != nil {
				return fmt.Errorf("parent of commit %s: %w", w.ids[top.node], err)
			}
			w.parents[top.node] = append(w.parents[top.node], n)
			stack = append(stack, frame{n, parents})
		}
	}
	if job != nil {
		hand(job)
	}
	if w.progress != nil {
		w.progress(len(w.ids))
	}
	return nil
}

// graph renumbers what was walked so that parents come first.
func (w *walk) graph(dirs []string) *Graph {
	count := len(w.ids)
	g := &Graph{
		IDs: make([]object.ID, count), Parents: make([][]int32, count), Raw: make([][]byte, count),
		Known: make([]bool, count), index: w.index, dirs: make(map[string]int), trees: make([][]object.ID, len(dirs)),
	}
	for d, dir := range dirs {
		g.dirs[dir] = d
		g.trees[d] = make([]object.ID, count)
	}
	number := make([]int32, count)
	for n, old := range w.order {
		number[old] = int32(n)
	}
	for n, old := range w.order {
		g.IDs[n], g.Raw[n], g.Known[n] = w.ids[old], w.raw[old], w.isKnown[old]
		g.Parents[n] = w.parents[old]
		for i, p := range g.Parents[n] {
			g.Parents[n][i] = number[p]
		}
		g.index[g.IDs[n]] = int32(n)
		job := w.jobs[old/batch]
		at := int(old%batch) * len(dirs)
		for d := range dirs {
			g.trees[d][n] = job.found[at+d]
		}
	}
	g.findLines()
	return g
}

// Ancestors marks the nodes that heads reach, themselves included.
func (g *Graph) Ancestors(heads ...int32) []bool { return Ancestors(g.Parents, heads...) }

// Ancestors is [Graph.Ancestors] for any history whose nodes are numbered so
// that parents come before children. A negative head reaches nothing.
func Ancestors(parents [][]int32, heads ...int32) []bool {
	reached := make([]bool, len(parents))
	top := int32(-1)
	for _, n := range heads {
		if n >= 0 {
			reached[n] = true
			top = max(top, n)
		}
	}
	for n := top; n >= 0; n-- {
		if reached[n] {
			for _, parent := range parents[n] {
				reached[parent] = true
			}
		}
	}
	return reached
}

// findLines numbers lines of first parents: a node is on the line of that child
// whose first parent it is which comes last, as the mainline does.
func (g *Graph) findLines() {
	g.lines = make([]int32, g.Len())
	count := int32(0)
	for n := int32(g.Len()) - 1; n >= 0; n-- {
		if g.lines[n] == 0 {
			count++
			g.lines[n] = count
		}
		if parents := g.Parents[n]; len(parents) > 0 && g.lines[parents[0]] == 0 {
			g.lines[parents[0]] = g.lines[n]
		}
	}
}

// OnLine reports that node a can be reached from node b by first parents alone.
// It may miss that where the two are on lines that parted.
func (g *Graph) OnLine(a, b int32) bool { return a <= b && g.lines[a] == g.lines[b] }

// AllKnown reports whether nothing in the graph is new.
func (g *Graph) AllKnown() bool {
	for _, known := range g.Known {
		if !known {
			return false
		}
	}
	return true
}
