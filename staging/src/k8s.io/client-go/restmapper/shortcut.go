package restmapper

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
)

// NewShortcutExpander returns a mapper that turns short names, such as po,
// into the names of resources before it asks delegate. It asks client for the
// short names each time: give it one that is cached.
//
// If a short name belongs to resources of several groups, the first group wins
// and warningHandler is told of the others. It may be nil.
func NewShortcutExpander(delegate meta.RESTMapper, client discovery.DiscoveryInterface, warningHandler func(string)) meta.RESTMapper {
	return shortcutExpander{RESTMapper: delegate, client: client, warn: warningHandler}
}

type shortcutExpander struct {
	meta.RESTMapper
	client discovery.DiscoveryInterface
	warn   func(string)
}

var _ meta.ResettableRESTMapper = shortcutExpander{}

func (e shortcutExpander) KindFor(resource schema.GroupVersionResource) (schema.GroupVersionKind, error) {
	return askExpanded(e, resource, e.RESTMapper.KindFor)
}

func (e shortcutExpander) KindsFor(resource schema.GroupVersionResource) ([]schema.GroupVersionKind, error) {
	return askExpanded(e, resource, e.RESTMapper.KindsFor)
}

func (e shortcutExpander) ResourceFor(resource schema.GroupVersionResource) (schema.GroupVersionResource, error) {
	return askExpanded(e, resource, e.RESTMapper.ResourceFor)
}

func (e shortcutExpander) ResourcesFor(resource schema.GroupVersionResource) ([]schema.GroupVersionResource, error) {
	return askExpanded(e, resource, e.RESTMapper.ResourcesFor)
}

func (e shortcutExpander) ResourceSingularizer(resource string) (string, error) {
	return askExpanded(e, schema.GroupVersionResource{Resource: resource}, func(expanded schema.GroupVersionResource) (string, error) {
		return e.RESTMapper.ResourceSingularizer(expanded.Resource)
	})
}

func (e shortcutExpander) Reset() { meta.MaybeResetRESTMapper(e.RESTMapper) }

func (e shortcutExpander) String() string { return fmt.Sprintf("shortcutExpander{%v}", e.RESTMapper) }

// askExpanded puts a question about a resource to the mapper. If there is no such
// resource the mapper may have asked the server anew, which tells of new short names,
// too: the question is put once more if the name stands for another one now.
func askExpanded[T any](e shortcutExpander, resource schema.GroupVersionResource, question func(schema.GroupVersionResource) (T, error)) (T, error) {
	expanded := e.expand(resource)
	answer, err := question(expanded)
	if meta.IsNoMatchError(err) {
		if again := e.expand(resource); again != expanded {
			return question(again)
		}
	}
	return answer, err
}

// A short is a resource and one of its short names.
type short struct {
	name string
	long schema.GroupResource
}

// expand returns resource by its full name, if it is given by a short one.
func (e shortcutExpander) expand(resource schema.GroupVersionResource) schema.GroupVersionResource {
	// With an error there may be something all the same, and if not the
	// delegate will say so.
	_, lists, _ := e.client.ServerGroupsAndResources()
	var shorts []short
	for _, list := range lists {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			continue
		}
		sameGroup := resource.Group == "" || resource.Group == gv.Group
		for i := range list.APIResources {
			r := &list.APIResources[i]
			if sameGroup && (r.Name == resource.Resource || r.SingularName == resource.Resource) {
				return resource // a full name, whatever else it is short for
			}
			if slices.Contains(r.ShortNames, resource.Resource) {
				shorts = append(shorts, short{resource.Resource, schema.GroupResource{Group: gv.Group, Resource: r.Name}})
			}
		}
	}

	if named := in(shorts, func(group string) bool { return resource.Group == "" || group == resource.Group }); len(named) > 0 {
		e.warnOfOthers(named)
		// Programs expect the preferred version here, whichever they named.
		return named[0].long.WithVersion("")
	}
	// The group may be given by its beginning only.
	if begun := in(shorts, func(group string) bool { return strings.HasPrefix(group, resource.Group) }); len(begun) > 0 {
		return begun[0].long.WithVersion(resource.Version)
	}
	return resource
}

func in(shorts []short, group func(string) bool) []short {
	var found []short
	for _, s := range shorts {
		if group(s.long.Group) {
			found = append(found, s)
		}
	}
	return found
}

// warnOfOthers tells of each resource after the first, once.
func (e shortcutExpander) warnOfOthers(shorts []short) {
	if e.warn == nil {
		return
	}
	told := map[schema.GroupResource]bool{shorts[0].long: true}
	for _, s := range shorts {
		if !told[s.long] {
			told[s.long] = true
			e.warn(fmt.Sprintf("short name %q could also match lower priority resource %s", s.name, s.long))
		}
	}
}
