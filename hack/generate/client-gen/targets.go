package main

import (
	"path"
	"slices"
	"strings"

	"k8s.io/code-generator/cmd/client-gen/args"
	"k8s.io/code-generator/cmd/client-gen/generators/util"
	"k8s.io/gengo/v2/generator"
	"k8s.io/gengo/v2/namer"
	"k8s.io/gengo/v2/types"

	"k8s.io/publisher/hack/generate/kinds"
)

// lighten replaces the clientset's file, adds a scheme to each group, and has fakes
// check what reactors answer. Other targets stay as they are.
func lighten(context *generator.Context, options *args.Args, targets []generator.Target) []generator.Target {
	clientset := path.Join(options.OutputPkg, options.ClientsetName)
	versions := map[string]version{} // by the path of the client's package
	for _, v := range versionsOf(context, options) {
		versions[v.client] = v
	}
	for i, target := range targets {
		if target.Path() == clientset {
			targets[i] = replaced{target, func(*generator.Context) []generator.Generator {
				return []generator.Generator{newClientsetFile(clientset, versionsOf(context, options))}
			}}
			continue
		}
		if path.Base(target.Path()) == "fake" {
			targets[i] = replaced{target, func(context *generator.Context) []generator.Generator {
				all := target.Generators(context)
				for i := range all {
					all[i] = &checkedAnswers{Generator: all[i]}
				}
				return all
			}}
			continue
		}
		v, isGroup := versions[target.Path()]
		if !isGroup {
			continue
		}
		targets[i] = replaced{target, func(context *generator.Context) []generator.Generator {
			var all []generator.Generator
			for _, g := range target.Generators(context) {
				if strings.HasSuffix(g.Filename(), "_client.go") {
					all = append(all, newGroupFile(v, clientTypes(context, v), g.Filename()))
					continue
				}
				all = append(all, localNames{g, clientset})
			}
			return append(all, newSchemeFile(v))
		}}
	}
	return targets
}

// replaced is a target with other generators.
type replaced struct {
	generator.Target
	generators func(*generator.Context) []generator.Generator
}

func (r replaced) Generators(context *generator.Context) []generator.Generator {
	return r.generators(context)
}

// A version is a group and version that gets a client.
type version struct {
	input  string // the path of the package that declares its types
	client string // the path of its client's package
	goName string // as the clientset's method is called: CoreV1
	group  string // as requests name it, empty for the core group
}

// versionsOf lists what the options ask for, in their order. The options are
// complete only after client-gen has made its targets of them.
func versionsOf(context *generator.Context, options *args.Args) []version {
	var all []version
	for _, group := range options.Groups {
		for _, v := range group.Versions {
			comments := context.Universe.Package(v.Package).Comments
			groupName := group.Group.String()
			if override, tagged := kinds.CommentTag(comments, "groupName"); tagged {
				groupName = override
			}
			name := namer.IC(strings.Split(group.Group.NonEmpty(), ".")[0])
			if override, tagged := kinds.CommentTag(comments, "groupGoName"); tagged {
				name = namer.IC(override)
			}
			all = append(all, version{
				input: v.Package,
				client: path.Join(options.OutputPkg, options.ClientsetName, "typed",
					strings.ToLower(group.PackageName), strings.ToLower(v.Version.NonEmpty())),
				goName: name + namer.IC(v.Version.String()),
				group:  groupName,
			})
		}
	}
	return all
}

// clientTypes returns the types of a version that get a client, in order.
func clientTypes(context *generator.Context, v version) []*types.Type {
	var marked []*types.Type
	for _, t := range context.Universe.Package(v.input).Types {
		if util.MustParseClientGenTags(append(t.SecondClosestCommentLines, t.CommentLines...)).GenerateClient {
			marked = append(marked, t)
		}
	}
	orderer := namer.Orderer{Namer: namer.NewPrivateNamer(0)}
	return orderer.OrderTypes(marked)
}

// localNames is a generator whose references to the clientset's scheme become
// references to the group's own, and those to package gentype to the internal
// package that has no fakes.
type localNames struct {
	generator.Generator
	clientset string
}

func (g localNames) Namers(context *generator.Context) namer.NameSystems {
	systems := g.Generator.Namers(context)
	if raw, found := systems["raw"]; found {
		systems["raw"] = localNamer{raw, path.Join(g.clientset, "scheme")}
	}
	return systems
}

type localNamer struct {
	namer.Namer
	schemePackage string
}

func (n localNamer) Name(t *types.Type) string {
	switch t.Name.Package {
	case n.schemePackage:
		return "groupScheme." + t.Name.Name + "()"
	case "k8s.io/client-go/gentype":
		t = types.Ref("k8s.io/client-go/internal/gentype", t.Name.Name)
	}
	return n.Namer.Name(t)
}

// sortedKeys returns a set's members in order.
func sortedKeys(set map[string]bool) []string {
	keys := make([]string, 0, len(set))
	for key := range set {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
