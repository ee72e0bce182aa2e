package record

import (
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/klog/v2"
)

// A FakeRecorder is a recorder for tests: it sends each event, as a line of text, to
// a channel. With a full channel its methods wait until there is room. The zero value
// has no channel and drops all events.
type FakeRecorder struct {
	// Events has lines such as "Normal Started Started container web", where the
	// annotations follow if there are any.
	Events chan string

	// IncludeObject adds the kind and the API version that the object has in it.
	IncludeObject bool
}

var _ EventRecorderLogger = &FakeRecorder{}

// NewFakeRecorder returns a recorder whose channel has room for so many events.
func NewFakeRecorder(bufferSize int) *FakeRecorder {
	return &FakeRecorder{Events: make(chan string, bufferSize)}
}

// Event sends a line.
func (f *FakeRecorder) Event(object runtime.Object, eventtype, reason, message string) {
	f.send(object, nil, eventtype, reason, message)
}

// Eventf sends a line.
func (f *FakeRecorder) Eventf(object runtime.Object, eventtype, reason, messageFmt string, args ...interface{}) {
	f.send(object, nil, eventtype, reason, fmt.Sprintf(messageFmt, args...))
}

// AnnotatedEventf sends a line with annotations.
func (f *FakeRecorder) AnnotatedEventf(object runtime.Object, annotations map[string]string, eventtype, reason, messageFmt string, args ...interface{}) {
	f.send(object, annotations, eventtype, reason, fmt.Sprintf(messageFmt, args...))
}

// WithLogger returns the same recorder, which logs nothing.
func (f *FakeRecorder) WithLogger(logger klog.Logger) EventRecorderLogger { return f }

func (f *FakeRecorder) send(object runtime.Object, annotations map[string]string, eventtype, reason, message string) {
	if f.Events == nil {
		return
	}
	line := eventtype + " " + reason + " " + message
	if f.IncludeObject {
		kind := object.GetObjectKind().GroupVersionKind()
		line += fmt.Sprintf(" involvedObject{kind=%s,apiVersion=%s}", kind.Kind, kind.GroupVersion())
	}
	if len(annotations) > 0 {
		line += " " + fmt.Sprint(annotations)
	}
	f.Events <- line
}
