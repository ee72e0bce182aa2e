package record

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/record/util"
	"k8s.io/klog/v2"
)

// maxTriesPerEvent bounds how long one event can hold up the others.
const maxTriesPerEvent = 12

func (b *broadcaster) StartRecordingToSink(sink EventSink) watch.Interface {
	correlator := NewEventCorrelatorWithOptions(b.config.CorrelatorOptions)
	return b.StartEventWatcher(func(event *corev1.Event) {
		own := *event // Other watchers have it too, and only its plain fields change here.
		recordToSink(b.running, sink, &own, correlator, b.config.sleepDuration)
	})
}

// recordToSink writes an event, if it is not held back, and tries again while that
// makes sense and ctx is not done.
func recordToSink(ctx context.Context, sink EventSink, event *corev1.Event, correlator *EventCorrelator, pause time.Duration) {
	logger := klog.FromContext(ctx)
	result, err := correlator.EventCorrelate(event)
	if err != nil {
		// There still is an event, though without a patch for the one before it.
		logger.Error(err, "Unable to compare an event with those before it", "event", klog.KObj(event), "reason", event.Reason)
	}
	if result.Skip {
		return
	}
	for tries := 1; ; tries++ {
		kept, err := write(sink, result)
		if err == nil {
			correlator.UpdateState(kept)
			return
		}
		if !worthRetrying(logger, err, result.Event) {
			return
		}
		if tries == maxTriesPerEvent {
			logger.Error(err, "Unable to write event (retry limit exceeded!)", "event", klog.KObj(result.Event), "reason", result.Event.Reason)
			return
		}
		logger.V(4).Info("Unable to write event (may retry after sleeping)", "err", err, "event", klog.KObj(result.Event))
		wait := pause
		if tries == 1 {
			// Where a server has come back, not all of its clients should come at once.
			wait = time.Duration(float64(pause) * rand.Float64())
		}
		if !sleep(ctx, wait) {
			logger.Error(err, "Unable to write event (broadcaster is shut down)", "event", klog.KObj(result.Event), "reason", result.Event.Reason)
			return
		}
	}
}

// write patches the event that is counted, or creates a new one.
func write(sink EventSink, result *EventCorrelateResult) (*corev1.Event, error) {
	event := result.Event
	if event.Count > 1 {
		kept, err := sink.Patch(event, result.Patch)
		if !util.IsKeyNotFoundError(err) {
			return kept, err
		}
		// Events expire. Then it is a new one, which the server must give a version.
	}
	event.ResourceVersion = ""
	return sink.Create(event)
}

// worthRetrying tells whether the same event may be written after an error, and
// logs where it may not.
func worthRetrying(logger klog.Logger, err error, event *corev1.Event) bool {
	var unbuildable *rest.RequestConstructionError
	var unexpected *apierrors.UnexpectedObjectError
	var refused *apierrors.StatusError
	switch {
	case errors.As(err, &unbuildable):
		logger.Error(err, "Unable to construct a request for an event (will not retry!)", "event", klog.KObj(event), "reason", event.Reason)
		return false
	case errors.As(err, &unexpected):
		return true // A proxy may have answered for the server.
	case !errors.As(err, &refused):
		return true // The server was not reached.
	case apierrors.IsAlreadyExists(err), apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		logger.V(5).Info("Server rejected event (will not retry!)", "err", err, "event", klog.KObj(event))
	default:
		logger.Error(err, "Server rejected event (will not retry!)", "event", klog.KObj(event), "reason", event.Reason)
	}
	return false
}

// sleep waits, and reports whether ctx was not done meanwhile.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return ctx.Err() == nil
	}
}
