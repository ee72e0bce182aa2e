package cache

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/apimachinery/pkg/util/sets"
)

// A ThreadSafeStore is a map from keys to objects with indices. It may be used by
// several goroutines, as long as nobody changes the objects that are in it: they
// are handed out as they are, not copied.
//
// Index functions must not fail; a store panics if one does, because its indices
// would no longer be right.
type ThreadSafeStore interface {
	Add(key string, obj interface{})
	Update(key string, obj interface{})
	// Delete removes what is under key. DeleteWithObject is preferable: it
	// also knows the resource version at which the object was deleted.
	Delete(key string)
	// DeleteWithObject removes what is under key. obj is its last state.
	DeleteWithObject(key string, obj interface{})
	Get(key string) (item interface{}, exists bool)
	List() []interface{}
	ListKeys() []string
	// Replace puts a map in place of what is there. The map is the store's
	// from then on.
	Replace(map[string]interface{}, string)
	// Index returns the objects that have a value in common with obj.
	Index(indexName string, obj interface{}) ([]interface{}, error)
	// IndexKeys returns the keys of the objects with a value.
	IndexKeys(indexName, indexedValue string) ([]string, error)
	// Bookmark tells of a resource version that nothing was changed at.
	Bookmark(rv string)
	// LastStoreSyncResourceVersion returns the latest resource version that
	// was seen, in an object or a bookmark.
	LastStoreSyncResourceVersion() string
	// ListIndexFuncValues returns all values in an index.
	ListIndexFuncValues(name string) []string
	// ByIndex returns the objects with a value.
	ByIndex(indexName, indexedValue string) ([]interface{}, error)
	// GetIndexers returns the functions by the names of their indices.
	GetIndexers() Indexers

	// AddIndexers adds indices, also of what is already there.
	AddIndexers(newIndexers Indexers) error
	// Resync does nothing.
	Resync() error
}

// A ThreadSafeStoreWithTransaction can make several changes at once.
type ThreadSafeStoreWithTransaction interface {
	ThreadSafeStore
	// Transaction makes the changes in their order. Nobody sees some of them
	// without the others.
	Transaction(fns ...ThreadSafeStoreTransaction)
}

// A ThreadSafeStoreTransaction is a change to what is under a key.
type ThreadSafeStoreTransaction struct {
	Transaction
	Key string
}

// A ThreadSafeStoreOption changes how a store is made.
type ThreadSafeStoreOption = func(*threadSafeMap)

// WithThreadSafeStoreMetrics has the resource version of the store kept as a
// metric of the informer that is identified.
func WithThreadSafeStoreMetrics(identifier InformerNameAndResource, metricsProvider InformerMetricsProvider) ThreadSafeStoreOption {
	return func(s *threadSafeMap) {
		if provider := informerMetricsProvider(identifier, metricsProvider); provider != nil {
			s.versionMetric = provider.NewStoreResourceVersionMetric(identifier)
		}
	}
}

// NewThreadSafeStore returns an empty store. The indices are the store's from
// then on, and are usually empty.
func NewThreadSafeStore(indexers Indexers, indices Indices, opts ...ThreadSafeStoreOption) ThreadSafeStore {
	s := &threadSafeMap{items: map[string]any{}, indexers: indexers, indices: indices}
	if s.indexers == nil {
		s.indexers = Indexers{}
	}
	if s.indices == nil {
		s.indices = Indices{}
	}
	for name := range s.indexers {
		if s.indices[name] == nil {
			s.indices[name] = index{}
		}
	}
	for _, opt := range opts {
		opt(s)
	}
	return s
}

type threadSafeMap struct {
	mu       sync.RWMutex
	items    map[string]any
	indexers Indexers
	indices  Indices // one for each indexer, from the start
	version  string

	versionMetric GaugeMetric // nil if there are no metrics
}

func (s *threadSafeMap) Add(key string, obj interface{}) { s.Update(key, obj) }

func (s *threadSafeMap) Update(key string, obj interface{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set(key, obj)
}

func (s *threadSafeMap) Delete(key string) { s.DeleteWithObject(key, nil) }

func (s *threadSafeMap) DeleteWithObject(key string, obj interface{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(key, obj)
}

func (s *threadSafeMap) Transaction(changes ...ThreadSafeStoreTransaction) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, change := range changes {
		if change.Type == TransactionTypeDelete {
			s.remove(change.Key, change.Object)
		} else {
			s.set(change.Key, change.Object)
		}
	}
}

func (s *threadSafeMap) set(key string, obj any) {
	old, replaced := s.items[key]
	s.items[key] = obj
	s.reindex(key, old, replaced, obj, true)
	s.saw(versionOf(obj))
}

func (s *threadSafeMap) remove(key string, last any) {
	if old, ok := s.items[key]; ok {
		s.reindex(key, old, true, nil, false)
		delete(s.items, key)
	}
	s.saw(versionOf(last))
}

// reindex has the indices follow a change to what is under key.
func (s *threadSafeMap) reindex(key string, old any, hasOld bool, obj any, hasNew bool) {
	for name := range s.indexers {
		var before, after []string
		if hasOld {
			before = s.values(name, key, old)
		}
		if hasNew {
			after = s.values(name, key, obj)
		}
		// Most updates change no value.
		if slices.Equal(before, after) {
			continue
		}
		for _, value := range before {
			if !slices.Contains(after, value) {
				s.indices[name].remove(value, key)
			}
		}
		for _, value := range after {
			s.indices[name].add(value, key)
		}
	}
}

func (s *threadSafeMap) values(name, key string, obj any) []string {
	values, err := s.indexers[name](obj)
	if err != nil {
		panic(fmt.Errorf("unable to calculate an index entry for key %q on index %q: %v", key, name, err))
	}
	return values
}

func (s *threadSafeMap) Get(key string) (item interface{}, exists bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	item, exists = s.items[key]
	return item, exists
}

func (s *threadSafeMap) List() []interface{} {
	s.mu.RLock()
	defer s.mu.RUnlock()
	list := make([]any, 0, len(s.items))
	for _, item := range s.items {
		list = append(list, item)
	}
	return list
}

func (s *threadSafeMap) ListKeys() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	keys := make([]string, 0, len(s.items))
	for key := range s.items {
		keys = append(keys, key)
	}
	return keys
}

func (s *threadSafeMap) Replace(items map[string]interface{}, resourceVersion string) {
	if items == nil {
		items = map[string]any{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.items = items
	for name := range s.indexers {
		s.rebuild(name)
	}
	if resourceVersion != "" {
		s.setVersion(resourceVersion)
	}
}

// rebuild makes the index of a name from what is there.
func (s *threadSafeMap) rebuild(name string) {
	built := index{}
	s.indices[name] = built
	for key, item := range s.items {
		for _, value := range s.values(name, key, item) {
			built.add(value, key)
		}
	}
}

func (s *threadSafeMap) index(name string) (index, error) {
	if _, ok := s.indexers[name]; !ok {
		return nil, fmt.Errorf("index with name %s does not exist", name)
	}
	return s.indices[name], nil
}

func (s *threadSafeMap) Index(indexName string, obj interface{}) ([]interface{}, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	index, err := s.index(indexName)
	if err != nil {
		return nil, err
	}
	values, err := s.indexers[indexName](obj)
	if err != nil {
		return nil, err
	}
	if len(values) == 1 {
		return s.objects(index[values[0]]), nil
	}
	keys := sets.Set[string]{}
	for _, value := range values {
		keys = keys.Union(index[value]) // an object with several of them counts once
	}
	return s.objects(keys), nil
}

func (s *threadSafeMap) objects(keys sets.Set[string]) []any {
	list := make([]any, 0, len(keys))
	for key := range keys {
		list = append(list, s.items[key])
	}
	return list
}

func (s *threadSafeMap) ByIndex(indexName, indexedValue string) ([]interface{}, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	index, err := s.index(indexName)
	if err != nil {
		return nil, err
	}
	return s.objects(index[indexedValue]), nil
}

func (s *threadSafeMap) IndexKeys(indexName, indexedValue string) ([]string, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	index, err := s.index(indexName)
	if err != nil {
		return nil, err
	}
	return index[indexedValue].UnsortedList(), nil
}

func (s *threadSafeMap) ListIndexFuncValues(name string) []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.AppendSeq(make([]string, 0, len(s.indices[name])), maps.Keys(s.indices[name]))
}

func (s *threadSafeMap) GetIndexers() Indexers {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return maps.Clone(s.indexers)
}

func (s *threadSafeMap) AddIndexers(newIndexers Indexers) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := slices.DeleteFunc(slices.Sorted(maps.Keys(newIndexers)), func(name string) bool {
		_, exists := s.indexers[name]
		return !exists
	})
	if len(taken) > 0 {
		return fmt.Errorf("indexer conflict: %v", taken)
	}
	// A copy, for the first ones may still be in the caller's hands.
	s.indexers = maps.Clone(s.indexers)
	for name, f := range newIndexers {
		s.indexers[name] = f
		s.rebuild(name)
	}
	return nil
}

func (s *threadSafeMap) Resync() error { return nil }

func (s *threadSafeMap) Bookmark(rv string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.saw(rv)
}

func (s *threadSafeMap) LastStoreSyncResourceVersion() string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.version
}

// saw never goes back, as it would if an object that has long been there was put
// again.
func (s *threadSafeMap) saw(version string) {
	if version == "" || version == s.version {
		return
	}
	if order, err := resourceversion.CompareResourceVersion(version, s.version); err == nil && order < 0 {
		return
	}
	s.setVersion(version)
}

func (s *threadSafeMap) setVersion(version string) {
	s.version = version
	if s.versionMetric != nil {
		publishVersion(s.versionMetric, version)
	}
}

// versionOf returns "" for what has no resource version.
func versionOf(obj any) string {
	switch wrapped := obj.(type) {
	case DeletedFinalStateUnknown:
		obj = wrapped.Obj
	case *TimestampedEntry:
		obj = wrapped.Obj
	}
	if obj == nil {
		return ""
	}
	object, err := meta.Accessor(obj)
	if err != nil {
		return ""
	}
	return object.GetResourceVersion()
}
