package cache

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/internal/share/offer"
)

// An openWatch is a watch, and what came of the offer that was made with it.
type openWatch struct {
	watch.Interface
	offer *offer.Offer
}

func (r *Reflector) open(ctx context.Context, options metav1.ListOptions) (*openWatch, error) {
	ctx, made := r.offer(ctx)
	w, err := r.source.WatchWithContext(ctx, options)
	if err != nil {
		return nil, err
	}
	return &openWatch{w, made}, nil
}

// events returns what waits for the next event, until ctx ends or the watch does. Where
// the watch can do so, the event is decoded by who waits.
func (w *openWatch) events(ctx context.Context) func() (watch.Event, bool) {
	if stream, ok := w.Interface.(interface{ NextEvent() (watch.Event, bool) }); ok {
		return func() (watch.Event, bool) {
			if ctx.Err() != nil {
				return watch.Event{}, false
			}
			return stream.NextEvent()
		}
	}
	return func() (watch.Event, bool) {
		select {
		case <-ctx.Done():
			return watch.Event{}, false
		case event, open := <-w.ResultChan():
			return event, open
		}
	}
}
