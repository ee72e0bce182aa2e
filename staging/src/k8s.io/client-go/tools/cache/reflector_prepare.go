package cache

import (
	"context"

	"k8s.io/client-go/internal/share"
	"k8s.io/client-go/internal/share/offer"
)

// A preparedStore is given objects as they are to be stored: the reflector has
// transformed them, and they share what is the same in them.
//
// Best is that they come shared from the decoder. Where they do not, but are fresh from
// one, that is done afterwards, as it must be where they are transformed.
type preparedStore interface {
	ReflectorStore
	// Transformer returns what changes objects before they are stored, or nil.
	Transformer() TransformFunc
	// Sharer returns what objects share with.
	Sharer() *share.Sharer
	// Known returns what is in the store in place of an object that equals it, so
	// that a list that is mostly as the one before takes no memory.
	Known(obj any) any
}

// prepared returns the store as one that is given prepared objects, if it can be.
func (r *Reflector) prepared() (preparedStore, bool) {
	if queue, ok := r.store.(*RealFIFO); ok {
		return preparedQueue{queue}, queue.sharer != nil
	}
	store, ok := r.store.(preparedStore)
	return store, ok
}

// offer returns a context with an offer to share.
func (r *Reflector) offer(ctx context.Context) (context.Context, *offer.Offer) {
	store, ok := r.prepared()
	if !ok {
		return ctx, nil
	}
	if store.Transformer() != nil {
		return offer.With(ctx, nil)
	}
	return offer.With(ctx, store.Sharer())
}

// prepare returns an object as it is to be stored.
func prepare(store preparedStore, made *offer.Offer, obj any) (any, error) {
	if transform := store.Transformer(); transform != nil {
		var err error
		if obj, err = transform(obj); err != nil {
			return nil, err
		}
	}
	if made.Decoded() && !made.Taken() {
		store.Sharer().Share(obj)
	}
	return obj, nil
}

// preparedQueue is the queue of an informer.
type preparedQueue struct{ *RealFIFO }

func (q preparedQueue) Add(obj any) error     { return q.queue(Added, obj) }
func (q preparedQueue) Update(obj any) error  { return q.queue(Updated, obj) }
func (q preparedQueue) Delete(obj any) error  { return q.queue(Deleted, obj) }
func (q preparedQueue) Sharer() *share.Sharer { return q.sharer }
func (q preparedQueue) Known(obj any) any     { return q.unchanged(obj) }

func (q preparedQueue) Replace(objects []any, resourceVersion string) error {
	return q.replace(objects, resourceVersion)
}
