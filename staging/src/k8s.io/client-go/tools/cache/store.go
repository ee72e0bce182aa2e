package cache

import (
	"errors"
	"fmt"
)

// A Store is a map from keys to objects that computes the keys itself. Some
// implementations keep something other than the object itself: a queue has what
// happened to it.
type Store interface {

	// Add puts an object.
	Add(obj interface{}) error

	// Update puts an object.
	Update(obj interface{}) error

	// Delete removes the object with the same key as obj.
	Delete(obj interface{}) error

	// List returns all objects, in no order.
	List() []interface{}

	// ListKeys returns the keys of all objects, in no order.
	ListKeys() []string

	// LastStoreSyncResourceVersion returns the latest resource version that
	// was seen, in an object or a bookmark.
	LastStoreSyncResourceVersion() string

	// Bookmark tells of a resource version that nothing was changed at.
	Bookmark(rv string)

	// Get returns the object with the same key as obj.
	Get(obj interface{}) (item interface{}, exists bool, err error)

	// GetByKey returns the object with a key.
	GetByKey(key string) (item interface{}, exists bool, err error)

	// Replace puts the objects of a list in place of what is there. The list
	// is the store's from then on.
	Replace([]interface{}, string) error

	// Resync has some implementations, such as queues, go through all objects
	// once more. Others do nothing.
	Resync() error
}

// A TransactionStore can make several changes at once.
type TransactionStore interface {
	// Transaction makes the changes in their order, under one lock. Where some
	// cannot be made, the others are, and the error tells which ones.
	Transaction(txns ...Transaction) *TransactionError
}

// A Transaction is a change to a store.
type Transaction struct {
	Object interface{}
	Type   TransactionType
}

// A TransactionType tells what to do with an object.
type TransactionType string

const (
	TransactionTypeAdd    TransactionType = "Add"
	TransactionTypeUpdate TransactionType = "Update"
	TransactionTypeDelete TransactionType = "Delete"
)

// A TransactionError tells that some changes could not be made.
type TransactionError struct {
	SuccessfulIndices []int // of those that were
	TotalTransactions int
	Errors            []error
}

// Error tells how many changes failed, and why.
func (t *TransactionError) Error() string {
	return fmt.Sprintf("failed to execute (%d/%d) transactions failed due to: %v",
		t.TotalTransactions-len(t.SuccessfulIndices), t.TotalTransactions, t.Errors)
}

// Unwrap returns why each of the changes failed.
func (t *TransactionError) Unwrap() []error { return t.Errors }

// A KeyLister lists the keys it has.
type KeyLister interface {
	ListKeys() []string
}

// A KeyGetter gets what it has under a key.
type KeyGetter interface {
	// GetByKey returns the value, and whether there is one.
	GetByKey(key string) (value interface{}, exists bool, err error)
}

// A KeyListerGetter is what a queue needs to know of the store that follows it.
type KeyListerGetter interface {
	KeyLister
	KeyGetter
}

// A TransformFunc changes an object before it is stored, usually to drop what
// nobody will look at. It may change the object itself, which nobody else has
// seen. It should come to the same result if it is applied twice. It runs for
// every event, and so has to be quick.
type TransformFunc func(interface{}) (interface{}, error)

// A StoreOption changes how a store is made.
type StoreOption = func(*cache)

// WithTransformer has objects transformed before they are stored.
func WithTransformer(transformer TransformFunc) StoreOption {
	return func(c *cache) { c.transform = transformer }
}

// WithStoreMetrics has the resource version of the store kept as a metric of the
// informer that is identified.
func WithStoreMetrics(identifier InformerNameAndResource, metrics InformerMetricsProvider) StoreOption {
	return func(c *cache) {
		c.options = append(c.options, WithThreadSafeStoreMetrics(identifier, metrics))
	}
}

// NewStore returns an empty store with a lock.
func NewStore(keyFunc KeyFunc, opts ...StoreOption) Store {
	return newCache(keyFunc, Indexers{}, opts)
}

// NewIndexer returns an empty store with a lock and indices.
func NewIndexer(keyFunc KeyFunc, indexers Indexers, opts ...StoreOption) Indexer {
	return newCache(keyFunc, indexers, opts)
}

func newCache(keyFunc KeyFunc, indexers Indexers, opts []StoreOption) *cache {
	c := &cache{keyFunc: keyFunc}
	for _, opt := range opts {
		opt(c)
	}
	c.ThreadSafeStore = NewThreadSafeStore(indexers, Indices{}, c.options...)
	return c
}

// A cache adds keys to a ThreadSafeStore. What is not about keys passes through.
type cache struct {
	ThreadSafeStore
	keyFunc   KeyFunc
	transform TransformFunc
	options   []ThreadSafeStoreOption
}

var (
	_ Indexer          = &cache{}
	_ TransactionStore = &cache{}
)

func (c *cache) key(obj any) (string, error) {
	key, err := c.keyFunc(obj)
	if err != nil {
		return "", KeyError{obj, err}
	}
	return key, nil
}

// keyed returns obj, transformed, and its key.
func (c *cache) keyed(obj any) (string, any, error) {
	key, err := c.key(obj)
	if err != nil || c.transform == nil {
		return key, obj, err
	}
	obj, err = c.transform(obj)
	return key, obj, err
}

func (c *cache) Add(obj interface{}) error { return c.Update(obj) }

func (c *cache) Update(obj interface{}) error {
	key, obj, err := c.keyed(obj)
	if err != nil {
		return err
	}
	c.ThreadSafeStore.Update(key, obj)
	return nil
}

func (c *cache) Delete(obj interface{}) error {
	key, err := c.key(obj)
	if err != nil {
		return err
	}
	c.ThreadSafeStore.DeleteWithObject(key, obj)
	return nil
}

func (c *cache) Transaction(txns ...Transaction) *TransactionError {
	changes := make([]ThreadSafeStoreTransaction, 0, len(txns))
	done := make([]int, 0, len(txns))
	var errs []error
	for i, txn := range txns {
		change := ThreadSafeStoreTransaction{Transaction: txn}
		var err error
		switch txn.Type {
		case TransactionTypeAdd, TransactionTypeUpdate:
			change.Key, change.Object, err = c.keyed(txn.Object)
		case TransactionTypeDelete:
			change.Key, err = c.key(txn.Object)
		default:
			err = fmt.Errorf("unknown transaction type %q", txn.Type)
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		changes = append(changes, change)
		done = append(done, i)
	}
	c.ThreadSafeStore.(ThreadSafeStoreWithTransaction).Transaction(changes...)
	if len(errs) == 0 {
		return nil
	}
	return &TransactionError{SuccessfulIndices: done, TotalTransactions: len(txns), Errors: errs}
}

func (c *cache) Get(obj interface{}) (item interface{}, exists bool, err error) {
	key, err := c.key(obj)
	if err != nil {
		return nil, false, err
	}
	return c.GetByKey(key)
}

func (c *cache) GetByKey(key string) (item interface{}, exists bool, err error) {
	item, exists = c.ThreadSafeStore.Get(key)
	return item, exists, nil
}

func (c *cache) Replace(list []interface{}, resourceVersion string) error {
	items := make(map[string]any, len(list))
	var errs []error
	for _, obj := range list {
		key, obj, err := c.keyed(obj)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		items[key] = obj
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	c.ThreadSafeStore.Replace(items, resourceVersion)
	return nil
}
