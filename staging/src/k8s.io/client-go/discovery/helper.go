package discovery

import (
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	apimachineryversion "k8s.io/apimachinery/pkg/version"
)

// IsResourceEnabled reports whether the server serves a resource in a version.
// A version that the server does not know is no error.
func IsResourceEnabled(client DiscoveryInterface, resourceToCheck schema.GroupVersionResource) (bool, error) {
	list, err := client.ServerResourcesForGroupVersion(resourceToCheck.GroupVersion().String())
	switch {
	case apierrors.IsNotFound(err):
		return false, nil
	case err != nil:
		return false, err
	}
	return slices.ContainsFunc(list.APIResources, func(r metav1.APIResource) bool {
		return r.Name == resourceToCheck.Resource
	}), nil
}

// MatchesServerVersion returns an error unless the server was built from the
// same source as the client whose version is given, or if the server cannot be
// asked.
func MatchesServerVersion(clientVersion apimachineryversion.Info, client DiscoveryInterface) error {
	server, err := client.ServerVersion()
	if err != nil {
		return fmt.Errorf("couldn't read version from server: %w", err)
	}
	if server.GitVersion == clientVersion.GitVersion &&
		server.GitCommit == clientVersion.GitCommit &&
		server.GitTreeState == clientVersion.GitTreeState {
		return nil
	}
	return fmt.Errorf("server version (%#v) differs from client version (%#v)", server, clientVersion)
}

// ServerSupportsVersion returns an error unless the server serves a version,
// or if the server cannot be asked.
func ServerSupportsVersion(client DiscoveryInterface, requiredGV schema.GroupVersion) error {
	list, err := client.ServerGroups()
	if err != nil {
		return err
	}
	want := requiredGV.String()
	for _, group := range list.Groups {
		for _, v := range group.Versions {
			if v.GroupVersion == want {
				return nil
			}
		}
	}
	return fmt.Errorf("server does not support API version %q", want)
}

// GroupVersionResources returns the set of resources that lists hold. The
// version is the list's, which for a subresource is not always that of its
// kind. The error says that the name of a version is malformed.
func GroupVersionResources(rls []*metav1.APIResourceList) (map[schema.GroupVersionResource]struct{}, error) {
	set := map[schema.GroupVersionResource]struct{}{}
	for _, list := range rls {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			return nil, err
		}
		for i := range list.APIResources {
			set[gv.WithResource(list.APIResources[i].Name)] = struct{}{}
		}
	}
	return set, nil
}

// ResourcePredicate is a condition on a resource in a version.
type ResourcePredicate interface {
	// Match reports whether the resource meets the condition.
	Match(groupVersion string, r *metav1.APIResource) bool
}

// ResourcePredicateFunc is a function as a ResourcePredicate.
type ResourcePredicateFunc func(groupVersion string, r *metav1.APIResource) bool

// Match calls fn.
func (fn ResourcePredicateFunc) Match(groupVersion string, r *metav1.APIResource) bool {
	return fn(groupVersion, r)
}

// SupportsAllVerbs is met by resources that have all of Verbs.
type SupportsAllVerbs struct {
	Verbs []string
}

// Match reports whether r has all verbs.
func (p SupportsAllVerbs) Match(_ string, r *metav1.APIResource) bool {
	for _, verb := range p.Verbs {
		if !slices.Contains(r.Verbs, verb) {
			return false
		}
	}
	return true
}

// FilteredBy returns the resources that meet a condition, in new lists. Lists
// of which nothing is left are dropped, and the ones that were passed stay as
// they are.
func FilteredBy(pred ResourcePredicate, rls []*metav1.APIResourceList) []*metav1.APIResourceList {
	kept := []*metav1.APIResourceList{}
	for _, list := range rls {
		if list == nil {
			continue
		}
		var met []metav1.APIResource
		for i := range list.APIResources {
			if r := &list.APIResources[i]; pred.Match(list.GroupVersion, r) {
				met = append(met, *r)
			}
		}
		if len(met) > 0 {
			kept = append(kept, &metav1.APIResourceList{
				TypeMeta:     list.TypeMeta,
				GroupVersion: list.GroupVersion,
				APIResources: met,
			})
		}
	}
	return kept
}
