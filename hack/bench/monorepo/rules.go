package monorepo

import (
	"fmt"

	"k8s.io/publisher-bench/rules"
)

// measured is the module that the measurements of one directory take: one
// that depends on others, with a middling number of changes.
const measured = 2

func writeRules(r Repository, s Shape) error {
	var all rules.File
	for m := range s.modules {
		one := rules.Rule{Destination: ModuleName(m)}
		one.Branches = append(one.Branches, publish(m, "master", "main"))
		for i := range s.releases {
			name := fmt.Sprintf("release-1.%d", s.firstMinor+i)
			one.Branches = append(one.Branches, publish(m, name, name))
		}
		all.Rules = append(all.Rules, one)
	}
	if err := all.Write(r.Rules); err != nil {
		return err
	}
	return all.One(ModuleName(measured)).Write(r.RulesOne)
}

// publish names as dependencies whatever module m requires at any time.
func publish(m int, to, from string) rules.Branch {
	b := rules.Branch{Name: to, Source: rules.Source{Branch: from, Dirs: []string{ModuleDir(m)}}}
	for _, d := range allEdges.closure(m) {
		b.Dependencies = append(b.Dependencies, rules.Dependency{Repository: ModuleName(d), Branch: to})
	}
	return b
}
