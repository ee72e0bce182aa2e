package monorepo

import (
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
)

// module is one staged module: which lower modules it always imports, and
// which of them it imports at some times and not at others.
type module struct {
	always    []int
	sometimes []int
}

// graph lists the modules so that each depends on earlier ones only. A shape
// takes as many of them as it has modules.
var graph = []module{
	{},
	{always: []int{0}},
	{always: []int{0, 1}},
	{always: []int{1}, sometimes: []int{2}},
	{always: []int{0}, sometimes: []int{2, 3}},
	{always: []int{3}, sometimes: []int{1, 4}},
	{always: []int{2}, sometimes: []int{4, 5}},
	{always: []int{4}, sometimes: []int{3, 6}},
	{always: []int{2}, sometimes: []int{5, 7}},
	{always: []int{0, 4}, sometimes: []int{6, 8}},
	{always: []int{6}, sometimes: []int{9}},
	{always: []int{8}, sometimes: []int{10}},
	{always: []int{7, 9}, sometimes: []int{11}},
	{always: []int{10}, sometimes: []int{5, 12}},
}

// edge is one import that comes and goes. Its index is its bit in edges.
type edge struct{ from, to int }

var toggled = func() (all []edge) {
	for from, m := range graph {
		for _, to := range m.sometimes {
			all = append(all, edge{from, to})
		}
	}
	return all
}()

// edges is the set of the toggled edges that are there. Those of modules that
// a shape has not mean nothing.
type edges uint32

// allEdges is the densest graph, initialEdges what history starts from.
var (
	allEdges     = edges(1)<<len(toggled) - 1
	initialEdges = allEdges & 0b10_0110_1101_0110
)

// direct returns the modules that module m imports, in rising order.
func (e edges) direct(m int) []int {
	all := slices.Clone(graph[m].always)
	for i, t := range toggled {
		if t.from == m && e&(1<<i) != 0 {
			all = append(all, t.to)
		}
	}
	slices.Sort(all)
	return all
}

// closure returns the modules that m depends on at all, in rising order.
func (e edges) closure(m int) (all []int) {
	for _, to := range e.direct(m) {
		all = append(append(all, to), e.closure(to)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// ModuleName is the last element of the module path, and the destination.
func ModuleName(m int) string { return fmt.Sprintf("mod%d", m) }

// ModuleDir is where module m is staged.
func ModuleDir(m int) string { return path.Join("staging/src", modulePath(m)) }

func modulePath(m int) string { return "example.test/" + ModuleName(m) }

// kind is what a file holds, and so how it is rendered.
type kind uint8

const (
	goCode kind = iota
	goDoc       // package comment: keeps a package a package when its other files go
	prose
	rootMod
)

// file is a path that exists at some commits, for all of history under the
// same index.
type file struct {
	path   string
	kind   kind
	owner  int // module, or -1
	number int // own number, so that declarations of one package never clash
}

// area is a part of the tree that a change is about.
type area struct {
	title string
	files []int // that come, go and are edited
}

// layout is the fixed universe of paths.
type layout struct {
	shape     Shape
	files     []file
	modules   []area
	others    []area
	changelog int
	toggles   int // toggled edges of the modules that there are
	initial   state
}

// state is the tree at one commit. A file of version 0 is not there.
type state struct {
	versions []uint16
	edges    edges
	bumps    uint16 // times that a requirement from elsewhere was raised
}

func (s state) clone() state {
	s.versions = append([]uint16(nil), s.versions...)
	return s
}

var packages = []string{"", "api", "api/v1", "api/v1beta1", "client", "client/cache", "internal/queue", "metrics"}

// packageDir is where a module has its package of that number.
func packageDir(i int) string {
	if i < len(packages) {
		return packages[i]
	}
	return fmt.Sprintf("pkg/%s/%s%d", verbs[i%len(verbs)], nouns[i%len(nouns)], i)
}

func newLayout(s Shape) *layout {
	l := &layout{shape: s, initial: state{edges: initialEdges}}
	for _, t := range toggled {
		if t.from < s.modules {
			l.toggles++
		}
	}
	random := rand.New(rand.NewPCG(1, 1))
	add := func(f file, present bool) int {
		f.number = len(l.files)
		l.files = append(l.files, f)
		var version uint16
		if present {
			version = 1
		}
		l.initial.versions = append(l.initial.versions, version)
		return f.number
	}
	// goPackage adds a package of which at most slots files come and go.
	goPackage := func(a *area, dir string, owner, slots, percentPresent int) {
		add(file{path: path.Join(dir, "doc.go"), kind: goDoc, owner: owner}, true)
		for i := range slots {
			name := fmt.Sprintf("%s_%02d.go", nouns[(i+len(l.files))%len(nouns)], i)
			present := random.IntN(100) < percentPresent
			a.files = append(a.files, add(file{path: path.Join(dir, name), kind: goCode, owner: owner}, present))
		}
	}

	add(file{path: "go.mod", kind: rootMod, owner: -1}, true)
	add(file{path: "README.md", kind: prose, owner: -1}, true)
	l.changelog = add(file{path: "CHANGELOG/CHANGELOG.md", kind: prose, owner: -1}, true)

	for m := range s.modules {
		a := area{title: ModuleName(m)}
		dir := ModuleDir(m)
		add(file{path: path.Join(dir, "README.md"), kind: prose, owner: m}, true)
		for i := range s.packages + m%4 {
			goPackage(&a, path.Join(dir, packageDir(i)), m, s.slots+(i+m)%4, 80)
		}
		l.modules = append(l.modules, a)
	}
	other := func(title string, fill func(*area)) {
		a := area{title: title}
		fill(&a)
		l.others = append(l.others, a)
	}
	for i := range 12 * s.others {
		dir := fmt.Sprintf("cmd/%s-%s", nouns[i%len(nouns)], verbs[i%len(verbs)])
		other(dir, func(a *area) {
			goPackage(a, dir, -1, 4, 100)
			goPackage(a, dir+"/options", -1, 6, 80)
		})
	}
	for i := range 40 * s.others {
		dir := fmt.Sprintf("pkg/%s/%s%d", nouns[i/8%len(nouns)], nouns[(i+5)%len(nouns)], i)
		other(dir, func(a *area) {
			goPackage(a, dir, -1, 15, 80)
			goPackage(a, dir+"/internal", -1, 10, 80)
		})
	}
	for i := range 6 * s.others {
		dir := fmt.Sprintf("docs/%s-%s", verbs[i%len(verbs)], nouns[i%len(nouns)])
		other(dir, func(a *area) {
			for j := range 12 {
				a.files = append(a.files, add(file{path: fmt.Sprintf("%s/%02d.md", dir, j), kind: prose, owner: -1}, j < 9))
			}
		})
	}
	return l
}

var (
	nouns = []string{"node", "lease", "volume", "quota", "event", "token", "probe", "batch", "scale", "route", "shard"}
	verbs = []string{"watch", "sync", "drain", "bind", "rotate", "evict", "audit"}
)
