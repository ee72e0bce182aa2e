package informers

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/internal/share/offer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// A Client lists and watches the objects of one resource. L is the type of a list of
// them.
type Client[L runtime.Object] interface {
	List(ctx context.Context, opts metav1.ListOptions) (L, error)
	Watch(ctx context.Context, opts metav1.ListOptions) (watch.Interface, error)
}

// Source returns what an informer has its objects from: a client, which is asked for
// at every request. tweak, if there is one, may change what is asked for. all is the
// client that the other one belongs to, and says whether it streams lists.
func Source[L runtime.Object](client func() Client[L], tweak func(*metav1.ListOptions), all any) cache.ListerWatcher {
	if tweak == nil {
		tweak = func(*metav1.ListOptions) {}
	}
	return cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			tweak(&options)
			c := client()
			return c.List(passing(ctx, c), options)
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			tweak(&options)
			c := client()
			return c.Watch(passing(ctx, c), options)
		},
	}, all)
}

// passing returns a context that passes on what an informer offers, if the client is a
// typed one of this library, and nothing that somebody has put around one: then what it
// returns is what was decoded.
func passing(ctx context.Context, client any) context.Context {
	if c, ok := client.(interface{ GetClient() rest.Interface }); ok {
		if _, ok := c.GetClient().(*rest.RESTClient); ok {
			return offer.Pass(ctx)
		}
	}
	return ctx
}
