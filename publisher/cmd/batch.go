package cmd

import (
	"io"
	"sync"
	"time"
)

const (
	batchSize = 64 << 10
	batchLate = time.Second
)

// batch gathers what is written, and passes it on when there is much of it, or
// a second later. What is written at once stays together.
type batch struct {
	out io.Writer

	mu       sync.Mutex
	gathered []byte
	due      *time.Timer // nil while nothing is gathered
}

// Write implements [io.Writer].
func (b *batch) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.gathered = append(b.gathered, p...)
	if len(b.gathered) >= batchSize {
		return len(p), b.pass()
	}
	if b.due == nil {
		b.due = time.AfterFunc(batchLate, func() { _ = b.Flush() })
	}
	return len(p), nil
}

// Flush passes on what is there.
func (b *batch) Flush() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.pass()
}

func (b *batch) pass() error {
	if b.due != nil {
		b.due.Stop()
		b.due = nil
	}
	if len(b.gathered) == 0 {
		return nil
	}
	_, err := b.out.Write(b.gathered)
	b.gathered = b.gathered[:0]
	return err
}
