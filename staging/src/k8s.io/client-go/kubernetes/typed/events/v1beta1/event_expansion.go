package v1beta1

import (
	"context"
	"fmt"

	eventsv1beta1 "k8s.io/api/events/v1beta1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
)

// EventExpansion has the methods by which a recorder writes events. They take the
// namespace from the event, so one client for all namespaces will do; a client
// that was made for one namespace refuses events of another.
type EventExpansion interface {
	// CreateWithEventNamespace creates the event in its own namespace.
	CreateWithEventNamespace(event *eventsv1beta1.Event) (*eventsv1beta1.Event, error)
	// UpdateWithEventNamespace replaces the event in its own namespace.
	UpdateWithEventNamespace(event *eventsv1beta1.Event) (*eventsv1beta1.Event, error)
	// PatchWithEventNamespace changes the event, in its own namespace, by a
	// strategic merge patch.
	PatchWithEventNamespace(event *eventsv1beta1.Event, data []byte) (*eventsv1beta1.Event, error)
}

func (c *events) CreateWithEventNamespace(event *eventsv1beta1.Event) (*eventsv1beta1.Event, error) {
	return c.send(c.GetClient().Post(), event, event)
}

func (c *events) UpdateWithEventNamespace(event *eventsv1beta1.Event) (*eventsv1beta1.Event, error) {
	return c.send(c.GetClient().Put().Name(event.Name), event, event)
}

func (c *events) PatchWithEventNamespace(event *eventsv1beta1.Event, data []byte) (*eventsv1beta1.Event, error) {
	return c.send(c.GetClient().Patch(types.StrategicMergePatchType).Name(event.Name), event, data)
}

// send sends the event, or a change to it, to the event's namespace.
func (c *events) send(request *rest.Request, event *eventsv1beta1.Event, body any) (*eventsv1beta1.Event, error) {
	if own := c.GetNamespace(); own != "" && event.Namespace != own {
		return nil, fmt.Errorf("can't write the event %q of namespace %q with a client for namespace %q: use one for that namespace or for all",
			event.Name, event.Namespace, own)
	}
	result := &eventsv1beta1.Event{}
	err := request.
		NamespaceIfScoped(event.Namespace, event.Namespace != "").
		Resource("events").
		Body(body).
		Do(context.Background()).Into(result)
	return result, err
}
