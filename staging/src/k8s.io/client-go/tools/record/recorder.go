package record

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	internalevents "k8s.io/client-go/tools/internal/events"
	"k8s.io/client-go/tools/record/util"
	"k8s.io/client-go/tools/reference"
	"k8s.io/klog/v2"
)

func (b *broadcaster) NewRecorder(scheme *runtime.Scheme, source corev1.EventSource) EventRecorderLogger {
	return &recorder{
		scheme: scheme,
		source: source,
		queue:  b.Broadcaster,
		logger: klog.Background(),
	}
}

type recorder struct {
	scheme *runtime.Scheme
	source corev1.EventSource
	queue  *watch.Broadcaster
	logger klog.Logger
}

func (r *recorder) WithLogger(logger klog.Logger) EventRecorderLogger {
	own := *r
	own.logger = logger
	return &own
}

func (r *recorder) Event(object runtime.Object, eventtype, reason, message string) {
	r.record(object, nil, eventtype, reason, message)
}

func (r *recorder) Eventf(object runtime.Object, eventtype, reason, messageFmt string, args ...interface{}) {
	r.record(object, nil, eventtype, reason, fmt.Sprintf(messageFmt, args...))
}

func (r *recorder) AnnotatedEventf(object runtime.Object, annotations map[string]string, eventtype, reason, messageFmt string, args ...interface{}) {
	r.record(object, annotations, eventtype, reason, fmt.Sprintf(messageFmt, args...))
}

// record queues an event. What it logs of the object is its type alone: the object
// may be a secret.
func (r *recorder) record(object runtime.Object, annotations map[string]string, eventtype, reason, message string) {
	about, err := reference.GetReference(r.scheme, object)
	if err != nil {
		r.logger.Error(err, "Could not construct reference, will not report event",
			"object", fmt.Sprintf("%T", object), "eventType", eventtype, "reason", reason, "message", message)
		return
	}
	if !util.ValidateEventType(eventtype) {
		r.logger.Error(nil, "Unsupported event type", "eventType", eventtype, "reason", reason)
		return
	}
	event := r.event(about, annotations, eventtype, reason, message)
	queued, err := r.queue.ActionOrDrop(watch.Added, event)
	switch {
	case err != nil:
		r.logger.Error(err, "Unable to record event (will not retry!)", "event", klog.KObj(event), "reason", reason)
	case !queued:
		r.logger.Error(nil, "Unable to record event: too many queued events, dropped event", "event", klog.KObj(event), "reason", reason)
	}
}

func (r *recorder) event(about *corev1.ObjectReference, annotations map[string]string, eventtype, reason, message string) *corev1.Event {
	now := metav1.Now()
	namespace := about.Namespace
	if namespace == "" {
		namespace = metav1.NamespaceDefault
	}
	return &corev1.Event{
		ObjectMeta: metav1.ObjectMeta{
			Name:        util.GenerateEventName(about.Name, now.UnixNano()),
			Namespace:   namespace,
			Annotations: annotations,
		},
		InvolvedObject:      *about,
		Type:                eventtype,
		Reason:              reason,
		Message:             message,
		FirstTimestamp:      now,
		LastTimestamp:       now,
		Count:               1,
		Source:              r.source,
		ReportingController: r.source.Component,
		ReportingInstance:   r.source.Host,
	}
}

// An EventRecorderAdapter is a recorder of core/v1 in the shape of one of
// events.k8s.io/v1, for code that is written for those. What core/v1 has no room
// for, the related object and the action, is left out.
type EventRecorderAdapter struct {
	recorder EventRecorderLogger
}

var _ internalevents.EventRecorder = &EventRecorderAdapter{}

// NewEventRecorderAdapter returns an adapter of a recorder.
func NewEventRecorderAdapter(recorder EventRecorderLogger) *EventRecorderAdapter {
	return &EventRecorderAdapter{recorder: recorder}
}

// Eventf records an event whose message is the note.
func (a *EventRecorderAdapter) Eventf(regarding, _ runtime.Object, eventtype, reason, action, note string, args ...interface{}) {
	a.recorder.Eventf(regarding, eventtype, reason, note, args...)
}

// WithLogger returns the adapter with another logger.
func (a *EventRecorderAdapter) WithLogger(logger klog.Logger) internalevents.EventRecorderLogger {
	return NewEventRecorderAdapter(a.recorder.WithLogger(logger))
}
