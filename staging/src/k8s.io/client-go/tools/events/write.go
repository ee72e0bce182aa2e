package events

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/record/util"
	"k8s.io/klog/v2"
)

const (
	maxTriesPerEvent = 12
	retryPause       = 10 * time.Second
)

// outcome says how an attempt to write an event has ended.
type outcome int

const (
	written   outcome = iota
	refused           // The same will be refused again.
	unreached         // It may be tried later.
)

// write brings an event to a sink: as a new one, or, if the sink has it and it has a
// series by now, as a change. It tries again while that makes sense and ctx is not done.
func write(ctx context.Context, sink EventSink, event *eventsv1.Event, there bool, pause time.Duration) (*eventsv1.Event, outcome) {
	logger := klog.LoggerWithValues(klog.FromContext(ctx), "event", klog.KObj(event), "reason", event.Reason)
	for tries := 1; ; tries++ {
		kept, err := writeOnce(ctx, sink, event, there)
		if err == nil {
			return kept, written
		}
		if !worthRetrying(logger, err, event) {
			return nil, refused
		}
		there = there || apierrors.IsAlreadyExists(err)
		if tries == maxTriesPerEvent {
			logger.Error(err, "Unable to write event (retry limit exceeded!)")
			return nil, unreached
		}
		logger.V(4).Info("Unable to write event (may retry after sleeping)", "err", err)
		wait := pause
		if tries == 1 {
			// Where a server has come back, not all of its clients should come at once.
			wait = time.Duration(float64(pause) * rand.Float64())
		}
		if !sleep(ctx, wait) {
			logger.Error(err, "Unable to write event (recording has ended)")
			return nil, unreached
		}
	}
}

func writeOnce(ctx context.Context, sink EventSink, event *eventsv1.Event, there bool) (*eventsv1.Event, error) {
	if event.Series != nil && there {
		patch, err := seriesPatch(event)
		if err != nil {
			return nil, err
		}
		kept, err := sink.Patch(ctx, event, patch)
		if !util.IsKeyNotFoundError(err) {
			return kept, err
		}
		// Events expire. Then it is a new one, which the server must give a version.
	}
	event.ResourceVersion = ""
	return sink.Create(ctx, event)
}

func seriesPatch(event *eventsv1.Event) ([]byte, error) {
	patch, err := json.Marshal(struct {
		Series *eventsv1.EventSeries `json:"series"`
	}{event.Series})
	if err != nil {
		return nil, fmt.Errorf("making the patch for the series of event %s/%s: %w", event.Namespace, event.Name, err)
	}
	return patch, nil
}

// worthRetrying tells whether the same event may be written after an error, and
// logs where it may not.
func worthRetrying(logger klog.Logger, err error, event *eventsv1.Event) bool {
	var unbuildable *rest.RequestConstructionError
	var unexpected *apierrors.UnexpectedObjectError
	var status *apierrors.StatusError
	switch {
	case errors.As(err, &unbuildable), errors.Is(err, errNoNamespace):
		logger.Error(err, "Unable to construct a request for an event (will not retry!)")
		return false
	case errors.As(err, &unexpected):
		return true // A proxy may have answered for the server.
	case !errors.As(err, &status):
		return true // The server was not reached.
	case apierrors.IsAlreadyExists(err) && event.Series != nil:
		return true // An earlier try, or another process, has created it; a patch will do.
	case apierrors.IsAlreadyExists(err), apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		logger.V(5).Info("Server rejected event (will not retry!)", "err", err)
	default:
		logger.Error(err, "Server rejected event (will not retry!)")
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
