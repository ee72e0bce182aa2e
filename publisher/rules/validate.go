package rules

import (
	"errors"
	"fmt"
	"go/version"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/agnivade/levenshtein"
	"github.com/go-git/go-git/v5/plumbing"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"k8s.io/publisher/pathspec"
)

// validator checks what types do not say, and fills in the defaults.
type validator struct {
	rules    *Rules
	problems *problems
	// unread are the paths of values that could not be read. What else there
	// is to say of them, and of what they lack, follows from that.
	unread map[string]bool
	// destinations has the first rule for each.
	destinations map[string]int
	// branches has the first branch of each name, by rule.
	branches []map[string]int
	// trials counts how often a tag rule was tried.
	trials int
}

func validate(r *Rules, p *problems, unread map[string]bool) {
	v := &validator{rules: r, problems: p, unread: unread, destinations: map[string]int{}}
	v.top()
	for i := range r.Rules {
		v.rule(i)
	}
	for i := range r.Rules {
		for j := range r.Rules[i].Branches {
			v.dependencies(i, j)
		}
		v.pastDependencies(i)
		v.ownTags(i)
		v.takenOver(i)
	}
	v.remotes()
}

func (v *validator) add(err *field.Error) {
	if err == nil {
		return
	}
	for path := err.Field; path != ""; path = parentPath(path) {
		if v.unread[path] {
			return
		}
	}
	v.problems.add(v.rules.positions.find(err.Field), err)
}

var (
	skipSourceBranchesPath      = field.NewPath("skip-source-branches")
	recursiveDeletePatternsPath = field.NewPath("recursive-delete-patterns")
	defaultGoVersionPath        = field.NewPath("default-go-version")
	trailerPath                 = field.NewPath("trailer")
	tagsPath                    = field.NewPath("tags")
	consumersPath               = field.NewPath("consumers")
	committerPath               = field.NewPath("committer")
	rulesPath                   = field.NewPath("rules")
)

// trailerToken is what git takes for a trailer's key (git-interpret-trailers(1)),
// less the dash in front that nobody wants.
var trailerToken = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,99}$`)

func (v *validator) top() {
	r := v.rules
	for i, name := range r.SkipSourceBranches {
		v.add(branchName(skipSourceBranchesPath.Index(i), name))
	}
	for i, pattern := range r.RecursiveDeletePatterns {
		set, err := pathspec.Compile([]string{pattern})
		var wrong *pathspec.PatternError
		if errors.As(err, &wrong) {
			v.add(field.Invalid(recursiveDeletePatternsPath.Index(i), pattern, wrong.Err.Error()))
		} else if set.Everything() {
			v.add(field.Invalid(recursiveDeletePatternsPath.Index(i), pattern, "has no path; it would match everything"))
		}
	}
	v.add(goVersion(defaultGoVersionPath, r.DefaultGoVersion))

	if r.Trailer == "" {
		r.Trailer = DefaultTrailer
	}
	if !trailerToken.MatchString(r.Trailer) {
		v.add(field.Invalid(trailerPath, r.Trailer, "must be a trailer's key: letters, digits and dashes, without a colon, 100 at most"))
	}

	switch r.Consumers {
	case "":
		r.Consumers = NewConsumers
	case NoConsumers, NewConsumers, AllConsumers:
	default:
		v.add(field.NotSupported(consumersPath, r.Consumers, []Consumers{NoConsumers, NewConsumers, AllConsumers}))
	}

	if r.Committer == (Identity{}) && !v.has(committerPath) {
		r.Committer = DefaultCommitter
	}
	v.add(identityPart(committerPath.Child("name"), r.Committer.Name))
	v.add(identityPart(committerPath.Child("email"), r.Committer.Email))

	r.tagsAreDefault = r.Tags == nil
	if r.tagsAreDefault {
		r.Tags = defaultTagRules()
	} else {
		v.globalTags()
	}

	if len(r.Rules) == 0 {
		v.add(field.Required(rulesPath, "a file without rules publishes nothing"))
	}
}

// has reports whether the file has the field, even if it is empty.
func (v *validator) has(path *field.Path) bool {
	_, ok := v.rules.positions[path.String()]
	return ok
}

func identityPart(path *field.Path, s string) *field.Error {
	switch {
	case strings.TrimSpace(s) == "":
		return field.Required(path, "")
	case strings.TrimSpace(s) != s:
		return field.Invalid(path, s, "must not begin or end with space")
	case strings.ContainsAny(s, "<>") || strings.ContainsFunc(s, unicode.IsControl):
		return field.Invalid(path, s, "must not contain <, >, a newline or another control character")
	}
	return nil
}

func (v *validator) rule(i int) {
	rule, path := &v.rules.Rules[i], RulePath(i)

	at := path.Child("destination")
	switch _, taken := v.destinations[rule.Destination]; {
	case rule.Destination == "":
		v.add(field.Required(at, ""))
	case taken:
		v.add(field.Duplicate(at, rule.Destination))
	default:
		v.destinations[rule.Destination] = i
		v.add(destination(at, rule.Destination))
	}

	names, branches := RefNames{}, map[string]int{}
	v.branches = append(v.branches, branches)
	for j := range rule.Branches {
		at := BranchPath(i, j).Child("name")
		v.add(newBranch(at, rule.Branches[j].Name, names))
		if _, ok := branches[rule.Branches[j].Name]; !ok {
			branches[rule.Branches[j].Name] = j
		}
		v.branch(i, j)
	}
	for j, name := range rule.EndedBranches {
		v.add(newBranch(path.Child("ended-branches").Index(j), name, names))
	}
}

func (v *validator) branch(i, j int) {
	b, path := &v.rules.Rules[i].Branches[j], BranchPath(i, j)
	v.add(goVersion(path.Child("go"), b.Go))

	source := path.Child("source")
	v.add(branchName(source.Child("branch"), b.Source.Branch))
	if b.Source.Dir != "" {
		v.add(directory(source.Child("dir"), b.Source.Dir))
	}
	if b.Source.Dir != "" && len(b.Source.Dirs) > 0 {
		v.add(field.Forbidden(source.Child("dir"), "may not be set together with dirs"))
	}
	dirs := RefNames{}
	for k, dir := range b.Source.Dirs {
		at := source.Child("dirs").Index(k)
		if err := directory(at, dir); err != nil {
			v.add(err)
		} else if other, ok := dirs.Add(dir); other == dir {
			v.add(field.Duplicate(at, dir))
		} else if !ok {
			v.add(field.Invalid(at, dir, fmt.Sprintf("overlaps with %q", other)))
		}
	}
}

// dependencies checks the dependencies of a branch. They may lead round in a
// circle.
func (v *validator) dependencies(i, j int) {
	rule := &v.rules.Rules[i]
	b := &rule.Branches[j]
	for k, dep := range b.Dependencies {
		path := BranchPath(i, j).Child("dependencies").Index(k)
		repository, branch := path.Child("repository"), path.Child("branch")
		if dep.Branch == "" {
			v.add(field.Required(branch, ""))
		}
		if dep.Repository == "" {
			v.add(field.Required(repository, ""))
			continue
		}
		v.add(v.published(repository, rule, dep.Repository))
		at, ok := v.destinations[dep.Repository]
		if !ok || dep.Branch == "" {
			continue
		}
		other := &v.rules.Rules[at]
		if at == i && dep.Branch == b.Name {
			v.add(field.Invalid(branch, dep.Branch, "a branch cannot depend on itself"))
			continue
		}
		j, ok := v.branches[at][dep.Branch]
		if !ok {
			v.add(v.missingBranch(branch, dep, other))
			continue
		}
		target := &other.Branches[j]
		if from, to := b.Source.Branch, target.Source.Branch; from != to && from != "" && to != "" {
			v.add(field.Invalid(branch, dep.Branch, fmt.Sprintf(
				"is built from the source branch %q, but this branch from %q", to, from)))
		}
	}
}

// pastDependencies checks what ended branches of a rule depended on. The
// branches that they were on may have ended too.
func (v *validator) pastDependencies(i int) {
	rule := &v.rules.Rules[i]
	seen := map[string]bool{}
	for j, name := range rule.PastDependencies {
		path := RulePath(i).Child("past-dependencies").Index(j)
		switch {
		case name == "":
			v.add(field.Required(path, ""))
		case name == rule.Destination:
			v.add(field.Invalid(path, name, "a mirror cannot depend on itself"))
		case seen[name]:
			v.add(field.Duplicate(path, name))
		default:
			v.add(v.published(path, rule, name))
		}
		seen[name] = true
	}
}

// published returns an error where a rule cannot depend on a destination
// because that one is not published.
func (v *validator) published(at *field.Path, rule *Rule, destination string) *field.Error {
	i, ok := v.destinations[destination]
	switch {
	case !ok:
		err := field.NotFound(at, destination)
		err.Detail = "no rule has this destination" + v.hint(destination, v.rules.destinations)
		return err
	case v.rules.Rules[i].Skipped && !rule.Skipped:
		return field.Invalid(at, destination, "the rule for it is skipped")
	}
	return nil
}

func (v *validator) missingBranch(at *field.Path, dep Dependency, rule *Rule) *field.Error {
	if slices.Contains(rule.EndedBranches, dep.Branch) {
		return field.Invalid(at, dep.Branch, fmt.Sprintf("has ended in %q", dep.Repository))
	}
	names := func() []string { return slices.Sorted(maps.Keys(v.branches[v.destinations[dep.Repository]])) }
	err := field.NotFound(at, dep.Branch)
	err.Detail = fmt.Sprintf("%q has no such branch%s", dep.Repository, v.hint(dep.Branch, names))
	return err
}

// hint is didYouMean, as long as anyone reads it.
func (v *validator) hint(name string, known func() []string) string {
	if v.problems.full() {
		return ""
	}
	return didYouMean(name, known())
}

// newBranch returns an error where a mirror cannot have a branch of that name beside
// the others.
func newBranch(at *field.Path, name string, others RefNames) *field.Error {
	if err := branchName(at, name); err != nil {
		return err
	}
	other, ok := others.Add(name)
	switch {
	case ok:
		return nil
	case other == name:
		return field.Duplicate(at, name)
	}
	return field.Invalid(at, name, fmt.Sprintf("git cannot have it beside the branch %q", other))
}

func branchName(at *field.Path, name string) *field.Error {
	if name == "" {
		return field.Required(at, "")
	}
	if len(name) > maxRefName {
		return field.TooLong(at, name, maxRefName)
	}
	if !validRef(plumbing.NewBranchReferenceName(name)) {
		return field.Invalid(at, name, "is not a valid branch name (see git-check-ref-format(1))")
	}
	return nil
}

// plainRef matches what most names are like. The library takes a thousand times as long.
var plainRef = regexp.MustCompile(`^refs(/[A-Za-z0-9_]+([.-][A-Za-z0-9_]+)*)+$`)

func validRef(name plumbing.ReferenceName) bool {
	return plainRef.MatchString(string(name)) && !strings.Contains(string(name), ".lock") || name.Validate() == nil
}

func goVersion(at *field.Path, s string) *field.Error {
	switch {
	case s == "" || version.IsValid("go"+s):
		return nil
	case version.IsValid(s):
		return field.Invalid(at, s, "must be a Go version without \"go\" in front")
	}
	return field.Invalid(at, s, "must be a Go version such as 1.26.0, 1.20 or 1.27rc1")
}

// destinationElement leaves out what a shell or git takes for an option, what a
// directory listing hides, and what needs quoting.
var destinationElement = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]*$`)

// maxPath is the most bytes that a destination or directory may have.
const maxPath = 1000

// mirrorDirectory is the directory of a destination that its repository is in.
const mirrorDirectory = "mirror.git"

func destination(at *field.Path, name string) *field.Error {
	if len(name) > maxPath {
		return field.TooLong(at, name, maxPath)
	}
	for element := range strings.SplitSeq(name, "/") {
		switch {
		case len(element) > 255:
			return field.Invalid(at, name, "file systems have no names of more than 255 bytes")
		case !destinationElement.MatchString(element) || strings.Contains(element, ".."):
			return field.Invalid(at, name, "must be a relative path; each of its elements begins with a letter, digit or underscore, "+
				"and has only these, dots and dashes, but not two dots together")
		case strings.EqualFold(element, mirrorDirectory):
			return field.Invalid(at, name, "would be inside a mirror: "+mirrorDirectory+" is the name of a mirror's own directory")
		}
	}
	return nil
}

func directory(at *field.Path, dir string) *field.Error {
	switch {
	case dir == "":
		return field.Required(at, "")
	case len(dir) > maxPath:
		return field.TooLong(at, dir, maxPath)
	case dir == ".":
		return field.Invalid(at, dir, "leave the directory out to publish the whole repository")
	case strings.Contains(dir, `\`) || strings.ContainsFunc(dir, unicode.IsControl):
		return field.Invalid(at, dir, "must be a path with slashes, without backslashes and control characters")
	case path.IsAbs(dir) || dir == ".." || strings.HasPrefix(dir, "../"):
		return field.Invalid(at, dir, "must be a path within the source repository")
	case path.Clean(dir) != dir:
		return field.Invalid(at, dir, fmt.Sprintf("must be written %q", strings.TrimPrefix(path.Clean("/"+dir), "/")))
	}
	return nil
}

// didYouMean is the end of a message about an unknown name: the known name that
// is most like it, if one is.
func didYouMean(name string, known []string) string {
	best, distance := "", min(1+len(name)/3, len(name)-1)
	if len(name) > 100 {
		return ""
	}
	for _, k := range known[:min(len(known), 1000)] {
		if len(k) > 100 {
			continue
		}
		if d := levenshtein.ComputeDistance(name, k); d <= distance && (best == "" || d < distance) {
			best, distance = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}
