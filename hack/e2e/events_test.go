package e2e

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	typedcore "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/reference"
)

// TestEventsAreFoundByWhatTheyAreAbout, in the older API and in the newer one.
func TestEventsAreFoundByWhatTheyAreAbout(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	cs := clientset(t, adminConfig(t))
	ctx := deadline(t)
	pod := create(t, podKind, ns, cs.CoreV1().Pods(ns).Create)
	ref, err := reference.GetReference(scheme.Scheme, pod)
	if err != nil {
		t.Fatal(err)
	}

	sink := &typedcore.EventSinkImpl{Interface: cs.CoreV1().Events("")}
	if _, err := sink.Create(&corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Name: "older", Namespace: ns},
		InvolvedObject: *ref, Type: corev1.EventTypeWarning, Reason: "Older", Message: "told 1",
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := cs.EventsV1().Events(ns).Create(ctx, &eventsv1.Event{
		ObjectMeta: metav1.ObjectMeta{Name: "newer"}, EventTime: metav1.NowMicro(),
		Regarding: *ref, Type: corev1.EventTypeNormal, Reason: "Newer", Note: "told 2",
		Action: "Testing", ReportingController: "example.com/e2e", ReportingInstance: "e2e-1",
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}

	found, err := cs.CoreV1().Events(ns).SearchWithContext(ctx, scheme.Scheme, pod)
	if err != nil {
		t.Fatal(err)
	}
	messages := map[string]string{}
	for _, e := range found.Items {
		messages[e.Reason] = e.Message
	}
	if len(messages) != 2 || messages["Older"] != "told 1" || messages["Newer"] != "told 2" {
		t.Errorf("found %v", messages)
	}
	list, err := cs.EventsV1().Events(ns).List(ctx, metav1.ListOptions{FieldSelector: "reason=Newer"})
	if err != nil || len(list.Items) != 1 {
		t.Fatalf("%v, %v", list, err)
	}
	event := list.Items[0]
	if event.Regarding.UID != pod.UID || event.Action != "Testing" || event.ReportingController != "example.com/e2e" {
		t.Errorf("%+v", event)
	}
}

func TestEventsAreWrittenToTheirOwnNamespace(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	all := clientset(t, adminConfig(t)).CoreV1().Events("")
	ref, err := reference.GetReference(scheme.Scheme, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns, ResourceVersion: "1"}})
	if err != nil {
		t.Fatal(err)
	}
	ctx := deadline(t)
	event, err := all.CreateWithEventNamespaceWithContext(ctx, &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Name: "one", Namespace: ns},
		InvolvedObject: corev1.ObjectReference{Kind: ref.Kind, Name: ref.Name, Namespace: ns, APIVersion: ref.APIVersion},
		Reason:         "Tested", Message: "first",
	})
	if err != nil {
		t.Fatal(err)
	}
	event.Message = "second"
	if event, err = all.UpdateWithEventNamespaceWithContext(ctx, event); err != nil || event.Message != "second" {
		t.Errorf("%v, %v", event, err)
	}
	if event, err = all.PatchWithEventNamespaceWithContext(ctx, event, []byte(`{"message":"third"}`)); err != nil || event.Message != "third" || event.Namespace != ns {
		t.Errorf("%v, %v", event, err)
	}
}
