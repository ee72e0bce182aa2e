package cluster

import (
	"context"
	"fmt"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	core "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/record"

	"k8s.io/publisher/status"
)

// Reporter tells the cluster what came of runs: the ConfigMap has the report, and
// events are about the ConfigMap.
type Reporter struct {
	cluster  *Cluster
	recorder record.EventRecorder
	// Close stops writing events.
	Close func()
}

// Reporter starts a reporter. Events are written in the background, and lost where
// the server does not take them.
func (c *Cluster) Reporter(ctx context.Context) *Reporter {
	broadcaster := record.NewBroadcaster(record.WithContext(logr.NewContext(ctx, c.logger())))
	broadcaster.StartRecordingToSink(&core.EventSinkImpl{Interface: c.core.Events(c.Namespace)})
	recorder := broadcaster.NewRecorder(runtime.NewScheme(), corev1.EventSource{Component: component, Host: c.Identity})
	return &Reporter{cluster: c, recorder: recorder, Close: broadcaster.Shutdown}
}

// Name is who is told.
func (*Reporter) Name() string { return "cluster" }

// mostMessage is how long an event's message may be, in bytes.
const mostMessage = 1000

// Report writes the report, and an event.
func (r *Reporter) Report(ctx context.Context, s *status.Status, _ string) error {
	about := &corev1.ObjectReference{APIVersion: "v1", Kind: "ConfigMap", Namespace: r.cluster.Namespace, Name: ConfigMapName(r.cluster.Name)}
	if s.Run.Error != "" {
		message := fmt.Sprintf("Run %s failed: %s", s.Run.ID, s.Run.Error)
		if len(message) > mostMessage {
			message = message[:mostMessage] + "…"
		}
		r.recorder.Event(about, corev1.EventTypeWarning, "RunFailed", message)
	} else {
		r.recorder.Event(about, corev1.EventTypeNormal, "RunSucceeded", fmt.Sprintf("Run %s: %d destinations are up to date", s.Run.ID, len(s.Destinations)))
	}
	return r.cluster.write(ctx, s)
}
