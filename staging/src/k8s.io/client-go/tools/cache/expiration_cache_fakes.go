package cache

import (
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/utils/clock"
)

// A FakeExpirationPolicy has all objects expire at once, but for some. It is for
// tests.
type FakeExpirationPolicy struct {
	NeverExpire     sets.Set[string] // keys
	RetrieveKeyFunc KeyFunc          // of a *TimestampedEntry
}

// IsExpired tells whether the key is not one of the exceptions.
func (p *FakeExpirationPolicy) IsExpired(obj *TimestampedEntry) bool {
	key, _ := p.RetrieveKeyFunc(obj)
	return !p.NeverExpire.Has(key)
}

// NewFakeExpirationStore returns an empty store, for tests, that sends the keys of
// what is removed to a channel, unless that is nil.
func NewFakeExpirationStore(keyFunc KeyFunc, deletedKeys chan<- string, expirationPolicy ExpirationPolicy, cacheClock clock.Clock) Store {
	entries := &tellingStore{NewThreadSafeStore(Indexers{}, Indices{}), deletedKeys}
	return newExpirationCache(entries, keyFunc, expirationPolicy, cacheClock)
}

// A tellingStore tells of what is removed.
type tellingStore struct {
	ThreadSafeStore
	removed chan<- string
}

func (s *tellingStore) Delete(key string) { s.DeleteWithObject(key, nil) }

func (s *tellingStore) DeleteWithObject(key string, obj interface{}) {
	s.ThreadSafeStore.DeleteWithObject(key, obj)
	if s.removed != nil {
		s.removed <- key
	}
}
