package cache

import (
	"sync"
	"sync/atomic"
)

// A handlerLog has what all handlers of an informer are to be told, once:
//
//	   slow handler             fast handler           end
//	        ▼                        ▼                  ▼
//	[ ]──▶[ ]──▶[ ]──▶[ ]──▶[ ]──▶[ ]──▶[ ]──▶[ ]──▶[ ]
//
// Each handler goes from entry to entry at its own pace. What all of them have
// passed is garbage. So a notification costs the same for one handler as for a
// hundred, and no handler waits for another.
//
// One goroutine at a time writes; many read.
type handlerLog struct {
	end     *logEntry     // for the writer
	written atomic.Uint64 // seq of end

	mu     sync.RWMutex
	more   *sync.Cond // there are entries, or a reader is to stop
	parked atomic.Int32
}

// A logEntry does not change once it is in the log, but for next.
type logEntry struct {
	next atomic.Pointer[logEntry]
	seq  uint64
	only *resyncRound // whom it is for; nil for all
	notification
}

// A resyncRound has the handlers that are being resynced. It does not change.
type resyncRound struct{ members map[*handlerRunner]bool }

func newHandlerLog() *handlerLog {
	l := &handlerLog{end: &logEntry{}}
	l.more = sync.NewCond(l.mu.RLocker())
	return l
}

// append adds an entry. Readers who wait see it after flush, the others at once.
func (l *handlerLog) append(n notification, only *resyncRound) {
	entry := &logEntry{seq: l.end.seq + 1, only: only, notification: n}
	l.end.next.Store(entry)
	l.end = entry
	l.written.Store(entry.seq)
}

// flush wakes those who wait.
func (l *handlerLog) flush() {
	if l.parked.Load() == 0 {
		return // whoever comes to wait from now on sees the new entries first
	}
	l.wakeAll()
}

func (l *handlerLog) wakeAll() {
	// Whoever has looked, and not found anything, waits before the lock can be
	// had.
	l.mu.Lock()
	defer l.mu.Unlock()
	l.more.Broadcast()
}

// wait returns once there is something after an entry, or stopped is set.
func (l *handlerLog) wait(entry *logEntry, stopped *atomic.Bool) {
	l.parked.Add(1)
	defer l.parked.Add(-1)
	l.mu.RLock()
	defer l.mu.RUnlock()
	for entry.next.Load() == nil && !stopped.Load() {
		l.more.Wait()
	}
}
