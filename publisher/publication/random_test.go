package publication_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/publisher/gittest"
)

// moduleRules publish three modules on two branches.
const moduleRules = `
rules:
- destination: gamma
  branches:
  - name: main
    source: {branch: main, dirs: [gamma]}
    dependencies: [{repository: beta, branch: main}, {repository: alpha, branch: main}]
  - name: release
    source: {branch: release, dirs: [gamma]}
    dependencies: [{repository: beta, branch: release}, {repository: alpha, branch: release}]
- destination: alpha
  branches:
  - name: main
    source: {branch: main, dirs: [alpha]}
  - name: release
    source: {branch: release, dirs: [alpha]}
- destination: beta
  branches:
  - name: main
    source: {branch: main, dirs: [beta]}
    dependencies: [{repository: alpha, branch: main}]
  - name: release
    source: {branch: release, dirs: [beta]}
    dependencies: [{repository: alpha, branch: release}]
`

// modules makes random histories of three modules.
type modules struct {
	w       *world
	random  *rand.Rand
	parents map[string][]string
	names   []string
}

func (m *modules) grow() {
	n := len(m.names)
	var parents []string
	if n > 0 {
		recent := func() string { return m.names[n-1-min(m.random.IntN(n), m.random.IntN(n), m.random.IntN(n))] }
		parents = append(parents, recent())
		if other := recent(); m.random.IntN(3) == 0 && other != parents[0] {
			parents = append(parents, other)
		}
	}
	name := fmt.Sprintf("c%02d", n)
	m.w.Source.Add(name, parents, func(files gittest.Files) {
		if n == 0 {
			for _, name := range []string{"alpha", "beta", "gamma"} {
				m.module(files, name)
			}
		}
		for _, parent := range parents[min(1, len(parents)):] {
			// Of what is merged, one module is taken over whole.
			take := []string{"alpha", "beta", "gamma"}[m.random.IntN(3)]
			other := m.w.Source.Files(parent)
			files.Remove(take)
			for path, file := range other {
				if strings.HasPrefix(path, take+"/") {
					files.Set(path, file)
				}
			}
		}
		for range m.random.IntN(3) {
			m.change(files)
		}
	})
	m.names = append(m.names, name)
	m.parents[name] = parents
}

func (m *modules) change(files gittest.Files) {
	name := []string{"alpha", "beta", "beta", "gamma", "gamma"}[m.random.IntN(5)]
	switch m.random.IntN(10) {
	case 0:
		files.Set("README", gittest.Text(fmt.Sprint(len(m.names))))
	case 1:
		if m.random.IntN(5) == 0 {
			files.Remove(name)
		}
	case 2:
		if m.random.IntN(5) == 0 {
			files.Set(name+"/go.mod", gittest.Text("module mirrors.test/"+name+".git\n<<<<<<< HEAD\n"))
		}
	case 3, 4, 5:
		m.module(files, name)
	default:
		files.Set(name+"/more.go", gittest.Text(fmt.Sprintf("package %s\n\nconst N = %d\n", name, len(m.names))))
	}
}

// module writes a module that requires some of those below it.
func (m *modules) module(files gittest.Files, name string) {
	goLine := []string{"go 1.21", "go 1.21", "go 1.16", ""}[m.random.IntN(4)]
	var imports []string
	for _, other := range []string{"alpha", "beta"} {
		if other < name && m.random.IntN(4) > 0 {
			imports = append(imports, other)
		}
	}
	maps.Copy(files, gittest.Archive(staged(name, goLine, imports, nil)))
}

func (m *modules) firstParents(name string) []string {
	line := []string{name}
	for len(m.parents[name]) > 0 {
		name = m.parents[name][0]
		line = append(line, name)
	}
	slices.Reverse(line)
	return line
}

// TestPinsDoNotDependOnTheRuns publishes random histories of modules as they
// grow, and at once. The go command has the last word on what is pinned.
func TestPinsDoNotDependOnTheRuns(t *testing.T) {
	t.Parallel()
	seeds := 8
	if testing.Short() {
		seeds = 2
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, moduleRules)
			random := rand.New(rand.NewPCG(uint64(seed), 4))
			m := &modules{w: w, random: random, parents: make(map[string][]string)}
			for range 25 {
				m.grow()
			}
			lines := map[string][]string{"main": m.firstParents(m.names[24]), "release": m.firstParents(m.names[15+random.IntN(9)])}
			at := map[string]int{}
			for step := range 4 {
				for _, branch := range []string{"main", "release"} {
					line := lines[branch]
					if left := len(line) - 1 - at[branch]; step == 3 {
						at[branch] += left
					} else {
						at[branch] += random.IntN(left/2 + 1)
					}
					w.Source.Branch(branch, w.Source.Commits[line[at[branch]]])
					// A tag somewhere on what is published, old or new.
					w.Source.Tag(fmt.Sprintf("v1.%d.%d", 20+len(branch), step), w.Source.Commits[line[random.IntN(at[branch]+1)]])
				}
				w.Publish()
			}
			again := *w
			again.Mirrors = filepath.Join(t.TempDir(), "mirrors")
			again.Publish()
			for _, d := range w.Published() {
				if got, want := w.Git(d, "for-each-ref"), again.Git(d, "for-each-ref"); got != want {
					t.Errorf("%s, as it grew:\n%s\nat once:\n%s\n%s", d, got, want, w.Source.Git("log", "--graph", "--oneline", "--name-status", "main", "release"))
				}
			}
			versions, _ := w.checkPins(t.TempDir())
			t.Log(versions, "versions are pinned")
		})
	}
}
