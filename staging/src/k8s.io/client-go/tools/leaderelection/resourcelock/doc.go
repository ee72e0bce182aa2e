// Package resourcelock keeps the record of an election in an object of the API, so
// that one of many candidates can hold it. [k8s.io/client-go/tools/leaderelection]
// decides who may write what and when; a lock only reads and writes.
//
// The record says who leads, since when, and when that was last renewed. A
// [LeaseLock] keeps it in the spec of a Lease of coordination.k8s.io/v1. A
// [MultiLock] keeps it in two places, for programs that move from one to another.
// Whatever else can be read, and written by one of many at a time, can serve as a
// lock: it is an [Interface].
//
//	lock, err := resourcelock.NewFromKubeconfig(resourcelock.LeasesResourceLock, "default", "my-controller",
//		resourcelock.ResourceLockConfig{Identity: podName}, config, renewDeadline)
package resourcelock
