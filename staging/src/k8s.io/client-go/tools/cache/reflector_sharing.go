package cache

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/internal/share"
	"k8s.io/client-go/internal/share/offer"
)

// The objects of an informer share what is the same in them. Best is that they come
// shared from the decoder. Where they do not, it is done before they are stored.

// A sharingStore is one whose objects nobody changes.
type sharingStore interface {
	// Sharer returns what its objects share with, or nil if somebody changes them
	// after all, as transformers do, and sharing is left to the store.
	Sharer() *share.Sharer
}

func (r *Reflector) sharer() *share.Sharer {
	switch store := r.store.(type) {
	case *RealFIFO:
		if store.transform == nil {
			return store.sharer
		}
	case sharingStore:
		return store.Sharer()
	}
	return nil
}

// An openWatch is a watch whose objects may come shared.
type openWatch struct {
	watch.Interface
	offer *offer.Offer
}

// open starts a watch.
func (r *Reflector) open(ctx context.Context, options metav1.ListOptions) (*openWatch, error) {
	opened := &openWatch{}
	if sharer := r.sharer(); sharer != nil {
		ctx, opened.offer = offer.With(ctx, sharer)
	}
	var err error
	if opened.Interface, err = r.source.WatchWithContext(ctx, options); err != nil {
		return nil, err
	}
	return opened, nil
}

// share has what comes from a watch be shared, if it is not.
func (r *Reflector) share(from *openWatch, event watch.Event) {
	if from.offer.Taken() || event.Type == watch.Bookmark {
		return
	}
	if sharer := r.sharer(); sharer != nil {
		sharer.Share(event.Object)
	}
}

// replace puts a list into the store.
func (r *Reflector) replace(items []any, version string) error {
	sharer := r.sharer()
	if sharer == nil {
		return r.store.Replace(items, version)
	}
	queue, isQueue := r.store.(*RealFIFO)
	for i, item := range items {
		sharer.Share(item)
		if isQueue {
			items[i] = queue.unchanged(item)
		}
	}
	return r.replaceShared(items, version)
}

// replaceShared is replace for objects that are shared, if they are to be.
func (r *Reflector) replaceShared(items []any, version string) error {
	if queue, ok := r.store.(*RealFIFO); ok && r.sharer() != nil {
		return queue.replaceShared(items, version)
	}
	return r.store.Replace(items, version)
}

// follower returns the store for objects that are shared, if they are to be.
func (r *Reflector) follower() ReflectorStore {
	if queue, ok := r.store.(*RealFIFO); ok && r.sharer() != nil {
		return sharedQueue{queue}
	}
	return r.store
}

// A sharedQueue is for objects that are shared.
type sharedQueue struct{ *RealFIFO }

func (q sharedQueue) Add(obj any) error    { return q.queue(Added, obj) }
func (q sharedQueue) Update(obj any) error { return q.queue(Updated, obj) }
func (q sharedQueue) Delete(obj any) error { return q.queue(Deleted, obj) }
