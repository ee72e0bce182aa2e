// Package restmapper translates between kinds, as they are in manifests, and
// resources, as they are in URLs, by means of what a server says it serves.
//
//	cache := memory.NewMemCacheClient(discoveryClient)
//	mapper := restmapper.NewDeferredDiscoveryRESTMapper(cache)
//	mapping, err := mapper.RESTMapping(schema.GroupKind{Group: "apps", Kind: "Deployment"}, "v1")
//	if meta.IsNoMatchError(err) {
//		// the server does not have it, even on a second look
//	}
//	dynamicClient.Resource(mapping.Resource)
//
// Where several resources fit, the core group wins; then the version that the
// server prefers in each group, in the server's order of groups; then the other
// versions, in its order again.
//
// [NewShortcutExpander] lets people write po for pods. A [CategoryExpander]
// tells which resources are meant by a word such as all.
package restmapper
