package events

import (
	"context"
	"errors"

	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	typedeventsv1 "k8s.io/client-go/kubernetes/typed/events/v1"
)

// An EventSinkImpl keeps events on a server.
type EventSinkImpl struct {
	// Interface is the client of events.k8s.io/v1.
	Interface typedeventsv1.EventsV1Interface
}

var errNoNamespace = errors.New("can't write an event without a namespace")

func (e *EventSinkImpl) in(event *eventsv1.Event) (typedeventsv1.EventInterface, error) {
	if event.Namespace == "" {
		return nil, errNoNamespace
	}
	return e.Interface.Events(event.Namespace), nil
}

// Create creates an event in its namespace and returns it as the server has it.
func (e *EventSinkImpl) Create(ctx context.Context, event *eventsv1.Event) (*eventsv1.Event, error) {
	client, err := e.in(event)
	if err != nil {
		return nil, err
	}
	return client.Create(ctx, event, metav1.CreateOptions{})
}

// Update replaces an event and returns it as the server has it.
func (e *EventSinkImpl) Update(ctx context.Context, event *eventsv1.Event) (*eventsv1.Event, error) {
	client, err := e.in(event)
	if err != nil {
		return nil, err
	}
	return client.Update(ctx, event, metav1.UpdateOptions{})
}

// Patch changes an event by a strategic merge patch and returns it as the server has
// it.
func (e *EventSinkImpl) Patch(ctx context.Context, event *eventsv1.Event, data []byte) (*eventsv1.Event, error) {
	client, err := e.in(event)
	if err != nil {
		return nil, err
	}
	return client.Patch(ctx, event.Name, types.StrategicMergePatchType, data, metav1.PatchOptions{})
}
