package v1

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/reference"
)

// EventExpansion has the methods by which a recorder writes events and a reader
// finds those of an object. The methods that say so take the namespace from the
// event, so one client for all namespaces will do; a client that was made for one
// namespace refuses events of another.
type EventExpansion interface {
	// CreateWithEventNamespace is the following function without a context.
	//
	// Deprecated: use CreateWithEventNamespaceWithContext.
	CreateWithEventNamespace(event *corev1.Event) (*corev1.Event, error)
	// CreateWithEventNamespaceWithContext creates the event in its own namespace.
	CreateWithEventNamespaceWithContext(ctx context.Context, event *corev1.Event) (*corev1.Event, error)
	// UpdateWithEventNamespace is the following function without a context.
	//
	// Deprecated: use UpdateWithEventNamespaceWithContext.
	UpdateWithEventNamespace(event *corev1.Event) (*corev1.Event, error)
	// UpdateWithEventNamespaceWithContext replaces the event in its own namespace.
	UpdateWithEventNamespaceWithContext(ctx context.Context, event *corev1.Event) (*corev1.Event, error)
	// PatchWithEventNamespace is the following function without a context.
	//
	// Deprecated: use PatchWithEventNamespaceWithContext.
	PatchWithEventNamespace(event *corev1.Event, data []byte) (*corev1.Event, error)
	// PatchWithEventNamespaceWithContext changes the event, in its own namespace,
	// by a strategic merge patch.
	PatchWithEventNamespaceWithContext(ctx context.Context, event *corev1.Event, data []byte) (*corev1.Event, error)
	// Search is the following function without a context.
	//
	// Deprecated: use SearchWithContext.
	Search(scheme *runtime.Scheme, objOrRef runtime.Object) (*corev1.EventList, error)
	// SearchWithContext lists the events about an object, which may be given as
	// an ObjectReference. The scheme says of which kind it is.
	SearchWithContext(ctx context.Context, scheme *runtime.Scheme, objOrRef runtime.Object) (*corev1.EventList, error)
	// GetFieldSelector returns a selector, for List and Watch, of the events about
	// objects of which those of name, namespace, kind and UID that are not nil
	// are so.
	GetFieldSelector(involvedObjectName, involvedObjectNamespace, involvedObjectKind, involvedObjectUID *string) fields.Selector
}

func (c *events) CreateWithEventNamespace(event *corev1.Event) (*corev1.Event, error) {
	return c.CreateWithEventNamespaceWithContext(context.Background(), event)
}

func (c *events) CreateWithEventNamespaceWithContext(ctx context.Context, event *corev1.Event) (*corev1.Event, error) {
	if err := c.refuseOtherNamespace("create", event); err != nil {
		return nil, err
	}
	return c.send(ctx, c.GetClient().Post(), event.Namespace, event)
}

func (c *events) UpdateWithEventNamespace(event *corev1.Event) (*corev1.Event, error) {
	return c.UpdateWithEventNamespaceWithContext(context.Background(), event)
}

func (c *events) UpdateWithEventNamespaceWithContext(ctx context.Context, event *corev1.Event) (*corev1.Event, error) {
	if err := c.refuseOtherNamespace("update", event); err != nil {
		return nil, err
	}
	return c.send(ctx, c.GetClient().Put().Name(event.Name), event.Namespace, event)
}

func (c *events) PatchWithEventNamespace(event *corev1.Event, data []byte) (*corev1.Event, error) {
	return c.PatchWithEventNamespaceWithContext(context.Background(), event, data)
}

func (c *events) PatchWithEventNamespaceWithContext(ctx context.Context, event *corev1.Event, data []byte) (*corev1.Event, error) {
	if err := c.refuseOtherNamespace("patch", event); err != nil {
		return nil, err
	}
	return c.send(ctx, c.GetClient().Patch(types.StrategicMergePatchType).Name(event.Name), event.Namespace, data)
}

// send sends a body to the collection of events, or to the event that the request
// names.
func (c *events) send(ctx context.Context, request *rest.Request, namespace string, body any) (*corev1.Event, error) {
	result := &corev1.Event{}
	err := request.
		NamespaceIfScoped(namespace, namespace != "").
		Resource("events").
		Body(body).
		Do(ctx).Into(result)
	return result, err
}

func (c *events) refuseOtherNamespace(verb string, event *corev1.Event) error {
	if own := c.GetNamespace(); own != "" && event.Namespace != own {
		return fmt.Errorf("can't %s the event %q of namespace %q with a client for namespace %q: use one for that namespace or for all",
			verb, event.Name, event.Namespace, own)
	}
	return nil
}

func (c *events) Search(scheme *runtime.Scheme, objOrRef runtime.Object) (*corev1.EventList, error) {
	return c.SearchWithContext(context.Background(), scheme, objOrRef)
}

func (c *events) SearchWithContext(ctx context.Context, scheme *runtime.Scheme, objOrRef runtime.Object) (*corev1.EventList, error) {
	ref, err := reference.GetReference(scheme, objOrRef)
	if err != nil {
		return nil, fmt.Errorf("finding the events of an object: %w", err)
	}
	if own := c.GetNamespace(); own != "" && ref.Namespace != own {
		return nil, fmt.Errorf("can't find the events of %q of namespace %q with a client for namespace %q: use one for that namespace or for all",
			ref.Name, ref.Namespace, own)
	}
	selector := c.GetFieldSelector(&ref.Name, &ref.Namespace, unlessEmpty(&ref.Kind), unlessEmpty((*string)(&ref.UID)))
	return c.List(ctx, metav1.ListOptions{FieldSelector: selector.String()})
}

// unlessEmpty returns nil for a pointer to the empty string: an object from a
// list may have no kind, and one that was not created yet no UID.
func unlessEmpty(s *string) *string {
	if *s == "" {
		return nil
	}
	return s
}

func (c *events) GetFieldSelector(name, namespace, kind, uid *string) fields.Selector {
	// The order is the same each time, so that equal searches are equal requests.
	var terms []fields.Selector
	for _, wanted := range [...]struct {
		field string
		value *string
	}{
		{"involvedObject.name", name},
		{"involvedObject.namespace", namespace},
		{"involvedObject.kind", kind},
		{"involvedObject.uid", uid},
	} {
		if wanted.value != nil {
			terms = append(terms, fields.OneTermEqualSelector(wanted.field, *wanted.value))
		}
	}
	if len(terms) == 0 {
		return fields.Everything()
	}
	return fields.AndSelectors(terms...)
}

// EventSinkImpl writes the events of a recorder, each to its own namespace.
type EventSinkImpl struct {
	// Interface is the client of all namespaces, or of the one that the events
	// are in.
	Interface EventInterface
}

// Create is CreateWithEventNamespace.
func (e *EventSinkImpl) Create(event *corev1.Event) (*corev1.Event, error) {
	return e.Interface.CreateWithEventNamespace(event)
}

// Update is UpdateWithEventNamespace.
func (e *EventSinkImpl) Update(event *corev1.Event) (*corev1.Event, error) {
	return e.Interface.UpdateWithEventNamespace(event)
}

// Patch is PatchWithEventNamespace.
func (e *EventSinkImpl) Patch(event *corev1.Event, data []byte) (*corev1.Event, error) {
	return e.Interface.PatchWithEventNamespace(event, data)
}

// GetInvolvedObjectNameFieldLabel returns the field label of the name of the
// object that an event is about. It is the same in every version.
func GetInvolvedObjectNameFieldLabel(version string) string {
	return "involvedObject.name"
}
