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

// TagRule names the mirror tag of a source tag, as [Load] makes it.
type TagRule struct {
	// Constraint is on the source tag's version, in the language of
	// github.com/Masterminds/semver/v3.
	Constraint string `yaml:"constraint"`
	// Template is a text/template for the mirror tag's name; it gets a
	// [TagVersion].
	Template string `yaml:"name"`

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

// defaultTagRules are the rules of a file that gives none: the names that
// kubernetes' staged modules have.
func defaultTagRules() []TagRule {
	return []TagRule{
		mustTagRule(">=1.8.0-0", "kubernetes-{{.Version}}"),
		mustTagRule(">=1.17.0-0", "v0.{{.Minor}}.{{.Patch}}{{.Suffix}}"),
	}
}

func mustTagRule(constraint, name string) TagRule {
	t := TagRule{Constraint: constraint, Template: name}
	if err := errors.Join(t.compileConstraint(), t.compileTemplate()); err != nil {
		panic(err)
	}
	return t
}

// Name returns the name of the mirror tag for a source tag of version v. It is
// not ok where the constraint does not let v in. There is an error where the
// template does not give a valid name for a tag.
func (t TagRule) Name(v *semver.Version) (name string, ok bool, err error) {
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
	var b boundedBuilder
	if err := t.template.Execute(&b, newTagVersion(v)); err != nil {
		return "", fmt.Errorf("name the tag for %s: %w", v, err)
	}
	if !validRef(plumbing.NewTagReferenceName(b.String())) {
		return "", fmt.Errorf("name the tag for %s: %q is not a valid tag name (see git-check-ref-format(1))", v, b.String())
	}
	return b.String(), nil
}

func (t *TagRule) compileConstraint() (err error) {
	switch {
	case strings.TrimSpace(t.Constraint) == "":
		return errors.New("must not be empty; * lets all releases in")
	case len(t.Constraint) > maxTagText:
		return fmt.Errorf("must have no more than %d characters", maxTagText)
	}
	t.constraint, err = semver.NewConstraint(t.Constraint)
	return err
}

func (t *TagRule) compileTemplate() (err error) {
	switch {
	case t.Template == "":
		return errors.New("must not be empty")
	case len(t.Template) > maxTagText:
		return fmt.Errorf("must have no more than %d characters", maxTagText)
	}
	compiled, err := template.New("name").Funcs(boundedFuncs).Parse(t.Template)
	if err == nil {
		err = checkSteps(compiled.Root)
	}
	if err == nil {
		t.template = compiled
	}
	return err
}

// TagsOf returns the rules for the tags of one mirror: those for all mirrors and its
// own. Where those for all are the default, a mirror with its own does without them.
func (r *Rules) TagsOf(rule *Rule) []TagRule {
	if r.tagsAreDefault && rule.Tags != nil {
		return rule.Tags
	}
	return slices.Concat(r.Tags, rule.Tags)
}

// Limits of tag rules: validation tries all of them on all samples.
const (
	maxTagText       = 200       // of a constraint and a name
	maxTagRules      = 20        // of one list
	maxSampleNumbers = 64        // of versions that are tried
	maxTrials        = 1_000_000 // of a version for a rule; these take some seconds
)

// globalTags checks the rules for all mirrors.
func (v *validator) globalTags() {
	tags := v.rules.Tags
	if v.compileTags(tagsPath, tags) {
		v.tagNames(tags, 0, func(i int) *field.Path { return tagsPath.Index(i).Child("name") })
	}
}

// ownTags checks a rule's own ones, beside those for all.
func (v *validator) ownTags(i int) {
	rule, path := &v.rules.Rules[i], RulePath(i)
	tags, base := path.Child("tags"), path.Child("destination-tag-base")
	ok := v.compileTags(tags, rule.Tags)
	own := len(rule.Tags)
	if rule.TagBase != "" {
		if !tagBase.MatchString(rule.TagBase) {
			v.add(field.Invalid(base, rule.TagBase, `must be a major version such as "v2"`))
			return
		}
		rule.Tags = append(rule.Tags, mustTagRule(">=0.0.0-0", rule.TagBase+".{{.Minor}}.{{.Patch}}{{.Suffix}}"))
	}
	all := v.rules.TagsOf(rule)
	if !ok || len(rule.Tags) == 0 {
		return
	}
	shared := len(all) - len(rule.Tags)
	v.tagNames(all, shared, func(i int) *field.Path {
		switch {
		case i < shared:
			return tagsPath.Index(i).Child("name")
		case i-shared == own:
			return base
		}
		return tags.Index(i - shared).Child("name")
	})
}

// compileTags reports whether tag rules can be tried; some of them may be wrong all
// the same.
func (v *validator) compileTags(path *field.Path, tags []TagRule) bool {
	if len(tags) > maxTagRules {
		v.add(field.TooMany(path, len(tags), maxTagRules))
		return false
	}
	for i := range tags {
		t, path := &tags[i], path.Index(i)
		if err := t.compileConstraint(); err != nil {
			v.add(field.Invalid(path.Child("constraint"), t.Constraint, err.Error()))
		}
		if err := t.compileTemplate(); err != nil {
			v.add(field.Invalid(path.Child("name"), t.Template, err.Error()))
		}
	}
	return true
}

// tagNames tries the rules of one mirror on samples. It reports names that cannot
// be, and pairs of names that one repository cannot hold. Of each rule the first
// problem with each other one is enough, and those of two rules before the given one are
// left out.
func (v *validator) tagNames(tags []TagRule, from int, path func(int) *field.Path) {
	type source struct {
		rule    int
		version *semver.Version
	}
	// Most sources have one major version. Whoever has two can tell them apart or not.
	type major struct {
		names   RefNames
		sources map[string]source
	}
	majors := map[uint64]*major{}
	samples := sampleVersions(tags)
	if v.trials += len(samples) * len(tags); v.trials > maxTrials {
		v.add(field.Forbidden(path(from), "there are too many different tag rules in this file to try them"))
		return
	}
	for i, t := range tags {
		if t.constraint == nil || t.template == nil {
			continue
		}
		report := func(format string, args ...any) {
			v.add(field.Invalid(path(i), t.Template, fmt.Sprintf(format, args...)))
		}
		names, err := t.names(samples)
		if err != nil {
			if i >= from {
				report("%v", err)
			}
			continue
		}
		reported := map[int]bool{}
		for _, s := range samples {
			name, ok := names[s]
			// Whoever makes tags of one version with and without metadata can have them named alike.
			if !ok || s.Metadata() != "" {
				continue
			}
			m := majors[s.Major()]
			if m == nil {
				m = &major{RefNames{}, map[string]source{}}
				majors[s.Major()] = m
			}
			clash, ok := m.names.Add(name)
			if ok {
				m.sources[name] = source{i, s}
				continue
			}
			other := m.sources[clash]
			if reported[other.rule] || i < from {
				continue
			}
			reported[other.rule] = true
			rule := strings.TrimSuffix(path(other.rule).String(), ".name")
			switch {
			case clash != name:
				report("gives %s the name %q, and git cannot have that beside %q, which %s gives %s; none may be a directory of another",
					s, name, clash, rule, other.version)
			case other.rule == i:
				report("gives both %s and %s the name %q", other.version, s, name)
			case other.version == s:
				report("gives %s the name %q, as %s does", s, name, rule)
			default:
				report("gives %s the name %q, as %s gives %s", s, name, rule, other.version)
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
	if len(names) == 0 {
		// No sample meets the constraint; some mistakes show all the same.
		if _, err := t.execute(samples[0]); err != nil {
			return nil, err
		}
	}
	return names, nil
}

// tagBase bounds the number of different ones.
var tagBase = regexp.MustCompile(`^v(0|[1-9][0-9]{0,2})$`)

var constraintVersion = regexp.MustCompile(`(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?`)

// sampleVersions are versions around those that the constraints name, each as a
// release and with suffixes, in ascending order.
func sampleVersions(tags []TagRule) []*semver.Version {
	type number [3]uint64
	numbers := map[number]bool{{1, 0, 0}: true, {1, 30, 0}: true, {1, 30, 1}: true, {1, 31, 1}: true}
	for _, t := range tags {
		for _, m := range constraintVersion.FindAllStringSubmatch(t.Constraint, -1) {
			if len(numbers) >= maxSampleNumbers {
				break
			}
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
