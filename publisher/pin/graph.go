package pin

import (
	"slices"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// checksums returns what go.sum must have for builds with siblings at these
// versions, sorted.
func (m *Mod) checksums(versions map[string]*Module) []checksum {
	var sums []checksum
	var deep []*Module // those with a go.mod that is read for what requires it
	required := make(map[string]string, len(m.Requires))
	for _, path := range m.Requires {
		sibling := versions[path]
		if sibling == nil {
			continue
		}
		sums = append(sums, checksum{sibling.version(), sibling.Sum, sibling.GoModSum})
		required[path] = sibling.Version
		if m.Unpruned() || sibling.Unpruned {
			deep = append(deep, sibling.Requires...)
		}
	}
	if len(deep) > 0 {
		sums = append(sums, m.deepChecksums(deep, required)...)
	}
	slices.SortFunc(sums, func(a, b checksum) int {
		return compareSums(a.mod.Path, a.mod.Version, b.mod.Path, b.mod.Version)
	})
	return sums
}

// deepChecksums returns the checksums of modules in the graph below deep, but
// not those of the required versions.
func (m *Mod) deepChecksums(deep []*Module, required map[string]string) []checksum {
	var reached []*Module
	seen := make(map[module.Version]bool)
	highest := make(map[string]string)
	for len(deep) > 0 {
		sibling := deep[len(deep)-1]
		deep = deep[:len(deep)-1]
		if seen[sibling.version()] {
			continue
		}
		seen[sibling.version()] = true
		reached = append(reached, sibling)
		if semver.Compare(sibling.Version, highest[sibling.Path]) > 0 {
			highest[sibling.Path] = sibling.Version
		}
		deep = append(deep, sibling.Requires...)
	}

	var sums []checksum
	for _, sibling := range reached {
		if required[sibling.Path] == sibling.Version {
			continue
		}
		sum := checksum{mod: sibling.version(), goMod: sibling.GoModSum}
		// The go.mod of an older module need not name what its requirements
		// import, so such a package can be in any module. Of each, a build
		// has the highest version.
		if m.Unpruned() && sibling.Path != m.Path && sibling.Version == highest[sibling.Path] &&
			semver.Compare(sibling.Version, required[sibling.Path]) > 0 {
			sum.zip = sibling.Sum
		}
		sums = append(sums, sum)
	}
	return sums
}

func (m *Module) version() module.Version { return module.Version{Path: m.Path, Version: m.Version} }
