// Package discovery asks an API server which groups, versions and resources it
// serves.
//
// # Two protocols
//
// Servers since Kubernetes 1.26 answer in two documents, one below /api and
// one below /apis, all that there is to know: the groups, their versions, and
// the resources of each version. This is the aggregated form. The older form
// lists groups and versions only; the resources of a version are a document of
// their own, so that a full picture takes as many requests as there are
// versions. A [DiscoveryClient] asks for the aggregated form, in the newest
// version it knows, and takes the older one where the server has no other.
// [DiscoveryClient.WithLegacy] never asks for the aggregated form.
//
// # Partial answers
//
// Some groups are served by other programs than the API server itself, and
// these can be down. What could be found is then returned together with an
// [ErrGroupDiscoveryFailed], which says for each missing version what was in
// the way:
//
//	groups, resources, err := client.ServerGroupsAndResources()
//	if failed, ok := discovery.GroupDiscoveryFailedErrorGroups(err); ok {
//		// groups and resources lack what failed tells of
//	} else if err != nil {
//		return err
//	}
//
// # Caches
//
// A DiscoveryClient goes to the server at every call. The packages below
// cached keep what it said, in memory or on disk.
//
// What a call returns may be shared with other callers once it went through a
// cache: treat lists as read-only.
package discovery
