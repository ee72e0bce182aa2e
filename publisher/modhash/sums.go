package modhash

import (
	"sync"

	"k8s.io/publisher/object"
)

// MemorySums is a [Sums] that lasts as long as the process. Its zero value is
// empty and ready for use.
type MemorySums struct {
	mu    sync.RWMutex
	blobs map[object.ID]Blob
}

// Get implements [Sums].
func (s *MemorySums) Get(blob object.ID) (b Blob, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	b, ok = s.blobs[blob]
	return b, ok
}

// Put implements [Sums].
func (s *MemorySums) Put(blob object.ID, b Blob) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.blobs == nil {
		s.blobs = make(map[object.ID]Blob)
	}
	s.blobs[blob] = b
}
