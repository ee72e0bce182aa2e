package cache

import (
	"context"
	"errors"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/util/consistencydetector"
)

// stream puts the objects that a watch begins with into the store, and returns the
// watch, to go on with. An error says that it has to be a list.
//
// Neither the server nor the client ever holds a list this way: objects come one
// by one, and are decoded one by one.
func (r *Reflector) stream(ctx context.Context) (*openWatch, error) {
	store := r.store
	if prepared, ok := r.prepared(); ok {
		store = prepared
	}
	for ctx.Err() == nil {
		initial := true
		options := metav1.ListOptions{
			ResourceVersion:      r.knownVersion(),
			ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan,
			SendInitialEvents:    &initial,
			AllowWatchBookmarks:  true,
			TimeoutSeconds:       r.timeout(),
		}
		events, version, objects, err := r.receive(ctx, options)
		switch {
		case err == nil && events != nil:
			if err := store.Replace(objects.List(), version); err != nil {
				events.Stop()
				return nil, err
			}
			r.checkConsistency(ctx, version, objects)
			r.setExpired(false)
			r.setVersion(version)
			return events, nil
		case err == nil: // it was cut off
			r.pause(ctx, 0)
		case errors.Is(err, errStopped):
			return nil, nil
		case isTemporary(err), isBroken(err):
			r.pauseAfter(ctx, err)
		case (isExpired(err) || isTooNew(err)) && options.ResourceVersion != "":
			r.setExpired(true)
		default:
			return nil, err
		}
	}
	return nil, nil
}

// receive returns a watch past its initial events, its resource version, and the
// objects it began with; or no watch if it ended too early.
func (r *Reflector) receive(ctx context.Context, options metav1.ListOptions) (*openWatch, string, Store, error) {
	start := r.clock.Now()
	events, err := r.open(ctx, options)
	if err != nil {
		return nil, "", nil, err
	}
	// Objects are transformed at once, so as to hold no more of them than the
	// store will.
	var transform []StoreOption
	if prepared, ok := r.prepared(); ok {
		transform = append(transform, WithTransformer(func(obj any) (any, error) { return prepared.Known(obj), nil }))
	} else if store, ok := r.store.(TransformingStore); ok && store.Transformer() != nil {
		transform = append(transform, WithTransformer(store.Transformer()))
	}
	objects := NewStore(DeletionHandlingMetaNamespaceKeyFunc, transform...)
	version := ""
	listed, err := r.follow(ctx, events, objects, func(v string) { version = v }, true)
	var tooShort *VeryShortWatchError
	if errors.As(err, &tooShort) {
		err = nil
	}
	if err != nil || !listed {
		return nil, "", nil, err
	}
	if r.metrics != nil {
		r.metrics.listed(r.clock.Since(start), len(objects.ListKeys()))
	}
	return events, version, objects, nil
}

// checkConsistency compares what was streamed with a list, where the environment
// asks for that.
func (r *Reflector) checkConsistency(ctx context.Context, version string, objects Store) {
	if !consistencydetector.IsDataConsistencyDetectionForWatchListEnabled() {
		return
	}
	var transform consistencydetector.TransformFunc
	if store, ok := r.store.(TransformingStore); ok && store.Transformer() != nil {
		transform = consistencydetector.TransformFunc(store.Transformer())
	}
	list := consistencydetector.ListFunc[runtime.Object](r.source.ListWithContext)
	consistencydetector.CheckDataConsistency(ctx, "watch-list reflector with name: "+r.name, version, list, transform,
		metav1.ListOptions{}, objects.List)
}
