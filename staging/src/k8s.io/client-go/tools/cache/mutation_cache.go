package cache

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	utilcache "k8s.io/apimachinery/pkg/util/cache"
	"k8s.io/klog/v2"
)

// A MutationCache knows of updates that were made, before the store that an informer
// keeps does. Several goroutines may use it.
type MutationCache interface {
	// GetByKey returns the newer one of the object in the store and the one
	// that Mutation was called for.
	GetByKey(key string) (interface{}, bool, error)
	// ByIndex returns the objects with a value, the newer one of each.
	ByIndex(indexName, indexKey string) ([]interface{}, error)
	// Mutation tells of the result of an update.
	Mutation(interface{})
}

// A ResourceVersionComparator tells which of two states of an object is newer.
type ResourceVersionComparator interface {
	// CompareResourceVersion returns a positive number if lhs is newer, a
	// negative one if rhs is, and 0 if they are the same.
	CompareResourceVersion(lhs, rhs runtime.Object) int
}

// mutationsKept is how many updates a MutationCache remembers.
const mutationsKept = 100

// NewIntegerResourceVersionMutationCache returns a MutationCache in front of a store,
// for objects whose resource versions are integers that grow. Updates are remembered
// for as long as ttl. The indexer may be nil, and then ByIndex is an error. With
// includeAdds, objects that are in the store no longer, or not yet, are returned,
// too: that is, for up to ttl, those that were deleted right after an update.
func NewIntegerResourceVersionMutationCache(logger klog.Logger, backingCache Store, indexer Indexer, ttl time.Duration, includeAdds bool) MutationCache {
	return &mutationCache{
		logger:      logger,
		store:       backingCache,
		indexer:     indexer,
		mutations:   utilcache.NewLRUExpireCache(mutationsKept),
		ttl:         ttl,
		includeAdds: includeAdds,
	}
}

type mutationCache struct {
	logger      klog.Logger
	store       Store
	indexer     Indexer // may be nil
	mutations   *utilcache.LRUExpireCache
	ttl         time.Duration
	includeAdds bool
}

var (
	_ MutationCache             = &mutationCache{}
	_ ResourceVersionComparator = &mutationCache{}
)

func (c *mutationCache) GetByKey(key string) (interface{}, bool, error) {
	obj, exists, err := c.store.GetByKey(key)
	if err != nil {
		return nil, false, err
	}
	if exists {
		return c.newer(key, obj), true, nil
	}
	if !c.includeAdds {
		return nil, false, nil
	}
	obj, exists = c.mutations.Get(key)
	return obj, exists, nil
}

func (c *mutationCache) ByIndex(indexName, indexKey string) ([]interface{}, error) {
	if c.indexer == nil {
		return nil, fmt.Errorf("no indexer has been provided to the mutation cache")
	}
	keys, err := c.indexer.IndexKeys(indexName, indexKey)
	if err != nil {
		return nil, err
	}
	var objects []any
	for _, key := range keys {
		obj, exists, err := c.indexer.GetByKey(key)
		if err != nil {
			return nil, err
		}
		if exists {
			objects = append(objects, c.newer(key, obj))
		}
	}
	if c.includeAdds {
		return c.withAdds(objects, keys, indexName, indexKey)
	}
	return objects, nil
}

// withAdds appends the objects with a value that the store does not have.
func (c *mutationCache) withAdds(objects []any, keys []string, indexName, value string) ([]any, error) {
	values, ok := c.indexer.GetIndexers()[indexName]
	if !ok {
		return nil, fmt.Errorf("index with name %s does not exist", indexName)
	}
	for _, key := range c.mutations.Keys() {
		obj, known := c.mutations.Get(key)
		if !known || slices.Contains(keys, key.(string)) {
			continue
		}
		has, err := values(obj)
		if err != nil {
			return nil, err
		}
		if slices.Contains(has, value) {
			objects = append(objects, obj)
		}
	}
	return objects, nil
}

// newer returns the newer one of obj and what is remembered, which is forgotten if
// that is obj.
func (c *mutationCache) newer(key string, obj any) any {
	mutation, known := c.mutations.Get(key)
	if !known {
		return obj
	}
	remembered, ok := mutation.(runtime.Object)
	if !ok {
		return obj
	}
	stored, ok := obj.(runtime.Object)
	if !ok || c.CompareResourceVersion(stored, remembered) >= 0 {
		c.mutations.Remove(key)
		return obj
	}
	return mutation
}

func (c *mutationCache) Mutation(obj interface{}) {
	key, err := DeletionHandlingMetaNamespaceKeyFunc(obj)
	if err != nil {
		c.logger.Error(err, "An update is not remembered: its object has no key")
		return
	}
	if object, ok := obj.(runtime.Object); ok {
		if previous, known := c.mutations.Get(key); known {
			if before, ok := previous.(runtime.Object); ok && c.CompareResourceVersion(before, object) > 0 {
				return
			}
		}
	}
	c.mutations.Add(key, obj, c.ttl)
}

func (c *mutationCache) CompareResourceVersion(lhs, rhs runtime.Object) int {
	left, right := integerVersion(lhs), integerVersion(rhs)
	switch {
	case left > right:
		return 1
	case left < right:
		return -1
	}
	return 0
}

// integerVersion returns 0 for what is not an integer: the other one is newer.
func integerVersion(obj runtime.Object) uint64 {
	object, err := meta.Accessor(obj)
	if err != nil {
		return 0
	}
	version, _ := strconv.ParseUint(object.GetResourceVersion(), 10, 64)
	return version
}
