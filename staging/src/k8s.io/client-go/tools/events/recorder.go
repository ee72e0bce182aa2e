package events

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/record/util"
	"k8s.io/client-go/tools/reference"
	"k8s.io/klog/v2"
)

type recorder struct {
	scheme     *runtime.Scheme
	controller string
	instance   string
	queue      *watch.Broadcaster
	logger     klog.Logger
}

var _ EventRecorderLogger = &recorder{}

func (r *recorder) WithLogger(logger klog.Logger) EventRecorderLogger {
	own := *r
	own.logger = logger
	return &own
}

// Eventf queues an event. What it logs of the objects is their types alone: they may
// be secrets.
func (r *recorder) Eventf(regarding runtime.Object, related runtime.Object, eventtype, reason, action, note string, args ...interface{}) {
	message := fmt.Sprintf(note, args...)
	logger := r.logger.WithValues("type", eventtype, "reason", reason, "action", action)
	about, err := reference.GetReference(r.scheme, regarding)
	if err != nil {
		logger.Error(err, "Could not construct reference, will not report event", "object", fmt.Sprintf("%T", regarding), "note", message)
		return
	}
	var with *corev1.ObjectReference
	if related != nil {
		if with, err = reference.GetReference(r.scheme, related); err != nil {
			logger.V(9).Info("Could not construct reference to the related object", "err", err, "object", fmt.Sprintf("%T", related))
		}
	}
	if !util.ValidateEventType(eventtype) {
		logger.Error(nil, "Unsupported event type")
		return
	}
	event := r.event(about, with, eventtype, reason, action, message)
	queued, err := r.queue.ActionOrDrop(watch.Added, event)
	switch {
	case err != nil:
		logger.Error(err, "Unable to record event (will not retry!)", "event", klog.KObj(event))
	case !queued:
		logger.Error(nil, "Unable to record event: too many queued events, dropped event", "event", klog.KObj(event))
	}
}

func (r *recorder) event(about, with *corev1.ObjectReference, eventtype, reason, action, note string) *eventsv1.Event {
	now := metav1.NowMicro()
	namespace := about.Namespace
	if namespace == "" {
		namespace = metav1.NamespaceDefault
	}
	return &eventsv1.Event{
		ObjectMeta: metav1.ObjectMeta{
			Name:      util.GenerateEventName(about.Name, now.UnixNano()),
			Namespace: namespace,
		},
		EventTime:           now,
		ReportingController: r.controller,
		ReportingInstance:   r.instance,
		Action:              action,
		Reason:              reason,
		Regarding:           *about,
		Related:             with,
		Note:                note,
		Type:                eventtype,
	}
}
