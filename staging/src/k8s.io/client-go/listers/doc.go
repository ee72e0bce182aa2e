// Package listers has what the listers of each kind, in the packages below, are made
// of.
//
// A lister finds objects in the store that an informer keeps, without asking the
// server. What it returns is as new as the last event of the watch:
//
//	factory := informers.NewSharedInformerFactory(client, 0)
//	pods := factory.Core().V1().Pods().Lister()
//	factory.StartWithContext(ctx)
//	factory.WaitForCacheSyncWithContext(ctx)
//	pod, err := pods.Pods("default").Get("hello")
//
// The objects are those in the store, which everybody shares. They must not be
// changed: make a copy with DeepCopy.
package listers
