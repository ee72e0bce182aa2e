package record

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/klog/v2"
)

// An EventSink keeps events, as an API server does. Each method uses the namespace
// that the event has and returns the event as it is kept then. Its errors are those
// of a REST client: they tell whether to try again.
//
// EventSinkImpl of the client of core/v1 is one.
type EventSink interface {
	// Create adds an event.
	Create(event *corev1.Event) (*corev1.Event, error)
	// Update replaces an event.
	Update(event *corev1.Event) (*corev1.Event, error)
	// Patch changes an event by a strategic merge patch. oldEvent says which one.
	Patch(oldEvent *corev1.Event, data []byte) (*corev1.Event, error)
}

// An EventRecorder makes events of one source and hands them to its broadcaster.
// Its methods do not wait, and may be called by many goroutines.
type EventRecorder interface {
	// Event makes an event about an object, which may be given as an
	// ObjectReference. It comes to be in the object's namespace, or in default
	// if the object has none.
	//
	// eventtype is Normal or Warning. reason says what happened in one word that
	// programs may look for, in CamelCase: BackOff. message is for people.
	Event(object runtime.Object, eventtype, reason, message string)

	// Eventf is Event with a message formatted as by fmt.Sprintf.
	Eventf(object runtime.Object, eventtype, reason, messageFmt string, args ...interface{})

	// AnnotatedEventf is Eventf for an event with annotations.
	AnnotatedEventf(object runtime.Object, annotations map[string]string, eventtype, reason, messageFmt string, args ...interface{})
}

// An EventRecorderLogger is an EventRecorder that can be told where to log what it
// could not record. By default that is klog's global logger.
type EventRecorderLogger interface {
	EventRecorder

	// WithLogger returns the recorder with another logger. It costs little, so
	// that a caller may do it for each event:
	//
	//	recorder.WithLogger(klog.FromContext(ctx)).Event(…)
	WithLogger(logger klog.Logger) EventRecorderLogger
}

// An EventBroadcaster passes the events of its recorders to all who want them.
//
// Each method that starts something returns a watch whose Stop ends it. A watch
// begins with the events that come after it; those in its queue are still handled
// when the broadcaster is shut down.
type EventBroadcaster interface {
	// StartEventWatcher calls a function for each event, one after the other.
	// Events are shared: the function must not change them.
	StartEventWatcher(eventHandler func(*corev1.Event)) watch.Interface

	// StartRecordingToSink correlates events and writes them to a sink.
	StartRecordingToSink(sink EventSink) watch.Interface

	// StartLogging writes a line for each event by a function such as klog.Infof.
	StartLogging(logf func(format string, args ...interface{})) watch.Interface

	// StartStructuredLogging logs each event by the logger of the broadcaster's
	// context, or else the global one.
	StartStructuredLogging(verbosity klog.Level) watch.Interface

	// NewRecorder returns a recorder for a source. The scheme tells the kinds of
	// objects that do not know theirs, which those from typed clients do not.
	NewRecorder(scheme *runtime.Scheme, source corev1.EventSource) EventRecorderLogger

	// Shutdown ends the broadcaster. Sinks are tried once more at most for each
	// event that still is queued. It may be called more than once.
	Shutdown()
}
