// Package proctest has what tests of processes share.
package proctest

import (
	"bytes"
	"sync"
)

// Output is what a process or a logger writes, which a test reads meanwhile. The zero
// value is empty.
type Output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write appends.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

// String returns all that was written so far.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
