// Package informers has a factory of shared informers: caches of objects that follow
// the server, one for each built-in kind, for all parts of a program together.
//
//	factory := informers.NewSharedInformerFactory(client, 0)
//	pods := factory.Core().V1().Pods()
//	handle, err := pods.Informer().AddEventHandler(handler)
//	...
//	factory.StartWithContext(ctx)
//	if err := factory.WaitForCacheSyncWithContext(ctx).AsError(); err != nil {
//		return err
//	}
//	pod, err := pods.Lister().Pods("default").Get("hello")
//	...
//	factory.Shutdown() // after ctx has ended: waits until nothing runs any more
//
// An informer exists from when its Informer or Lister method was first called, and
// runs from the next call of StartWithContext on. Each kind is listed and watched once,
// however many handlers there are.
//
// A clientset links every group of the API. Programs that need a few kinds can have
// informers of these alone from package [k8s.io/client-go/tools/informer].
package informers
