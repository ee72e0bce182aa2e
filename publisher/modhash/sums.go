package modhash

import (
	"iter"
	"sync"

	"k8s.io/publisher/object"
)

// MemorySums is a [Sums] that lasts as long as the process. Its zero value is
// empty and ready for use.
type MemorySums struct {
	// Many goroutines ask for many blobs, and are not to wait for each other.
	stripes [64]struct {
		mu    sync.RWMutex
		blobs map[object.ID]Blob
	}
}

// Get implements [Sums].
func (s *MemorySums) Get(blob object.ID) (b Blob, ok bool) {
	stripe := &s.stripes[int(blob[0])%len(s.stripes)]
	stripe.mu.RLock()
	defer stripe.mu.RUnlock()
	b, ok = stripe.blobs[blob]
	return b, ok
}

// Put implements [Sums].
func (s *MemorySums) Put(blob object.ID, b Blob) {
	stripe := &s.stripes[int(blob[0])%len(s.stripes)]
	stripe.mu.Lock()
	defer stripe.mu.Unlock()
	if stripe.blobs == nil {
		stripe.blobs = make(map[object.ID]Blob)
	}
	stripe.blobs[blob] = b
}

// All returns what was put, in any order. Nothing may be put meanwhile.
func (s *MemorySums) All() iter.Seq2[object.ID, Blob] {
	return func(yield func(object.ID, Blob) bool) {
		for i := range s.stripes {
			for id, b := range s.stripes[i].blobs {
				if !yield(id, b) {
					return
				}
			}
		}
	}
}
