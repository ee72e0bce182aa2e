package dynamicinformer

import (
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/internal/informers"
	"k8s.io/client-go/tools/cache"
)

// DynamicSharedInformerFactory has an informer for each resource that it is asked for,
// which all callers share. All methods can be called at the same time.
type DynamicSharedInformerFactory interface {
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

// NewDynamicSharedInformerFactory returns a factory for all namespaces. defaultResync is
// how often handlers that do not say so themselves are told of all objects as if they
// had been updated; zero is never.
func NewDynamicSharedInformerFactory(client dynamic.Interface, defaultResync time.Duration) DynamicSharedInformerFactory {
	return NewFilteredDynamicSharedInformerFactory(client, defaultResync, "", nil)
}

// NewFilteredDynamicSharedInformerFactory returns a factory for one namespace, or all if
// it is empty. tweakListOptions, if it is not nil, may change the options of every list
// and watch: informers and listers know only of what comes through.
func NewFilteredDynamicSharedInformerFactory(client dynamic.Interface, defaultResync time.Duration, namespace string, tweakListOptions TweakListOptionsFunc) DynamicSharedInformerFactory {
	return &factory{client: client, resync: defaultResync, namespace: namespace, tweak: tweakListOptions}
}

type factory struct {
	client    dynamic.Interface
	resync    time.Duration
	namespace string
	tweak     TweakListOptionsFunc

	informers informers.Set[schema.GroupVersionResource]
}

func (f *factory) ForResource(gvr schema.GroupVersionResource) informers.GenericInformer {
	informer := f.informers.Get(gvr, func() cache.SharedIndexInformer {
		indexers := cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc}
		return NewFilteredDynamicInformer(f.client, gvr, f.namespace, f.resync, indexers, f.tweak).Informer()
	})
	return generic(informer, gvr)
}

func (f *factory) Start(stopCh <-chan struct{}) { f.informers.Start(wait.ContextForChannel(stopCh)) }

func (f *factory) WaitForCacheSync(stopCh <-chan struct{}) map[schema.GroupVersionResource]bool {
	synced, _ := f.informers.WaitForSync(wait.ContextForChannel(stopCh))
	return synced
}

func (f *factory) Shutdown() { f.informers.Shutdown() }
