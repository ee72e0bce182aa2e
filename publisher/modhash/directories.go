package modhash

import (
	"sync"
	"sync/atomic"
)

// maxHeld bounds the directory entries that are remembered.
// One takes about a hundred bytes; a version of a large module adds a few
// hundred of them.
const maxHeld = 1 << 19

// directories remembers what directories contribute to module zips, for all Hashers
// that share it. It is safe for concurrent use.
type directories struct {
	nodes atomic.Pointer[nodes]
	limit int64 // of what is held
}

// current returns what is remembered, or a new start where that is too much.
func (d *directories) current() *nodes {
	now := d.nodes.Load()
	if now != nil && now.held.Load() <= d.limit {
		return now
	}
	// Another Hasher may have been faster.
	d.nodes.CompareAndSwap(now, new(nodes))
	return d.nodes.Load()
}

// nodes are those that are remembered between two new starts.
type nodes struct {
	held    atomic.Int64
	stripes [64]struct {
		mu    sync.RWMutex
		nodes map[place]*node
	}
}

func (n *nodes) get(p place) *node {
	stripe := &n.stripes[int(p.tree[0])%len(n.stripes)]
	stripe.mu.RLock()
	defer stripe.mu.RUnlock()
	return stripe.nodes[p]
}

func (n *nodes) put(p place, to *node) {
	stripe := &n.stripes[int(p.tree[0])%len(n.stripes)]
	stripe.mu.Lock()
	defer stripe.mu.Unlock()
	if stripe.nodes == nil {
		stripe.nodes = make(map[place]*node)
	}
	stripe.nodes[p] = to
}
