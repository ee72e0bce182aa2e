package cache

import (
	"context"
	"errors"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	clientgofeaturegate "k8s.io/client-go/features"
	"k8s.io/klog/v2"
)

// Config says what to build a Controller with.
type Config struct {
	// Queue is where the reflector puts changes, and where they are taken
	// from to be processed.
	Queue

	// ListerWatcher is where objects come from.
	ListerWatcher

	// Process processes what comes out of the queue: [Deltas].
	Process ProcessFunc

	// ProcessBatch, if there is one, processes several changes at once. It is
	// used if the queue is a QueueWithBatch and the feature
	// InOrderInformersBatchProcess is enabled.
	ProcessBatch ProcessBatchFunc

	// ObjectType is an example of the objects. Those of other types are
	// passed over. If it is nil, all types are welcome.
	ObjectType runtime.Object

	// ObjectDescription is what the objects are called in logs.
	ObjectDescription string

	// FullResyncPeriod is how often ShouldResync is asked. Zero is never.
	FullResyncPeriod time.Duration

	// MinWatchTimeout is how long a watch lasts at least. The default, and
	// the least, is 5 minutes.
	MinWatchTimeout time.Duration

	// ShouldResync tells whether to resync the queue. If it is nil, it always
	// is.
	ShouldResync ShouldResyncFunc

	// WatchErrorHandler is told of errors of lists and watches.
	WatchErrorHandler WatchErrorHandler

	// WatchErrorHandlerWithContext is told of errors of lists and watches, if
	// there is no WatchErrorHandler.
	WatchErrorHandlerWithContext WatchErrorHandlerWithContext

	// WatchListPageSize is how many objects to list at a time. See
	// [Reflector].
	WatchListPageSize int64
}

// ShouldResyncFunc tells whether to resync.
type ShouldResyncFunc func() bool

// A Controller has a reflector fill a queue, and processes what comes out of it.
type Controller interface {
	// RunWithContext runs the controller until ctx ends, and returns when
	// nothing of it runs any more. It must be called once only.
	RunWithContext(ctx context.Context)

	// Run is RunWithContext with a channel that is closed. Programs that log
	// with a context should use the other one.
	Run(stopCh <-chan struct{})

	// HasSynced tells whether all of the first list has been processed.
	HasSynced() bool

	// HasSyncedChecker is done when all of the first list has been processed.
	// It can be given to WaitFor.
	HasSyncedChecker() DoneChecker

	// LastSyncResourceVersion is the resource version of the reflector, or ""
	// if the controller does not run yet.
	LastSyncResourceVersion() string
}

// New returns a controller that does not run yet.
func New(c *Config) Controller {
	return &controller{config: *c}
}

type controller struct {
	config Config
	logger *klog.Logger // if not that in the context

	mu        sync.Mutex
	reflector *Reflector
}

func (c *controller) HasSynced() bool { return c.config.Queue.HasSynced() }

func (c *controller) HasSyncedChecker() DoneChecker { return c.config.Queue.HasSyncedChecker() }

func (c *controller) LastSyncResourceVersion() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reflector == nil {
		return ""
	}
	return c.reflector.LastSyncResourceVersion()
}

func (c *controller) Run(stopCh <-chan struct{}) {
	c.RunWithContext(wait.ContextForChannel(stopCh))
}

func (c *controller) RunWithContext(ctx context.Context) {
	if c.logger != nil {
		ctx = klog.NewContext(ctx, *c.logger)
	}
	defer utilruntime.HandleCrashWithContext(ctx)
	reflector := c.newReflector()
	c.mu.Lock()
	c.reflector = reflector
	c.mu.Unlock()

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()                               // a panic must get out, and not wait for the reflector
	context.AfterFunc(ctx, c.config.Queue.Close) // which wakes what waits in Pop
	var working sync.WaitGroup
	working.Go(func() { reflector.RunWithContext(ctx) })
	wait.UntilWithContext(ctx, c.processAll, time.Second) // again, after a panic
	working.Wait()
}

func (c *controller) newReflector() *Reflector {
	r := NewReflectorWithOptions(c.config.ListerWatcher, c.config.ObjectType, c.config.Queue, ReflectorOptions{
		ResyncPeriod:    c.config.FullResyncPeriod,
		MinWatchTimeout: c.config.MinWatchTimeout,
		TypeDescription: c.config.ObjectDescription,
	})
	r.ShouldResync = c.config.ShouldResync
	r.WatchListPageSize = c.config.WatchListPageSize
	if handler := c.config.WatchErrorHandler; handler != nil {
		r.watchErrorHandler = func(_ context.Context, r *Reflector, err error) { handler(r, err) }
	} else if c.config.WatchErrorHandlerWithContext != nil {
		r.watchErrorHandler = c.config.WatchErrorHandlerWithContext
	}
	return r
}

// processAll processes what comes out of the queue until it is closed.
func (c *controller) processAll(ctx context.Context) {
	batches, ok := c.config.Queue.(QueueWithBatch)
	inBatches := ok && c.config.ProcessBatch != nil &&
		clientgofeaturegate.FeatureGates().Enabled(clientgofeaturegate.InOrderInformersBatchProcess)
	for ctx.Err() == nil {
		var err error
		if inBatches {
			err = batches.PopBatch(c.config.ProcessBatch, PopProcessFunc(c.config.Process))
		} else {
			_, err = c.config.Queue.Pop(PopProcessFunc(c.config.Process))
		}
		if errors.Is(err, ErrFIFOClosed) {
			return
		}
		if err != nil {
			utilruntime.HandleErrorWithContext(ctx, err, "Failed to process a change", "type", c.config.ObjectDescription)
		}
	}
}
