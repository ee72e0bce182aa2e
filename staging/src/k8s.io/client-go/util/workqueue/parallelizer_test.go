package workqueue_test

import (
	"context"
	"fmt"
	"math"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"k8s.io/client-go/util/workqueue"
)

func TestEveryPieceIsDoneOnce(t *testing.T) {
	for _, c := range []struct{ workers, pieces, chunk int }{
		{1, 0, 1}, {1, -1, 1}, {1, 1, 1}, {1, 10, 3}, {4, 1, 1}, {4, 100, 0}, {4, 100, -1}, {4, 100, 1},
		{4, 100, 7}, {4, 100, 50}, {4, 100, 100}, {4, 100, 101}, {4, 100, math.MaxInt}, {200, 100, 1},
	} {
		t.Run(fmt.Sprintf("%d workers, %d pieces by %d", c.workers, c.pieces, c.chunk), func(t *testing.T) {
			done := make([]atomic.Int32, max(0, c.pieces))
			workqueue.ParallelizeUntil(context.Background(), c.workers, c.pieces, func(piece int) {
				done[piece].Add(1)
			}, workqueue.WithChunkSize(c.chunk))
			for piece := range done {
				if n := done[piece].Load(); n != 1 {
					t.Errorf("piece %d was done %d times", piece, n)
				}
			}
		})
	}
}

func TestAsManyPiecesAtATimeAsThereAreWorkers(t *testing.T) {
	for _, c := range []struct{ workers, pieces, chunk, want int }{
		{3, 10, 1, 3}, {3, 2, 1, 2}, {3, 10, 5, 2}, {1, 10, 1, 1}, {0, 10, 1, 0}, {-1, 10, 1, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			var running atomic.Int32
			release := make(chan struct{})
			go workqueue.ParallelizeUntil(t.Context(), c.workers, c.pieces, func(int) {
				running.Add(1)
				<-release
			}, workqueue.WithChunkSize(c.chunk))
			synctest.Wait()
			if got := int(running.Load()); got != c.want {
				t.Errorf("%+v: %d pieces at a time", c, got)
			}
			close(release)
		})
	}
}

func TestNoPieceStartsOnceTheContextIsDone(t *testing.T) {
	for _, chunk := range []int{1, 10, 1000} {
		ctx, cancel := context.WithCancel(context.Background())
		var done atomic.Int32
		workqueue.ParallelizeUntil(ctx, 1, 1000, func(piece int) {
			if done.Add(1); piece == 4 {
				cancel()
			}
		}, workqueue.WithChunkSize(chunk))
		if done.Load() != 5 {
			t.Errorf("by %d: %d pieces were done, want 5", chunk, done.Load())
		}
	}
}

func TestNilContextIsNeverDone(t *testing.T) {
	var none context.Context
	var done atomic.Int32
	workqueue.ParallelizeUntil(none, 2, 10, func(int) { done.Add(1) })
	if done.Load() != 10 {
		t.Errorf("%d of 10 pieces were done", done.Load())
	}
}
