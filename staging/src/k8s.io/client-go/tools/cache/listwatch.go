package cache

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/internal/share/offer"
	restclient "k8s.io/client-go/rest"
	"k8s.io/client-go/util/watchlist"
)

// A Lister lists the objects of a kind. It should be a [ListerWithContext], too.
type Lister interface {
	// List returns a list of objects. Its resource version is where a watch
	// can go on.
	//
	// Deprecated: use ListerWithContext.ListWithContext, which can be
	// cancelled.
	List(options metav1.ListOptions) (runtime.Object, error)
}

// A ListerWithContext lists the objects of a kind.
type ListerWithContext interface {
	// ListWithContext returns a list of objects. Its resource version is where
	// a watch can go on.
	ListWithContext(ctx context.Context, options metav1.ListOptions) (runtime.Object, error)
}

// A Watcher watches the objects of a kind. It should be a [WatcherWithContext],
// too.
type Watcher interface {
	// Watch returns the changes from a resource version on. Where it returns
	// an error, there is nothing for the caller to stop.
	//
	// Deprecated: use WatcherWithContext.WatchWithContext, which can be
	// cancelled.
	Watch(options metav1.ListOptions) (watch.Interface, error)
}

// A WatcherWithContext watches the objects of a kind.
type WatcherWithContext interface {
	// WatchWithContext returns the changes from a resource version on. Where
	// it returns an error, there is nothing for the caller to stop.
	WatchWithContext(ctx context.Context, options metav1.ListOptions) (watch.Interface, error)
}

// A ListerWatcher lists and watches the objects of a kind. It should be a
// [ListerWatcherWithContext], too.
type ListerWatcher interface {
	Lister
	Watcher
}

// A ListerWatcherWithContext lists and watches the objects of a kind.
type ListerWatcherWithContext interface {
	ListerWithContext
	WatcherWithContext
}

// ToListerWithContext returns l itself if it takes a context, or else something
// that does without.
func ToListerWithContext(l Lister) ListerWithContext {
	if l, ok := l.(ListerWithContext); ok {
		return l
	}
	return contextLister{l}
}

// ToWatcherWithContext returns w itself if it takes a context, or else something
// that does without.
func ToWatcherWithContext(w Watcher) WatcherWithContext {
	if w, ok := w.(WatcherWithContext); ok {
		return w
	}
	return contextWatcher{w}
}

// ToListerWatcherWithContext returns lw itself if it takes a context, or else
// something that does without.
func ToListerWatcherWithContext(lw ListerWatcher) ListerWatcherWithContext {
	if lw, ok := lw.(ListerWatcherWithContext); ok {
		return lw
	}
	return struct {
		ListerWithContext
		WatcherWithContext
	}{ToListerWithContext(lw), ToWatcherWithContext(lw)}
}

type contextLister struct{ Lister }

func (l contextLister) ListWithContext(_ context.Context, options metav1.ListOptions) (runtime.Object, error) {
	return l.List(options)
}

type contextWatcher struct{ Watcher }

func (w contextWatcher) WatchWithContext(_ context.Context, options metav1.ListOptions) (watch.Interface, error) {
	return w.Watch(options)
}

// A ListFunc lists objects.
//
// Deprecated: use ListWithContextFunc, which can be cancelled.
type ListFunc func(options metav1.ListOptions) (runtime.Object, error)

// A ListWithContextFunc lists objects.
type ListWithContextFunc func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error)

// A WatchFunc watches objects.
//
// Deprecated: use WatchFuncWithContext, which can be cancelled.
type WatchFunc func(options metav1.ListOptions) (watch.Interface, error)

// A WatchFuncWithContext watches objects.
type WatchFuncWithContext func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error)

// A ListWatch makes a ListerWatcher out of functions: one to list and one to
// watch, of either sort. Where both sorts are there, the one with a context goes
// first if there is a context, and the other one if there is none.
type ListWatch struct {
	// Deprecated: use ListWithContextFunc.
	ListFunc ListFunc
	// Deprecated: use WatchFuncWithContext.
	WatchFunc WatchFunc

	ListWithContextFunc  ListWithContextFunc
	WatchFuncWithContext WatchFuncWithContext

	// DisableChunking has a reflector list everything at once.
	DisableChunking bool
}

var (
	_ ListerWatcher            = &ListWatch{}
	_ ListerWatcherWithContext = &ListWatch{}
)

// List lists the objects.
//
// Deprecated: use ListWithContext.
func (lw *ListWatch) List(options metav1.ListOptions) (runtime.Object, error) {
	if lw.ListFunc == nil {
		return lw.ListWithContextFunc(context.Background(), options)
	}
	return lw.ListFunc(options)
}

// ListWithContext lists the objects.
func (lw *ListWatch) ListWithContext(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
	if lw.ListWithContextFunc == nil {
		return lw.ListFunc(options)
	}
	return lw.ListWithContextFunc(ctx, options)
}

// Watch watches the objects.
//
// Deprecated: use WatchWithContext.
func (lw *ListWatch) Watch(options metav1.ListOptions) (watch.Interface, error) {
	if lw.WatchFunc == nil {
		return lw.WatchFuncWithContext(context.Background(), options)
	}
	return lw.WatchFunc(options)
}

// WatchWithContext watches the objects.
func (lw *ListWatch) WatchWithContext(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
	if lw.WatchFuncWithContext == nil {
		return lw.WatchFunc(options)
	}
	return lw.WatchFuncWithContext(ctx, options)
}

// A Getter starts a GET request. A REST client is one.
type Getter interface {
	// Get starts the request.
	Get() *restclient.Request
}

// NewListWatchFromClient returns a ListWatch of a resource in a namespace, or in
// all if it is "", by way of a REST client.
func NewListWatchFromClient(c Getter, resource string, namespace string, fieldSelector fields.Selector) *ListWatch {
	return NewFilteredListWatchFromClient(c, resource, namespace, func(options *metav1.ListOptions) {
		options.FieldSelector = fieldSelector.String()
	})
}

// NewFilteredListWatchFromClient is NewListWatchFromClient with a function that
// changes the options of every request, for instance to set a label selector. All
// functions of the ListWatch are set.
func NewFilteredListWatchFromClient(c Getter, resource string, namespace string, optionsModifier func(options *metav1.ListOptions)) *ListWatch {
	request := func(options *metav1.ListOptions) *restclient.Request {
		if optionsModifier != nil {
			optionsModifier(options)
		}
		return c.Get().Namespace(namespace).Resource(resource).VersionedParams(options, metav1.ParameterCodec)
	}
	list := func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
		return request(&options).DoGet(passing(ctx, c))
	}
	follow := func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
		options.Watch = true
		return request(&options).Watch(passing(ctx, c))
	}
	return &ListWatch{
		ListFunc: func(options metav1.ListOptions) (runtime.Object, error) {
			return list(context.Background(), options)
		},
		WatchFunc: func(options metav1.ListOptions) (watch.Interface, error) {
			return follow(context.Background(), options)
		},
		ListWithContextFunc:  list,
		WatchFuncWithContext: follow,
	}
}

// passing returns a context that passes on what an informer offers, if nothing but our
// client is between it and the server.
func passing(ctx context.Context, c Getter) context.Context {
	if _, isOurs := c.(*restclient.RESTClient); isOurs {
		return offer.Pass(ctx)
	}
	return ctx
}

// ToListWatcherWithWatchListSemantics returns a ListerWatcher that does what lw
// does, and has a reflector know whether client says that it cannot stream lists,
// as clients for tests do.
func ToListWatcherWithWatchListSemantics(lw *ListWatch, client any) ListerWatcher {
	return streamingListWatch{lw, watchlist.DoesClientNotSupportWatchListSemantics(client)}
}

type streamingListWatch struct {
	*ListWatch
	unsupported bool
}

// IsWatchListSemanticsUnSupported is what a reflector asks.
func (lw streamingListWatch) IsWatchListSemanticsUnSupported() bool { return lw.unsupported }
