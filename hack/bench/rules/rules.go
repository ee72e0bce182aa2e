// Package rules reads and writes the part of a rules file that measurements
// need: which directory of which source branch goes where. The schema is the
// publishing-bot's, https://github.com/kubernetes/publishing-bot.
package rules

import (
	"fmt"
	"os"

	"go.yaml.in/yaml/v3"
)

// File is a rules file.
type File struct {
	SkipGomod bool   `yaml:"skip-gomod,omitempty"`
	SkipTags  bool   `yaml:"skip-tags,omitempty"`
	Rules     []Rule `yaml:"rules"`
}

// Rule is one destination.
type Rule struct {
	Destination string   `yaml:"destination"`
	Branches    []Branch `yaml:"branches"`
}

// Branch is one branch of a destination.
type Branch struct {
	Name         string       `yaml:"name"`
	Source       Source       `yaml:"source"`
	Dependencies []Dependency `yaml:"dependencies,omitempty"`
}

// Source is where a branch comes from.
type Source struct {
	Branch string   `yaml:"branch"`
	Dirs   []string `yaml:"dirs,omitempty"`
	// Dir is the older spelling of a single entry of Dirs.
	Dir string `yaml:"dir,omitempty"`
}

// Directory is the first directory of the source: the one to measure.
func (s Source) Directory() string {
	if len(s.Dirs) > 0 {
		return s.Dirs[0]
	}
	return s.Dir
}

// Dependency names another destination's branch.
type Dependency struct {
	Repository string `yaml:"repository"`
	Branch     string `yaml:"branch"`
}

// Read reads a rules file that has at least one branch in its first rule.
func Read(file string) (File, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return File{}, fmt.Errorf("read rules: %w", err)
	}
	var f File
	if err := yaml.Unmarshal(text, &f); err != nil {
		return File{}, fmt.Errorf("read rules %s: %w", file, err)
	}
	if len(f.Rules) == 0 || len(f.Rules[0].Branches) == 0 {
		return File{}, fmt.Errorf("read rules %s: the first rule has no branch", file)
	}
	if from := f.Rules[0].Branches[0].Source; from.Branch == "" || from.Directory() == "" {
		return File{}, fmt.Errorf("read rules %s: the first branch of %s has no source branch or directory", file, f.Rules[0].Destination)
	}
	return f, nil
}

// Write writes f to a file.
func (f File) Write(file string) error {
	text, err := yaml.Marshal(f)
	if err != nil {
		return fmt.Errorf("write rules: %w", err)
	}
	return os.WriteFile(file, text, 0o644)
}

// First is what f's first rule publishes first.
func (f File) First() Source { return f.Rules[0].Branches[0].Source }

// One reduces f to the first branch of the rule for destination: the directory
// as it is, without pins and tags.
func (f File) One(destination string) File {
	for _, r := range f.Rules {
		if r.Destination == destination {
			branch := r.Branches[0]
			branch.Dependencies = nil
			return File{SkipGomod: true, SkipTags: true, Rules: []Rule{{r.Destination, []Branch{branch}}}}
		}
	}
	return File{SkipGomod: true, SkipTags: true}
}

// Directories lists the directories that are published from a source branch.
func (f File) Directories(branch string) (all []string) {
	for _, r := range f.Rules {
		for _, b := range r.Branches {
			if b.Source.Branch == branch && b.Source.Directory() != "" {
				all = append(all, b.Source.Directory())
			}
		}
	}
	return all
}
