// Command informer has an informer of pods of its own, a work queue, and leader
// election. It is command factory without a clientset.
package main

import (
	"context"
	"os"
	"time"

	apiv1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coordinationv1 "k8s.io/client-go/kubernetes/typed/coordination/v1"
	corev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/informer"
	"k8s.io/client-go/tools/leaderelection/elector"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/util/workqueue"
)

func main() {
	ctx := context.Background()
	config := &rest.Config{Host: os.Getenv("SERVER")}
	client, err := corev1.NewForConfig(config)
	if err != nil {
		panic(err)
	}
	leases, err := coordinationv1.NewForConfig(config)
	if err != nil {
		panic(err)
	}
	pods := informer.New[*apiv1.Pod](client.Pods(""), informer.Options[*apiv1.Pod]{})
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[cache.ObjectName]())
	if _, err := pods.AddHandler(informer.Names[*apiv1.Pod](queue.Add)); err != nil {
		panic(err)
	}
	elector.RunOrDie(ctx, elector.LeaderElectionConfig{
		Lock: &resourcelock.LeaseLock{
			LeaseMeta:  metav1.ObjectMeta{Namespace: "default", Name: "informer"},
			Client:     leases,
			LockConfig: resourcelock.ResourceLockConfig{Identity: os.Getenv("HOSTNAME")},
		},
		LeaseDuration: 15 * time.Second, RenewDeadline: 10 * time.Second, RetryPeriod: 2 * time.Second,
		Callbacks: elector.LeaderCallbacks{
			OnStoppedLeading: queue.ShutDown,
			OnStartedLeading: func(ctx context.Context) {
				go pods.Run(ctx)
				cache.WaitFor(ctx, "pods", pods.HasSyncedChecker())
				for name, shutdown := queue.Get(); !shutdown; name, shutdown = queue.Get() {
					if pod, found := pods.Store().Get(name); found {
						println(pod.Name, pod.Spec.NodeName)
					}
					queue.Done(name)
				}
			},
		},
	})
}
