// Package leaderelection lets one of many copies of a program lead, and another one
// take over when it is gone.
//
//	lock, err := resourcelock.NewFromKubeconfig(resourcelock.LeasesResourceLock, "default", "my-controller",
//		resourcelock.ResourceLockConfig{Identity: podName}, config, renewDeadline)
//	…
//	leaderelection.RunOrDie(ctx, leaderelection.LeaderElectionConfig{
//		Lock:          lock,
//		LeaseDuration: 15 * time.Second,
//		RenewDeadline: 10 * time.Second,
//		RetryPeriod:   2 * time.Second,
//		Callbacks: leaderelection.LeaderCallbacks{
//			OnStartedLeading: func(ctx context.Context) { work(ctx) },
//			OnStoppedLeading: func() { os.Exit(1) },
//		},
//	})
//
// Electors are those of [k8s.io/client-go/tools/leaderelection/elector], which says
// how they work, what they promise and what not, and how to choose the durations.
// Their names here are aliases. What is here alone is [LeaseCandidate], for elections
// that the server coordinates; its API takes a clientset, and with it links the types
// of all groups. A program without candidates is smaller if it imports elector.
package leaderelection
