package watch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

// ErrWatchClosed is returned where a watch ended before all conditions were met.
var ErrWatchClosed = errors.New("watch closed before UntilWithoutRetry timeout")

// A PreconditionFunc looks at a store that has just been filled. True says that
// there is nothing to wait for, an error that there is no use in waiting.
type PreconditionFunc func(store cache.Store) (bool, error)

// A ConditionFunc looks at an event. True says that the condition is met, an error
// that there is no use in waiting. It should look at the state of the object
// rather than at what kind of event it is: events may be left out.
type ConditionFunc func(event watch.Event) (bool, error)

// UntilWithoutRetry waits until the conditions have been met by events of a watch,
// in the order in which they are given. One event may meet several of them: a
// condition is first asked about the event that met the one before it, and is
// never asked about an earlier event. The watch is stopped in the end.
//
// It returns the last event, or nil if there was none. The error is that of a
// condition; or [ErrWatchClosed] if the watch has ended; or, if ctx has, one for
// which [wait.Interrupted] is true.
func UntilWithoutRetry(ctx context.Context, watcher watch.Interface, conditions ...ConditionFunc) (*watch.Event, error) {
	defer watcher.Stop()
	var last *watch.Event
	for len(conditions) > 0 {
		select {
		case event, open := <-watcher.ResultChan():
			if !open {
				return last, ErrWatchClosed
			}
			last = &event
			met, err := countMet(conditions, event)
			if err != nil {
				return last, err
			}
			conditions = conditions[met:]
		case <-ctx.Done():
			return last, wait.ErrorInterrupted(nil)
		}
	}
	return last, nil
}

// countMet asks conditions about an event, up to the first that it does not meet,
// and returns how many it met.
func countMet(conditions []ConditionFunc, event watch.Event) (int, error) {
	for i, condition := range conditions {
		if met, err := condition(event); err != nil || !met {
			return i, err
		}
	}
	return len(conditions), nil
}

// Until is [UntilWithoutRetry] with a [RetryWatcher] from a resource version on,
// which must not be "" or "0". It fails when the server no longer knows the version
// from which it would have to go on.
func Until(ctx context.Context, initialResourceVersion string, watcherClient cache.Watcher, conditions ...ConditionFunc) (*watch.Event, error) {
	watcher, err := NewRetryWatcherWithContext(ctx, initialResourceVersion, cache.ToWatcherWithContext(watcherClient))
	if err != nil {
		return nil, err
	}
	defer func() { <-watcher.Done() }()
	return UntilWithoutRetry(ctx, watcher, conditions...)
}

// patience is how long UntilWithSync waits in the end for its informer.
const patience = time.Second

// UntilWithSync is [UntilWithoutRetry] with the events of an informer for lw, among
// which there is an addition for every object that is there at the beginning. If
// there is a precondition, it is asked once the store is filled. objType is an
// example of the objects.
func UntilWithSync(ctx context.Context, lw cache.ListerWatcher, objType runtime.Object, precondition PreconditionFunc, conditions ...ConditionFunc) (*watch.Event, error) {
	store, informer, watcher, done := NewIndexerInformerWatcherWithLogger(klog.FromContext(ctx), lw, objType)
	defer func() {
		select {
		case <-done:
		case <-time.After(patience): // a list or watch that does not listen to its context
		}
	}()
	defer watcher.Stop()
	if precondition != nil {
		if !cache.WaitFor(ctx, "", informer.HasSyncedChecker()) {
			return nil, fmt.Errorf("UntilWithSync: unable to sync caches: %w", context.Cause(ctx))
		}
		met, err := precondition(store)
		if err != nil || met {
			return nil, err
		}
	}
	return UntilWithoutRetry(ctx, watcher, conditions...)
}

// ContextWithOptionalTimeout is [context.WithTimeout], but without a limit if
// timeout is zero. If it is negative, there is no limit either.
func ContextWithOptionalTimeout(parent context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout <= 0 {
		return context.WithCancel(parent)
	}
	return context.WithTimeout(parent, timeout)
}
