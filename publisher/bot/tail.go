package bot

import "sync"

// mostKept bounds what is kept of a run's log, in bytes.
const mostKept = 256 << 10

// tail keeps the end of a run's log.
type tail struct {
	mu  sync.Mutex
	end []byte
}

// Write implements [io.Writer].
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end = append(t.end, p...)
	if over := len(t.end) - mostKept; over > 0 {
		t.end = append(t.end[:0], t.end[over:]...)
	}
	return len(p), nil
}

func (t *tail) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.end)
}
