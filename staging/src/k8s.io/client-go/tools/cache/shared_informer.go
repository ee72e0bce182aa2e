package cache

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/klog/v2"
)

// A SharedInformer keeps a store of all objects of a kind, or of those that its
// [ListerWatcher] selects, and tells any number of handlers of changes. There is
// one list and one watch for all of them.
//
//	                                ┌──▶ store, with indices
//	server ──▶ reflector ──▶ queue ─┤
//	                                └──▶ log ──┬──▶ handler
//	                                           ├──▶ handler
//	                                           └──▶ handler
//
// # What holds
//
// The store comes to have what the server has, unless the informer is stopped or
// cannot reach the server. Of each object it has the states in their order, but it
// may leave some out; and between objects there is no order. Queries are answered
// from the store alone, each from one state of it. Keys are namespace/name, or the
// name alone.
//
// A handler is told of a change after the store and its indices have it. It is
// told one thing after the other, those about one object in their order, in a
// goroutine of its own. A handler that is added late is first told of all objects
// that are there, as if they were in the first list. Where an object is deleted and
// another one of the same name is created, handlers may see an update from the one
// to the other: the UIDs tell.
//
// # Slow handlers
//
// Handlers do not wait for each other. What a slow one is to be told waits in
// memory. Beyond [HandlerOptions].MaxBacklog it is combined to one notification
// for each object, so that it does not grow any more: the handler still gets to see
// the last state of every object, but not all states before. Its registration is a
// [HandlerBacklog], and a [HandlerMetricsProvider] has metrics of it. A handler
// that has much to do should put keys into a queue, and return.
//
// # Objects are shared
//
// The objects in the store are the ones that handlers are given, and parts of them
// may be parts of other objects, too. They must not be changed, nor anything that
// can be reached from them.
type SharedInformer interface {
	// AddEventHandler adds a handler with the informer's resync period.
	// Programs that log with a context should call
	// AddEventHandlerWithOptions. It is an error if the informer has stopped.
	AddEventHandler(handler ResourceEventHandler) (ResourceEventHandlerRegistration, error)
	// AddEventHandlerWithResyncPeriod adds a handler that is told of all
	// objects, as updates from what they are to what they are, about that
	// often. Zero is never. It is not more often than the informer checks,
	// which is decided when it starts: by the shortest period until then,
	// and not at all if the informer's own is zero.
	AddEventHandlerWithResyncPeriod(handler ResourceEventHandler, resyncPeriod time.Duration) (ResourceEventHandlerRegistration, error)
	// AddEventHandlerWithOptions adds a handler with options.
	AddEventHandlerWithOptions(handler ResourceEventHandler, options HandlerOptions) (ResourceEventHandlerRegistration, error)
	// RemoveEventHandler removes a handler. What waits for it is dropped; a
	// call that has begun may still be going on. To remove it again does
	// nothing. It is an error if the handle is not one of an informer.
	RemoveEventHandler(handle ResourceEventHandlerRegistration) error
	// GetStore returns the store, for reading.
	GetStore() Store
	// GetController returns something that does nothing but tell HasSynced.
	GetController() Controller
	// Run is RunWithContext with a channel that is closed.
	Run(stopCh <-chan struct{})
	// RunWithContext runs the informer until ctx ends, and returns when
	// nothing of it runs any more, handlers included. It can be run only
	// once.
	RunWithContext(ctx context.Context)
	// HasSynced tells whether all of the first list is in the store. Handlers
	// may not have been told of it yet: their registrations know.
	HasSynced() bool
	// HasSyncedChecker is done when all of the first list is in the store.
	HasSyncedChecker() DoneChecker
	// LastSyncResourceVersion is the resource version that the reflector has
	// come to, or "".
	LastSyncResourceVersion() string

	// SetWatchErrorHandler sets what is told of errors of lists and watches,
	// in place of DefaultWatchErrorHandler. The last one set counts. It is
	// an error if the informer has been started.
	SetWatchErrorHandler(handler WatchErrorHandler) error

	// SetWatchErrorHandlerWithContext is SetWatchErrorHandler for a function
	// with a context.
	SetWatchErrorHandlerWithContext(handler WatchErrorHandlerWithContext) error

	// SetTransform sets what changes objects before anyone sees them. It is an
	// error if the informer has been started.
	SetTransform(handler TransformFunc) error

	// IsStopped tells whether the informer has stopped. It cannot be started
	// again.
	IsStopped() bool
}

// A SharedIndexInformer is a SharedInformer with indices.
type SharedIndexInformer interface {
	SharedInformer
	// AddIndexers adds indices, whether or not the informer runs. It is an
	// error if a name is taken, or if the informer has stopped.
	AddIndexers(indexers Indexers) error
	// GetIndexer returns the store, for reading.
	GetIndexer() Indexer
}

// A ResourceEventHandlerRegistration is a handler of a shared informer. It is what
// the handler is removed by.
type ResourceEventHandlerRegistration interface {
	// HasSynced tells whether the handler was told of all of the first list.
	HasSynced() bool

	// HasSyncedChecker is done when the handler was told of all of the first
	// list.
	HasSyncedChecker() DoneChecker
}

// A HandlerBacklog tells how far a handler is behind. The registrations that this
// package returns are ones.
type HandlerBacklog interface {
	// Backlog returns how many notifications wait for the handler.
	Backlog() int
}

// HandlerOptions say how a shared informer calls a handler.
type HandlerOptions struct {
	// Logger is for logs about the handler, in place of klog.Background().
	Logger *klog.Logger

	// ResyncPeriod is how often the handler is told of all objects. Zero is
	// never, nil is what the informer has. See
	// [SharedInformer.AddEventHandlerWithResyncPeriod].
	ResyncPeriod *time.Duration

	// MaxBacklog is how many notifications may wait for the handler before they
	// are combined: to one for each object, so that no more wait than there are
	// objects, and objects that the handler has not been told are gone. As long
	// as no more wait than there are objects, they are left alone anyway. Zero
	// is [DefaultMaxBacklog]. If it is negative, they are never combined, and a
	// handler that is too slow uses up all memory.
	MaxBacklog int
}

// DefaultMaxBacklog is the MaxBacklog of handlers that say nothing else.
const DefaultMaxBacklog = 10_000

// NewSharedInformer returns an informer that does not run yet. See
// [NewSharedIndexInformerWithOptions].
func NewSharedInformer(lw ListerWatcher, exampleObject runtime.Object, defaultEventHandlerResyncPeriod time.Duration) SharedInformer {
	return NewSharedIndexInformer(lw, exampleObject, defaultEventHandlerResyncPeriod, Indexers{})
}

// NewSharedIndexInformer returns an informer that does not run yet. See
// [NewSharedIndexInformerWithOptions].
func NewSharedIndexInformer(lw ListerWatcher, exampleObject runtime.Object, defaultEventHandlerResyncPeriod time.Duration, indexers Indexers) SharedIndexInformer {
	return NewSharedIndexInformerWithOptions(lw, exampleObject, SharedIndexInformerOptions{
		ResyncPeriod: defaultEventHandlerResyncPeriod,
		Indexers:     indexers,
	})
}

// SharedIndexInformerOptions say how an informer works.
type SharedIndexInformerOptions struct {
	// ResyncPeriod is that of handlers that say nothing else, and how often it
	// is checked which of them are due. Zero is never, for any handler.
	ResyncPeriod time.Duration

	// Indexers are the indices of the store.
	Indexers Indexers

	// ObjectDescription is what the objects are called in logs.
	ObjectDescription string

	// Identifier is who the informer is in metrics. Without it there are
	// none.
	Identifier InformerNameAndResource

	// InformerMetricsProvider makes the metrics, in place of the one that was
	// given to SetInformerMetricsProvider.
	InformerMetricsProvider InformerMetricsProvider
}

// NewSharedIndexInformerWithOptions returns an informer that does not run yet.
// Objects that are not of the type of exampleObject are passed over; unless it is
// nil.
//
// A handler's resync period is rounded up to a multiple of the informer's. That is
// the shortest that was asked for before the start, by the options or a handler, but
// at least a second.
func NewSharedIndexInformerWithOptions(lw ListerWatcher, exampleObject runtime.Object, options SharedIndexInformerOptions) SharedIndexInformer {
	return newSharedIndexInformer(lw, exampleObject, options)
}
