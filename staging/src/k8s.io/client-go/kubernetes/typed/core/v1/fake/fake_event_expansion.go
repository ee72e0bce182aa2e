package fake

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/internal/answer"
	"k8s.io/client-go/testing"
)

func (c *fakeEvents) CreateWithEventNamespace(event *corev1.Event) (*corev1.Event, error) {
	return c.CreateWithEventNamespaceWithContext(context.Background(), event)
}

func (c *fakeEvents) CreateWithEventNamespaceWithContext(_ context.Context, event *corev1.Event) (*corev1.Event, error) {
	return c.invoke(testing.NewCreateAction(c.Resource(), c.namespaceOf(event), event), event)
}

func (c *fakeEvents) UpdateWithEventNamespace(event *corev1.Event) (*corev1.Event, error) {
	return c.UpdateWithEventNamespaceWithContext(context.Background(), event)
}

func (c *fakeEvents) UpdateWithEventNamespaceWithContext(_ context.Context, event *corev1.Event) (*corev1.Event, error) {
	return c.invoke(testing.NewUpdateAction(c.Resource(), c.namespaceOf(event), event), event)
}

func (c *fakeEvents) PatchWithEventNamespace(event *corev1.Event, data []byte) (*corev1.Event, error) {
	return c.PatchWithEventNamespaceWithContext(context.Background(), event, data)
}

func (c *fakeEvents) PatchWithEventNamespaceWithContext(_ context.Context, event *corev1.Event, data []byte) (*corev1.Event, error) {
	return c.invoke(testing.NewPatchAction(c.Resource(), c.namespaceOf(event), event.Name, types.StrategicMergePatchType, data), event)
}

// namespaceOf is the client's namespace or, if that is for all, the event's.
func (c *fakeEvents) namespaceOf(event *corev1.Event) string {
	if c.Namespace() != "" {
		return c.Namespace()
	}
	return event.Namespace
}

func (c *fakeEvents) invoke(action testing.Action, event *corev1.Event) (*corev1.Event, error) {
	return answer.Of[*corev1.Event](c.Fake, action, event, nil)
}

func (c *fakeEvents) Search(scheme *runtime.Scheme, objOrRef runtime.Object) (*corev1.EventList, error) {
	return c.SearchWithContext(context.Background(), scheme, objOrRef)
}

// SearchWithContext lists the namespace's events, of whichever object: a tracker of
// objects knows no field selectors.
func (c *fakeEvents) SearchWithContext(context.Context, *runtime.Scheme, runtime.Object) (*corev1.EventList, error) {
	action := testing.NewListAction(c.Resource(), c.Kind(), c.Namespace(), metav1.ListOptions{})
	return answer.Of[*corev1.EventList](c.Fake, action, &corev1.EventList{}, nil)
}

func (c *fakeEvents) GetFieldSelector(name, namespace, kind, uid *string) fields.Selector {
	action := testing.GenericActionImpl{}
	action.Verb = "get-field-selector"
	action.Resource = c.Resource()
	c.Fake.Invokes(action, nil)
	return fields.Everything()
}
