package dirsync

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"k8s.io/client-go/util/workqueue"
)

// A Controller keeps Dirs equal. Its other fields are optional.
type Controller struct {
	Dirs

	// Workers is how many paths are dealt with at a time. The default is 2.
	Workers int

	// Interval is the time between two comparisons by Run. The default is a
	// second.
	Interval time.Duration

	// Retries is how often Once tries again what failed. Run never gives up.
	Retries int

	// Log gets a line for each change and each failure. The default drops
	// them.
	Log *slog.Logger
}

// A failed path waits for firstDelay, and twice as long after each further
// failure, up to lastDelay.
const (
	firstDelay = 50 * time.Millisecond
	lastDelay  = 30 * time.Second
)

// Run keeps the target equal to the source until ctx is done. Then it finishes
// the paths that workers are busy with, and returns nil. It makes the target if
// there is none. The error is that of the first comparison; later failures are
// logged and tried again.
func (c Controller) Run(ctx context.Context) error {
	if err := c.prepare(); err != nil {
		return err
	}
	paths, err := c.Diff()
	if err != nil {
		return err
	}
	s := c.start(ctx, -1, func(string, error) {})
	for {
		for _, path := range paths {
			// One that failed is due at a time of its own.
			if s.queue.NumRequeues(path) == 0 {
				s.queue.Add(path)
			}
		}
		select {
		case <-ctx.Done():
			s.stop()
			return c.clean()
		case <-time.After(c.Interval):
		}
		if paths, err = c.Diff(); err != nil {
			c.Log.Warn("comparison failed", "err", err)
		}
	}
}

// Once makes the target equal to the source as they are now, and returns. It
// makes the target if there is none. The error joins those of all paths that
// could not be settled, or is that of ctx.
func (c Controller) Once(ctx context.Context) error {
	if err := c.prepare(); err != nil {
		return err
	}
	paths, err := c.Diff()
	var (
		mu      sync.Mutex
		errs    = []error{err}
		pending sync.WaitGroup
	)
	pending.Add(len(paths))
	s := c.start(ctx, c.Retries, func(path string, err error) {
		mu.Lock()
		errs = append(errs, err)
		mu.Unlock()
		pending.Done()
	})
	for _, path := range paths {
		s.queue.Add(path)
	}
	settled := make(chan struct{})
	go func() {
		pending.Wait()
		close(settled)
	}()
	select {
	case <-settled:
	case <-ctx.Done():
		// What is left is settled below, so that no goroutine stays behind.
		defer func() { <-settled }()
	}
	s.stop()
	for range s.abandoned {
		pending.Done()
	}
	return errors.Join(append(errs, ctx.Err(), c.clean())...)
}

// prepare checks the directories and sets defaults.
func (c *Controller) prepare() error {
	if c.Workers <= 0 {
		c.Workers = 2
	}
	if c.Interval <= 0 {
		c.Interval = time.Second
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(c.Target, 0o777); err != nil {
		return fmt.Errorf("making the target: %w", err)
	}
	source, err := resolve(c.Source)
	if err != nil {
		return fmt.Errorf("finding the source: %w", err)
	}
	target, err := resolve(c.Target)
	if err != nil {
		return fmt.Errorf("finding the target: %w", err)
	}
	if within(source, target) || within(target, source) {
		return fmt.Errorf("source %s and target %s overlap", source, target)
	}
	return c.clean()
}

func resolve(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(dir)
}

func within(dir, path string) bool {
	relative, err := filepath.Rel(dir, path)
	return err == nil && relative != ".." && !strings.HasPrefix(relative, ".."+string(filepath.Separator))
}
