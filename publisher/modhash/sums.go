package modhash

import (
	"crypto/sha256"
	"sync"

	"k8s.io/publisher/object"
)

// MemorySums is a [Sums] that lasts as long as the process. Its zero value is
// empty and ready for use.
type MemorySums struct {
	mu   sync.RWMutex
	sums map[object.ID][sha256.Size]byte
}

// Get implements [Sums].
func (s *MemorySums) Get(blob object.ID) (sum [sha256.Size]byte, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	sum, ok = s.sums[blob]
	return sum, ok
}

// Put implements [Sums].
func (s *MemorySums) Put(blob object.ID, sum [sha256.Size]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sums == nil {
		s.sums = make(map[object.ID][sha256.Size]byte)
	}
	s.sums[blob] = sum
}

// Len returns how many blobs are known.
func (s *MemorySums) Len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.sums)
}
