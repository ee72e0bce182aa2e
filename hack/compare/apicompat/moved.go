package main

import (
	"go/token"
	"go/types"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/exp/apidiff"
)

// moved knows the types that are declared in a package which the public module does
// not have, and have an alias of the same name in one that it has. To programs both
// names are one type; apidiff, which sees one package at a time, takes them for two
// (it says so where it establishes that types correspond).
type moved struct {
	module string
	public map[string]*types.Package // the public module's, by path
	alias  map[string]string         // by the declared type: "path.Name" to "path.Name"
}

// findMoved looks for aliases in our packages.
func findMoved(module string, public, ours map[string]*types.Package) *moved {
	m := &moved{module, public, map[string]string{}}
	for path := range public {
		pkg := ours[path]
		if pkg == nil {
			continue
		}
		for _, name := range pkg.Scope().Names() {
			if declared := m.declaredElsewhere(pkg.Scope().Lookup(name)); declared != nil {
				m.alias[declared.Pkg().Path()+"."+name] = path + "." + name
			}
		}
	}
	return m
}

// declaredElsewhere returns the type that an object is an alias of, by the same
// name, if it was moved; or nil.
func (m *moved) declaredElsewhere(object types.Object) *types.TypeName {
	alias, ok := object.(*types.TypeName)
	if !ok || !alias.Exported() || !alias.IsAlias() {
		return nil
	}
	named, ok := types.Unalias(alias.Type()).(*types.Named)
	if !ok || named.Obj().Pkg() == nil || named.Obj().Name() != alias.Name() {
		return nil
	}
	path := named.Obj().Pkg().Path()
	if m.public[path] != nil || !strings.HasPrefix(path, m.module+"/") {
		return nil
	}
	return named.Obj()
}

// incompatible returns what apidiff finds changed from public to ours, of which
// both are there. Types that were moved are compared where they are declared.
func (m *moved) incompatible(public, ours *types.Package) []string {
	var found []string
	for _, change := range apidiff.Changes(public, ours).Changes {
		if !change.Compatible && !m.renamed(change.Message, ours) && !m.isDeclaredElsewhere(change.Message, ours) {
			found = append(found, change.Message)
		}
	}
	for _, declaredIn := range m.declaringPackages(ours) {
		for _, change := range apidiff.Changes(public, declaredIn).Changes {
			if !change.Compatible && !m.renamed(change.Message, ours) && m.isAbout(change.Message, declaredIn, ours) {
				found = append(found, change.Message)
			}
		}
	}
	// apidiff repeats itself where several generic types embed one.
	slices.Sort(found)
	return slices.Compact(found)
}

// declaringPackages returns the packages that a package's moved types are in.
func (m *moved) declaringPackages(pkg *types.Package) []*types.Package {
	var found []*types.Package
	for _, name := range pkg.Scope().Names() {
		declared := m.declaredElsewhere(pkg.Scope().Lookup(name))
		if declared != nil && !slices.Contains(found, declared.Pkg()) {
			found = append(found, declared.Pkg())
		}
	}
	return found
}

// isAbout reports whether a message is about a type that is declared in one
// package and has its alias in ours. The message of a method that such a type has
// from an unexported one may name no other.
func (m *moved) isAbout(message string, declaredIn, ours *types.Package) bool {
	subject := subjectOf(message)
	if !token.IsExported(subject) {
		return true
	}
	declared := m.declaredElsewhere(ours.Scope().Lookup(subject))
	return declared != nil && declared.Pkg() == declaredIn
}

var (
	methodSet = regexp.MustCompile(`^[^:]*, method set of \*?(\w+)`)
	receiver  = regexp.MustCompile(`^\(?\*?(\w*)`)
)

// subjectOf returns the type that a message is about: Client for
// "(*Client[T]).Get: removed" and for "(*getter).Get, method set of *Client: removed".
// It is none that is exported where the message begins with a package's path.
func subjectOf(message string) string {
	if set := methodSet.FindStringSubmatch(message); set != nil {
		return set[1]
	}
	return receiver.FindStringSubmatch(message)[1]
}

var changed = regexp.MustCompile(`(?s)^(\S+): changed from (.*) to (.*)$`)

// renamed reports whether a message says no more than that a type goes by its
// other name.
func (m *moved) renamed(message string, ours *types.Package) bool {
	parts := changed.FindStringSubmatch(message)
	return parts != nil && m.byAlias(parts[2], ours) == m.byAlias(parts[3], ours)
}

// isDeclaredElsewhere reports whether a message says that a name is an alias. What
// it stands for is compared by itself.
func (m *moved) isDeclaredElsewhere(message string, ours *types.Package) bool {
	parts := changed.FindStringSubmatch(message)
	if parts == nil {
		return false
	}
	object := ours.Scope().Lookup(parts[1])
	return object != nil && m.declaredElsewhere(object) != nil
}

var qualified = regexp.MustCompile(`[\w.~-]+(?:/[\w.~-]+)+\.\w+`)

// byAlias rewrites a type as apidiff prints it, with the aliases' names.
func (m *moved) byAlias(typ string, within *types.Package) string {
	return qualified.ReplaceAllStringFunc(typ, func(name string) string {
		if alias, ok := m.alias[name]; ok {
			name = alias
		}
		return strings.TrimPrefix(name, within.Path()+".")
	})
}
