package cache

import (
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	clientgofeaturegate "k8s.io/client-go/features"
	"k8s.io/client-go/internal/share"
	"k8s.io/klog/v2"
)

// InformerOptions say what to build an informer with.
type InformerOptions struct {
	// Logger is where it logs to. The default is klog's.
	Logger *klog.Logger

	// ListerWatcher is where objects come from.
	ListerWatcher ListerWatcher

	// ObjectType is an example of the objects. Those of other types are
	// passed over.
	ObjectType runtime.Object

	// Handler is told of changes.
	Handler ResourceEventHandler

	// ResyncPeriod is how often the handler is told of all objects as if they
	// had been updated. Zero is never.
	ResyncPeriod time.Duration

	// MinWatchTimeout is how long a watch lasts at least. The default, and
	// the least, is 5 minutes.
	MinWatchTimeout time.Duration

	// Indexers are the indices of the store. If there are any, or if it is
	// not nil, the store is an Indexer.
	Indexers Indexers

	// Transform, if there is one, changes objects before anyone sees them.
	Transform TransformFunc

	// Identifier is who the informer is in metrics. Without it there are
	// none.
	Identifier InformerNameAndResource

	// InformerMetricsProvider makes the metrics, in place of the one that was
	// given to SetInformerMetricsProvider.
	InformerMetricsProvider InformerMetricsProvider
}

// NewInformerWithOptions returns a store, and the controller that keeps it and
// tells the handler of changes. The store is for reading only.
func NewInformerWithOptions(options InformerOptions) (Store, Controller) {
	var metrics []StoreOption
	if options.Identifier.Reserved() {
		metrics = append(metrics, WithStoreMetrics(options.Identifier, options.InformerMetricsProvider))
	}
	var store Store
	if options.Indexers == nil {
		store = NewStore(DeletionHandlingMetaNamespaceKeyFunc, metrics...)
	} else {
		store = NewIndexer(DeletionHandlingMetaNamespaceKeyFunc, options.Indexers, metrics...)
	}
	return store, newInformer(store, options)
}

func newInformer(store Store, options InformerOptions) Controller {
	handler := options.Handler
	if handler == nil {
		handler = ResourceEventHandlerFuncs{}
	}
	p := processor{
		store:   store,
		keyFunc: DeletionHandlingMetaNamespaceKeyFunc,
		tell:    func(n notification) { n.tell(handler) },
	}
	return &controller{logger: options.Logger, config: Config{
		Queue:            newInformerQueue(store, options),
		ListerWatcher:    options.ListerWatcher,
		ObjectType:       options.ObjectType,
		FullResyncPeriod: options.ResyncPeriod,
		MinWatchTimeout:  options.MinWatchTimeout,
		Process:          p.process,
		ProcessBatch:     p.batch,
	}}
}

// newInformerQueue returns the queue that the features ask for. store is what is
// kept by what comes out of it.
func newInformerQueue(store KeyListerGetter, options InformerOptions) Queue {
	gates := clientgofeaturegate.FeatureGates()
	fifo := RealFIFOOptions{
		Logger:          options.Logger,
		KeyFunction:     MetaNamespaceKeyFunc,
		Transformer:     options.Transform,
		Identifier:      options.Identifier,
		MetricsProvider: options.InformerMetricsProvider,
	}
	if !gates.Enabled(clientgofeaturegate.AtomicFIFO) {
		fifo.KnownObjects = store
		return newSharingFIFO(fifo, store)
	}
	fifo.AtomicEvents = true
	fifo.EmitDeltaTypeBookmark = true
	fifo.UnlockWhileProcessing = gates.Enabled(clientgofeaturegate.UnlockWhileProcessingFIFO)
	return newSharingFIFO(fifo, store)
}

// newSharingFIFO returns a queue whose objects share what is the same in them. Nobody
// may change what an informer has in its store.
func newSharingFIFO(options RealFIFOOptions, stored KeyGetter) *RealFIFO {
	f := NewRealFIFOWithOptions(options)
	f.sharer, f.stored = &share.Sharer{}, stored
	return f
}

// NewInformer returns a store and its controller.
//
// Deprecated: use NewInformerWithOptions.
func NewInformer(
	lw ListerWatcher,
	objType runtime.Object,
	resyncPeriod time.Duration,
	h ResourceEventHandler,
) (Store, Controller) {
	return NewTransformingInformer(lw, objType, resyncPeriod, h, nil)
}

// NewIndexerInformer returns a store with indices and its controller.
//
// Deprecated: use NewInformerWithOptions.
func NewIndexerInformer(
	lw ListerWatcher,
	objType runtime.Object,
	resyncPeriod time.Duration,
	h ResourceEventHandler,
	indexers Indexers,
) (Indexer, Controller) {
	return NewTransformingIndexerInformer(lw, objType, resyncPeriod, h, indexers, nil)
}

// NewTransformingInformer returns a store of transformed objects and its
// controller.
//
// Deprecated: use NewInformerWithOptions.
func NewTransformingInformer(
	lw ListerWatcher,
	objType runtime.Object,
	resyncPeriod time.Duration,
	h ResourceEventHandler,
	transformer TransformFunc,
) (Store, Controller) {
	return NewInformerWithOptions(InformerOptions{
		ListerWatcher: lw, ObjectType: objType, ResyncPeriod: resyncPeriod, Handler: h, Transform: transformer,
	})
}

// NewTransformingIndexerInformer returns a store of transformed objects with
// indices and its controller.
//
// Deprecated: use NewInformerWithOptions.
func NewTransformingIndexerInformer(
	lw ListerWatcher,
	objType runtime.Object,
	resyncPeriod time.Duration,
	h ResourceEventHandler,
	indexers Indexers,
	transformer TransformFunc,
) (Indexer, Controller) {
	if indexers == nil {
		indexers = Indexers{}
	}
	store, controller := NewInformerWithOptions(InformerOptions{
		ListerWatcher: lw, ObjectType: objType, ResyncPeriod: resyncPeriod, Handler: h, Indexers: indexers, Transform: transformer,
	})
	return store.(Indexer), controller
}
