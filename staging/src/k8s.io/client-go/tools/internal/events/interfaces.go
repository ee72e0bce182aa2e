// Package internal has the interfaces of a recorder of events.k8s.io/v1. They are
// those of tools/events, which imports tools/record; and tools/record has an
// adapter that implements them.
package internal

import (
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/klog/v2"
)

// An EventRecorder makes events of one reporting controller and hands them on. Its
// methods do not wait for a server.
type EventRecorder interface {
	// Eventf makes an event about the object regarding, which may be given as an
	// ObjectReference. A second object may be related to what happened, such as
	// one that was created; it may be nil.
	//
	// eventtype is Normal or Warning. reason says why, in one word that programs
	// may look for, in CamelCase: FailedScheduling. action says what the
	// controller did about the object, or failed to, in CamelCase too: Binding.
	// note is for people; with args it is formatted as by fmt.Sprintf.
	Eventf(regarding runtime.Object, related runtime.Object, eventtype, reason, action, note string, args ...interface{})
}

// An EventRecorderLogger is an EventRecorder that can be told where to log what it
// could not record.
type EventRecorderLogger interface {
	EventRecorder

	// WithLogger returns the recorder with another logger than the global one.
	// It costs little, so that a caller may do it for each event:
	//
	//	recorder.WithLogger(klog.FromContext(ctx)).Eventf(…)
	WithLogger(logger klog.Logger) EventRecorderLogger
}
