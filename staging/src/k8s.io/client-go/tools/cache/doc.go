// Package cache keeps objects of the API in memory, up to date, and tells
// handlers of changes.
//
// # The parts, from the bottom up
//
// A [Store] is a map from keys to objects; an [Indexer] is one that can also be
// searched by other properties. The usual key is namespace/name.
//
// A [ListerWatcher] is where objects come from. A [Reflector] lists them into a
// store once, and from then on has the store follow a watch. It survives
// what can happen to a watch: timeouts, restarts of the server, expired
// resource versions. It can as well feed a [Queue], which has the changes
// come out again, one at a time.
//
// A [Controller] connects a reflector, a queue and a function that processes
// the changes. [NewInformerWithOptions] makes one whose function keeps a store
// and calls a [ResourceEventHandler]:
//
//	store, controller := cache.NewInformerWithOptions(cache.InformerOptions{
//		ListerWatcher: cache.NewListWatchFromClient(client, "pods", "default", fields.Everything()),
//		ObjectType:    &corev1.Pod{},
//		Handler:       cache.ResourceEventHandlerFuncs{AddFunc: enqueue},
//	})
//	go controller.RunWithContext(ctx)
//	if !cache.WaitFor(ctx, "pods", controller.HasSyncedChecker()) {
//		return ctx.Err()
//	}
//
// A [SharedIndexInformer] does this for any number of handlers, which come and go, and
// which do not wait for each other. It is what informer factories make.
//
// # Objects are shared
//
// What comes out of a store, and what handlers are given, is the object in the
// store itself. It must not be changed: make a copy with DeepCopy.
//
// More than that, the objects of an informer share what is the same in them: strings,
// labels, managed fields, containers, whole subtrees. Of many pods that were made from
// a few templates, each takes a fraction of what it would by itself. Whoever changes
// one changes others with it. A program whose environment says
// KUBE_CACHE_MUTATION_DETECTOR=true ends with a panic where somebody does: set it in
// tests. A copy that DeepCopy makes shares nothing but strings, which cannot change.
//
// For that, list and watch functions must hand the context that they are given to the
// client. Where they return its objects as they are, as those of a factory and of
// [NewListWatchFromClient] do, what is known is not even decoded again. Objects that
// do not come from a client over HTTP, as those of a client for tests, and objects that
// a [Reflector] puts into a store of your own, share nothing.
package cache
