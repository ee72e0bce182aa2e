package informers

import (
	"context"
	"maps"
	"sync"

	"k8s.io/client-go/tools/cache"
)

// A Set has the informers of a factory: one for each key. The zero value is empty.
// Its methods can be called at the same time.
type Set[K comparable] struct {
	running sync.WaitGroup

	mu        sync.Mutex
	informers map[K]cache.SharedIndexInformer
	started   map[K]cache.SharedIndexInformer
	shutDown  bool
}

// Get returns the informer of a key, and makes it if it is not there yet.
func (s *Set[K]) Get(key K, make func() cache.SharedIndexInformer) cache.SharedIndexInformer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if informer, found := s.informers[key]; found {
		return informer
	}
	if s.informers == nil {
		s.informers = map[K]cache.SharedIndexInformer{}
	}
	informer := make()
	s.informers[key] = informer
	return informer
}

// Start starts the informers that were not started before. They run until the
// context ends. After Shutdown it does nothing.
func (s *Set[K]) Start(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shutDown {
		return
	}
	if s.started == nil {
		s.started = map[K]cache.SharedIndexInformer{}
	}
	for key, informer := range s.informers {
		if s.started[key] == nil {
			s.started[key] = informer
			s.running.Go(func() { informer.RunWithContext(ctx) })
		}
	}
}

// Shutdown has Start do nothing any more, and returns when none of the informers
// runs. Their contexts must end for that.
func (s *Set[K]) Shutdown() {
	s.mu.Lock()
	s.shutDown = true
	s.mu.Unlock()
	s.running.Wait()
}

// WaitForSync waits until the informers that were started have their first list, or
// the context ends. It returns which have it, and why the context ended if not all
// do.
func (s *Set[K]) WaitForSync(ctx context.Context) (map[K]bool, error) {
	s.mu.Lock()
	started := maps.Clone(s.started)
	s.mu.Unlock()

	checkers := make([]cache.DoneChecker, 0, len(started))
	for _, informer := range started {
		checkers = append(checkers, informer.HasSyncedChecker())
	}
	cache.WaitFor(ctx, "", checkers...) // without a name nothing is logged

	synced := make(map[K]bool, len(started))
	var err error
	for key, informer := range started {
		synced[key] = informer.HasSynced()
		if !synced[key] {
			err = context.Cause(ctx)
		}
	}
	return synced, err
}
