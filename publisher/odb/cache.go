package odb

import "k8s.io/publisher/object"

type cacheKey struct {
	pack   *pack
	offset int64
}

type cached struct {
	t    object.Type
	data []byte
}

// cache keeps inflated objects as bases for the deltas that come next. It has
// two generations: when the young one is full it becomes the old one, and what
// the old one held and nobody asked for is forgotten. That keeps what is in
// use, as a list by last use would, at the price of a map alone.
type cache[K comparable] struct {
	young, old map[K]cached
	size       int
	limit      int // bytes of content in one generation
}

const (
	generation   = 24 << 20 // the limit where a whole history is walked over
	tooLarge     = 2 << 20  // objects of this size would push out everything else
	perEntryCost = 96       // what an entry costs beside its content
)

func (c *cache[K]) get(k K) (cached, bool) {
	if v, ok := c.young[k]; ok {
		return v, true
	}
	v, ok := c.old[k]
	if ok {
		c.put(k, v)
	}
	return v, ok
}

func (c *cache[K]) put(k K, v cached) {
	if len(v.data) > tooLarge {
		return
	}
	if c.size > c.limit {
		c.old, c.young, c.size = c.young, nil, 0
	}
	if c.young == nil {
		c.young = make(map[K]cached)
	}
	c.young[k] = v
	c.size += len(v.data) + perEntryCost
}
