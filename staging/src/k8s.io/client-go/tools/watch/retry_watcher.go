package watch

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
	"k8s.io/utils/dump"
)

// A RetryWatcher is a watch that does not end when the one behind it does, but goes
// on with another one from the last resource version, so that there is every event
// once. It waits a second before each new watch, or longer if the server asks for
// that.
//
// It ends with an event of type Error if going on is of no use: if the server no
// longer knows the resource version, if it does not let the client watch, or if an
// event makes no sense. Bookmarks are not passed on.
type RetryWatcher struct {
	client  cache.WatcherWithContext
	version string // of the last event

	events chan watch.Event
	cancel context.CancelFunc
	done   chan struct{}
}

// restartDelay keeps a server that ends every watch at once from being flooded.
const restartDelay = time.Second

// NewRetryWatcher returns a watch from a resource version on.
//
// Deprecated: use NewRetryWatcherWithContext.
func NewRetryWatcher(initialResourceVersion string, watcherClient cache.Watcher) (*RetryWatcher, error) {
	return NewRetryWatcherWithContext(context.Background(), initialResourceVersion, cache.ToWatcherWithContext(watcherClient))
}

// NewRetryWatcherWithContext returns a watch from a resource version on, which ends
// with ctx. The version must not be "" or "0", because the events then would begin
// somewhere, and some would come again after a retry.
func NewRetryWatcherWithContext(ctx context.Context, initialResourceVersion string, watcherClient cache.WatcherWithContext) (*RetryWatcher, error) {
	if initialResourceVersion == "" || initialResourceVersion == "0" {
		return nil, fmt.Errorf("initial RV %q is not supported due to issues with underlying WATCH", initialResourceVersion)
	}
	ctx, cancel := context.WithCancel(ctx)
	rw := &RetryWatcher{
		client:  watcherClient,
		version: initialResourceVersion,
		events:  make(chan watch.Event),
		cancel:  cancel,
		done:    make(chan struct{}),
	}
	go rw.run(ctx)
	return rw, nil
}

// ResultChan returns the events. It is closed when the watch has ended.
func (rw *RetryWatcher) ResultChan() <-chan watch.Event { return rw.events }

// Stop ends the watch. It may be called more than once.
func (rw *RetryWatcher) Stop() { rw.cancel() }

// Done returns a channel that is closed when the watch has ended and nothing of it
// runs any more.
func (rw *RetryWatcher) Done() <-chan struct{} { return rw.done }

func (rw *RetryWatcher) run(ctx context.Context) {
	defer close(rw.done)
	defer close(rw.events)
	defer rw.cancel()
	for {
		wait, ok := rw.watchOnce(ctx)
		if !ok {
			return
		}
		timer := time.NewTimer(max(wait, restartDelay))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// watchOnce passes on the events of one watch. It returns whether there should be
// another one, and how long the server wants it to wait.
func (rw *RetryWatcher) watchOnce(ctx context.Context) (wait time.Duration, again bool) {
	watcher, err := rw.client.WatchWithContext(ctx, metav1.ListOptions{
		ResourceVersion:     rw.version,
		AllowWatchBookmarks: true,
	})
	if apierrors.IsUnauthorized(err) || apierrors.IsForbidden(err) {
		rw.end(ctx, err)
		return 0, false
	}
	if err != nil {
		return rw.failed(ctx, err)
	}
	defer watcher.Stop()
	for {
		select {
		case <-ctx.Done():
			return 0, false
		case event, open := <-watcher.ResultChan():
			if !open {
				return 0, true
			}
			if event.Type == watch.Error {
				return rw.failed(ctx, apierrors.FromObject(event.Object))
			}
			if !rw.pass(ctx, event) {
				return 0, false
			}
		}
	}
}

// failed tells whether to try again after an error. If not, it is passed on.
func (rw *RetryWatcher) failed(ctx context.Context, err error) (wait time.Duration, again bool) {
	if apierrors.IsGone(err) || apierrors.IsResourceExpired(err) {
		rw.end(ctx, err)
		return 0, false
	}
	klog.FromContext(ctx).V(4).Info("Watch failed, trying again", "err", err, "resourceVersion", rw.version)
	seconds := 0
	var status apierrors.APIStatus
	if errors.As(err, &status) && status.Status().Details != nil {
		seconds = int(status.Status().Details.RetryAfterSeconds)
	}
	return time.Duration(seconds) * time.Second, ctx.Err() == nil
}

// end passes an error of the server on.
func (rw *RetryWatcher) end(ctx context.Context, err error) {
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		s := status.Status()
		rw.send(ctx, watch.Event{Type: watch.Error, Object: &s})
	}
}

// pass passes an event on. It returns whether to go on.
func (rw *RetryWatcher) pass(ctx context.Context, event watch.Event) bool {
	switch event.Type {
	case watch.Added, watch.Modified, watch.Deleted, watch.Bookmark:
	default:
		rw.giveUp(ctx, fmt.Errorf("retryWatcher failed to recognize Event type %q", event.Type))
		return false
	}
	object, err := meta.Accessor(event.Object)
	if err != nil {
		rw.giveUp(ctx, fmt.Errorf("retryWatcher: object %#v has no metadata: %w", event.Object, err))
		return false
	}
	version := object.GetResourceVersion()
	if version == "" {
		rw.giveUp(ctx, fmt.Errorf("retryWatcher: object %s has no resource version", dump.OneLine(event.Object)))
		return false
	}
	if event.Type != watch.Bookmark && !rw.send(ctx, event) {
		return false
	}
	rw.version = version
	return true
}

// giveUp passes on that the server has sent something that makes no sense.
func (rw *RetryWatcher) giveUp(ctx context.Context, err error) {
	rw.send(ctx, watch.Event{Type: watch.Error, Object: &apierrors.NewInternalError(err).ErrStatus})
}

func (rw *RetryWatcher) send(ctx context.Context, event watch.Event) bool {
	select {
	case <-ctx.Done():
		return false
	case rw.events <- event:
		return true
	}
}
