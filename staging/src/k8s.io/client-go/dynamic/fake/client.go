// Package fake is a dynamic client for tests: it keeps objects in memory and
// records what was asked of it.
//
//	client := fake.NewSimpleDynamicClient(scheme, objects...)
//	… // run what is to be tested
//	for _, action := range client.Actions() { … }
//
// Reactors of the embedded [testing.Fake] can answer in place of the objects,
// for instance with an error. What a server does to objects, such as setting
// defaults, does not happen here; see [k8s.io/client-go/testing].
package fake

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/testing"
)

// FakeDynamicClient is a [dynamic.Interface] to objects in memory.
type FakeDynamicClient struct {
	testing.Fake
	scheme    *runtime.Scheme
	listKinds map[schema.GroupVersionResource]string
	tracker   testing.ObjectTracker
}

var (
	_ dynamic.Interface  = (*FakeDynamicClient)(nil)
	_ testing.FakeClient = (*FakeDynamicClient)(nil)
)

// NewSimpleDynamicClient returns a client that has objects to begin with. They
// are typed ones, which scheme must know, or unstructured ones, or lists.
//
// Listing a resource takes knowing the kind of its list. That is found for the
// kinds of the scheme and of the objects, if the resource is called what its
// kind suggests; else see [NewSimpleDynamicClientWithCustomListKinds].
//
// It panics on an object that cannot be kept: that is a mistake in the test.
func NewSimpleDynamicClient(scheme *runtime.Scheme, objects ...runtime.Object) *FakeDynamicClient {
	return NewSimpleDynamicClientWithCustomListKinds(scheme, nil, objects...)
}

// NewSimpleDynamicClientWithCustomListKinds is [NewSimpleDynamicClient] with
// the list kinds of further resources, such as "PodList". They take precedence
// over those that are found.
func NewSimpleDynamicClientWithCustomListKinds(scheme *runtime.Scheme, gvrToListKind map[schema.GroupVersionResource]string, objects ...runtime.Object) *FakeDynamicClient {
	c := &FakeDynamicClient{scheme: scheme, listKinds: map[schema.GroupVersionResource]string{}}
	for kind := range scheme.AllKnownTypes() {
		if item, isList := strings.CutSuffix(kind.Kind, "List"); isList && item != "" {
			c.listAs(kind.GroupVersion().WithKind(item))
		}
	}
	c.tracker = &tracker{testing.NewObjectTracker(unstructuredScheme{scheme}, unstructured.UnstructuredJSONScheme), c}
	for _, object := range objects {
		c.keep(object)
	}
	for resource, kind := range gvrToListKind {
		if !strings.HasSuffix(kind, "List") {
			panic(fmt.Sprintf("coding error, listGVK must end in List or this fake client doesn't work right: %s is to be listed as %s", resource, kind))
		}
		c.listKinds[resource] = kind
	}
	c.AddReactor("patch", "*", c.patchStrategically)
	c.AddReactor("*", "*", testing.ObjectReaction(c.tracker))
	c.AddWatchReactor("*", c.watch)
	return c
}

// listAs makes the kind of an item the one that the resource of that name is
// listed with.
func (c *FakeDynamicClient) listAs(item schema.GroupVersionKind) {
	resource, _ := meta.UnsafeGuessKindToResource(item)
	if _, known := c.listKinds[resource]; !known {
		c.listKinds[resource] = item.Kind + "List"
	}
}

// keep adds an object, or the items of a list, to those in memory.
func (c *FakeDynamicClient) keep(object runtime.Object) {
	if meta.IsListType(object) {
		items, err := meta.ExtractList(object)
		if err != nil {
			panic(fmt.Errorf("taking the items out of a %T: %w", object, err))
		}
		for _, item := range items {
			c.keep(item)
		}
		return
	}
	u, err := c.unstructured(object)
	if err == nil {
		c.listAs(u.GroupVersionKind())
		err = c.tracker.Add(u)
	}
	if err != nil {
		panic(fmt.Errorf("failed to convert to unstructured, or to keep, a %T: %w", object, err))
	}
}

func (c *FakeDynamicClient) watch(action testing.Action) (bool, watch.Interface, error) {
	var options metav1.ListOptions
	if a, ok := action.(testing.WatchActionImpl); ok {
		options = a.ListOptions
	}
	w, err := c.tracker.Watch(action.GetResource(), action.GetNamespace(), options)
	return err == nil, w, err
}

// Tracker returns the objects in memory. Changes to them by way of the tracker
// are not recorded as actions.
func (c *FakeDynamicClient) Tracker() testing.ObjectTracker { return c.tracker }

// IsWatchListSemanticsUnSupported returns true: informers are to list before they
// watch, since no bookmark ends what a watch here begins with.
func (c *FakeDynamicClient) IsWatchListSemanticsUnSupported() bool { return true }

// Resource returns a client for one resource.
func (c *FakeDynamicClient) Resource(resource schema.GroupVersionResource) dynamic.NamespaceableResourceInterface {
	return &resourceClient{client: c, resource: resource}
}

// unstructuredScheme makes only unstructured objects, of any kind. It does not
// need to have heard of the kind.
type unstructuredScheme struct{ *runtime.Scheme }

func (unstructuredScheme) New(kind schema.GroupVersionKind) (runtime.Object, error) {
	var object runtime.Object = new(unstructured.Unstructured)
	if strings.HasSuffix(kind.Kind, "List") {
		object = new(unstructured.UnstructuredList)
	}
	object.GetObjectKind().SetGroupVersionKind(kind)
	return object, nil
}
