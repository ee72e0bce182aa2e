package informers

import (
	"context"
	"reflect"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/informers/internalinterfaces"
	internalinformers "k8s.io/client-go/internal/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

type sharedInformerFactory struct {
	client    kubernetes.Interface
	resync    time.Duration
	resyncOf  map[reflect.Type]time.Duration
	namespace string // empty: all
	tweak     internalinterfaces.TweakListOptionsFunc
	transform cache.TransformFunc
	name      *cache.InformerName

	informers internalinformers.Set[reflect.Type]
}

// NewSharedInformerFactory returns a factory for all namespaces. defaultResync is how
// often handlers that do not say so themselves are told of all objects as if they had
// been updated; zero is never.
func NewSharedInformerFactory(client kubernetes.Interface, defaultResync time.Duration) SharedInformerFactory {
	return NewSharedInformerFactoryWithOptions(client, defaultResync)
}

// NewFilteredSharedInformerFactory returns a factory for one namespace, or all if it is
// empty, whose lists and watches a function may change.
//
// Deprecated: use [NewSharedInformerFactoryWithOptions].
func NewFilteredSharedInformerFactory(client kubernetes.Interface, defaultResync time.Duration, namespace string, tweakListOptions internalinterfaces.TweakListOptionsFunc) SharedInformerFactory {
	return NewSharedInformerFactoryWithOptions(client, defaultResync, WithNamespace(namespace), WithTweakListOptions(tweakListOptions))
}

// NewSharedInformerFactoryWithOptions is [NewSharedInformerFactory] with options.
func NewSharedInformerFactoryWithOptions(client kubernetes.Interface, defaultResync time.Duration, options ...SharedInformerOption) SharedInformerFactory {
	f := &sharedInformerFactory{client: client, resync: defaultResync}
	for _, o := range options {
		f = o(f)
	}
	return f
}

func (f *sharedInformerFactory) Start(stopCh <-chan struct{}) {
	f.StartWithContext(wait.ContextForChannel(stopCh))
}

func (f *sharedInformerFactory) StartWithContext(ctx context.Context) { f.informers.Start(ctx) }

func (f *sharedInformerFactory) Shutdown() {
	f.informers.Shutdown()
	f.name.Release()
}

func (f *sharedInformerFactory) WaitForCacheSync(stopCh <-chan struct{}) map[reflect.Type]bool {
	return f.WaitForCacheSyncWithContext(wait.ContextForChannel(stopCh)).Synced
}

func (f *sharedInformerFactory) WaitForCacheSyncWithContext(ctx context.Context) cache.SyncResult {
	synced, err := f.informers.WaitForSync(ctx)
	return cache.SyncResult{Synced: synced, Err: err}
}

func (f *sharedInformerFactory) InformerName() *cache.InformerName { return f.name }

func (f *sharedInformerFactory) InformerFor(obj runtime.Object, newFunc internalinterfaces.NewInformerFunc) cache.SharedIndexInformer {
	kind := reflect.TypeOf(obj)
	return f.informers.Get(kind, func() cache.SharedIndexInformer {
		resync, custom := f.resyncOf[kind]
		if !custom {
			resync = f.resync
		}
		informer := newFunc(f.client, resync)
		if f.transform != nil {
			informer.SetTransform(f.transform)
		}
		return informer
	})
}

// GenericInformer is a shared informer of whatever kind, with a lister that reads its
// store.
//
// It is declared in a package that does not link the kinds.
//
// # Fields and methods
//
//	Informer() cache.SharedIndexInformer
//	Lister() cache.GenericLister
type GenericInformer = internalinformers.GenericInformer

// generic returns an informer of this factory as one of no kind in particular.
func generic(informer cache.SharedIndexInformer, resource schema.GroupResource) GenericInformer {
	return internalinformers.Generic(informer, func(indexer cache.Indexer) cache.GenericLister {
		return cache.NewGenericLister(indexer, resource)
	})
}
