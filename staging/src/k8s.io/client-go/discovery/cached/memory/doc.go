// Package memory keeps in memory what a server says about its groups and
// resources.
//
// The server is asked once: for its groups and, where it answers in the
// aggregated form, for all resources in the same breath; otherwise for the
// resources of a version when they are first wanted. There is no expiry. The
// owner of the cache calls Invalidate when it has reason to believe that the
// server has changed, for instance because it has just defined a resource:
//
//	cache := memory.NewMemCacheClient(client)
//	mapper := restmapper.NewDeferredDiscoveryRESTMapper(cache)
//	…
//	mapper.Reset() // invalidates the cache
//
// What is returned is shared by all who ask: treat it as read-only.
package memory
