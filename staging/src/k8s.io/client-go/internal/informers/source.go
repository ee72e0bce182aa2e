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
			return client().List(ctx, options)
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			tweak(&options)
			c := client()
			if isOurs(c) {
				ctx = offer.Pass(ctx)
			}
			return c.Watch(ctx, options)
		},
	}, all)
}

// isOurs reports whether a client is a typed one of this library, and nothing that
// somebody has put around one, so that what it returns is what was decoded.
func isOurs(client any) bool {
	c, ok := client.(interface{ GetClient() rest.Interface })
	if !ok {
		return false
	}
	_, ok = c.GetClient().(*rest.RESTClient)
	return ok
}
