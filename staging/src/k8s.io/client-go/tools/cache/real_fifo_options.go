package cache

import "k8s.io/klog/v2"

// RealFIFOOptions say what to build a RealFIFO with.
type RealFIFOOptions struct {
	// Logger is for logs. So far there is nothing that the queue logs.
	Logger *klog.Logger

	// Name is for logs, if there is no Identifier. The default is RealFIFO.
	Name string

	// KeyFunction returns the keys of objects. The default is
	// MetaNamespaceKeyFunc.
	KeyFunction KeyFunc

	// KnownObjects is the store that is kept by what comes out of the queue.
	// The queue compares lists with it. It is required unless AtomicEvents is
	// set, and then must be nil.
	KnownObjects KeyListerGetter

	// Transformer, if there is one, changes objects before they are queued.
	Transformer TransformFunc

	// AtomicEvents has a list, and a resync, come out as one event each, in
	// place of one for each object.
	AtomicEvents bool

	// UnlockWhileProcessing has the queue go on taking changes while one is
	// processed. It requires AtomicEvents.
	UnlockWhileProcessing bool

	// Identifier is who it is in metrics. Without it there are none.
	Identifier InformerNameAndResource

	// MetricsProvider makes the metrics, in place of the one that was given
	// to SetInformerMetricsProvider.
	MetricsProvider InformerMetricsProvider

	// EmitDeltaTypeBookmark has bookmarks come out, too. It requires
	// AtomicEvents.
	EmitDeltaTypeBookmark bool
}
