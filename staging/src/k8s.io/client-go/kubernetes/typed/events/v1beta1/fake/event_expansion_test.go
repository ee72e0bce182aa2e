package fake

import (
	"errors"
	"reflect"
	"testing"

	eventsv1beta1 "k8s.io/api/events/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clienttesting "k8s.io/client-go/testing"
)

var (
	events = eventsv1beta1.SchemeGroupVersion.WithResource("events")
	event  = &eventsv1beta1.Event{ObjectMeta: metav1.ObjectMeta{Name: "till", Namespace: "shop"}}
)

// write calls each method of the client that writes an event.
func write(fake *FakeEventsV1beta1, namespace string) (results []*eventsv1beta1.Event, errs []error) {
	client := fake.Events(namespace)
	for _, call := range []func() (*eventsv1beta1.Event, error){
		func() (*eventsv1beta1.Event, error) { return client.CreateWithEventNamespace(event) },
		func() (*eventsv1beta1.Event, error) { return client.UpdateWithEventNamespace(event) },
		func() (*eventsv1beta1.Event, error) { return client.PatchWithEventNamespace(event, []byte("{}")) },
	} {
		result, err := call()
		results, errs = append(results, result), append(errs, err)
	}
	return results, errs
}

func TestWritesAreRecordedInTheClientsNamespaceOrTheEvents(t *testing.T) {
	for client, namespace := range map[string]string{"": "shop", "cellar": "cellar"} {
		fake := &FakeEventsV1beta1{Fake: &clienttesting.Fake{}}
		write(fake, client)
		want := []clienttesting.Action{
			clienttesting.NewCreateAction(events, namespace, event),
			clienttesting.NewUpdateAction(events, namespace, event),
			clienttesting.NewPatchAction(events, namespace, "till", types.StrategicMergePatchType, []byte("{}")),
		}
		if !reflect.DeepEqual(fake.Actions(), want) {
			t.Errorf("recorded\n%#v, want\n%#v", fake.Actions(), want)
		}
	}
}

func TestWritesReturnWhatTheReactorDoes(t *testing.T) {
	written, refused := &eventsv1beta1.Event{}, errors.New("not today")
	for _, test := range []struct {
		object runtime.Object
		want   *eventsv1beta1.Event
		err    error
	}{{written, written, nil}, {nil, nil, nil}, {nil, nil, refused}} {
		fake := &FakeEventsV1beta1{Fake: &clienttesting.Fake{}}
		fake.AddReactor("*", "events", func(clienttesting.Action) (bool, runtime.Object, error) { return true, test.object, test.err })
		results, errs := write(fake, "")
		for i := range results {
			if results[i] != test.want || errs[i] != test.err {
				t.Errorf("write %d returns %v and error %v, want %v and %v", i, results[i], errs[i], test.want, test.err)
			}
		}
	}
}
