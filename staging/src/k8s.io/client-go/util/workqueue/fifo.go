package workqueue

// DefaultQueue returns a line that items leave in the order in which they
// joined it. It keeps no reference to an item that has left, and gives memory
// back after a burst. Like any [Queue] it is not safe for concurrent use.
func DefaultQueue[T comparable]() Queue[T] {
	return &fifo[T]{}
}

// A fifo is a ring: a queue that is filled as fast as it is emptied runs
// without allocating.
type fifo[T any] struct {
	ring  []T // its length is zero or a power of two
	first int // where the oldest item is
	n     int // how many items there are
}

const (
	// minRing is the first length of a ring.
	minRing = 16
	// keepRing is the length up to which a ring is kept for the next burst.
	keepRing = 1024
)

func (f *fifo[T]) Touch(T) {}

func (f *fifo[T]) Len() int { return f.n }

func (f *fifo[T]) Push(item T) {
	if f.n == len(f.ring) {
		f.resize(max(minRing, 2*f.n))
	}
	f.ring[f.at(f.n)] = item
	f.n++
}

func (f *fifo[T]) Pop() T {
	var none T
	item := f.ring[f.first]
	f.ring[f.first] = none
	f.first = f.at(1)
	f.n--
	// At a quarter, not at half, so that a length that goes up and down
	// around one of the limits does not copy the items each time.
	if len(f.ring) > keepRing && f.n <= len(f.ring)/4 {
		f.resize(len(f.ring) / 2)
	}
	return item
}

func (f *fifo[T]) at(i int) int {
	return (f.first + i) & (len(f.ring) - 1)
}

func (f *fifo[T]) resize(size int) {
	ring := make([]T, size)
	if f.n > 0 {
		head := f.ring[f.first:min(f.first+f.n, len(f.ring))]
		copy(ring, head)
		copy(ring[len(head):], f.ring[:f.n-len(head)])
	}
	f.ring, f.first = ring, 0
}
