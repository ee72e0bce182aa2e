package restmapper

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
)

// APIGroupResources is a group with the resources of its versions.
type APIGroupResources struct {
	Group metav1.APIGroup
	// VersionedResources holds the resources by the name of the version, "v1".
	VersionedResources map[string][]metav1.APIResource
}

// GetAPIGroupResources asks cl for all groups and resources. What fails to
// load is left out; there is an error only if nothing could be loaded. Without
// groups the result is nil.
func GetAPIGroupResources(cl discovery.DiscoveryInterface) ([]*APIGroupResources, error) {
	groups, lists, err := cl.ServerGroupsAndResources()
	if groups == nil || lists == nil {
		return nil, err
	}
	byVersion := make(map[string]*metav1.APIResourceList, len(lists))
	for _, list := range lists {
		byVersion[list.GroupVersion] = list
	}
	var found []*APIGroupResources
	for _, group := range groups {
		versions := make(map[string][]metav1.APIResource, len(group.Versions))
		for _, v := range group.Versions {
			if list, ok := byVersion[v.GroupVersion]; ok {
				versions[v.Version] = list.APIResources
			}
		}
		found = append(found, &APIGroupResources{Group: *group, VersionedResources: versions})
	}
	return found, nil
}

// NewDiscoveryRESTMapper returns a mapper for the given groups, which are in
// the order of their priority. The package comment says what wins.
//
// For each kind there is also a kind with List appended, and a resource for
// it: servers return such lists without telling of them.
func NewDiscoveryRESTMapper(groupResources []*APIGroupResources) meta.RESTMapper {
	versions := 0
	for _, group := range groupResources {
		versions += len(group.VersionedResources)
	}
	patterns := make([]schema.GroupVersion, 1, 1+versions+len(groupResources))
	patterns[0] = schema.GroupVersion{Version: "v1"}
	for _, group := range groupResources {
		name, preferred := group.Group.Name, group.Group.PreferredVersion.Version
		if _, ok := group.VersionedResources[preferred]; ok {
			patterns = append(patterns, schema.GroupVersion{Group: name, Version: preferred})
		}
		for _, v := range group.Group.Versions {
			if _, ok := group.VersionedResources[v.Version]; ok && v.Version != preferred {
				patterns = append(patterns, schema.GroupVersion{Group: name, Version: v.Version})
			}
		}
	}
	for _, group := range groupResources {
		patterns = append(patterns, schema.GroupVersion{Group: group.Group.Name, Version: meta.AnyVersion})
	}

	mapper := priorityMapper{meta.PriorityRESTMapper{
		Delegate:         newTable(groupResources),
		ResourcePriority: make([]schema.GroupVersionResource, len(patterns)),
		KindPriority:     make([]schema.GroupVersionKind, len(patterns)),
	}}
	for i, gv := range patterns {
		mapper.ResourcePriority[i] = gv.WithResource(meta.AnyResource)
		mapper.KindPriority[i] = gv.WithKind(meta.AnyKind)
	}
	return mapper
}

// A priorityMapper does without weighing priorities where there is no choice,
// which is the rule for kinds that come with a version.
type priorityMapper struct{ meta.PriorityRESTMapper }

func (m priorityMapper) RESTMapping(gk schema.GroupKind, versions ...string) (*meta.RESTMapping, error) {
	mappings, err := m.Delegate.RESTMappings(gk, versions...)
	switch {
	case err != nil:
		return nil, err
	case len(mappings) == 1:
		return mappings[0], nil
	}
	return m.PriorityRESTMapper.RESTMapping(gk, versions...)
}
