package v1beta1_test

import (
	"context"
	"strings"
	"testing"

	eventsv1beta1 "k8s.io/api/events/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	typedeventsv1beta1 "k8s.io/client-go/kubernetes/typed/events/v1beta1"
	"k8s.io/client-go/kubernetes/typed/internal/servertest"
	"k8s.io/client-go/rest"
)

type write struct {
	method, path, patch string

	do func(typedeventsv1beta1.EventInterface, *eventsv1beta1.Event) (*eventsv1beta1.Event, error)
}

var writes = map[string]write{
	"create": {method: "POST", path: "events", do: typedeventsv1beta1.EventInterface.CreateWithEventNamespace},
	"update": {method: "PUT", path: "events/till", do: typedeventsv1beta1.EventInterface.UpdateWithEventNamespace},
	"patch": {
		method: "PATCH", path: "events/till", patch: `application/strategic-merge-patch+json {"note":"n"}`,
		do: func(c typedeventsv1beta1.EventInterface, e *eventsv1beta1.Event) (*eventsv1beta1.Event, error) {
			return c.PatchWithEventNamespace(e, []byte(`{"note":"n"}`))
		},
	},
}

var event = &eventsv1beta1.Event{ObjectMeta: metav1.ObjectMeta{Name: "till", Namespace: "shop"}, Reason: "Opened"}

func TestEventsAreWrittenToTheirOwnNamespace(t *testing.T) {
	written := event.DeepCopy()
	written.ResourceVersion = "8"
	calls := map[string]servertest.Call{}
	for verb, write := range writes {
		want := servertest.Request{
			Method: write.method, Path: "/apis/events.k8s.io/v1beta1/namespaces/shop/" + write.path, Patch: write.patch,
		}
		if write.patch == "" {
			want.Kind, want.Object = "events.k8s.io/v1beta1, Kind=Event", event
		}
		for _, namespace := range []string{"", "shop"} {
			calls[verb+" by a client for namespace "+namespace] = servertest.Call{
				Do: func(_ context.Context, config *rest.Config) (any, error) {
					return write.do(typedeventsv1beta1.NewForConfigOrDie(config).Events(namespace), event)
				},
				Want: want, Answer: written,
			}
		}
	}
	servertest.Run(t, calls)
}

func TestEventsThatCannotBeWrittenAreNotSent(t *testing.T) {
	server := servertest.Start(t)
	client := typedeventsv1beta1.NewForConfigOrDie(server.Config(""))
	nameless := &eventsv1beta1.Event{ObjectMeta: metav1.ObjectMeta{Namespace: "shop"}}
	for verb, write := range writes {
		_, err := write.do(client.Events("cellar"), event)
		if want := `event "till" of namespace "shop" with a client for namespace "cellar"`; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s got error %v, want one with %s", verb, err, want)
		}
		if verb == "create" {
			continue
		}
		_, err = write.do(client.Events(""), nameless)
		if want := "name may not be empty"; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s got error %v, want one with %s", verb, err, want)
		}
	}
	if requests := server.Take(); len(requests) > 0 {
		t.Errorf("the server got %+v, want nothing", requests)
	}
}
