package cache

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/internal/share/offer"
	"k8s.io/klog/v2"
)

// VeryShortWatchError is returned for a watch that ended within a second and
// without an event, as it does where something is wrong between here and the
// server.
type VeryShortWatchError struct {
	// Name is that of the reflector.
	Name string
}

// Error tells what happened.
func (e *VeryShortWatchError) Error() string {
	return fmt.Sprintf("very short watch: %s: Unexpected watch close - watch lasted less than a second and no items received", e.Name)
}

// errStopped says that ctx has ended.
var errStopped = errors.New("stop requested")

// watch has the store follow a watch, and the next one when that ends, until
// there has to be a list. It begins with started, unless that is nil.
func (r *Reflector) watch(ctx context.Context, started *openWatch) error {
	retry := NewRetryWithDeadline(r.MaxInternalErrorRetryDuration, time.Minute, apierrors.IsInternalError, r.clock)
	for {
		if ctx.Err() != nil {
			if started != nil {
				started.Stop()
			}
			return nil
		}
		if started == nil {
			var err error
			started, err = r.open(ctx, metav1.ListOptions{
				ResourceVersion:     r.LastSyncResourceVersion(),
				TimeoutSeconds:      r.timeout(),
				AllowWatchBookmarks: true,
			})
			switch {
			case err == nil:
			case ctx.Err() != nil:
				return nil
			case isTemporary(err):
				r.pauseAfter(ctx, err)
				continue
			default:
				return err
			}
		}
		_, err := r.follow(ctx, started, r.store, r.setVersion, false)
		started = nil
		retry.After(err)
		var tooShort *VeryShortWatchError
		switch {
		case err == nil: // it ended as watches do
		case errors.Is(err, errStopped):
			return nil
		case isExpired(err):
			klog.FromContext(ctx).V(4).Info("Watch closed", "reflector", r.name, "type", r.typeDescription, "err", err)
			return nil
		case isTemporary(err), errors.As(err, &tooShort):
			klog.FromContext(ctx).V(2).Info("Watch closed, starting another one", "reflector", r.name, "type", r.typeDescription, "err", err)
			r.pauseAfter(ctx, err)
		case apierrors.IsInternalError(err) && retry.ShouldRetry():
			klog.FromContext(ctx).V(2).Info("Watch closed, starting another one", "reflector", r.name, "type", r.typeDescription, "err", err)
		default:
			klog.FromContext(ctx).Info("Warning: watch ended with error", "reflector", r.name, "type", r.typeDescription, "err", err)
			return nil
		}
	}
}

// isTemporary tells whether the server is restarting, or is busy. It then does not
// help to list.
func isTemporary(err error) bool {
	return utilnet.IsConnectionRefused(err) || apierrors.IsTooManyRequests(err)
}

// pauseAfter waits as long as the server has asked for, too.
func (r *Reflector) pauseAfter(ctx context.Context, err error) {
	seconds, _ := apierrors.SuggestsClientDelay(err)
	r.pause(ctx, time.Duration(seconds)*time.Second)
}

// follow puts what comes from a watch into a store, and stops the watch when it
// returns; except that, if untilListed is set, it returns true at the bookmark
// after the initial events and leaves the watch running.
func (r *Reflector) follow(ctx context.Context, events *openWatch, store ReflectorStore, setVersion func(string), untilListed bool) (listed bool, err error) {
	defer func() {
		if !listed {
			events.Stop()
		}
	}()
	start, count := r.clock.Now(), 0
	defer func() {
		var short *VeryShortWatchError
		r.metrics.watched(r.clock.Since(start), count, errors.As(err, &short))
	}()
	defer context.AfterFunc(ctx, events.Stop)() // which wakes what waits for an event
	next := events.events(ctx)
	for {
		event, open := next()
		switch {
		case !open && ctx.Err() != nil:
			return false, errStopped
		case !open && count == 0 && r.clock.Since(start) < time.Second:
			return false, &VeryShortWatchError{r.name}
		case !open:
			return false, nil
		case event.Type == watch.Error:
			return false, apierrors.FromObject(event.Object)
		}
		if err := r.check(event); err != nil {
			utilruntime.HandleErrorWithContext(ctx, err, "Unexpected watch event", "reflector", r.name, "type", r.typeDescription)
			continue
		}
		object, err := meta.Accessor(event.Object)
		if err != nil {
			utilruntime.HandleErrorWithContext(ctx, err, "Unable to understand watch event", "reflector", r.name, "event", event.Type)
			continue
		}
		count++
		version := object.GetResourceVersion()
		if err := r.put(store, events.offer, event, version); err != nil {
			utilruntime.HandleErrorWithContext(ctx, err, "Unable to put watch event into store", "reflector", r.name, "event", event.Type)
		}
		setVersion(version)
		if store, ok := store.(ResourceVersionUpdater); ok {
			store.UpdateResourceVersion(version)
		}
		if untilListed && event.Type == watch.Bookmark && object.GetAnnotations()[metav1.InitialEventsAnnotationKey] == "true" {
			return true, nil
		}
	}
}

// check returns an error for an object that is not of the kind.
func (r *Reflector) check(event watch.Event) error {
	if r.expectedType != nil {
		if got := reflect.TypeOf(event.Object); got != r.expectedType {
			return fmt.Errorf("expected type %v, but watch event object had type %v", r.expectedType, got)
		}
	}
	if r.expectedGVK != nil {
		if got := event.Object.GetObjectKind().GroupVersionKind(); got != *r.expectedGVK {
			return fmt.Errorf("expected gvk %v, but watch event object had gvk %v", r.expectedGVK, got)
		}
	}
	return nil
}

// put has a change be made in a store, which is that of the reflector or one for the
// time until it has all objects.
func (r *Reflector) put(store ReflectorStore, made *offer.Offer, event watch.Event, version string) error {
	object := any(event.Object)
	if prepared, ok := r.prepared(); ok && event.Type != watch.Bookmark {
		var err error
		if object, err = prepare(prepared, made, object); err != nil {
			return err
		}
		if store == r.store {
			store = prepared
		}
	}
	switch event.Type {
	case watch.Added:
		return store.Add(object)
	case watch.Modified:
		return store.Update(object)
	case watch.Deleted:
		return store.Delete(object)
	case watch.Bookmark:
		if store, ok := store.(ReflectorBookmarkStore); ok {
			return store.Bookmark(version)
		}
		return nil
	}
	return fmt.Errorf("unknown type of event %q", event.Type)
}

// isBroken tells whether a watch that is just starting was cut off, as opposed to
// refused.
func isBroken(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
