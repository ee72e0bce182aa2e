package e2e

import (
	"context"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	typedcore "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/tools/record"
)

// TestEventsAreRecorded by the recorders of both APIs, and counted where they come
// again: the server takes the patches.
func TestEventsAreRecorded(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	cs := clientset(t, adminConfig(t))
	pod := create(t, podKind, ns, cs.CoreV1().Pods(ns).Create)

	older := record.NewBroadcaster(record.WithContext(t.Context()))
	older.StartRecordingToSink(&typedcore.EventSinkImpl{Interface: cs.CoreV1().Events("")})
	newer := events.NewBroadcaster(&events.EventSinkImpl{Interface: cs.EventsV1()})
	defer newer.Shutdown()
	if err := newer.StartRecordingToSinkWithContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	olderRecorder := older.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "e2e"})
	newerRecorder := newer.NewRecorder(scheme.Scheme, "example.com/e2e")
	for range 3 {
		olderRecorder.Eventf(pod, corev1.EventTypeWarning, "Older", "told %d", 1)
	}
	for range 2 {
		newerRecorder.Eventf(pod, nil, corev1.EventTypeNormal, "Newer", "Telling", "told %d", 2)
	}
	eventually(t, "the events are there, once each, with their counts", func(ctx context.Context) error {
		list, err := cs.CoreV1().Events(ns).List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		if len(list.Items) != 2 {
			return fmt.Errorf("there are %d events", len(list.Items))
		}
		for _, event := range list.Items {
			switch {
			case event.InvolvedObject.UID != pod.UID || event.InvolvedObject.Kind != "Pod":
				return fmt.Errorf("an event is about %+v", event.InvolvedObject)
			case event.Reason == "Older" && (event.Count != 3 || event.Message != "told 1" || event.Type != corev1.EventTypeWarning):
				return fmt.Errorf("%+v", event)
			case event.Reason == "Newer" && (event.Series == nil || event.Series.Count != 2 || event.Message != "told 2" || event.Action != "Telling"):
				return fmt.Errorf("%+v", event)
			}
		}
		return nil
	})
}
