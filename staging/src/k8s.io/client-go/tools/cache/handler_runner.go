package cache

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/klog/v2"
)

// A handlerRunner calls one handler, in one goroutine. It is the registration
// handle, too.
type handlerRunner struct {
	handler    ResourceEventHandler
	name       string
	logger     klog.Logger
	maxBacklog int

	log     *handlerLog
	stopped atomic.Bool
	synced  chan struct{}
	metrics handlerMetrics

	mu      sync.Mutex
	backlog backlog
	cursor  *logEntry // the last that was taken from the log

	// Those below belong to the informer.
	requestedResync time.Duration
	resyncPeriod    time.Duration
	nextResync      time.Time
}

var (
	_ ResourceEventHandlerRegistration = &handlerRunner{}
	_ DoneChecker                      = &handlerRunner{}
	_ HandlerBacklog                   = &handlerRunner{}
)

// Name says what HasSyncedChecker waits for.
func (h *handlerRunner) Name() string { return h.name }

// Done is closed when the handler was told of all of the first list.
func (h *handlerRunner) Done() <-chan struct{} { return h.synced }

func (h *handlerRunner) HasSynced() bool { return IsDone(h) }

func (h *handlerRunner) HasSyncedChecker() DoneChecker { return h }

// Backlog returns how many notifications wait, some of which may turn out to be
// for other handlers.
func (h *handlerRunner) Backlog() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.waiting()
}

func (h *handlerRunner) waiting() int {
	return h.backlog.len() + int(h.log.written.Load()-h.cursor.seq)
}

// observe sets the metric. The writer calls it, too, since the handler may not
// return for long.
func (h *handlerRunner) observe() {
	if h.metrics.backlog != nil {
		h.metrics.backlog.Set(float64(h.Backlog()))
	}
}

// run calls the handler until stop is called. A handler that panics is called
// again, for the next notification, a second later.
func (h *handlerRunner) run() {
	ctx := klog.NewContext(context.Background(), h.logger)
	for {
		n, ok := h.next()
		if !ok {
			return
		}
		if n.kind == syncedNotification {
			close(h.synced)
			continue
		}
		if !h.tell(ctx, n) {
			time.Sleep(time.Second)
		}
	}
}

// tell returns whether the handler returned.
func (h *handlerRunner) tell(ctx context.Context, n notification) (returned bool) {
	defer utilruntime.HandleCrashWithContext(ctx)
	n.tell(h.handler)
	return true
}

// next waits for a notification. It returns false once the runner is stopped.
func (h *handlerRunner) next() (notification, bool) {
	for !h.stopped.Load() {
		n, cursor, found := h.take()
		h.observe()
		if found {
			return n, true
		}
		h.log.wait(cursor, &h.stopped)
	}
	return notification{}, false
}

// take returns the next notification, if there is one, or else the end of the
// log.
func (h *handlerRunner) take() (notification, *logEntry, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if n, ok := h.backlog.next(); ok {
		return n, nil, true
	}
	for entry := h.cursor.next.Load(); entry != nil; entry = entry.next.Load() {
		h.cursor = entry
		if h.concerns(entry) {
			return entry.notification, nil, true
		}
	}
	return notification{}, h.cursor, false
}

func (h *handlerRunner) concerns(entry *logEntry) bool {
	return entry.only == nil || entry.only.members[h]
}

// limit takes what is too much out of the log and combines it. The writer calls
// it, since the handler may not return for long.
func (h *handlerRunner) limit(objects int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	behind := h.log.end.seq - h.cursor.seq
	if h.maxBacklog < 0 || behind <= uint64(max(h.maxBacklog, objects)) {
		return
	}
	before := h.waiting()
	for entry := h.cursor.next.Load(); entry != nil; entry = entry.next.Load() {
		h.cursor = entry
		if h.concerns(entry) {
			h.backlog.combine(entry.notification)
		}
	}
	h.backlog.compact()
	after := h.waiting()
	if h.metrics.combinings != nil {
		h.metrics.combinings.Inc()
	}
	h.logger.V(2).Info("A handler is slow, combined notifications that wait", "handler", h.name, "before", before, "after", after)
}

// stop has run return after what it is at. It may be called several times.
func (h *handlerRunner) stop() {
	h.stopped.Store(true)
	h.log.wakeAll()
}
