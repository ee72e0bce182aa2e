package events

import (
	"context"
	"fmt"
	"os"
	"time"

	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/klog/v2"
)

const (
	// maxQueuedEvents is how many events wait for the broadcaster, and for each
	// watcher, before further ones are dropped.
	maxQueuedEvents = 1000

	// A series ends after so long without an event.
	finishTime = 6 * time.Minute

	// The server is told so often that a series goes on. It must be less than the
	// hour after which servers let events expire.
	refreshTime = 30 * time.Minute
)

// NewBroadcaster returns a broadcaster for a sink. It must be shut down in the end.
func NewBroadcaster(sink EventSink) EventBroadcaster {
	return &broadcaster{
		Broadcaster: watch.NewLongQueueBroadcaster(maxQueuedEvents, watch.DropIfChannelFull),
		sink:        sink,
	}
}

type broadcaster struct {
	*watch.Broadcaster
	sink EventSink
}

func (b *broadcaster) NewRecorder(scheme *runtime.Scheme, reportingController string) EventRecorderLogger {
	host, _ := os.Hostname() // Where there is none, the controller's name has to do.
	return &recorder{
		scheme:     scheme,
		controller: reportingController,
		instance:   reportingController + "-" + host,
		queue:      b.Broadcaster,
		logger:     klog.Background(),
	}
}

func (b *broadcaster) StartRecordingToSink(stopCh <-chan struct{}) {
	ctx := wait.ContextForChannel(stopCh)
	if err := b.StartRecordingToSinkWithContext(ctx); err != nil {
		klog.FromContext(ctx).Error(err, "Failed to start recording to sink")
	}
}

func (b *broadcaster) StartRecordingToSinkWithContext(ctx context.Context) error {
	writer := newWriter(ctx, b.sink, retryPause)
	stop, err := b.StartEventWatcher(func(object runtime.Object) {
		if event, ok := object.(*eventsv1.Event); ok {
			writer.observe(event)
		}
	})
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, stop)
	go wait.UntilWithContext(ctx, func(context.Context) { writer.refresh() }, refreshTime)
	go wait.UntilWithContext(ctx, func(context.Context) { writer.finish() }, finishTime)
	return nil
}

func (b *broadcaster) StartEventWatcher(eventHandler func(event runtime.Object)) (func(), error) {
	watcher, err := b.Watch()
	if err != nil {
		return nil, fmt.Errorf("watching the events of a broadcaster: %w", err)
	}
	go func() {
		defer utilruntime.HandleCrash()
		for item := range watcher.ResultChan() {
			eventHandler(item.Object)
		}
	}()
	return watcher.Stop, nil
}

func (b *broadcaster) StartStructuredLogging(verbosity klog.Level) func() {
	logger := klog.Background().V(int(verbosity))
	stop, err := b.StartLogging(logger)
	if err != nil {
		logger.Error(err, "Failed to start logging events")
		return func() {}
	}
	return stop
}

func (b *broadcaster) StartLogging(logger klog.Logger) (func(), error) {
	return b.StartEventWatcher(func(object runtime.Object) {
		event, ok := object.(*eventsv1.Event)
		if !ok {
			logger.Error(nil, "What was recorded is no event of events.k8s.io/v1", "type", fmt.Sprintf("%T", object))
			return
		}
		about := &event.Regarding
		logger.Info("Event occurred",
			"object", klog.KRef(about.Namespace, about.Name), "kind", about.Kind, "apiVersion", about.APIVersion,
			"type", event.Type, "reason", event.Reason, "action", event.Action, "note", event.Note)
	})
}
