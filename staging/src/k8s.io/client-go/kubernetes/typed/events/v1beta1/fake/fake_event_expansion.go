package fake

import (
	eventsv1beta1 "k8s.io/api/events/v1beta1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/internal/answer"
	"k8s.io/client-go/testing"
)

func (c *fakeEvents) CreateWithEventNamespace(event *eventsv1beta1.Event) (*eventsv1beta1.Event, error) {
	return c.invoke(testing.NewCreateAction(c.Resource(), c.namespaceOf(event), event), event)
}

func (c *fakeEvents) UpdateWithEventNamespace(event *eventsv1beta1.Event) (*eventsv1beta1.Event, error) {
	return c.invoke(testing.NewUpdateAction(c.Resource(), c.namespaceOf(event), event), event)
}

func (c *fakeEvents) PatchWithEventNamespace(event *eventsv1beta1.Event, data []byte) (*eventsv1beta1.Event, error) {
	return c.invoke(testing.NewPatchAction(c.Resource(), c.namespaceOf(event), event.Name, types.StrategicMergePatchType, data), event)
}

// namespaceOf is the client's namespace or, if that is for all, the event's.
func (c *fakeEvents) namespaceOf(event *eventsv1beta1.Event) string {
	if c.Namespace() != "" {
		return c.Namespace()
	}
	return event.Namespace
}

func (c *fakeEvents) invoke(action testing.Action, event *eventsv1beta1.Event) (*eventsv1beta1.Event, error) {
	return answer.Of[*eventsv1beta1.Event](c.Fake, action, event, nil)
}
