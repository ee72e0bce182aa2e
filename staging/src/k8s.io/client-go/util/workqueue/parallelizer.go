package workqueue

import (
	"context"
	"sync"
	"sync/atomic"

	"k8s.io/apimachinery/pkg/util/runtime"
)

// A DoWorkPieceFunc does one piece of work, given its number.
type DoWorkPieceFunc func(piece int)

// Options change what ParallelizeUntil does.
type Options func(*options)

type options struct {
	chunkSize int
}

// WithChunkSize makes a worker take c pieces at a time. That saves time where
// there are many more pieces than workers and each of them is short. Less than
// one counts as one, which is the default.
func WithChunkSize(c int) func(*options) {
	return func(o *options) { o.chunkSize = c }
}

// ParallelizeUntil calls doWorkPiece once for each number from 0 up to, but not
// including, pieces, from as many goroutines as workers says, and returns when
// all calls have returned. Once ctx is done it starts no further calls, so some
// pieces may be left undone. A nil ctx is never done. With no workers nothing
// is done.
//
// A panic in doWorkPiece is handled as by [runtime.HandleCrashWithContext]. If
// that lets the program go on, the pieces of its chunk are lost, and so is one
// worker.
func ParallelizeUntil(ctx context.Context, workers, pieces int, doWorkPiece DoWorkPieceFunc, opts ...Options) {
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	if pieces <= 0 {
		return
	}
	if ctx == nil {
		ctx = context.Background()
	}
	size := max(1, o.chunkSize)
	chunks := (pieces-1)/size + 1

	var (
		taken   atomic.Int64
		running sync.WaitGroup
		done    = ctx.Done()
	)
	work := func() {
		defer runtime.HandleCrashWithContext(ctx)
		for {
			chunk := int(taken.Add(1)) - 1
			if chunk >= chunks {
				return
			}
			first := chunk * size
			for piece := range min(size, pieces-first) {
				select {
				case <-done:
					return
				default:
					doWorkPiece(first + piece)
				}
			}
		}
	}
	for range min(workers, chunks) {
		running.Go(work)
	}
	running.Wait()
}
