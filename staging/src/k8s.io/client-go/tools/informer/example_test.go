package informer_test

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/informer"
	"k8s.io/client-go/util/workqueue"
)

// A controller's skeleton. In a program, the client is that of a resource of one group,
// such as corev1.NewForConfigOrDie(config).Pods("default").
func Example() {
	client := newServer("hello")

	queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[cache.ObjectName]())
	pods := informer.New[*corev1.Pod](client, informer.Options[*corev1.Pod]{})
	if _, err := pods.AddHandler(informer.Names[*corev1.Pod](queue.Add)); err != nil {
		fmt.Println(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		pods.Run(ctx)
	}()
	if !cache.WaitFor(ctx, "", pods.HasSyncedChecker()) {
		fmt.Println(context.Cause(ctx))
	}

	name, _ := queue.Get()
	if pod, found := pods.Store().Get(name); found {
		fmt.Println(name, "is at version", pod.Labels["version"])
	}
	queue.Done(name)

	cancel()
	queue.ShutDown()
	<-stopped
	// Output: default/hello is at version 1
}
