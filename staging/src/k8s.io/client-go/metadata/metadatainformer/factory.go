package metadatainformer

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/internal/informers"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/tools/cache"
)

// SharedInformerFactory has an informer for each resource that it is asked for,
// which all callers share. All methods can be called at the same time.
type SharedInformerFactory interface {
	// Start starts the informers that were asked for and not started before. They
	// run until the channel is closed.
	Start(stopCh <-chan struct{})

	// ForResource returns the informer of a resource.
	ForResource(gvr schema.GroupVersionResource) informers.GenericInformer

	// WaitForCacheSync waits until all informers that were started have their first
	// list, or the channel is closed. It returns which have it.
	WaitForCacheSync(stopCh <-chan struct{}) map[schema.GroupVersionResource]bool

	// Shutdown has Start do nothing any more, and returns when none of the
	// informers runs. The channels that they were started with must be closed for
	// that, before the call or during it.
	Shutdown()
}

// NewSharedInformerFactory returns a factory for all namespaces. defaultResync is
// how often handlers that do not say so themselves are told of all objects as if they
// had been updated; zero is never.
func NewSharedInformerFactory(client metadata.Interface, defaultResync time.Duration) SharedInformerFactory {
	return NewSharedInformerFactoryWithOptions(client, defaultResync)
}

// NewFilteredSharedInformerFactory returns a factory for one namespace, or all if
// it is empty. tweakListOptions, if it is not nil, may change the options of every list
// and watch: informers and listers know only of what comes through.
func NewFilteredSharedInformerFactory(client metadata.Interface, defaultResync time.Duration, namespace string, tweakListOptions TweakListOptionsFunc) SharedInformerFactory {
	return &metadataSharedInformerFactory{client: client, resync: defaultResync, namespace: namespace, tweak: tweakListOptions}
}

// A SharedInformerOption says what is to be different about a factory.
type SharedInformerOption func(*metadataSharedInformerFactory) *metadataSharedInformerFactory

// WithTransform has a function change every object before anyone sees it, to drop what
// is never looked at, for example.
func WithTransform(transform cache.TransformFunc) SharedInformerOption {
	return func(f *metadataSharedInformerFactory) *metadataSharedInformerFactory {
		f.transform = transform
		return f
	}
}

// NewSharedInformerFactoryWithOptions is [NewSharedInformerFactory] with options.
func NewSharedInformerFactoryWithOptions(client metadata.Interface, defaultResync time.Duration, options ...SharedInformerOption) SharedInformerFactory {
	f := &metadataSharedInformerFactory{client: client, resync: defaultResync}
	for _, o := range options {
		f = o(f)
	}
	return f
}

type metadataSharedInformerFactory struct {
	client    metadata.Interface
	resync    time.Duration
	namespace string
	tweak     TweakListOptionsFunc
	transform cache.TransformFunc

	informers informers.Set[schema.GroupVersionResource]
}

func (f *metadataSharedInformerFactory) ForResource(gvr schema.GroupVersionResource) informers.GenericInformer {
	informer := f.informers.Get(gvr, func() cache.SharedIndexInformer {
		indexers := cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc}
		informer := NewFilteredMetadataInformer(f.client, gvr, f.namespace, f.resync, indexers, f.tweak).Informer()
		if f.transform != nil {
			informer.SetTransform(f.transform)
		}
		return informer
	})
	return generic(informer, gvr)
}

func (f *metadataSharedInformerFactory) Start(stopCh <-chan struct{}) {
	f.StartWithContext(wait.ContextForChannel(stopCh))
}

// StartWithContext starts the informers that were asked for and not started before. They
// run until the context ends.
func (f *metadataSharedInformerFactory) StartWithContext(ctx context.Context) {
	f.informers.Start(ctx)
}

func (f *metadataSharedInformerFactory) WaitForCacheSync(stopCh <-chan struct{}) map[schema.GroupVersionResource]bool {
	synced, _ := f.informers.WaitForSync(wait.ContextForChannel(stopCh))
	return synced
}

func (f *metadataSharedInformerFactory) Shutdown() { f.informers.Shutdown() }
