// Package fake is a metadata client for tests: it keeps objects in memory and
// records what was asked of it.
//
//	scheme := fake.NewTestScheme()
//	metav1.AddMetaToScheme(scheme)
//	client := fake.NewSimpleMetadataClient(scheme, &metav1.PartialObjectMetadata{
//		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
//		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"},
//	})
//
// Reactors of the embedded [testing.Fake] can answer in place of the objects,
// for instance with an error; see [k8s.io/client-go/testing].
package fake

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/testing"
)

// MetadataClient is what a client for a resource is besides a
// [metadata.Getter]: a way for tests to add and change objects, which metadata
// clients have none for. The resource clients of this package have it:
//
//	pods := client.Resource(podsResource).Namespace("default").(fake.MetadataClient)
type MetadataClient interface {
	metadata.Getter
	CreateFake(obj *metav1.PartialObjectMetadata, opts metav1.CreateOptions, subresources ...string) (*metav1.PartialObjectMetadata, error)
	UpdateFake(obj *metav1.PartialObjectMetadata, opts metav1.UpdateOptions, subresources ...string) (*metav1.PartialObjectMetadata, error)
}

// NewTestScheme returns a new scheme that knows no kind.
func NewTestScheme() *runtime.Scheme { return runtime.NewScheme() }

// FakeMetadataClient is a [metadata.Interface] to objects in memory.
type FakeMetadataClient struct {
	testing.Fake
	tracker testing.ObjectTracker
}

var (
	_ metadata.Interface = (*FakeMetadataClient)(nil)
	_ testing.FakeClient = (*FakeMetadataClient)(nil)
)

// NewSimpleMetadataClient returns a client that has objects to begin with:
// *metav1.PartialObjectMetadata whose TypeMeta says what they are the metadata
// of. The scheme must know PartialObjectMetadata, as one does after
// [metav1.AddMetaToScheme].
//
// It panics on an object that cannot be kept: that is a mistake in the test.
func NewSimpleMetadataClient(scheme *runtime.Scheme, objects ...runtime.Object) *FakeMetadataClient {
	c := &FakeMetadataClient{
		tracker: testing.NewObjectTracker(listScheme{scheme}, serializer.NewCodecFactory(scheme).UniversalDecoder()),
	}
	for _, object := range objects {
		if err := c.tracker.Add(object); err != nil {
			panic(err)
		}
	}
	c.AddReactor("*", "*", testing.ObjectReaction(c.tracker))
	c.AddWatchReactor("*", c.watch)
	return c
}

func (c *FakeMetadataClient) watch(action testing.Action) (bool, watch.Interface, error) {
	var options metav1.ListOptions
	if a, ok := action.(testing.WatchActionImpl); ok {
		options = a.ListOptions
	}
	w, err := c.tracker.Watch(action.GetResource(), action.GetNamespace(), options)
	return err == nil, w, err
}

// Tracker returns the objects in memory. Changes to them by way of the tracker
// are not recorded as actions.
func (c *FakeMetadataClient) Tracker() testing.ObjectTracker { return c.tracker }

// IsWatchListSemanticsUnSupported returns true: informers are to list before they
// watch, since no bookmark ends what a watch here begins with.
func (c *FakeMetadataClient) IsWatchListSemanticsUnSupported() bool { return true }

// Resource returns a client for one resource. It is a [MetadataClient] as well.
func (c *FakeMetadataClient) Resource(resource schema.GroupVersionResource) metadata.Getter {
	return &resourceClient{fake: &c.Fake, resource: resource}
}

// listed is the kind that all resources are listed as. The kind of its list is
// known to listScheme alone.
var listed = schema.GroupVersionKind{Group: "fake-metadata-client-group", Version: "v1"}

// listScheme is a scheme that also has a list for objects of any kind. The
// scheme of the caller, which may be in use elsewhere, is not changed for it.
type listScheme struct{ *runtime.Scheme }

func (s listScheme) New(kind schema.GroupVersionKind) (runtime.Object, error) {
	if kind == listed.GroupVersion().WithKind("List") {
		return new(metav1.List), nil
	}
	object, err := s.Scheme.New(kind)
	if err != nil {
		return nil, fmt.Errorf("making an object of the fake metadata client: %w", err)
	}
	return object, nil
}
