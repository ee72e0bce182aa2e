package dirsync

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
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
	s := newSession(c)
	s.start(ctx)
	for {
		for _, path := range paths {
			// One that failed is due at a time of its own.
			if s.queue.NumRequeues(path) == 0 {
				s.queue.Add(path)
			}
		}
		select {
		case <-ctx.Done():
			s.workers.Wait()
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
	errs := []error{err}
	if left := len(paths); left > 0 {
		s := newSession(c)
		s.attempts = 1 + max(0, c.Retries)
		s.settled = func(err error) {
			errs = append(errs, err)
			if left--; left == 0 {
				s.queue.ShutDown()
			}
		}
		for _, path := range paths {
			s.queue.Add(path)
		}
		s.start(ctx)
		s.workers.Wait()
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

// A session is a queue of paths and the workers that deal with them.
type session struct {
	Controller
	queue   workqueue.TypedRateLimitingInterface[string]
	workers sync.WaitGroup

	// attempts is how often a path is tried. The default is without end.
	attempts int

	// settled is called, by one worker at a time, for each path that needs no
	// further attempt, with the error of the last one.
	settled   func(error)
	settledMu sync.Mutex
}

func newSession(c Controller) *session {
	return &session{
		Controller: c,
		queue: workqueue.NewTypedRateLimitingQueue(
			workqueue.NewTypedItemExponentialFailureRateLimiter[string](firstDelay, lastDelay)),
		attempts: math.MaxInt,
		settled:  func(error) {},
	}
}

// start starts the workers. They end when ctx is done or the queue is shut down.
func (s *session) start(ctx context.Context) {
	unhook := context.AfterFunc(ctx, s.queue.ShutDown)
	for range s.Workers {
		s.workers.Go(func() {
			defer unhook()
			for {
				path, shutdown := s.queue.Get()
				if shutdown {
					return
				}
				if ctx.Err() == nil { // else what is in line is left undone
					s.attempt(path)
				}
				s.queue.Done(path)
			}
		})
	}
}

func (s *session) attempt(path string) {
	change, err := s.Reconcile(path)
	failures := s.queue.NumRequeues(path)
	if err != nil && failures+1 < s.attempts {
		s.Log.Warn("will try again", "path", path, "failures", failures+1, "err", err)
		s.queue.AddRateLimited(path)
		return
	}
	switch {
	case err != nil:
		s.Log.Error("gave up", "path", path, "failures", failures+1, "err", err)
	case change != Unchanged:
		s.Log.Info(string(change), "path", path)
	}
	s.queue.Forget(path)
	s.settledMu.Lock()
	defer s.settledMu.Unlock()
	s.settled(err)
}
