package record

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/klog/v2"
)

const (
	// maxQueuedEvents is how many events wait for the broadcaster, and for each
	// watcher, before further ones are dropped.
	maxQueuedEvents = 1000

	defaultSleepDuration = 10 * time.Second
)

// A BroadcasterOption changes what [NewBroadcaster] returns.
type BroadcasterOption func(*config)

// config is kept by the broadcaster. That it is a context itself is part of the API,
// by way of BroadcasterOption.
type config struct {
	CorrelatorOptions
	// Context is nil if no caller has given one.
	context.Context
	sleepDuration time.Duration
}

// WithCorrelatorOptions changes how events are held back on their way to a sink.
func WithCorrelatorOptions(options CorrelatorOptions) BroadcasterOption {
	return func(c *config) { c.CorrelatorOptions = options }
}

// WithContext ties the broadcaster to a context: it is shut down when the context is
// cancelled, so that Shutdown need not be called. If the context has a logger, it is
// used.
func WithContext(ctx context.Context) BroadcasterOption {
	return func(c *config) { c.Context = ctx }
}

// WithSleepDuration sets how long to wait before a sink that failed is tried
// again, in place of ten seconds.
func WithSleepDuration(sleepDuration time.Duration) BroadcasterOption {
	return func(c *config) { c.sleepDuration = sleepDuration }
}

// NewBroadcaster returns a broadcaster. Without [WithContext] it must be shut down
// in the end.
func NewBroadcaster(opts ...BroadcasterOption) EventBroadcaster {
	c := config{sleepDuration: defaultSleepDuration}
	for _, opt := range opts {
		opt(&c)
	}
	parent := c.Context
	if parent == nil {
		parent = context.Background()
	}
	b := &broadcaster{
		config:      c,
		Broadcaster: watch.NewLongQueueBroadcaster(maxQueuedEvents, watch.DropIfChannelFull),
	}
	b.running, b.stop = context.WithCancel(parent)
	if c.Context != nil {
		context.AfterFunc(b.running, b.Broadcaster.Shutdown)
	}
	return b
}

// NewBroadcasterForTests is NewBroadcaster with [WithSleepDuration].
func NewBroadcasterForTests(sleepDuration time.Duration) EventBroadcaster {
	return NewBroadcaster(WithSleepDuration(sleepDuration))
}

// NewBroadcasterWithCorrelatorOptions is NewBroadcaster with [WithCorrelatorOptions].
func NewBroadcasterWithCorrelatorOptions(options CorrelatorOptions) EventBroadcaster {
	return NewBroadcaster(WithCorrelatorOptions(options))
}

type broadcaster struct {
	*watch.Broadcaster
	config config

	// running is done once sinks are not to be tried again any more.
	running context.Context
	stop    context.CancelFunc
}

// Shutdown lets go of sinks after the queues of all watchers are closed, so that
// their last events have not lost the right to a first try.
func (b *broadcaster) Shutdown() {
	b.Broadcaster.Shutdown()
	b.stop()
}

func (b *broadcaster) StartEventWatcher(eventHandler func(*corev1.Event)) watch.Interface {
	watcher, err := b.Watch()
	if err != nil {
		klog.FromContext(b.running).Error(err, "Unable to start event watcher (will not retry!)")
		return watch.NewEmptyWatch()
	}
	go func() {
		defer utilruntime.HandleCrashWithContext(b.running)
		// The channel is closed by Stop and by Shutdown alike.
		for item := range watcher.ResultChan() {
			if event, ok := item.Object.(*corev1.Event); ok {
				eventHandler(event)
			}
		}
	}()
	return watcher
}

func (b *broadcaster) StartLogging(logf func(format string, args ...interface{})) watch.Interface {
	return b.StartEventWatcher(func(e *corev1.Event) {
		logf("Event(%#v): type: '%v' reason: '%v' %v", e.InvolvedObject, e.Type, e.Reason, e.Message)
	})
}

func (b *broadcaster) StartStructuredLogging(verbosity klog.Level) watch.Interface {
	logger := klog.FromContext(b.running).V(int(verbosity))
	return b.StartEventWatcher(func(e *corev1.Event) {
		about := &e.InvolvedObject
		logger.Info("Event occurred",
			"object", klog.KRef(about.Namespace, about.Name), "fieldPath", about.FieldPath,
			"kind", about.Kind, "apiVersion", about.APIVersion,
			"type", e.Type, "reason", e.Reason, "message", e.Message)
	})
}
