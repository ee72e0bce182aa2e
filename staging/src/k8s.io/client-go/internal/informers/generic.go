package informers

import "k8s.io/client-go/tools/cache"

// A GenericInformer is a shared informer of whatever kind, with a lister that reads
// its store.
type GenericInformer interface {
	Informer() cache.SharedIndexInformer
	Lister() cache.GenericLister
}

// Generic returns a GenericInformer, given what makes the lister for a store.
func Generic(informer cache.SharedIndexInformer, lister func(cache.Indexer) cache.GenericLister) GenericInformer {
	return &generic{informer, lister}
}

type generic struct {
	informer cache.SharedIndexInformer
	lister   func(cache.Indexer) cache.GenericLister
}

func (g *generic) Informer() cache.SharedIndexInformer { return g.informer }
func (g *generic) Lister() cache.GenericLister         { return g.lister(g.informer.GetIndexer()) }
