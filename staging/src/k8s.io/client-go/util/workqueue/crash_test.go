package workqueue_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr/funcr"
	"k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"
)

// surviveCrashes makes the crash handler log and go on, for one test.
func surviveCrashes(t *testing.T) {
	really := runtime.ReallyCrash
	runtime.ReallyCrash = false
	t.Cleanup(func() { runtime.ReallyCrash = really })
}

func newLog() (klog.Logger, *strings.Builder) {
	var log strings.Builder
	return funcr.New(func(_, args string) { log.WriteString(args) }, funcr.Options{}), &log
}

// A mine is a queue that panics when it is given a certain item.
type mine struct {
	workqueue.TypedInterface[string]
}

func (m mine) Add(item string) {
	if item == "boom" {
		panic("stepped on a mine")
	}
	m.TypedInterface.Add(item)
}

func TestPanicIsLoggedAndOtherItemsStillCome(t *testing.T) {
	surviveCrashes(t)
	synctest.Test(t, func(t *testing.T) {
		logger, log := newLog()
		q := workqueue.NewTypedDelayingQueueWithConfig(workqueue.TypedDelayingQueueConfig[string]{
			Logger: &logger,
			Queue:  mine{workqueue.NewTyped[string]()},
		})
		q.AddAfter("a", 1*time.Second)
		q.AddAfter("boom", 2*time.Second)
		q.AddAfter("b", 3*time.Second)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		wantItems(t, take(t, q), "a", "b")
		if !strings.Contains(log.String(), "stepped on a mine") {
			t.Errorf("the log does not tell of the panic: %s", log)
		}
	})
}

func TestPanicInOnePieceDoesNotStopOtherWorkers(t *testing.T) {
	surviveCrashes(t)
	const pieces = 100
	var done atomic.Int32
	logger, log := newLog()
	ctx := klog.NewContext(t.Context(), logger)
	workqueue.ParallelizeUntil(ctx, 2, pieces, func(piece int) {
		if piece == 3 {
			panic("no such thing")
		}
		done.Add(1)
	})
	if done.Load() != pieces-1 {
		t.Errorf("%d pieces done, want all but one of %d", done.Load(), pieces)
	}
	if !strings.Contains(log.String(), "no such thing") {
		t.Errorf("the log does not tell of the panic: %s", log)
	}
}
