// Package spec derives from the rules what there is to compute: which history is
// projected, from which directories, and which siblings its commits may be
// pinned to. It looks at nothing but the rules.
//
// A [Spec] is all that decides a projection, beside the source. Branches with
// equal specs, which are most branches of a destination, share one projection,
// so that the commits which they have in common are the same in all of them.
//
// What a destination may pin is the union of what its branches depend on, or did
// before they ended, not what each one does: commits that branches share have to
// be the same in all of them, whatever a branch came to depend on, or ceased to,
// after they parted.
//
// Destinations that depend on each other form a circle. Their specs name each
// other, and are computed together.
package spec

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"k8s.io/publisher/object"
	"k8s.io/publisher/rules"
)

// Spec decides a projection.
type Spec struct {
	// Number is its index in [Specs.Ordered].
	Number int
	// Key is a hash of what it means: equal keys give equal projections.
	Key string
	// Dirs are the directories whose union is published; the root of the
	// repository is the empty path.
	Dirs []string
	// Pinned tells that go.mod and go.sum are pinned to siblings.
	Pinned bool
	// Deps are the specs that commits may be pinned to, each once. Of several that
	// hold the same module, the first that has it is meant.
	Deps []*Spec
	// Bases are the commits at which the mirror was taken over, in the order in
	// which a source commit is looked for in them: the branch's own first.
	Bases []Base
	// Circle numbers the group of destinations that it is computed with. Specs
	// of two destinations have the same number where these depend on each other.
	Circle int
}

// Base is a commit of a mirror at which one of its branches was taken over from
// somebody else.
type Base struct {
	Destination, Branch string
	Commit              object.ID
}

// Destination is a mirror as the rules have it.
type Destination struct {
	Name string
	Rule *rules.Rule
	// Index is that of Rule in the rules.
	Index    int
	Branches []Branch // by name
	// DependsOn names the destinations that it depends on, directly or not, in the
	// order in which they are published. In a circle, these come after it, too.
	DependsOn []string
	// Specs are those of its branches, each once, by key.
	Specs []*Spec
}

// Branch is a branch of a mirror.
type Branch struct {
	Name, Source string
	// Skipped tells that nothing is published from its source branch.
	Skipped bool
	Spec    *Spec
}

// Specs is what the rules ask for.
type Specs struct {
	// Ordered has dependencies before their dependents; those of a circle stand
	// together.
	Ordered []*Spec
	// Groups are the destinations, dependencies first. More than one in a group
	// depend on each other.
	Groups [][]*Destination
	// Key is a hash of all that the numbers of specs and the names of branches and
	// tags depend on.
	Key string
}

// New derives the specs.
func New(r *rules.Rules) (*Specs, error) {
	d := &deriver{rules: r, specs: new(Specs), byKey: make(map[string]*Spec), byName: make(map[string]*Destination)}
	for _, group := range r.Groups() {
		if err := d.group(group); err != nil {
			return nil, err
		}
	}
	d.specs.Key = d.key()
	return d.specs, nil
}

// All lists the destinations in the order in which they are published.
func (s *Specs) All() []*Destination { return slices.Concat(s.Groups...) }

// Dirs lists all directories that are published, each once.
func (s *Specs) Dirs() []string {
	var dirs []string
	for _, sp := range s.Ordered {
		dirs = append(dirs, sp.Dirs...)
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

// Destination returns a destination by its name, or nil.
func (s *Specs) Destination(name string) *Destination {
	for _, d := range s.All() {
		if d.Name == name {
			return d
		}
	}
	return nil
}

// Branch returns a branch by its name, or nil.
func (d *Destination) Branch(name string) *Branch {
	for i := range d.Branches {
		if d.Branches[i].Name == name {
			return &d.Branches[i]
		}
	}
	return nil
}

// InCircle reports whether two specs are computed together.
func (sp *Spec) InCircle(with *Spec) bool { return sp.Circle == with.Circle }

type deriver struct {
	rules  *rules.Rules
	specs  *Specs
	byKey  map[string]*Spec
	byName map[string]*Destination
}

// group derives the specs of destinations that depend on each other, or of one
// that is on its own; those of all others that they depend on are there.
func (d *deriver) group(indexes []int) error {
	var group []*Destination
	for _, i := range indexes {
		rule := &d.rules.Rules[i]
		if rule.Skipped {
			continue
		}
		to := &Destination{Name: rule.Destination, Rule: rule, Index: i}
		d.byName[to.Name] = to
		group = append(group, to)
	}
	if len(group) == 0 {
		return nil
	}
	reached := d.reached(group)
	var drafts []*draft
	for _, to := range group {
		to.DependsOn = slices.DeleteFunc(slices.Clone(reached), func(name string) bool { return name == to.Name })
		bases, err := basesOf(to.Rule)
		if err != nil {
			return err
		}
		// The numbers of specs must not change with the order of rules.
		branches := slices.Clone(to.Rule.Branches)
		slices.SortFunc(branches, func(a, b rules.Branch) int { return strings.Compare(a.Name, b.Name) })
		for j := range branches {
			drafts = append(drafts, d.draft(to, &branches[j], bases))
		}
	}
	d.refine(drafts)
	d.settle(group, drafts)
	d.specs.Groups = append(d.specs.Groups, group)
	return nil
}

// reached lists what the destinations of a group depend on, those of a circle
// included, in the order in which they are published.
func (d *deriver) reached(group []*Destination) []string {
	names := make(map[string]bool)
	for _, to := range group {
		if len(group) > 1 {
			names[to.Name] = true
		}
		for _, on := range to.Rule.DependsOn() {
			if dep := d.byName[on]; dep != nil {
				names[on] = true
				for _, further := range dep.DependsOn {
					names[further] = true
				}
			}
		}
	}
	var ordered []string
	for _, to := range append(d.specs.All(), group...) {
		if names[to.Name] {
			ordered = append(ordered, to.Name)
		}
	}
	return ordered
}

// draft is the spec of one branch before it is known which others are equal.
type draft struct {
	to     *Destination
	branch *rules.Branch
	spec   Spec
	own    string // a hash of all but what it may be pinned to
	key    string
}

func (d *deriver) draft(to *Destination, b *rules.Branch, bases []Base) *draft {
	dirs := slices.Clone(b.Source.Directories())
	if len(dirs) == 0 {
		dirs = []string{""}
	}
	slices.Sort(dirs)
	// A branch that was taken over looks into its own past first.
	own := slices.IndexFunc(bases, func(base Base) bool { return base.Branch == b.Name })
	if own > 0 {
		bases = slices.Concat(bases[own:own+1], bases[:own], bases[own+1:])
	}
	f := &draft{to: to, branch: b, spec: Spec{Dirs: dirs, Pinned: !d.rules.SkipGoMod, Bases: bases, Circle: len(d.specs.Groups)}}
	f.own = digest("projection", dirs, f.spec.Pinned, d.rules.RecursiveDeletePatterns, d.rules.Trailer, bases)
	f.key = f.own
	return f
}

func basesOf(rule *rules.Rule) ([]Base, error) {
	if rule.TakenOver == nil {
		return nil, nil
	}
	var bases []Base
	for _, b := range rule.TakenOver.Branches {
		id, err := object.ParseID([]byte(b.Commit))
		if err != nil {
			return nil, fmt.Errorf("%s was taken over at %q: %w", rule.Destination, b.Commit, err)
		}
		bases = append(bases, Base{rule.Destination, b.Branch, id})
	}
	return bases, nil
}

// refine gives the drafts of a group their keys. In a circle keys would contain
// each other; so they begin with what is a draft's own and take in those of what
// it may be pinned to, until they tell no more drafts apart.
func (d *deriver) refine(drafts []*draft) {
	for classes := 0; len(drafts) > 0; {
		next := make([]string, len(drafts))
		for i, f := range drafts {
			next[i] = digest(f.own, d.pinnable(f, drafts))
		}
		distinct := make(map[string]bool)
		for i, f := range drafts {
			f.key = next[i]
			distinct[f.key] = true
		}
		if len(distinct) == classes {
			return
		}
		if classes = len(distinct); drafts[0].to == drafts[len(drafts)-1].to {
			return // They are not of a circle.
		}
	}
}

// pinnable lists the keys of what a draft may be pinned to. Of each destination,
// what the branch itself depends on comes first.
func (d *deriver) pinnable(f *draft, drafts []*draft) []string {
	var keys []string
	for _, name := range f.to.DependsOn {
		dep := d.byName[name]
		declared := ""
		for _, on := range f.branch.Dependencies {
			if on.Repository == name {
				declared = on.Branch
			}
		}
		var first, rest []string
		add := func(branch, key string) {
			if branch == declared {
				first = append(first, key)
			} else {
				rest = append(rest, key)
			}
		}
		if b := dep.Branch(declared); b != nil {
			first = append(first, b.Spec.Key)
		}
		for _, sp := range dep.Specs {
			rest = append(rest, sp.Key)
		}
		for _, other := range drafts {
			if other.to == dep {
				add(other.branch.Name, other.key)
			}
		}
		slices.Sort(rest)
		for _, key := range append(first, rest...) {
			if !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
	}
	return keys
}

// settle makes specs of the drafts, one for all that are equal.
func (d *deriver) settle(group []*Destination, drafts []*draft) {
	of := make(map[*draft]*Spec)
	var fresh []*draft
	for _, f := range drafts {
		sp, ok := d.byKey[f.key]
		if !ok {
			sp = new(f.spec)
			sp.Key, sp.Number = f.key, len(d.specs.Ordered)
			d.byKey[f.key] = sp
			d.specs.Ordered = append(d.specs.Ordered, sp)
			fresh = append(fresh, f)
		}
		of[f] = sp
	}
	for _, f := range fresh {
		for _, key := range d.pinnable(f, drafts) {
			of[f].Deps = append(of[f].Deps, d.byKey[key])
		}
	}
	for _, f := range drafts {
		f.to.Branches = append(f.to.Branches, Branch{
			Name: f.branch.Name, Source: f.branch.Source.Branch,
			Skipped: slices.Contains(d.rules.SkipSourceBranches, f.branch.Source.Branch), Spec: of[f],
		})
		if !slices.Contains(f.to.Specs, of[f]) {
			f.to.Specs = append(f.to.Specs, of[f])
		}
	}
	for _, to := range group {
		slices.SortFunc(to.Specs, func(a, b *Spec) int { return strings.Compare(a.Key, b.Key) })
	}
}

// key covers all that what is remembered of an earlier run depends on.
func (d *deriver) key() string {
	r := d.rules
	values := []any{"publication", 2, r.Trailer, r.SkipTags, r.Committer.Name, r.Committer.Email}
	for _, sp := range d.specs.Ordered {
		values = append(values, sp.Key)
	}
	for _, to := range d.specs.All() {
		values = append(values, to.Name)
		for _, t := range r.TagsOf(to.Rule) {
			values = append(values, t.Constraint, t.Template)
		}
		for _, b := range to.Branches {
			values = append(values, b.Name, b.Source, b.Skipped, b.Spec.Key)
		}
	}
	return digest(values...)
}

// digest names a combination of values.
func digest(values ...any) string {
	data, err := json.Marshal(values)
	if err != nil {
		panic(err) // Only strings, numbers, IDs and slices of them come here.
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
