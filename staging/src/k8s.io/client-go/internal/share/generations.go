package share

// generations is a map of hashes that forgets. It has two generations: what is found
// in the old one moves to the young one, and when that is full, the old one goes. The
// zero value is empty.
type generations[V any] struct {
	young, old map[uint64]V
	bytes      int // what those in young take
}

const (
	// maxEntries is how many things a generation has.
	maxEntries = 32 << 10
	// maxBytes is how much memory the things of a generation take.
	maxBytes = 8 << 20
)

// find returns what was put under a hash. cost says again how much memory it takes.
func (g *generations[V]) find(hash uint64, cost func(V) int) (V, bool) {
	if known, ok := g.young[hash]; ok {
		return known, true
	}
	known, ok := g.old[hash]
	if ok {
		g.put(hash, known, cost(known))
	}
	return known, ok
}

func (g *generations[V]) put(hash uint64, value V, cost int) {
	if g.young == nil {
		g.young = map[uint64]V{}
	}
	g.young[hash] = value
	g.bytes += cost
	if len(g.young) >= maxEntries || g.bytes >= maxBytes {
		g.old, g.young, g.bytes = g.young, g.old, 0
		clear(g.young)
	}
}
