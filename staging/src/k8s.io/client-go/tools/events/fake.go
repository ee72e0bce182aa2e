package events

import (
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/klog/v2"
)

// A FakeRecorder is a recorder for tests: it sends each event, as a line of text, to
// a channel. With a full channel it waits until there is room. The zero value has no
// channel and drops all events.
type FakeRecorder struct {
	// Events has lines of type, reason and note: "Normal Requested Frobbed once".
	Events chan string
}

var _ EventRecorderLogger = &FakeRecorder{}

// NewFakeRecorder returns a recorder whose channel has room for so many events.
func NewFakeRecorder(bufferSize int) *FakeRecorder {
	return &FakeRecorder{Events: make(chan string, bufferSize)}
}

// Eventf sends a line.
func (f *FakeRecorder) Eventf(regarding runtime.Object, related runtime.Object, eventtype, reason, action, note string, args ...interface{}) {
	if f.Events != nil {
		f.Events <- eventtype + " " + reason + " " + fmt.Sprintf(note, args...)
	}
}

// WithLogger returns the same recorder, which logs nothing.
func (f *FakeRecorder) WithLogger(logger klog.Logger) EventRecorderLogger { return f }
