// Package informer keeps the objects of one resource in memory, up to date, and tells
// handlers of changes: with the objects' own type, and without a clientset.
//
//	pods := informer.New[*corev1.Pod](client.Pods("default"), informer.Options[*corev1.Pod]{})
//	queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[cache.ObjectName]())
//	pods.AddHandler(informer.Names[*corev1.Pod](queue.Add))
//	go pods.Run(ctx)
//	if !cache.WaitFor(ctx, "pods", pods.HasSyncedChecker()) {
//		return context.Cause(ctx)
//	}
//	pod, found := pods.Store().Get(cache.NewObjectName("default", "hello"))
//
// The client is whatever lists and watches: that of a resource in one group, such as
// [k8s.io/client-go/kubernetes/typed/core/v1.PodInterface], which links that group of
// the API and no other, or one for custom resources.
//
// # Beside package cache
//
// An [Informer] follows the server as those of [k8s.io/client-go/tools/cache] do, with
// the same [cache.Reflector]. From there on nothing is of type any: an object is
// converted once, as it arrives, and no handler, store or lister casts it or looks at it
// by reflection. Handlers see the last state of a deleted object, and never a
// [cache.DeletedFinalStateUnknown]. There are no resyncs: who wants to look at all
// objects from time to time goes through the store.
//
// # Handlers
//
// Each handler is called from a goroutine of its own, one change at a time, in order. A
// slow one holds up no other one. What it has not been told waits in a backlog; where
// that is longer than 1,024 changes, and twice as long as there are objects in it, the
// changes of an object become one. So a handler may miss states in between, as it may
// when a watch breaks, but never the last one.
//
// # Objects are shared
//
// The store, listers and handlers have the same objects. They must not be changed: make
// a copy with DeepCopy. They share what is the same in them, as package cache says.
package informer
