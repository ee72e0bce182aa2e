// Package workqueue holds the queues that stand between the events a
// controller sees and the workers that act on them.
//
// An item is a key: something small and comparable, such as a path or a
// namespace and a name. It says what to look at, not what to do. A queue gives
// these guarantees:
//
//   - Items come out in the order in which they went in, unless a [Queue] of
//     the caller's says otherwise.
//   - However often an item is added before a worker takes it, the worker gets
//     it once.
//   - From Get until Done an item is held by one worker only. If it is added
//     meanwhile, it goes back in line at Done, once.
//   - Any number of goroutines may add, get and finish items at the same time.
//   - Shutting down lets workers finish what is in line, then tells each of
//     them to stop.
//
// # Choosing a queue
//
// Each queue has all that the one before it has:
//
//   - [NewTyped] returns the plain queue described above.
//   - [NewTypedDelayingQueue] adds AddAfter, for work that is due later.
//   - [NewTypedRateLimitingQueue] adds AddRateLimited, for work that failed: a
//     [TypedRateLimiter] decides how long it waits before the next attempt.
//
// The functions whose names end in WithConfig take a name, under which metrics
// are kept (see [MetricsProvider]), and a clock. Without a name there are no
// metrics. A nil field of a config stands for its default.
//
// The names without Typed are the same queues over items of type any. They are
// kept for programs written before type parameters; [TypedInterface] and its
// relations let the compiler check the items.
//
// # A worker
//
// A worker loops until the queue is shut down, and calls Done for every item
// that it got, whatever came of it:
//
//	for {
//		key, shutdown := queue.Get()
//		if shutdown {
//			return
//		}
//		if err := reconcile(key); err != nil {
//			queue.AddRateLimited(key) // due again after a while
//		} else {
//			queue.Forget(key) // the next failure is a first one
//		}
//		queue.Done(key)
//	}
//
// # Goroutines
//
// A queue without a name runs no goroutine of its own, except that a delaying
// queue runs one while something is waiting for its time. A queue with metrics
// runs one more until it is shut down. So a queue with neither metrics nor
// waiting items can be dropped without shutting it down.
package workqueue
