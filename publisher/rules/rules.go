package rules

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// DefaultTrailer is the trailer's key in a file that gives none.
const DefaultTrailer = "Kubernetes-commit"

// DefaultCommitter is the publisher's identity in a file that gives none.
var DefaultCommitter = Identity{Name: "Mirror Publisher", Email: "publisher@localhost"}

// Rules is a rules file. What the file leaves out has its default.
type Rules struct {
	// SkipSourceBranches are source branches that nothing is published from.
	SkipSourceBranches []string `yaml:"skip-source-branches"`
	// SkipGoMod leaves go.mod and go.sum as they are in the source.
	SkipGoMod bool `yaml:"skip-gomod"`
	// SkipTags publishes branches only.
	SkipTags bool `yaml:"skip-tags"`
	// RecursiveDeletePatterns are git pathspecs of files that no mirror gets.
	RecursiveDeletePatterns []string `yaml:"recursive-delete-patterns"`
	// DefaultGoVersion is for branches whose Go is empty. It may be empty too.
	DefaultGoVersion string `yaml:"default-go-version"`
	// Trailer is the key, without a colon, of the trailer that holds the
	// source commit's hash.
	Trailer string `yaml:"trailer"`
	// Tags name the tags that a source tag yields in all mirrors; see
	// [Rules.TagsOf].
	Tags []TagRule `yaml:"tags"`
	// Remote is a template for the URLs of the repositories that mirrors are pushed
	// to; see [Rules.RemoteOf]. It may be empty.
	Remote string `yaml:"remote"`
	// Consumers says for which new tags it is proven, before they are published, that
	// consumers can build with them.
	Consumers Consumers `yaml:"consumers"`
	// Committer is who commits and tags what no source commit stands for.
	Committer Identity `yaml:"committer"`
	// Rules are in the order of the file, which means nothing. See [Rules.Groups].
	Rules []Rule `yaml:"rules"`

	// Warnings are about keys that are accepted but have no effect, one for
	// each key, at the place of its first use.
	Warnings []Problem

	file      string
	digest    string
	positions positions
	// tagsAreDefault tells that the file gives no Tags.
	tagsAreDefault bool
}

// Consumers says which of the tags that a run makes are proven.
type Consumers string

const (
	// NoConsumers is none of them.
	NoConsumers Consumers = "none"
	// NewConsumers is those of versions that are newer than all that the mirror has of
	// the same minor version; and where it has none of that, the newest. It is the
	// default.
	NewConsumers Consumers = "new"
	// AllConsumers is all of them, old ones that a first run publishes included.
	AllConsumers Consumers = "all"
)

// Rule says what one mirror gets.
type Rule struct {
	// Destination is the mirror's name: one or more path elements with slashes
	// between them.
	Destination string `yaml:"destination"`
	// Skipped means that the mirror is left alone.
	Skipped bool `yaml:"skipped"`
	// Remote is the mirror's own URL, or a template for it. It may be empty.
	Remote string `yaml:"remote"`
	// SmokeTest is a shell script to run for each branch. It may be empty.
	SmokeTest string   `yaml:"smoke-test"`
	Branches  []Branch `yaml:"branches"`
	// EndedBranches are branches of the mirror that follow nothing any more.
	EndedBranches []string `yaml:"ended-branches"`
	// PastDependencies are destinations that ended branches depended on.
	PastDependencies []string `yaml:"past-dependencies"`
	// Tags are the mirror's own, with the one that TagBase asks for; see
	// [Rules.TagsOf].
	Tags []TagRule `yaml:"tags"`
	// TagBase is the major version of one more tag, such as "v2". It may be empty.
	TagBase string `yaml:"destination-tag-base"`
	// TakenOver is nil for a mirror that nobody else filled.
	TakenOver *TakenOver `yaml:"taken-over"`
}

// Branch says what one branch of a mirror is made from.
type Branch struct {
	Name string `yaml:"name"`
	// Go is a Go version without "go" in front, or empty for the default.
	Go           string       `yaml:"go"`
	Dependencies []Dependency `yaml:"dependencies"`
	Source       Source       `yaml:"source"`
	// SmokeTest is a shell script to run for this branch. It may be empty.
	SmokeTest string `yaml:"smoke-test"`
}

// Dependency is a mirror branch that another one requires, built from the
// same source branch.
type Dependency struct {
	// Repository is the destination of a rule.
	Repository string `yaml:"repository"`
	Branch     string `yaml:"branch"`
}

// Source is a place in the source repository.
type Source struct {
	Branch string `yaml:"branch"`
	// Dir and Dirs are as in the file, where only one of them is set. See
	// [Source.Directories].
	Dir  string   `yaml:"dir"`
	Dirs []string `yaml:"dirs"`
}

// Directories returns the directories to publish as clean, relative paths with
// slashes. None means the root of the repository.
func (s Source) Directories() []string {
	if s.Dir != "" {
		return []string{s.Dir}
	}
	return s.Dirs
}

// Identity is a person, or a robot, as git knows them.
type Identity struct {
	Name  string `yaml:"name"`
	Email string `yaml:"email"`
}

// String returns the identity as git writes it, without a time.
func (i Identity) String() string {
	return i.Name + " <" + i.Email + ">"
}

// Load reads a rules file. An invalid one is an [*InvalidError], wrapped or not.
func Load(file string) (*Rules, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("load rules: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("load rules: %w", err)
	}
	return Parse(file, data)
}

// Parse reads the content of a rules file. The file's name is only for
// messages. Invalid content is an [*InvalidError] with all of its problems.
func Parse(file string, data []byte) (*Rules, error) {
	r, _, err := parseNodes(file, data)
	if r != nil {
		r.digest = fmt.Sprintf("%x", sha256.Sum256(data))
	}
	return r, err
}

// Digest is the SHA-256 of the file, in hexadecimal.
func (r *Rules) Digest() string { return r.digest }

// Rule returns the rule for a destination, or nil.
func (r *Rules) Rule(destination string) *Rule {
	for i := range r.Rules {
		if r.Rules[i].Destination == destination {
			return &r.Rules[i]
		}
	}
	return nil
}

// destinations are those of all rules, in their order.
func (r *Rules) destinations() []string {
	names := make([]string, len(r.Rules))
	for i := range r.Rules {
		names[i] = r.Rules[i].Destination
	}
	return names
}

// Branch returns a branch of the rule for a destination, or nil.
func (r *Rules) Branch(destination, name string) *Branch {
	rule := r.Rule(destination)
	if rule == nil {
		return nil
	}
	return rule.Branch(name)
}

// Branch returns the branch of that name, or nil. Ended branches are none.
func (r *Rule) Branch(name string) *Branch {
	for i := range r.Branches {
		if r.Branches[i].Name == name {
			return &r.Branches[i]
		}
	}
	return nil
}

// DependsOn returns the destinations that any of the rule's branches depends on
// or, by PastDependencies, did. They are sorted, each is there once, and the
// rule's own is not among them.
func (r *Rule) DependsOn() []string {
	all := slices.Clone(r.PastDependencies)
	for _, b := range r.Branches {
		for _, dep := range b.Dependencies {
			all = append(all, dep.Repository)
		}
	}
	slices.Sort(all)
	all = slices.DeleteFunc(all, func(d string) bool { return d == r.Destination })
	return slices.Compact(all)
}

// RulePath is the path of Rules[rule] for a [field.Error].
func RulePath(rule int) *field.Path {
	return field.NewPath("rules").Index(rule)
}

// BranchPath is the path of Rules[rule].Branches[branch] for a [field.Error].
// Below it, fields are named as in the file: "source", "dirs", "smoke-test".
func BranchPath(rule, branch int) *field.Path {
	return RulePath(rule).Child("branches").Index(branch)
}
