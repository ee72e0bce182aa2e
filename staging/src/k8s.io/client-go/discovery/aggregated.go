package discovery

import (
	"encoding/json"

	apidiscovery "k8s.io/api/apidiscovery/v2"
	apidiscoveryv2beta1 "k8s.io/api/apidiscovery/v2beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// SplitGroupsAndResources turns the aggregated form into the lists of the
// older one: the groups, and the resources of each version. Versions that are
// marked stale are in the third result only.
//
// A resource without a kind is dropped; its subresources stay.
func SplitGroupsAndResources(aggregatedGroups apidiscovery.APIGroupDiscoveryList) (
	*metav1.APIGroupList,
	map[schema.GroupVersion]*metav1.APIResourceList,
	map[schema.GroupVersion]error,
) {
	p := newPicture()
	for _, group := range aggregatedGroups.Items {
		g := metav1.APIGroup{Name: group.Name}
		for _, version := range group.Versions {
			gv := schema.GroupVersion{Group: group.Name, Version: version.Version}
			if version.Freshness == apidiscovery.DiscoveryFreshnessStale {
				p.failed[gv] = StaleGroupVersionError{gv}
				continue
			}
			var rs []metav1.APIResource
			for _, r := range version.Resources {
				parent := plainResource(r.Resource, r.SingularResource, string(r.Scope), r.Verbs, r.ResponseKind)
				parent.ShortNames, parent.Categories = r.ShortNames, r.Categories
				if !isZero(r.ResponseKind) {
					rs = append(rs, parent)
				}
				for _, s := range r.Subresources {
					if !isZero(s.ResponseKind) {
						rs = append(rs, plainResource(r.Resource+"/"+s.Subresource, r.SingularResource, string(r.Scope), s.Verbs, s.ResponseKind))
					}
				}
			}
			p.addVersion(&g, gv, rs)
		}
		p.groups.Groups = append(p.groups.Groups, g)
	}
	return p.groups, p.resources, p.failed
}

// SplitGroupsAndResourcesV2Beta1 is SplitGroupsAndResources for the first
// version of the aggregated form.
//
// Deprecated: servers since Kubernetes 1.30 answer in version v2, which
// SplitGroupsAndResources takes.
func SplitGroupsAndResourcesV2Beta1(aggregatedGroups apidiscoveryv2beta1.APIGroupDiscoveryList) (
	*metav1.APIGroupList,
	map[schema.GroupVersion]*metav1.APIResourceList,
	map[schema.GroupVersion]error,
) {
	// The versions differ in name only.
	var list apidiscovery.APIGroupDiscoveryList
	for _, group := range aggregatedGroups.Items {
		g := apidiscovery.APIGroupDiscovery{ObjectMeta: metav1.ObjectMeta{Name: group.Name}}
		for _, version := range group.Versions {
			v := apidiscovery.APIVersionDiscovery{
				Version:   version.Version,
				Freshness: apidiscovery.DiscoveryFreshness(version.Freshness),
			}
			for _, r := range version.Resources {
				resource := apidiscovery.APIResourceDiscovery{
					Resource:         r.Resource,
					ResponseKind:     r.ResponseKind,
					Scope:            apidiscovery.ResourceScope(r.Scope),
					SingularResource: r.SingularResource,
					Verbs:            r.Verbs,
					ShortNames:       r.ShortNames,
					Categories:       r.Categories,
				}
				for _, s := range r.Subresources {
					resource.Subresources = append(resource.Subresources, apidiscovery.APISubresourceDiscovery(s))
				}
				v.Resources = append(v.Resources, resource)
			}
			g.Versions = append(g.Versions, v)
		}
		list.Items = append(list.Items, g)
	}
	return SplitGroupsAndResources(list)
}

func isZero(kind *metav1.GroupVersionKind) bool {
	return kind == nil || *kind == metav1.GroupVersionKind{}
}

func plainResource(name, singular, scope string, verbs []string, kind *metav1.GroupVersionKind) metav1.APIResource {
	r := metav1.APIResource{
		Name:         name,
		SingularName: singular,
		Namespaced:   scope == string(apidiscovery.ScopeNamespace),
		Verbs:        verbs,
	}
	if kind != nil {
		r.Group, r.Version, r.Kind = kind.Group, kind.Version, kind.Kind
	}
	return r
}

func newPicture() picture {
	return picture{
		groups:    &metav1.APIGroupList{},
		resources: map[schema.GroupVersion]*metav1.APIResourceList{},
		failed:    map[schema.GroupVersion]error{},
	}
}

// addVersion adds a version that is up to date. The first of a group is the
// preferred one.
func (p *picture) addVersion(g *metav1.APIGroup, gv schema.GroupVersion, rs []metav1.APIResource) {
	v := metav1.GroupVersionForDiscovery{GroupVersion: gv.String(), Version: gv.Version}
	if len(g.Versions) == 0 {
		g.PreferredVersion = v
	}
	g.Versions = append(g.Versions, v)
	p.resources[gv] = &metav1.APIResourceList{GroupVersion: v.GroupVersion, APIResources: rs}
}

// decodeAggregated decodes the document of a root in the aggregated form. What
// the quick decoder is not sure about is left to encoding/json, which also has
// the better error messages.
func decodeAggregated(body []byte) (picture, error) {
	if p, ok := decodeQuickly(body); ok {
		return p, nil
	}
	return decodeThoroughly(body)
}

func decodeThoroughly(body []byte) (picture, error) {
	var list apidiscovery.APIGroupDiscoveryList
	if err := json.Unmarshal(body, &list); err != nil {
		return picture{}, err
	}
	var p picture
	p.groups, p.resources, p.failed = SplitGroupsAndResources(list)
	return p, nil
}
