package restmapper

import (
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
)

// CategoryExpander says which resources are in a category.
type CategoryExpander interface {
	// Expand returns the resources of a category. The flag is false if it is
	// not known.
	Expand(category string) ([]schema.GroupResource, bool)
}

// SimpleCategoryExpander has a fixed set of categories.
type SimpleCategoryExpander struct {
	Expansions map[string][]schema.GroupResource
}

// Expand looks category up.
func (e SimpleCategoryExpander) Expand(category string) ([]schema.GroupResource, bool) {
	resources, known := e.Expansions[category]
	return resources, known
}

// NewDiscoveryCategoryExpander returns an expander that asks client, each
// time, which resources say that they are in a category. It panics if client
// is nil.
func NewDiscoveryCategoryExpander(client discovery.DiscoveryInterface) CategoryExpander {
	if client == nil {
		panic("restmapper: NewDiscoveryCategoryExpander needs a discovery client")
	}
	return discoveryCategoryExpander{client}
}

type discoveryCategoryExpander struct{ client discovery.DiscoveryInterface }

func (e discoveryCategoryExpander) Expand(category string) ([]schema.GroupResource, bool) {
	// With an error there may be something all the same.
	_, lists, _ := e.client.ServerGroupsAndResources()
	var resources []schema.GroupResource
	for _, list := range lists {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			continue
		}
		for i := range list.APIResources {
			r := &list.APIResources[i]
			gr := schema.GroupResource{Group: gv.Group, Resource: r.Name}
			if slices.Contains(r.Categories, category) && !slices.Contains(resources, gr) {
				resources = append(resources, gr)
			}
		}
	}
	return resources, len(resources) > 0
}

// UnionCategoryExpander puts together what several expanders know.
type UnionCategoryExpander []CategoryExpander

// Expand returns the resources that any of the expanders has in category, each
// once.
func (u UnionCategoryExpander) Expand(category string) ([]schema.GroupResource, bool) {
	union, known := []schema.GroupResource{}, false
	for _, expander := range u {
		resources, ok := expander.Expand(category)
		known = known || ok
		for _, gr := range resources {
			if !slices.Contains(union, gr) {
				union = append(union, gr)
			}
		}
	}
	return union, known
}
