package events

import (
	"context"

	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/runtime"
	internalevents "k8s.io/client-go/tools/internal/events"
	"k8s.io/client-go/tools/record"
	"k8s.io/klog/v2"
)

// An EventRecorder makes events of one reporting controller and hands them to its
// broadcaster. Its method does not wait, and may be called by many goroutines.
//
// # Fields and methods
//
//	Eventf(regarding runtime.Object, related runtime.Object, eventtype string, reason string, action string, note string, args ...interface{})
type EventRecorder = internalevents.EventRecorder

// An EventRecorderLogger is an EventRecorder that can be told where to log what it
// could not record. By default that is klog's global logger.
//
// # Fields and methods
//
//	Eventf(regarding runtime.Object, related runtime.Object, eventtype string, reason string, action string, note string, args ...interface{})
//	WithLogger(logger klog.Logger) internal.EventRecorderLogger
type EventRecorderLogger = internalevents.EventRecorderLogger

// An EventBroadcaster passes the events of its recorders on to its sink, to loggers
// and to whoever watches.
type EventBroadcaster interface {
	// StartRecordingToSink is the following method with a channel that is closed
	// in the end. What keeps it from starting is logged.
	//
	// Deprecated: use StartRecordingToSinkWithContext.
	StartRecordingToSink(stopCh <-chan struct{})

	// StartRecordingToSinkWithContext begins to write events to the sink, until
	// the context is done. The error says that the broadcaster was shut down.
	StartRecordingToSinkWithContext(ctx context.Context) error

	// NewRecorder returns a recorder for a controller, which is named as
	// example.com/frobber. The scheme tells the kinds of objects that do not know
	// theirs, which those from typed clients do not.
	NewRecorder(scheme *runtime.Scheme, reportingController string) EventRecorderLogger

	// StartEventWatcher calls a function for each event from now on, one after the
	// other, whether or not there is a sink. Events are shared: the function must
	// copy what it wants to change. The function that is returned ends it.
	StartEventWatcher(eventHandler func(event runtime.Object)) (func(), error)

	// StartStructuredLogging is StartLogging by the global logger.
	//
	// Deprecated: use StartLogging.
	StartStructuredLogging(verbosity klog.Level) func()

	// StartLogging logs each event. A level is chosen by the logger's V method.
	// The function that is returned ends it.
	StartLogging(logger klog.Logger) (func(), error)

	// Shutdown ends the broadcaster: recorders drop their events from then on.
	// What goes to the sink ends with its context.
	Shutdown()
}

// An EventSink keeps events, as an API server does. Each method uses the namespace
// that the event has and returns the event as it is kept then. Its errors are those
// of a REST client: they tell whether to try again.
type EventSink interface {
	// Create adds an event.
	Create(ctx context.Context, event *eventsv1.Event) (*eventsv1.Event, error)
	// Update replaces an event.
	Update(ctx context.Context, event *eventsv1.Event) (*eventsv1.Event, error)
	// Patch changes an event by a strategic merge patch. oldEvent says which one.
	Patch(ctx context.Context, oldEvent *eventsv1.Event, data []byte) (*eventsv1.Event, error)
}

// An EventBroadcasterAdapter records events of events.k8s.io/v1 where a server has
// them, and those of core/v1 otherwise and for callers that ask for them.
//
// Deprecated: every server that is supported has events.k8s.io/v1; use an
// EventBroadcaster.
type EventBroadcasterAdapter interface {
	// StartRecordingToSink begins to write events to the server, until the channel
	// is closed.
	StartRecordingToSink(stopCh <-chan struct{})

	// NewRecorder returns a recorder for a reporting controller.
	NewRecorder(name string) EventRecorderLogger

	// DeprecatedNewLegacyRecorder returns a recorder of core/v1 for a component.
	DeprecatedNewLegacyRecorder(name string) record.EventRecorderLogger

	// Shutdown ends the broadcasters.
	Shutdown()
}
