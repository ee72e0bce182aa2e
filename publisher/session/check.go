package session

import (
	"errors"
	"fmt"
	"slices"

	"golang.org/x/mod/modfile"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
	"k8s.io/publisher/publication"
	"k8s.io/publisher/rules"
	"k8s.io/publisher/source"
)

// CheckSource holds the rules against the source as it is now: branches and
// directories exist, and each go.mod requires only siblings that the
// dependencies name. It returns all problems, by place in the file.
func CheckSource(r *rules.Rules, repo *source.Repository) ([]rules.Problem, error) {
	c := &checker{rules: r, repo: repo, reader: repo.Store.Reader(), modules: make(map[object.ID]goMod)}
	var problems []rules.Problem
	err := c.each(func(at place, err *field.Error) { problems = append(problems, r.Problem(err)) })
	return problems, err
}

// checkSiblings stops destinations whose go.mod requires a sibling that their
// dependencies do not name: consumers could not resolve what is published.
func (s *Session) checkSiblings(pub *publication.Publication) {
	c := &checker{rules: s.RuleSet, repo: s.Repo, reader: s.Repo.Store.Reader(), modules: make(map[object.ID]goMod)}
	err := c.each(func(at place, err *field.Error) {
		if err.Type != field.ErrorTypeRequired {
			return // Publication knows what to do without a branch or directory.
		}
		if d := pub.Destination(at.destination); d != nil && d.Err == nil {
			d.Err = s.RuleSet.Problem(err)
		}
	})
	if err != nil {
		s.Log.Warn("cannot check which siblings are required", "error", err)
	}
}

// place is a branch in the rules.
type place struct {
	destination  string
	rule, branch int
}

// goMod is what matters of a go.mod file.
type goMod struct {
	path     string
	requires []string
}

type checker struct {
	rules   *rules.Rules
	repo    *source.Repository
	reader  *odb.Reader
	modules map[object.ID]goMod // by blob
}

func (c *checker) each(report func(place, *field.Error)) error {
	// Which destinations publish a module path, by source branch.
	type key struct{ branch, path string }
	publishers := make(map[key][]string)
	found := make(map[place]goMod)
	for i, rule := range c.rules.Rules {
		if rule.Skipped {
			continue
		}
		for j, b := range rule.Branches {
			if slices.Contains(c.rules.SkipSourceBranches, b.Source.Branch) {
				continue
			}
			at := place{rule.Destination, i, j}
			mod, errs, err := c.module(at, b)
			if err != nil {
				return fmt.Errorf("%s: %w", b.Source.Branch, err)
			}
			for _, e := range errs {
				report(at, e)
			}
			if mod.path != "" {
				found[at] = mod
				k := key{b.Source.Branch, mod.path}
				publishers[k] = append(publishers[k], rule.Destination)
			}
		}
	}
	for i, rule := range c.rules.Rules {
		for j, b := range rule.Branches {
			at := place{rule.Destination, i, j}
			for _, path := range found[at].requires {
				by := publishers[key{b.Source.Branch, path}]
				if len(by) == 0 || slices.Contains(by, rule.Destination) || c.rules.SkipGoMod {
					continue
				}
				named := slices.ContainsFunc(b.Dependencies, func(d rules.Dependency) bool { return slices.Contains(by, d.Repository) })
				if !named {
					report(at, field.Required(rules.BranchPath(i, j).Child("dependencies"),
						fmt.Sprintf("go.mod of %s requires %s, which destination %s publishes; name it as a dependency", rule.Destination, path, by[0])))
				}
			}
		}
	}
	return nil
}

// module reads the go.mod at a branch's head.
func (c *checker) module(at place, b rules.Branch) (mod goMod, errs []*field.Error, err error) {
	path := rules.BranchPath(at.rule, at.branch).Child("source")
	head, ok := c.repo.Branch(b.Source.Branch)
	if !ok {
		return mod, []*field.Error{field.NotFound(path.Child("branch"), b.Source.Branch)}, nil
	}
	data, err := c.reader.Commit(head)
	if err != nil {
		return mod, nil, err
	}
	root, _, err := object.ParseLinks(data)
	if err != nil {
		return mod, nil, err
	}
	dirs := b.Source.Directories()
	if len(dirs) == 0 {
		dirs = []string{""}
	}
	for k, dir := range dirs {
		tree, err := publication.Subtree(c.reader, root, dir)
		if err != nil {
			return mod, nil, err
		}
		if tree.IsZero() {
			missing := path.Child("dir")
			if b.Source.Dir == "" {
				missing = path.Child("dirs").Index(k)
			}
			errs = append(errs, field.NotFound(missing, dir))
			continue
		}
		data, err := c.reader.Tree(tree)
		if err != nil {
			return mod, nil, err
		}
		mode, id, ok, err := object.FindEntry(data, "go.mod")
		if err != nil || !ok || !mode.IsRegular() {
			continue
		}
		if mod, err = c.parse(id); err != nil {
			return mod, nil, err
		}
	}
	return mod, errs, nil
}

func (c *checker) parse(id object.ID) (goMod, error) {
	if mod, ok := c.modules[id]; ok {
		return mod, nil
	}
	data, err := c.reader.Blob(id)
	if err != nil {
		return goMod{}, err
	}
	var mod goMod
	var syntax modfile.ErrorList
	f, err := modfile.ParseLax("go.mod", data, nil)
	if err != nil && !errors.As(err, &syntax) {
		return goMod{}, err
	}
	if err == nil && f.Module != nil {
		mod.path = f.Module.Mod.Path
		for _, r := range f.Require {
			mod.requires = append(mod.requires, r.Mod.Path)
		}
	}
	c.modules[id] = mod
	return mod, nil
}
