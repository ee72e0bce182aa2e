package cache

import (
	"sync"
	"time"

	"k8s.io/utils/clock"
)

// An ExpirationCache is a store whose objects expire, as its policy says. An object
// that has expired is removed when somebody would read it.
type ExpirationCache struct {
	entries ThreadSafeStore // of *TimestampedEntry
	keyFunc KeyFunc
	clock   clock.Clock
	policy  ExpirationPolicy

	// expiring keeps an object from being put between when its predecessor is
	// found to have expired and when that is removed.
	expiring sync.Mutex
}

var _ Store = &ExpirationCache{}

// An ExpirationPolicy decides when objects expire.
type ExpirationPolicy interface {
	IsExpired(obj *TimestampedEntry) bool
}

// A TTLPolicy has objects expire some time after they were put.
type TTLPolicy struct {
	// TTL is how long they are kept. If it is not positive, that is forever.
	TTL time.Duration

	// Clock tells how old they are.
	Clock clock.Clock
}

// IsExpired tells whether an object is older than TTL.
func (p *TTLPolicy) IsExpired(obj *TimestampedEntry) bool {
	return p.TTL > 0 && p.Clock.Since(obj.Timestamp) > p.TTL
}

// A TimestampedEntry is an object, and when it was put, by the clock of this
// machine.
type TimestampedEntry struct {
	Obj       interface{}
	Timestamp time.Time
	key       string
}

// NewTTLStore returns an empty store whose objects expire after ttl.
func NewTTLStore(keyFunc KeyFunc, ttl time.Duration) Store {
	return NewExpirationStore(keyFunc, &TTLPolicy{TTL: ttl, Clock: clock.RealClock{}})
}

// NewExpirationStore returns an empty store whose objects expire.
func NewExpirationStore(keyFunc KeyFunc, expirationPolicy ExpirationPolicy) Store {
	return newExpirationCache(NewThreadSafeStore(Indexers{}, Indices{}), keyFunc, expirationPolicy, clock.RealClock{})
}

func newExpirationCache(entries ThreadSafeStore, keyFunc KeyFunc, policy ExpirationPolicy, clock clock.Clock) *ExpirationCache {
	return &ExpirationCache{entries: entries, keyFunc: keyFunc, clock: clock, policy: policy}
}

// live returns the object in an entry, or removes it if it has expired.
func (c *ExpirationCache) live(entry *TimestampedEntry) (any, bool) {
	if c.policy.IsExpired(entry) {
		c.entries.Delete(entry.key)
		return nil, false
	}
	return entry.Obj, true
}

// GetByKey returns the object under a key, unless it has expired.
func (c *ExpirationCache) GetByKey(key string) (interface{}, bool, error) {
	c.expiring.Lock()
	defer c.expiring.Unlock()
	item, exists := c.entries.Get(key)
	if !exists {
		return nil, false, nil
	}
	obj, exists := c.live(item.(*TimestampedEntry))
	return obj, exists, nil
}

// Get returns the object with the same key as obj, unless it has expired.
func (c *ExpirationCache) Get(obj interface{}) (interface{}, bool, error) {
	key, err := c.keyFunc(obj)
	if err != nil {
		return nil, false, KeyError{obj, err}
	}
	return c.GetByKey(key)
}

// List returns the objects that have not expired.
func (c *ExpirationCache) List() []interface{} {
	c.expiring.Lock()
	defer c.expiring.Unlock()
	items := c.entries.List()
	list := make([]any, 0, len(items))
	for _, item := range items {
		if obj, exists := c.live(item.(*TimestampedEntry)); exists {
			list = append(list, obj)
		}
	}
	return list
}

// ListKeys returns all keys, those of objects that have expired and were not yet
// removed included.
func (c *ExpirationCache) ListKeys() []string { return c.entries.ListKeys() }

func (c *ExpirationCache) entry(obj any) (*TimestampedEntry, error) {
	key, err := c.keyFunc(obj)
	if err != nil {
		return nil, KeyError{obj, err}
	}
	return &TimestampedEntry{Obj: obj, Timestamp: c.clock.Now(), key: key}, nil
}

// Add puts an object, as new.
func (c *ExpirationCache) Add(obj interface{}) error {
	entry, err := c.entry(obj)
	if err != nil {
		return err
	}
	c.expiring.Lock()
	defer c.expiring.Unlock()
	c.entries.Add(entry.key, entry)
	return nil
}

// Update puts an object, as new.
func (c *ExpirationCache) Update(obj interface{}) error { return c.Add(obj) }

// Delete removes the object with the same key as obj.
func (c *ExpirationCache) Delete(obj interface{}) error {
	key, err := c.keyFunc(obj)
	if err != nil {
		return KeyError{obj, err}
	}
	c.expiring.Lock()
	defer c.expiring.Unlock()
	c.entries.DeleteWithObject(key, obj)
	return nil
}

// Replace puts the objects of a list, as new, in place of what is there.
func (c *ExpirationCache) Replace(list []interface{}, resourceVersion string) error {
	entries := make(map[string]any, len(list))
	for _, obj := range list {
		entry, err := c.entry(obj)
		if err != nil {
			return err
		}
		entries[entry.key] = entry
	}
	c.expiring.Lock()
	defer c.expiring.Unlock()
	c.entries.Replace(entries, resourceVersion)
	return nil
}

// Resync does nothing.
func (c *ExpirationCache) Resync() error { return nil }

// Bookmark tells of a resource version that nothing was changed at.
func (c *ExpirationCache) Bookmark(rv string) { c.entries.Bookmark(rv) }

// LastStoreSyncResourceVersion returns the latest resource version that was seen.
func (c *ExpirationCache) LastStoreSyncResourceVersion() string {
	return c.entries.LastStoreSyncResourceVersion()
}
