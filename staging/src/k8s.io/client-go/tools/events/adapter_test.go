package events_test

import (
	"context"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/events"
	"k8s.io/klog/v2"
)

func TestAdapterUsesWhatTheServerHas(t *testing.T) {
	for name, resources := range map[string][]*metav1.APIResourceList{
		"events.k8s.io/v1": {{GroupVersion: "events.k8s.io/v1"}},
		"core/v1 alone":    nil,
	} {
		t.Run(name, func(t *testing.T) {
			client := fake.NewClientset()
			client.Resources = resources
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			adapter := events.NewEventBroadcasterAdapterWithContext(ctx, client)
			defer adapter.Shutdown()
			stop := make(chan struct{})
			defer close(stop)
			adapter.StartRecordingToSink(stop)

			// The kind of a typed object is known to the adapter.
			web := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "web"}}
			adapter.NewRecorder("tester").WithLogger(klog.Background()).Eventf(web, nil, "Normal", "Tested", "Testing", "hello %d", 1)
			adapter.DeprecatedNewLegacyRecorder("tester").Event(web, "Normal", "Tested", "hello of old")

			want := map[string]bool{"hello of old": true, "hello 1": resources == nil} // whether it is of core/v1
			for deadline := time.Now().Add(30 * time.Second); len(want) > 0; time.Sleep(10 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("missing: %v", want)
				}
				old, err := client.CoreV1().Events("ns").List(ctx, metav1.ListOptions{})
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range old.Items {
					if want[e.Message] && e.InvolvedObject.Kind == "Deployment" && e.Source.Component == "tester" {
						delete(want, e.Message)
					}
				}
				current, err := client.EventsV1().Events("ns").List(ctx, metav1.ListOptions{})
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range current.Items {
					if old, ok := want[e.Note]; ok && !old && e.Regarding.Kind == "Deployment" && e.ReportingController == "tester" {
						delete(want, e.Note)
					}
				}
			}
		})
	}
}

func TestSinkRefusesAnEventWithoutNamespace(t *testing.T) {
	sink := &events.EventSinkImpl{Interface: fake.NewClientset().EventsV1()}
	event := &eventsv1.Event{ObjectMeta: metav1.ObjectMeta{Name: "a"}}
	if _, err := sink.Create(t.Context(), event); err == nil {
		t.Error("it creates it")
	}
	if _, err := sink.Patch(t.Context(), event, []byte(`{}`)); err == nil {
		t.Error("it patches it")
	}
	event.Namespace = "ns"
	if _, err := sink.Create(t.Context(), event); err != nil {
		t.Error(err)
	}
	event.Note = "changed"
	if got, err := sink.Update(t.Context(), event); err != nil || got.Note != "changed" {
		t.Errorf("updated to %v: %v", got, err)
	}
}
