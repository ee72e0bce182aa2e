package workqueue_test

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"k8s.io/client-go/util/workqueue"
)

func TestItemIsNeverHeldTwiceAndNoChangeIsMissed(t *testing.T) {
	const keys, producers, workers, additions = 7, 3, 4, 3000
	q := workqueue.NewTyped[int]()
	var (
		held, wanted, seen [keys]atomic.Int64
		working, producing sync.WaitGroup
	)
	for range workers {
		working.Go(func() {
			for {
				key, shutdown := q.Get()
				if shutdown {
					return
				}
				if held[key].Add(1) != 1 {
					t.Errorf("%d is held by two workers", key)
				}
				state := wanted[key].Load()
				if rand.IntN(10) == 0 {
					runtime.Gosched()
				}
				seen[key].Store(state)
				held[key].Add(-1)
				q.Done(key)
			}
		})
	}
	for range producers {
		producing.Go(func() {
			for range additions {
				key := rand.IntN(keys)
				wanted[key].Add(1)
				q.Add(key)
			}
		})
	}
	producing.Wait()
	q.ShutDownWithDrain()
	for key := range keys {
		if wanted[key].Load() != seen[key].Load() {
			t.Errorf("%d was left at state %d of %d", key, seen[key].Load(), wanted[key].Load())
		}
	}
	working.Wait()
}

// A model is a work queue without concurrency, as plain as can be.
type model struct {
	line, held, again []byte
	closed            bool
}

func (m *model) add(item byte) {
	switch {
	case m.closed || slices.Contains(m.line, item):
	case !slices.Contains(m.held, item):
		m.line = append(m.line, item)
	case !slices.Contains(m.again, item):
		m.again = append(m.again, item)
	}
}

func (m *model) done(item byte) {
	i := slices.Index(m.held, item)
	if i < 0 {
		return
	}
	m.held = slices.Delete(m.held, i, i+1)
	if i := slices.Index(m.again, item); i >= 0 {
		m.again = slices.Delete(m.again, i, i+1)
		m.line = append(m.line, item)
	}
}

// FuzzQueueAgreesWithModel reads its input as a program of queue operations:
// the upper half of each byte is the operation, the lower one the item.
func FuzzQueueAgreesWithModel(f *testing.F) {
	f.Add([]byte("\x01\x02\x40\x01\x81\x40\x82\x81"))
	f.Add([]byte("\x01\x40\x01\xc0\x02\x81\x40\x81\x40"))
	random := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		program := make([]byte, 200)
		for i := range program {
			program[i] = byte(random.UintN(0xc0)) | byte(random.UintN(4))
		}
		f.Add(program)
	}
	f.Fuzz(func(t *testing.T, program []byte) {
		q, m := workqueue.NewTyped[byte](), &model{}
		for i, op := range program {
			item := op & 0x0f
			switch op >> 4 {
			case 0, 1, 2, 3:
				q.Add(item)
				m.add(item)
			case 4, 5, 6, 7:
				if len(m.line) == 0 {
					continue
				}
				if got := get(t, q); got != m.line[0] {
					t.Fatalf("operation %d: got %d, want %d", i, got, m.line[0])
				}
				m.held = append(m.held, m.line[0])
				m.line = m.line[1:]
			case 12:
				q.ShutDown()
				m.closed = true
			default:
				q.Done(item)
				m.done(item)
			}
			if q.Len() != len(m.line) {
				t.Fatalf("operation %d: %d in line, want %d", i, q.Len(), len(m.line))
			}
		}
	})
}

// FuzzDefaultQueueIsFirstInFirstOut pushes and pops in runs, whose lengths
// are the bytes of its input, eightfold.
func FuzzDefaultQueueIsFirstInFirstOut(f *testing.F) {
	f.Add([]byte{1, 1, 3, 2, 5, 6, 0, 1})
	f.Add([]byte{255, 100, 255, 255, 255, 10, 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, runs []byte) {
		q := workqueue.DefaultQueue[int]()
		pushed, popped := 0, 0
		for i, run := range runs {
			for range int(run) * 8 {
				if i%2 == 0 {
					q.Push(pushed)
					pushed++
				} else if q.Len() > 0 {
					if got := q.Pop(); got != popped {
						t.Fatalf("popped %d, want %d", got, popped)
					}
					popped++
				}
				if q.Len() != pushed-popped {
					t.Fatalf("length %d, want %d", q.Len(), pushed-popped)
				}
			}
		}
	})
}
