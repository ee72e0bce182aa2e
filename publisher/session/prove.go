package session

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"

	"k8s.io/publisher/consumer"
	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
	"k8s.io/publisher/pin"
	"k8s.io/publisher/plan"
	"k8s.io/publisher/publication"
	"k8s.io/publisher/rules"
)

// Prove proves of the tags that a plan makes, as far as the rules ask for it, that
// consumers can build with them. It returns a plan without those of which that does not
// hold, and without those that require them: branches and other tags are published all
// the same. Where it cannot be found out, the destination is stopped and those that
// depend on it. The publication forgets what is withheld.
//
// Nothing here changes what a tag is: it decides whether it is let out.
func (s *Session) Prove(ctx context.Context, p *plan.Plan, pub *publication.Publication) (*plan.Plan, error) {
	which := s.RuleSet.Consumers
	if s.Consumers != "" {
		which = s.Consumers
	}
	asked := make(map[string][]plan.Tag) // by destination
	for _, d := range p.Destinations {
		if tags := toProve(d, which); d.Err == nil && len(tags) > 0 {
			asked[d.Name] = tags
		}
	}
	if len(asked) == 0 {
		return p, nil
	}
	s.warnUnconfined(ctx)
	objects, err := s.allObjects(p)
	if err != nil {
		return nil, err
	}
	defer objects.Close()
	r := &releases{pub: pub, reader: objects.Reader(), byName: make(map[string][]*publication.Tag), withheld: make(map[module.Version]error)}
	r.index()
	prover, err := consumer.New(s.Build, objects.Dirs(), r.tagged, s.memory())
	if err != nil {
		return nil, err
	}
	defer func() {
		if err := prover.Close(); err != nil {
			s.Log.Warn("builds of consumers left files behind", "error", err)
		}
	}()
	stopped := make(map[string]error)
	done := 0
	for _, d := range p.Destinations {
		for _, t := range asked[d.Name] {
			s.progress("building consumers of "+d.Name, done, 0)
			done++
			tag := r.tag(d.Name, t.Source)
			m, ok, err := r.version(tag)
			if err != nil {
				return nil, err
			}
			// What requires a tag that is withheld cannot be consumed either.
			reason, err := r.reason(tag)
			if err == nil && ok && reason == nil {
				err = prover.Prove(ctx, consumer.Release{Destination: d.Name, Tag: m.Version, Module: m})
			}
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			if _, unconsumable := errors.AsType[*consumer.UnconsumableError](err); unconsumable {
				r.withheld[m] = err
			} else if errors.Is(err, exec.ErrNotFound) {
				stopped[d.Name] = fmt.Errorf("%w; install it, or do without this proof by --consumers none", err)
				break
			} else if err != nil {
				stopped[d.Name] = err
				break
			}
		}
	}
	return s.withhold(p.Stop(stopped), r)
}

// toProve returns the tags of a destination that are to be proven.
func toProve(d *plan.Destination, which rules.Consumers) (tags []plan.Tag) {
	newest := make(map[string]string) // by minor version: of those that are there
	for _, t := range d.Tags {
		if line := semver.MajorMinor(t.Source); t.Action == plan.Unchanged && semver.Compare(t.Source, newest[line]) > 0 {
			newest[line] = t.Source
		}
	}
	first := make(map[string]plan.Tag) // by minor version of which there are none: the newest
	for _, t := range d.Tags {
		if t.Action != plan.Create || which == rules.NoConsumers {
			continue
		}
		line := semver.MajorMinor(t.Source)
		switch have, ok := newest[line]; {
		case which == rules.AllConsumers || ok && semver.Compare(t.Source, have) > 0:
			tags = append(tags, t)
		case !ok && semver.Compare(t.Source, first[line].Source) > 0:
			first[line] = t
		}
	}
	for _, t := range first {
		tags = append(tags, t)
	}
	slices.SortFunc(tags, func(a, b plan.Tag) int { return semver.Compare(a.Source, b.Source) })
	return tags
}

// allObjects opens what this run has made, with the source and the mirrors.
func (s *Session) allObjects(p *plan.Plan) (*odb.Store, error) {
	if err := s.scratch.Finish(); err != nil {
		return nil, err
	}
	dirs := append([]string{s.scratch.Dir()}, s.Repo.Store.Dirs()...)
	for _, d := range p.Destinations {
		if d.Mirror != nil && d.Mirror.Exists && d.Err == nil {
			dirs = append(dirs, d.Mirror.ObjectsDir())
		}
	}
	return odb.Open(dirs...)
}

func (s *Session) memory() consumer.Memory {
	if s.cache == nil {
		return nil
	}
	return s.cache
}

// withhold takes out of a plan what is withheld, and what requires it.
func (s *Session) withhold(p *plan.Plan, r *releases) (*plan.Plan, error) {
	if len(r.withheld) == 0 {
		return p, nil
	}
	for again := true; again; {
		again = false
		for i, d := range p.Destinations {
			if d.Err != nil {
				continue
			}
			for _, t := range d.Tags {
				if t.Action != plan.Create {
					continue
				}
				reason, err := r.reason(r.tag(d.Name, t.Source))
				if err != nil {
					return nil, err
				}
				if reason != nil {
					d = d.Withhold(t.Source, reason)
					p.Destinations[i], again = d, true
				}
			}
		}
	}
	for _, d := range p.Destinations {
		for _, t := range d.Tags {
			if t.Withheld != nil {
				s.Log.Error("a tag is withheld", "destination", d.Name, "source tag", t.Source, "error", t.Withheld)
				r.pub.Withhold(d.Name, t.Source)
			}
		}
	}
	return p, nil
}

// releases finds tags by the versions that they are.
type releases struct {
	pub      *publication.Publication
	reader   *odb.Reader
	byName   map[string][]*publication.Tag
	withheld map[module.Version]error
}

func (r *releases) index() {
	for _, d := range r.pub.Destinations {
		for _, t := range d.Tags {
			for _, name := range t.Names {
				r.byName[name] = append(r.byName[name], t)
			}
		}
	}
}

// tag returns what a source tag yields in a destination, or nil.
func (r *releases) tag(destination, source string) *publication.Tag {
	for _, t := range r.pub.Destination(destination).Tags {
		if t.Source == source {
			return t
		}
	}
	return nil
}

// goMod reads a tag's go.mod; nil is none that can be read.
func (r *releases) goMod(t *publication.Tag) (*modfile.File, error) {
	if t == nil {
		return nil, nil
	}
	tree, err := r.reader.Tree(t.Tree)
	if err != nil {
		return nil, err
	}
	mode, id, ok, err := object.FindEntry(tree, "go.mod")
	if err != nil || !ok || !mode.IsRegular() {
		return nil, err
	}
	data, err := r.reader.Blob(id)
	if err != nil {
		return nil, err
	}
	file, err := modfile.ParseLax("go.mod", data, nil)
	if err != nil || file.Module == nil {
		return nil, nil
	}
	return file, nil
}

// version returns the version of its module that a tag is; not ok where it is none.
func (r *releases) version(t *publication.Tag) (m module.Version, ok bool, err error) {
	file, err := r.goMod(t)
	if err != nil || file == nil {
		return m, false, err
	}
	path := file.Module.Mod.Path
	if i := slices.IndexFunc(t.Names, func(name string) bool { return pin.IsVersion(path, name) }); i >= 0 {
		return module.Version{Path: path, Version: t.Names[i]}, true, nil
	}
	return m, false, nil
}

// tagged finds the commit of a version, unless it is withheld.
func (r *releases) tagged(m module.Version) (object.ID, bool, error) {
	if r.withheld[m] != nil {
		return object.ID{}, false, nil
	}
	for _, t := range r.byName[m.Version] {
		is, ok, err := r.version(t)
		if err != nil {
			return object.ID{}, false, err
		}
		if ok && is == m {
			return t.Target, true, nil
		}
	}
	return object.ID{}, false, nil
}

// reason is why a tag is withheld: for itself, or for what it requires. It is nil where
// it is not.
func (r *releases) reason(t *publication.Tag) (error, error) {
	m, ok, err := r.version(t)
	if err != nil {
		return nil, err
	}
	if ok && r.withheld[m] != nil {
		return r.withheld[m], nil
	}
	file, err := r.goMod(t)
	if err != nil || file == nil {
		return nil, err
	}
	for _, on := range file.Require {
		if r.withheld[on.Mod] != nil {
			reason := fmt.Errorf("it requires %s, which is withheld", on.Mod)
			if ok {
				r.withheld[m] = reason
			}
			return reason, nil
		}
	}
	return nil, nil
}
