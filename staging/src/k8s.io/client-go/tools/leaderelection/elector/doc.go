// Package elector lets one of many copies of a program lead, and another one take
// over when it is gone. It is [k8s.io/client-go/tools/leaderelection] without lease
// candidates, whose API takes a clientset of everything: a program that imports this
// package in its place links no more than the clients for Leases and core/v1.
//
//	elector.RunOrDie(ctx, elector.LeaderElectionConfig{
//		Lock:          lock, // of package resourcelock
//		LeaseDuration: 15 * time.Second,
//		RenewDeadline: 10 * time.Second,
//		RetryPeriod:   2 * time.Second,
//		Callbacks: elector.LeaderCallbacks{
//			OnStartedLeading: func(ctx context.Context) { work(ctx) },
//			OnStoppedLeading: func() { os.Exit(1) },
//		},
//	})
//
// # How it works
//
// All copies share a record, in a lock, that names its holder. The holder renews the
// record every RetryPeriod. The others look at it about as often. Where it has not
// changed for a LeaseDuration they try to write their own names into it, and the lock
// lets one of them succeed.
//
//	            the record is free, or has not changed for LeaseDuration:
//	            written with our name
//	┌───────────┐ ──────────────────────────────────────────────▶ ┌─────────┐
//	│  follows  │                                                 │  leads  │ ─┐ renewed
//	└───────────┘                                                 └─────────┘ ◀┘
//	      ▲       not renewed for RenewDeadline, or somebody           │
//	      │       else's name seen in the record, or cancelled         ▼
//	      └──────── Run once more ◀────────────────────────────── Run returns
//
// # Why there are not two leaders
//
// A leader counts RenewDeadline from before it sent its last renewal that succeeded.
// The others count LeaseDuration from after they have seen that renewal, and
// LeaseDuration is longer. So a leader has stopped before another may start, whatever
// is lost or late between them and the lock: requests, answers, or a write that
// arrives after its sender has given up. An exhaustive search of what two and three
// electors can do is among the tests.
//
// To stop is to end the context that OnStartedLeading was given, and it is what
// [LeaderElector.IsLeader] tells from that moment on. How soon the work then ends is
// up to the work. Where that matters, what it writes to must refuse writes of a
// leader from before; a lease alone cannot do that.
//
// Three things are beyond it. A machine that is suspended as a whole counts nothing
// meanwhile, and finds out when it looks at the record again. Somebody who writes or
// deletes the record by hand overrules it: the leader notices with its next renewal.
// And two copies with one identity take each other for themselves.
//
// # Clocks
//
// No time of another machine is compared with one of ours, so clocks may be wrong by
// any amount, and may be set at any time: time is counted by the clock that nobody can
// set. Clocks must only run equally fast, about. If one runs f times as fast as
// another, then LeaseDuration must be more than f times RenewDeadline.
//
// # Which durations
//
// LeaseDuration is how long nobody leads after a leader has died. RenewDeadline less
// a few RetryPeriods is for how long the API server may be out of reach before
// a healthy leader gives up. 15, 10 and 2 seconds are what Kubernetes' own programs
// use; more of each suits a server that is slow. A request that hangs uses up the
// deadline, so the lock's client should have a shorter timeout:
// resourcelock.NewFromKubeconfig sees to that.
package elector
