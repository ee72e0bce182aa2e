package gentype

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/internal/answer"
	"k8s.io/client-go/internal/gentype"
	"k8s.io/client-go/testing"
)

// fakeLister adds the verbs on collections to a fake client.
type fakeLister[T objectWithMeta, L runtime.Object] struct {
	client   *FakeClient[T]
	newList  func() L
	copyMeta func(to, from L)
	items    func(L) []T
	setItems func(L, []T)
}

// List records a list action, and returns those of the items in the answer
// that the label selector matches. Reactors deal with field selectors.
func (l *fakeLister[T, L]) List(ctx context.Context, opts metav1.ListOptions) (result L, err error) {
	c := l.client
	action := testing.NewListActionWithOptions(c.resource, c.kind, c.namespace, opts)
	empty := l.newList()
	got, err := answer.Of(c.Fake, action, empty, empty)
	if any(got) == any(empty) || answer.IsNothing(got) {
		return got, err
	}
	selected := l.newList()
	l.copyMeta(selected, got)
	l.setItems(selected, selectByLabel(l.items(got), action.GetListRestrictions().Labels))
	return selected, err
}

// selectByLabel returns the items that selector matches, or nil for none.
func selectByLabel[T objectWithMeta](items []T, selector labels.Selector) []T {
	var selected []T
	for _, item := range items {
		if selector.Matches(labels.Set(item.GetLabels())) {
			selected = append(selected, item)
		}
	}
	return selected
}

// DeleteCollection records a delete-collection action.
func (l *fakeLister[T, L]) DeleteCollection(ctx context.Context, opts metav1.DeleteOptions, listOpts metav1.ListOptions) error {
	c := l.client
	_, err := c.Invokes(testing.NewDeleteCollectionActionWithOptions(c.resource, c.namespace, opts, listOpts), l.newList())
	return err
}

// fakeApplier adds server-side apply to a fake client.
type fakeApplier[T objectWithMeta, C namedObject] struct {
	client *FakeClient[T]
}

// Apply records a patch action of type [types.ApplyPatchType], whose data is
// the configuration as JSON.
func (a *fakeApplier[T, C]) Apply(ctx context.Context, configuration C, opts metav1.ApplyOptions) (result T, err error) {
	return a.apply(configuration, opts)
}

// ApplyStatus is Apply on the status subresource.
func (a *fakeApplier[T, C]) ApplyStatus(ctx context.Context, configuration C, opts metav1.ApplyOptions) (result T, err error) {
	return a.apply(configuration, opts, "status")
}

func (a *fakeApplier[T, C]) apply(configuration C, opts metav1.ApplyOptions, subresource ...string) (result T, err error) {
	name, err := gentype.NameToApply(configuration, errNoConfiguration, errNoConfigurationName)
	if err != nil {
		return result, err
	}
	data, err := json.Marshal(configuration)
	if err != nil {
		return result, fmt.Errorf("encoding the configuration to apply to %q: %w", name, err)
	}
	return a.client.Patch(context.Background(), name, types.ApplyPatchType, data, opts.ToPatchOptions(), subresource...)
}

var (
	errNoConfiguration     = errors.New("configuration provided to Apply must not be nil")
	errNoConfigurationName = errors.New("configuration.Name must be provided to Apply")
)

// FakeClientWithList is a [ClientWithList] for tests.
type FakeClientWithList[T objectWithMeta, L runtime.Object] struct {
	*FakeClient[T]
	fakeLister[T, L]
}

// NewFakeClientWithList is [NewFakeClient] for a resource that can be listed.
// listMetaCopier copies the list metadata of its second argument to its first,
// itemGetter returns the items of a list, and itemSetter replaces them.
func NewFakeClientWithList[T objectWithMeta, L runtime.Object](
	fake *testing.Fake, namespace string, resource schema.GroupVersionResource, kind schema.GroupVersionKind, emptyObjectCreator func() T,
	emptyListCreator func() L, listMetaCopier func(L, L), itemGetter func(L) []T, itemSetter func(L, []T),
) *FakeClientWithList[T, L] {
	c := NewFakeClient(fake, namespace, resource, kind, emptyObjectCreator)
	return &FakeClientWithList[T, L]{c, fakeLister[T, L]{c, emptyListCreator, listMetaCopier, itemGetter, itemSetter}}
}

// FakeClientWithApply is a [ClientWithApply] for tests.
type FakeClientWithApply[T objectWithMeta, C namedObject] struct {
	*FakeClient[T]
	fakeApplier[T, C]
}

// NewFakeClientWithApply is [NewFakeClient] for a resource with apply
// configurations.
func NewFakeClientWithApply[T objectWithMeta, C namedObject](
	fake *testing.Fake, namespace string, resource schema.GroupVersionResource, kind schema.GroupVersionKind, emptyObjectCreator func() T,
) *FakeClientWithApply[T, C] {
	c := NewFakeClient(fake, namespace, resource, kind, emptyObjectCreator)
	return &FakeClientWithApply[T, C]{c, fakeApplier[T, C]{c}}
}

// FakeClientWithListAndApply is a [ClientWithListAndApply] for tests.
type FakeClientWithListAndApply[T objectWithMeta, L runtime.Object, C namedObject] struct {
	*FakeClient[T]
	fakeLister[T, L]
	fakeApplier[T, C]
}

// NewFakeClientWithListAndApply is [NewFakeClientWithList] for a resource with
// apply configurations.
func NewFakeClientWithListAndApply[T objectWithMeta, L runtime.Object, C namedObject](
	fake *testing.Fake, namespace string, resource schema.GroupVersionResource, kind schema.GroupVersionKind, emptyObjectCreator func() T,
	emptyListCreator func() L, listMetaCopier func(L, L), itemGetter func(L) []T, itemSetter func(L, []T),
) *FakeClientWithListAndApply[T, L, C] {
	c := NewFakeClient(fake, namespace, resource, kind, emptyObjectCreator)
	return &FakeClientWithListAndApply[T, L, C]{
		c, fakeLister[T, L]{c, emptyListCreator, listMetaCopier, itemGetter, itemSetter}, fakeApplier[T, C]{c},
	}
}
