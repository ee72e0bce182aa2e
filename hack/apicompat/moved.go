package main

import (
	"go/token"
	"go/types"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/exp/apidiff"
)

// moved knows the types that are declared in an internal package and have an
// alias of the same name in a public one. To programs both names are one type;
// apidiff, which sees one package at a time, takes them for two (it says so where
// it establishes that types correspond).
type moved struct {
	alias map[string]string // by the declared type: "path.Name" to "path.Name"
}

// findMoved looks for aliases in our public packages.
func findMoved(packages map[string]*types.Package) *moved {
	m := &moved{map[string]string{}}
	for path, pkg := range packages {
		for _, name := range pkg.Scope().Names() {
			if declared := declaredInternally(pkg.Scope().Lookup(name)); declared != nil {
				m.alias[declared.Pkg().Path()+"."+name] = path + "." + name
			}
		}
	}
	return m
}

// declaredInternally returns the type of an internal package that an object is an
// alias of, by the same name; or nil.
func declaredInternally(object types.Object) *types.TypeName {
	alias, ok := object.(*types.TypeName)
	if !ok || !alias.Exported() || !alias.IsAlias() {
		return nil
	}
	named, ok := types.Unalias(alias.Type()).(*types.Named)
	if !ok || named.Obj().Pkg() == nil || !isInternal(named.Obj().Pkg().Path()) || named.Obj().Name() != alias.Name() {
		return nil
	}
	return named.Obj()
}

func isInternal(path string) bool { return strings.Contains(path+"/", "/internal/") }

// incompatible returns what apidiff finds changed from public to ours, of which
// both are there. Types that were moved are compared where they are declared.
func (m *moved) incompatible(public, ours *types.Package) []string {
	var found []string
	for _, change := range apidiff.Changes(public, ours).Changes {
		if !change.Compatible && !m.renamed(change.Message, ours) && !isDeclaredElsewhere(change.Message, ours) {
			found = append(found, change.Message)
		}
	}
	for _, declaredIn := range m.declaringPackages(ours) {
		for _, change := range apidiff.Changes(public, declaredIn).Changes {
			if !change.Compatible && !m.renamed(change.Message, ours) && isAbout(change.Message, declaredIn, ours) {
				found = append(found, change.Message)
			}
		}
	}
	// apidiff repeats itself where several generic types embed one.
	slices.Sort(found)
	return slices.Compact(found)
}

// declaringPackages returns the internal packages that a package's aliases lead to.
func (m *moved) declaringPackages(pkg *types.Package) []*types.Package {
	var found []*types.Package
	for _, name := range pkg.Scope().Names() {
		declared := declaredInternally(pkg.Scope().Lookup(name))
		if declared != nil && !slices.Contains(found, declared.Pkg()) {
			found = append(found, declared.Pkg())
		}
	}
	return found
}

// isAbout reports whether a message is about a type that is declared in one
// package and has its alias in ours. The message of a method that such a type has
// from an unexported one may name no other.
func isAbout(message string, declaredIn, ours *types.Package) bool {
	subject := subjectOf(message)
	if !token.IsExported(subject) {
		return true
	}
	declared := declaredInternally(ours.Scope().Lookup(subject))
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
func isDeclaredElsewhere(message string, ours *types.Package) bool {
	parts := changed.FindStringSubmatch(message)
	if parts == nil {
		return false
	}
	object := ours.Scope().Lookup(parts[1])
	return object != nil && declaredInternally(object) != nil
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
