package events

import (
	"context"
	"sync"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/record"
	"k8s.io/klog/v2"
)

// NewEventBroadcasterAdapter is NewEventBroadcasterAdapterWithContext with a context
// that never ends.
//
// Deprecated: use NewEventBroadcasterAdapterWithContext, or better an
// EventBroadcaster.
func NewEventBroadcasterAdapter(client kubernetes.Interface) EventBroadcasterAdapter {
	return NewEventBroadcasterAdapterWithContext(context.Background(), client)
}

// NewEventBroadcasterAdapterWithContext asks a server once whether it has
// events.k8s.io/v1, and returns an adapter that uses them, or else those of core/v1,
// which every server has. The broadcaster of core/v1 ends with the context, and logs
// by the logger in it.
func NewEventBroadcasterAdapterWithContext(ctx context.Context, client kubernetes.Interface) EventBroadcasterAdapter {
	a := &adapter{ctx: ctx, client: client, legacy: record.NewBroadcaster(record.WithContext(ctx))}
	if _, err := client.Discovery().ServerResourcesForGroupVersion(eventsv1.SchemeGroupVersion.String()); err == nil {
		a.current = NewBroadcaster(&EventSinkImpl{Interface: client.EventsV1()})
	} else {
		klog.FromContext(ctx).V(4).Info("Recording events of core/v1 alone", "err", err)
	}
	return a
}

type adapter struct {
	ctx     context.Context
	client  kubernetes.Interface
	legacy  record.EventBroadcaster
	current EventBroadcaster // nil if the server does not have its events

	once   sync.Once
	scheme *runtime.Scheme
}

func (a *adapter) StartRecordingToSink(stopCh <-chan struct{}) {
	if a.current != nil {
		a.current.StartRecordingToSink(stopCh)
	}
	a.legacy.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: a.client.CoreV1().Events("")})
}

func (a *adapter) NewRecorder(name string) EventRecorderLogger {
	if a.current != nil {
		return a.current.NewRecorder(a.kinds(), name)
	}
	return record.NewEventRecorderAdapter(a.DeprecatedNewLegacyRecorder(name))
}

func (a *adapter) DeprecatedNewLegacyRecorder(name string) record.EventRecorderLogger {
	return a.legacy.NewRecorder(a.kinds(), corev1.EventSource{Component: name})
}

func (a *adapter) Shutdown() {
	a.legacy.Shutdown()
	if a.current != nil {
		a.current.Shutdown()
	}
}

// kinds returns a scheme of all built-in kinds.
func (a *adapter) kinds() *runtime.Scheme {
	a.once.Do(func() { a.scheme = builtinKinds() })
	return a.scheme
}
