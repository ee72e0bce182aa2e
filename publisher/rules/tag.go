package rules

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"github.com/Masterminds/semver/v3"
	"github.com/go-git/go-git/v5/plumbing"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// TagRule names the mirror tag of a source tag. Make one with [NewTagRule] or
// load it.
type TagRule struct {
	// Constraint is on the source tag's version, in the language of
	// github.com/Masterminds/semver/v3.
	Constraint string
	// Template is a text/template for the mirror tag's name; it gets a
	// [TagVersion].
	Template string

	constraint *semver.Constraints
	template   *template.Template
}

// TagVersion is what a template for tag names sees of the source tag.
type TagVersion struct {
	Major, Minor, Patch uint64
	// Prerelease and Metadata are without the sign before them: "beta.1", "x".
	Prerelease, Metadata string
	// Suffix is all that follows the patch number: "-beta.1+x".
	Suffix string
	// Version is the whole version, without a v: "1.2.3-beta.1+x".
	Version string
}

func newTagVersion(v *semver.Version) TagVersion {
	t := TagVersion{
		Major:      v.Major(),
		Minor:      v.Minor(),
		Patch:      v.Patch(),
		Prerelease: v.Prerelease(),
		Metadata:   v.Metadata(),
	}
	if t.Prerelease != "" {
		t.Suffix = "-" + t.Prerelease
	}
	if t.Metadata != "" {
		t.Suffix += "+" + t.Metadata
	}
	t.Version = fmt.Sprintf("%d.%d.%d%s", t.Major, t.Minor, t.Patch, t.Suffix)
	return t
}

// NewTagRule compiles a rule. The error says which of the two is wrong.
func NewTagRule(constraint, name string) (TagRule, error) {
	t := TagRule{Constraint: constraint, Template: name}
	if err := t.compileConstraint(); err != nil {
		return TagRule{}, fmt.Errorf("constraint %q: %w", constraint, err)
	}
	if err := t.compileTemplate(); err != nil {
		return TagRule{}, fmt.Errorf("name %q: %w", name, err)
	}
	return t, nil
}

// defaultTagRules are the rules of a file that gives none: the names that
// kubernetes' staged modules have.
func defaultTagRules() []TagRule {
	var tags []TagRule
	for _, t := range [][2]string{
		{">=1.8.0-0", "kubernetes-{{.Version}}"},
		{">=1.17.0-0", "v0.{{.Minor}}.{{.Patch}}{{.Suffix}}"},
	} {
		tag, err := NewTagRule(t[0], t[1])
		if err != nil {
			panic(err)
		}
		tags = append(tags, tag)
	}
	return tags
}

// Name returns the name of the mirror tag for a source tag of version v. It is
// not ok where the constraint does not let v in. There is an error where the
// template does not give a valid name for a tag.
func (t TagRule) Name(v *semver.Version) (name string, ok bool, err error) {
	if t.constraint == nil || t.template == nil {
		return "", false, errors.New("tag rule was not made by NewTagRule")
	}
	if !t.constraint.Check(v) {
		return "", false, nil
	}
	name, err = t.execute(v)
	if err != nil {
		return "", false, err
	}
	return name, true, nil
}

func (t TagRule) execute(v *semver.Version) (string, error) {
	var b strings.Builder
	if err := t.template.Execute(&b, newTagVersion(v)); err != nil {
		return "", fmt.Errorf("name the tag for %s: %w", v, err)
	}
	if plumbing.NewTagReferenceName(b.String()).Validate() != nil {
		return "", fmt.Errorf("name the tag for %s: %q is not a valid tag name (see git-check-ref-format(1))", v, b.String())
	}
	return b.String(), nil
}

func (t *TagRule) compileConstraint() (err error) {
	if strings.TrimSpace(t.Constraint) == "" {
		return errors.New("must not be empty; * lets all releases in")
	}
	t.constraint, err = semver.NewConstraint(t.Constraint)
	return err
}

func (t *TagRule) compileTemplate() (err error) {
	if t.Template == "" {
		return errors.New("must not be empty")
	}
	t.template, err = template.New("name").Parse(t.Template)
	return err
}

// tags compiles the tag rules and tries them on sample versions.
func (v *validator) tags() {
	for i := range v.rules.Tags {
		t, path := &v.rules.Tags[i], tagsPath.Index(i)
		if t.Constraint == "" {
			v.add(field.Required(path.Child("constraint"), "* lets all releases in"))
		} else if err := t.compileConstraint(); err != nil {
			v.add(field.Invalid(path.Child("constraint"), t.Constraint, err.Error()))
		}
		if t.Template == "" {
			v.add(field.Required(path.Child("name"), ""))
		} else if err := t.compileTemplate(); err != nil {
			v.add(field.Invalid(path.Child("name"), t.Template, err.Error()))
		}
	}
	v.tagNames(sampleVersions(v.rules.Tags))
}

// tagNames reports names that cannot be, names that two rules give, and names
// that a rule gives to two versions of one major version. Of each, the
// first sample is enough.
func (v *validator) tagNames(samples []*semver.Version) {
	names := make([]map[*semver.Version]string, len(v.rules.Tags))
	for i, t := range v.rules.Tags {
		if t.constraint == nil || t.template == nil {
			continue
		}
		report := func(format string, args ...any) {
			v.add(field.Invalid(tagsPath.Index(i).Child("name"), t.Template, fmt.Sprintf(format, args...)))
		}
		var err error
		names[i], err = t.names(samples)
		if err != nil {
			report("%v", err)
			continue
		}
		if len(names[i]) == 0 {
			// No sample meets the constraint; some mistakes show all the same.
			if _, err := t.execute(samples[0]); err != nil {
				report("%v", err)
			}
		}
		if a, b := sameName(samples, names[i]); a != nil {
			report("gives both %s and %s the name %q", a, b, names[i][a])
		}
		for j := range i {
			same := func(s *semver.Version) bool {
				name, ok := names[i][s]
				other, both := names[j][s]
				return ok && both && name == other
			}
			if k := slices.IndexFunc(samples, same); k >= 0 {
				report("gives %s the name %q, as tags[%d] does", samples[k], names[i][samples[k]], j)
			}
		}
	}
}

// names returns the names of those samples that the constraint lets in.
func (t TagRule) names(samples []*semver.Version) (map[*semver.Version]string, error) {
	names := map[*semver.Version]string{}
	for _, s := range samples {
		name, ok, err := t.Name(s)
		if err != nil {
			return nil, err
		}
		if ok {
			names[s] = name
		}
	}
	return names, nil
}

// sameName returns the first two samples of one major version with one name.
// Whoever makes tags of one version with and without metadata can have them
// named alike.
func sameName(samples []*semver.Version, names map[*semver.Version]string) (a, b *semver.Version) {
	type key struct {
		major uint64
		name  string
	}
	first := map[key]*semver.Version{}
	for _, s := range samples {
		name, ok := names[s]
		if !ok || s.Metadata() != "" {
			continue
		}
		k := key{s.Major(), name}
		if first[k] != nil {
			return first[k], s
		}
		first[k] = s
	}
	return nil, nil
}

var constraintVersion = regexp.MustCompile(`(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?`)

// sampleVersions are versions around those that the constraints name, each as a
// release and with suffixes, in ascending order.
func sampleVersions(tags []TagRule) []*semver.Version {
	type number [3]uint64
	numbers := map[number]bool{{1, 0, 0}: true, {1, 30, 0}: true, {1, 30, 1}: true, {1, 31, 1}: true}
	for _, t := range tags {
		for _, m := range constraintVersion.FindAllStringSubmatch(t.Constraint, -1) {
			var n number
			for i := range n {
				n[i], _ = strconv.ParseUint(m[i+1], 10, 64)
			}
			numbers[n] = true
			numbers[number{n[0], n[1], n[2] + 1}] = true
			numbers[number{n[0], n[1] + 1, 0}] = true
			numbers[number{n[0] + 1, 0, 0}] = true
		}
	}
	var samples []*semver.Version
	for n := range maps.Keys(numbers) {
		for _, suffix := range [][2]string{{}, {"alpha.0", ""}, {"rc.1", ""}, {"", "build.1"}} {
			samples = append(samples, semver.New(n[0], n[1], n[2], suffix[0], suffix[1]))
		}
	}
	slices.SortFunc(samples, func(a, b *semver.Version) int {
		if c := a.Compare(b); c != 0 {
			return c
		}
		return strings.Compare(a.Metadata(), b.Metadata())
	})
	return samples
}
