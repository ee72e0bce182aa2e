package workqueue_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/client-go/util/workqueue"
)

// Two workers reconcile the keys that events mention. Events about one key
// collapse while it waits.
func Example() {
	queue := workqueue.NewTyped[string]()
	for _, event := range []string{"default/web", "default/db", "default/web"} {
		queue.Add(event)
	}

	var reconciled atomic.Int32
	var workers sync.WaitGroup
	for range 2 {
		workers.Go(func() {
			for {
				key, shutdown := queue.Get()
				if shutdown {
					return
				}
				_ = key // look at it, and do what it takes
				reconciled.Add(1)
				queue.Done(key)
			}
		})
	}
	queue.ShutDownWithDrain()
	workers.Wait()
	fmt.Println(reconciled.Load(), "keys")
	// Output: 2 keys
}

// Delayed items come when they are due, whatever the order of the calls.
func ExampleNewTypedDelayingQueue() {
	queue := workqueue.NewTypedDelayingQueue[string]()
	defer queue.ShutDown()
	queue.AddAfter("later", 40*time.Millisecond)
	queue.AddAfter("sooner", 10*time.Millisecond)
	queue.Add("now")

	for range 3 {
		item, _ := queue.Get()
		fmt.Println(item)
		queue.Done(item)
	}
	// Output:
	// now
	// sooner
	// later
}

// A key that fails is tried again, later each time, until it succeeds.
func ExampleNewTypedRateLimitingQueue() {
	queue := workqueue.NewTypedRateLimitingQueue(
		workqueue.NewTypedItemExponentialFailureRateLimiter[string](time.Millisecond, time.Second))
	defer queue.ShutDown()

	reconcile := func(key string) error {
		if queue.NumRequeues(key) < 2 {
			return errors.New("not ready")
		}
		return nil
	}
	queue.Add("default/web")
	for done := false; !done; {
		key, _ := queue.Get()
		if err := reconcile(key); err != nil {
			fmt.Println(key, err)
			queue.AddRateLimited(key)
		} else {
			fmt.Println(key, "ready after", queue.NumRequeues(key), "retries")
			queue.Forget(key)
			done = true
		}
		queue.Done(key)
	}
	// Output:
	// default/web not ready
	// default/web not ready
	// default/web ready after 2 retries
}

// The time to wait doubles with each failure, and starts afresh after Forget.
func ExampleNewTypedItemExponentialFailureRateLimiter() {
	limiter := workqueue.NewTypedItemExponentialFailureRateLimiter[string](time.Second, 5*time.Second)
	for range 4 {
		fmt.Print(limiter.When("a"), " ")
	}
	limiter.Forget("a")
	fmt.Println(limiter.When("a"))
	// Output: 1s 2s 4s 5s 1s
}

// A task is urgent or not, and urgent ones overtake.
type task struct {
	name   string
	urgent bool
}

// urgentFirst is a Queue of one's own. Its methods need no lock.
type urgentFirst struct{ tasks []task }

func (u *urgentFirst) Touch(task)  {}
func (u *urgentFirst) Len() int    { return len(u.tasks) }
func (u *urgentFirst) Push(t task) { u.tasks = append(u.tasks, t) }

func (u *urgentFirst) Pop() task {
	slices.SortStableFunc(u.tasks, func(a, b task) int {
		rank := map[bool]int{true: 0, false: 1}
		return cmp.Compare(rank[a.urgent], rank[b.urgent])
	})
	next := u.tasks[0]
	u.tasks = u.tasks[1:]
	return next
}

// A Queue of one's own decides in which order items are handed out.
func ExampleQueue() {
	queue := workqueue.NewTypedWithConfig(workqueue.TypedQueueConfig[task]{Queue: &urgentFirst{}})
	queue.Add(task{name: "sweep"})
	queue.Add(task{name: "dust"})
	queue.Add(task{name: "put out the fire", urgent: true})
	for queue.Len() > 0 {
		next, _ := queue.Get()
		fmt.Println(next.name)
		queue.Done(next)
	}
	// Output:
	// put out the fire
	// sweep
	// dust
}

// Sixteen squares are computed by four workers.
func ExampleParallelizeUntil() {
	squares := make([]int, 16)
	workqueue.ParallelizeUntil(context.Background(), 4, len(squares), func(piece int) {
		squares[piece] = piece * piece
	})
	fmt.Println(squares[3], squares[15])
	// Output: 9 225
}
