// Package kinds reads from packages of Go types which kinds of an API code is
// generated for, and helps to write that code.
//
// A package asks for a client of a type by +genclient above it. Its path ends in
// the directories of the group and of the version: k8s.io/api/apps/v1. What a
// request calls the group is in the package's comment, as +groupName.
package kinds

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"k8s.io/code-generator/cmd/client-gen/generators/util"
	codegenerator "k8s.io/code-generator/pkg/namer"
	"k8s.io/gengo/v2/generator"
	"k8s.io/gengo/v2/namer"
	"k8s.io/gengo/v2/types"
)

// A Version is a version of a group.
type Version struct {
	Package  string // that declares the types
	GroupDir string // the last directory but one of its path: core
	Group    string // as requests name it; empty for the core group
	GoGroup  string // as Go code calls it: Core
	Name     string // as requests name it: v1
	GoName   string // as Go code calls it: V1
	Kinds    []Kind // in order
}

// Dir is where the generated code of a version is, below the directory that a
// generator writes to.
func (v Version) Dir() string { return path.Join(v.GroupDir, v.Name) }

// A Kind is a type that a client is generated for.
type Kind struct {
	Type       *types.Type
	Namespaced bool
	Name       string // Pod
	Private    string // what Go names that are not exported begin with: pod
	Lower      string // what its file is called, and its resource in messages: pod
	Plural     string // as Go code calls several: Pods
	Resource   string // as requests do: pods
}

// Read returns the versions that have kinds whose tags are wanted: of those that the
// generator was given as its inputs, in the order of their paths.
func Read(context *generator.Context, plurals map[string]string, wanted func(util.Tags) bool) ([]Version, error) {
	plural := namer.NewPublicPluralNamer(plurals)
	resource := codegenerator.NewTagOverrideNamer("resourceName", namer.NewAllLowercasePluralNamer(plurals))
	order := namer.Orderer{Namer: namer.NewPrivateNamer(0)}

	var versions []Version
	for _, input := range slices.Sorted(slices.Values(context.Inputs)) {
		pkg := context.Universe.Package(input)
		dirs := strings.Split(input, "/")
		if len(dirs) < 2 {
			return nil, fmt.Errorf("%s: the path does not end in a group and a version", input)
		}
		v := Version{Package: input, GroupDir: dirs[len(dirs)-2], Name: dirs[len(dirs)-1]}
		v.GoName = namer.IC(v.Name)
		v.Group = v.GroupDir
		if name, tagged := CommentTag(pkg.Comments, "groupName"); tagged {
			v.Group = name
		}
		v.GoGroup = namer.IC(strings.Split(v.Group, ".")[0])
		if v.Group == "" {
			v.GoGroup = "Core"
		}
		if name, tagged := CommentTag(pkg.Comments, "groupGoName"); tagged {
			v.GoGroup = namer.IC(name)
		}

		scope := map[*types.Type]util.Tags{}
		var marked []*types.Type
		for _, t := range pkg.Types {
			tags, err := util.ParseClientGenTags(append(t.SecondClosestCommentLines, t.CommentLines...))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", t.Name, err)
			}
			if tags.GenerateClient && wanted(tags) {
				scope[t] = tags
				marked = append(marked, t)
			}
		}
		for _, t := range order.OrderTypes(marked) {
			v.Kinds = append(v.Kinds, Kind{
				Type:       t,
				Namespaced: !scope[t].NonNamespaced,
				Name:       t.Name.Name,
				Private:    namer.IL(t.Name.Name),
				Lower:      strings.ToLower(t.Name.Name),
				Plural:     plural.Name(t),
				Resource:   resource.Name(t),
			})
		}
		if len(v.Kinds) > 0 {
			versions = append(versions, v)
		}
	}
	return versions, nil
}

// CommentTag returns the value of a +name=value comment.
func CommentTag(comments []string, name string) (value string, found bool) {
	for _, line := range comments {
		if value, found := strings.CutPrefix(strings.TrimSpace(line), "+"+name+"="); found {
			return value, true
		}
	}
	return "", false
}
