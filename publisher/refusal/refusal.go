// Package refusal finds what rules and source, as they are now, do not let be
// published. It is the one list of refusals: whoever computes a publication goes by
// it, and "publisher validate" prints it.
package refusal

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
	"k8s.io/publisher/pin"
	"k8s.io/publisher/rules"
	"k8s.io/publisher/source"
)

// Refusal is a problem of one destination.
type Refusal struct {
	Destination string
	// Problem says what is wrong and where in the rules.
	Problem rules.Problem
	// Stops tells that nothing can be published to the destination. Others are for
	// who edits the rules: a directory that is gone from a branch, for one.
	Stops bool
}

// Find holds the rules against the source's branches: branches and directories
// exist, each go.mod requires only siblings that the dependencies name, and no
// version that nobody can fetch. Refusals are in the order of the rules.
func Find(r *rules.Rules, repo *source.Repository) ([]Refusal, error) {
	f := &finder{rules: r, repo: repo, by: make(map[from][]string), within: make(map[object.ID]map[string]string)}
	if err := f.read(); err != nil {
		return nil, err
	}
	if !r.SkipGoMod {
		modules := f.newModules()
		for _, m := range f.published {
			if err := f.requirements(modules, m); err != nil {
				return nil, err
			}
		}
	}
	return f.found, nil
}

// module is what matters of a go.mod file.
type module struct {
	path         string
	requires     []string
	placeholders []pin.Requirement
}

// from is a module on a source branch.
type from struct{ branch, path string }

// published is a module at the head of a branch.
type published struct {
	*module
	rule, branch int
	root         object.ID // the tree of the source branch's head
}

type finder struct {
	rules     *rules.Rules
	repo      *source.Repository
	published []published
	by        map[from][]string // the destinations
	// within lists the modules in a source tree, with their directories.
	within map[object.ID]map[string]string
	found  []Refusal
}

func (f *finder) refuse(rule int, stops bool, err *field.Error) {
	f.found = append(f.found, Refusal{f.rules.Rules[rule].Destination, f.rules.Problem(err), stops})
}

// read finds the modules at the heads of all branches, several rules at a time.
func (f *finder) read() error {
	heads := make([]heads, len(f.rules.Rules))
	var next atomic.Int64
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			modules := f.newModules()
			for i := next.Add(1) - 1; i < int64(len(heads)); i = next.Add(1) - 1 {
				heads[i].err = heads[i].read(f, modules, int(i))
			}
		})
	}
	group.Wait()
	for i, h := range heads {
		if h.err != nil {
			return h.err
		}
		for _, missing := range h.missing {
			f.refuse(i, missing.stops, missing.err)
		}
		for _, m := range h.published {
			f.published = append(f.published, m)
			key := from{f.rules.Rules[i].Branches[m.branch].Source.Branch, m.path}
			f.by[key] = append(f.by[key], f.rules.Rules[i].Destination)
		}
	}
	return nil
}

// heads is what a rule finds at the heads of its branches.
type heads struct {
	published []published
	missing   []missing
	err       error
}

// missing is a branch, which stops a destination, or a directory.
type missing struct {
	stops bool
	err   *field.Error
}

func (h *heads) read(f *finder, modules *modules, i int) error {
	rule := &f.rules.Rules[i]
	for j, b := range rule.Branches {
		if rule.Skipped || slices.Contains(f.rules.SkipSourceBranches, b.Source.Branch) {
			continue
		}
		if err := h.head(f, modules, i, j, b); err != nil {
			return fmt.Errorf("source branch %s: %w", b.Source.Branch, err)
		}
	}
	return nil
}

func (h *heads) head(f *finder, modules *modules, i, j int, b rules.Branch) error {
	path := rules.BranchPath(i, j).Child("source")
	head, ok := f.repo.Branch(b.Source.Branch)
	if !ok {
		err := field.NotFound(path.Child("branch"), b.Source.Branch)
		err.Detail = "the source " + f.repo.Path + " has no such branch"
		h.missing = append(h.missing, missing{true, err})
		return nil
	}
	data, err := modules.reader.Commit(head)
	if err != nil {
		return err
	}
	m := published{rule: i, branch: j}
	if m.root, _, err = object.ParseLinks(data); err != nil {
		return err
	}
	dirs := b.Source.Directories()
	if len(dirs) == 0 {
		dirs = []string{""}
	}
	for k, dir := range dirs {
		tree, err := object.Subtree(modules.reader.Tree, m.root, dir)
		if err != nil {
			return err
		}
		if tree.IsZero() {
			at := path.Child("dirs").Index(k)
			if b.Source.Dir != "" {
				at = path.Child("dir")
			}
			err := field.NotFound(at, dir)
			err.Detail = "source branch " + b.Source.Branch + " has no such directory"
			h.missing = append(h.missing, missing{false, err})
			continue
		}
		if data, err = modules.reader.Tree(tree); err != nil {
			return err
		}
		id, err := object.FindFile(data, "go.mod")
		if err != nil {
			return err
		}
		if !id.IsZero() && m.module == nil {
			if m.module, err = modules.parse(id); err != nil {
				return err
			}
		}
	}
	if m.module != nil {
		h.published = append(h.published, m)
	}
	return nil
}

// modules reads go.mod files, each once. It is not safe for concurrent use.
type modules struct {
	reader *odb.Reader
	parsed map[object.ID]*module // by blob
}

func (f *finder) newModules() *modules {
	return &modules{reader: f.repo.Store.Reader(), parsed: make(map[object.ID]*module)}
}

// parse reads a go.mod. One that the go command could not read says nothing.
func (m *modules) parse(id object.ID) (*module, error) {
	if known, ok := m.parsed[id]; ok {
		return known, nil
	}
	data, err := m.reader.Blob(id)
	if err != nil {
		return nil, err
	}
	found := new(module)
	if mod, err := pin.ParseMod(data, nil); err == nil {
		found.path, found.requires, found.placeholders = mod.Path, mod.Requires, mod.Placeholders
	}
	m.parsed[id] = found
	return found, nil
}

// requirements checks what a published go.mod requires of other modules of the
// source.
func (f *finder) requirements(modules *modules, m published) error {
	rule := &f.rules.Rules[m.rule]
	b := &rule.Branches[m.branch]
	path := rules.BranchPath(m.rule, m.branch)
	for _, required := range m.requires {
		by := f.publishers(b.Source.Branch, required)
		named := slices.ContainsFunc(b.Dependencies, func(d rules.Dependency) bool { return slices.Contains(by, d.Repository) })
		if len(by) > 0 && !named && !slices.Contains(by, rule.Destination) {
			f.refuse(m.rule, true, field.Required(path.Child("dependencies"), fmt.Sprintf(
				"go.mod of %s requires %s, which destination %s publishes; name it as a dependency, or set skip-gomod to publish go.mod as it is",
				rule.Destination, required, by[0])))
		}
	}
	for _, r := range m.placeholders {
		if len(f.publishers(b.Source.Branch, r.Path)) > 0 {
			continue
		}
		inside, err := f.modulesIn(modules, m.root)
		if err != nil {
			return err
		}
		dir, here := inside[r.Path]
		if !here && !r.Local {
			continue // Somebody else may have such a version.
		}
		what := "no rule publishes it"
		if here {
			what += fmt.Sprintf(" from its directory %q", dir)
		}
		f.refuse(m.rule, true, field.Required(path.Child("dependencies"), fmt.Sprintf(
			"go.mod:%d of %s requires %s %s, which nobody can fetch: %s; add a rule for it and name it as a dependency, require a version that exists, or set skip-gomod to publish go.mod as it is",
			r.Line, rule.Destination, r.Path, r.Version, what)))
	}
	return nil
}

// publishers lists the destinations that publish a module from a source branch.
func (f *finder) publishers(branch, path string) []string { return f.by[from{branch, path}] }

// modulesIn finds the modules in a source tree. Looking for them everywhere takes
// time, so it is done where a requirement asks for it only.
func (f *finder) modulesIn(modules *modules, root object.ID) (map[string]string, error) {
	if known, ok := f.within[root]; ok {
		return known, nil
	}
	inside := make(map[string]string)
	seen := make(map[object.ID]bool) // A few trees can unfold to any number of paths.
	var walk func(tree object.ID, dir string) error
	walk = func(tree object.ID, dir string) error {
		if seen[tree] {
			return nil
		}
		seen[tree] = true
		data, err := modules.reader.Tree(tree)
		if err != nil {
			return err
		}
		for len(data) > 0 {
			mode, name, id, rest, err := object.NextEntry(data)
			if err != nil {
				return fmt.Errorf("tree %s: %w", tree, err)
			}
			data = rest
			switch {
			case mode.IsDir() && string(name) != "vendor":
				if err := walk(id, dir+string(name)+"/"); err != nil {
					return err
				}
			case mode.IsRegular() && string(name) == "go.mod":
				m, err := modules.parse(id)
				if err != nil {
					return err
				}
				inside[m.path] = strings.TrimSuffix(dir, "/")
			}
		}
		return nil
	}
	f.within[root] = inside
	return inside, walk(root, "")
}
