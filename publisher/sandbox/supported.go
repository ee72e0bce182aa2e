package sandbox

import (
	"context"
	"fmt"
	"sync"
)

// UnsupportedError says why commands cannot be isolated on this machine.
type UnsupportedError struct{ Err error }

func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("commands cannot be isolated here; it takes Linux 5.12 that lets its users make user namespaces: %v", e.Err)
}

func (e *UnsupportedError) Unwrap() error { return e.Err }

var supported struct {
	sync.Mutex
	known bool
	err   error
}

// Supported tries whether commands can be isolated: nil, an [*UnsupportedError], or
// ctx's error. What was found is remembered.
func Supported(ctx context.Context) error {
	supported.Lock()
	defer supported.Unlock()
	if supported.known {
		return supported.err
	}
	err := try(ctx)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		err = &UnsupportedError{err}
	}
	supported.known, supported.err = true, err
	return err
}
