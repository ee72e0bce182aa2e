package monorepo

import (
	"fmt"
	"os"
	"strings"
	"text/template"

	"k8s.io/publisher/rules"
)

// measured is the module that the measurements of one directory take: one
// that depends on others, with a middling number of changes.
const measured = 2

func (s Shape) rules() *rules.Rules {
	all := &rules.Rules{}
	for m := range s.modules {
		rule := rules.Rule{Destination: ModuleName(m), Branches: []rules.Branch{publish(m, "master", "main")}}
		for i := range s.releases {
			name := fmt.Sprintf("release-1.%d", s.firstMinor+i)
			rule.Branches = append(rule.Branches, publish(m, name, name))
		}
		all.Rules = append(all.Rules, rule)
	}
	return all
}

// publish names as dependencies whatever module m requires at any time.
func publish(m int, to, from string) rules.Branch {
	b := rules.Branch{Name: to, Source: rules.Source{Branch: from, Dirs: []string{ModuleDir(m)}}}
	for _, d := range allEdges.closure(m) {
		b.Dependencies = append(b.Dependencies, rules.Dependency{Repository: ModuleName(d), Branch: to})
	}
	return b
}

// OneDirectory returns rules for the first branch of one of the rules alone: the
// directory as it is, without pins and tags.
func OneDirectory(rule rules.Rule) *rules.Rules {
	branch := rule.Branches[0]
	branch.Dependencies = nil
	return &rules.Rules{SkipGoMod: true, SkipTags: true, Rules: []rules.Rule{{Destination: rule.Destination, Branches: []rules.Branch{branch}}}}
}

// WriteRules writes to a file what rules say of directories, branches and
// dependencies, and whether they are about these alone.
func WriteRules(file string, r *rules.Rules) error {
	var text strings.Builder
	if err := rulesFile.Execute(&text, r); err != nil {
		return fmt.Errorf("write rules %s: %w", file, err)
	}
	return os.WriteFile(file, []byte(text.String()), 0o644)
}

var rulesFile = template.Must(template.New("rules").Parse(`skip-gomod: {{.SkipGoMod}}
skip-tags: {{.SkipTags}}
rules:
{{- range .Rules}}
- destination: {{printf "%q" .Destination}}
  branches:
  {{- range .Branches}}
  - name: {{printf "%q" .Name}}
    source:
      branch: {{printf "%q" .Source.Branch}}
      dirs:
      {{- range .Source.Directories}}
      - {{printf "%q" .}}
      {{- end}}
    {{- with .Dependencies}}
    dependencies:
    {{- range .}}
    - repository: {{printf "%q" .Repository}}
      branch: {{printf "%q" .Branch}}
    {{- end}}
    {{- end}}
  {{- end}}
{{- end}}
`))
