// Package internalinterfaces has what a factory of informers and the packages of each
// group must both know.
package internalinterfaces

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// NewInformerFunc makes an informer. The duration is how often its handlers are
// resynced, if they do not say so themselves.
type NewInformerFunc func(kubernetes.Interface, time.Duration) cache.SharedIndexInformer

// SharedInformerFactory is what a group's package needs of a factory.
type SharedInformerFactory interface {
	// Start starts the informers that were not started before. They run until
	// the channel is closed.
	Start(stopCh <-chan struct{})
	// InformerFor returns the factory's informer of objects like obj, and has
	// newFunc make it if there is none.
	InformerFor(obj runtime.Object, newFunc NewInformerFunc) cache.SharedIndexInformer
	// InformerName returns who the informers are in metrics, or nil.
	InformerName() *cache.InformerName
}

// TweakListOptionsFunc changes the options of a list or a watch before it is sent.
type TweakListOptionsFunc func(*metav1.ListOptions)

// InformerOptions say how to make an informer. The zero value will do.
type InformerOptions struct {
	// ResyncPeriod is how often handlers that do not say so themselves are told of
	// all objects as if they had been updated. Zero is never.
	ResyncPeriod time.Duration

	// Indexers are the indices of the informer's store.
	Indexers cache.Indexers

	// InformerName is who the informer is in metrics. Without it there are none.
	InformerName *cache.InformerName

	// TweakListOptions may change the options of every list and watch: set a
	// label selector, for example.
	TweakListOptions TweakListOptionsFunc
}
