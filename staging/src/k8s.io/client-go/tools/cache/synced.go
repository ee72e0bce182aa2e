package cache

import (
	"context"
	"reflect"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/klog/v2"
)

// A DoneChecker is something that will be done at some time, such as the first
// list of an informer being processed.
type DoneChecker interface {
	// Name says what it is. It may take time to make up.
	Name() string

	// Done returns a channel that is closed when it is done.
	Done() <-chan struct{}
}

// IsDone tells whether checker is done, without waiting.
func IsDone(checker DoneChecker) bool {
	select {
	case <-checker.Done():
		return true
	default:
		return false
	}
}

// WaitFor waits until all checkers are done, and returns true; or until ctx ends
// before that, and returns false. If what is not empty, it is logged what is
// waited for, and how that goes. Unlike the functions for InformerSynced, this one
// does not poll.
func WaitFor(ctx context.Context, what string, checkers ...DoneChecker) bool {
	logger := klog.LoggerWithValues(klog.FromContext(ctx), "for", what).WithCallDepth(1)
	if what == "" {
		logger = klog.Logger{} // logs nothing
	}
	logger.Info("Waiting")
	waiting := slices.Clone(checkers)
	for {
		left := waiting[:0]
		for _, checker := range waiting {
			if !IsDone(checker) {
				left = append(left, checker)
			} else if what != "" {
				logger.Info("Done waiting", "instance", checker.Name())
			}
		}
		waiting = left
		if len(waiting) == 0 {
			return true
		}
		if ctx.Err() != nil {
			logger.Info("Timed out waiting", "cause", context.Cause(ctx), "instances", names(waiting))
			return false
		}
		waitForAny(ctx, waiting)
	}
}

func names(checkers []DoneChecker) []string {
	names := make([]string, 0, len(checkers))
	for _, checker := range checkers {
		names = append(names, checker.Name())
	}
	slices.Sort(names)
	return names
}

// waitForAny waits until one of several checkers is done, or ctx ends.
func waitForAny(ctx context.Context, checkers []DoneChecker) {
	cases := []reflect.SelectCase{{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(ctx.Done())}}
	for _, checker := range checkers {
		cases = append(cases, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(checker.Done())})
	}
	reflect.Select(cases)
}

// InformerSynced tells whether the first list of an informer has been processed.
type InformerSynced func() bool

// syncedPollPeriod is how often InformerSynced functions are called.
const syncedPollPeriod = 100 * time.Millisecond

// WaitForCacheSync waits until all of cacheSyncs return true, and returns true; or
// until stopCh is closed before that, and returns false. [WaitFor] does so without
// polling.
func WaitForCacheSync(stopCh <-chan struct{}, cacheSyncs ...InformerSynced) bool {
	return waitForSynced(wait.ContextForChannel(stopCh), cacheSyncs)
}

// WaitForNamedCacheSync is WaitForCacheSync, and logs what it waits for. A program
// that logs with a context should call WaitForNamedCacheSyncWithContext.
func WaitForNamedCacheSync(controllerName string, stopCh <-chan struct{}, cacheSyncs ...InformerSynced) bool {
	ctx := klog.NewContext(wait.ContextForChannel(stopCh), klog.LoggerWithName(klog.Background(), controllerName))
	return WaitForNamedCacheSyncWithContext(ctx, cacheSyncs...)
}

// WaitForNamedCacheSyncWithContext is WaitForCacheSync, and logs to the logger in
// ctx that it waits.
func WaitForNamedCacheSyncWithContext(ctx context.Context, cacheSyncs ...InformerSynced) bool {
	logger := klog.FromContext(ctx)
	logger.Info("Waiting for caches to sync")
	if !waitForSynced(ctx, cacheSyncs) {
		logger.Error(context.Cause(ctx), "Unable to sync caches")
		return false
	}
	logger.Info("Caches are synced")
	return true
}

func waitForSynced(ctx context.Context, cacheSyncs []InformerSynced) bool {
	err := wait.PollUntilContextCancel(ctx, syncedPollPeriod, true, func(context.Context) (bool, error) {
		for len(cacheSyncs) > 0 {
			if !cacheSyncs[0]() {
				return false, nil
			}
			cacheSyncs = cacheSyncs[1:] // once is enough
		}
		return true, nil
	})
	return err == nil
}
