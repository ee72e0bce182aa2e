// Package dynamicinformer has shared informers for any resource, custom ones too. Their
// objects are maps, [unstructured.Unstructured].
//
//	factory := dynamicinformer.NewDynamicSharedInformerFactory(client, 0)
//	crontabs := factory.ForResource(schema.GroupVersionResource{Group: "stable.example.com", Version: "v1", Resource: "crontabs"})
//	crontabs.Informer().AddEventHandler(handler)
//	factory.Start(ctx.Done())
//	factory.WaitForCacheSync(ctx.Done())
//	all, err := crontabs.Lister().List(labels.Everything())
package dynamicinformer

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamiclister"
	"k8s.io/client-go/internal/informers"
	"k8s.io/client-go/tools/cache"
)

// TweakListOptionsFunc changes the options of a list or a watch before it is sent.
type TweakListOptionsFunc func(*metav1.ListOptions)

// NewFilteredDynamicInformer returns an informer of a resource that nothing else shares:
// of one namespace, or of all if it is empty. tweakListOptions may be nil.
//
// The result is what package informers calls a GenericInformer.
func NewFilteredDynamicInformer(client dynamic.Interface, gvr schema.GroupVersionResource, namespace string, resyncPeriod time.Duration, indexers cache.Indexers, tweakListOptions TweakListOptionsFunc) informers.GenericInformer {
	source := informers.Source(func() informers.Client[*unstructured.UnstructuredList] {
		return client.Resource(gvr).Namespace(namespace)
	}, tweakListOptions, client)
	informer := cache.NewSharedIndexInformerWithOptions(source, &unstructured.Unstructured{}, cache.SharedIndexInformerOptions{
		ResyncPeriod:      resyncPeriod,
		Indexers:          indexers,
		ObjectDescription: gvr.String(),
	})
	return generic(informer, gvr)
}

func generic(informer cache.SharedIndexInformer, gvr schema.GroupVersionResource) informers.GenericInformer {
	return informers.Generic(informer, func(indexer cache.Indexer) cache.GenericLister {
		return dynamiclister.NewRuntimeObjectShim(dynamiclister.New(indexer, gvr))
	})
}
