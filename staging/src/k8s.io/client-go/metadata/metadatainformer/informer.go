// Package metadatainformer has shared informers for the metadata of any resource: names,
// labels and owners, without spec and status. They cost less memory than those of whole
// objects, which is what garbage collectors and the like need.
//
//	factory := metadatainformer.NewSharedInformerFactory(client, 0)
//	pods := factory.ForResource(corev1.SchemeGroupVersion.WithResource("pods"))
//	pods.Informer().AddEventHandler(handler)
//	factory.Start(ctx.Done())
//	factory.WaitForCacheSync(ctx.Done())
//	all, err := pods.Lister().List(labels.Everything())
//
// The objects are of type [metav1.PartialObjectMetadata].
package metadatainformer

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/internal/informers"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatalister"
	"k8s.io/client-go/tools/cache"
)

// TweakListOptionsFunc changes the options of a list or a watch before it is sent.
type TweakListOptionsFunc func(*metav1.ListOptions)

// NewFilteredMetadataInformer returns an informer of a resource that nothing else shares:
// of one namespace, or of all if it is empty. tweakListOptions may be nil.
//
// The result is what package informers calls a GenericInformer.
func NewFilteredMetadataInformer(client metadata.Interface, gvr schema.GroupVersionResource, namespace string, resyncPeriod time.Duration, indexers cache.Indexers, tweakListOptions TweakListOptionsFunc) informers.GenericInformer {
	source := informers.Source(func() informers.Client[*metav1.PartialObjectMetadataList] {
		return client.Resource(gvr).Namespace(namespace)
	}, tweakListOptions, client)
	informer := cache.NewSharedIndexInformerWithOptions(source, &metav1.PartialObjectMetadata{}, cache.SharedIndexInformerOptions{
		ResyncPeriod:      resyncPeriod,
		Indexers:          indexers,
		ObjectDescription: gvr.String(),
	})
	return generic(informer, gvr)
}

func generic(informer cache.SharedIndexInformer, gvr schema.GroupVersionResource) informers.GenericInformer {
	return informers.Generic(informer, func(indexer cache.Indexer) cache.GenericLister {
		return metadatalister.NewRuntimeObjectShim(metadatalister.New(indexer, gvr))
	})
}
