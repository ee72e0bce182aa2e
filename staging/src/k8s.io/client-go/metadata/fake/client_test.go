package fake

import (
	"errors"
	"reflect"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	clienttesting "k8s.io/client-go/testing"
)

var pods = schema.GroupVersionResource{Version: "v1", Resource: "pods"}

func pod(name string) *metav1.PartialObjectMetadata {
	return &metav1.PartialObjectMetadata{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name, Labels: map[string]string{"name": name}},
	}
}

func newClient(t *testing.T, objects ...runtime.Object) *FakeMetadataClient {
	t.Helper()
	scheme := NewTestScheme()
	if err := metav1.AddMetaToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	known := len(scheme.AllKnownTypes())
	c := NewSimpleMetadataClient(scheme, objects...)
	if n := len(scheme.AllKnownTypes()); n != known {
		t.Errorf("the scheme has %d kinds, and had %d before", n, known)
	}
	return c
}

func TestVerbsWorkOnWhatIsKept(t *testing.T) {
	c := newClient(t, pod("a"))
	r := c.Resource(pods).Namespace("ns").(MetadataClient)
	ctx := t.Context()
	if got, err := r.CreateFake(pod("b"), metav1.CreateOptions{}); err != nil || got.Name != "b" {
		t.Errorf("create: %v, %v", got, err)
	}
	changed := pod("b")
	changed.Labels["changed"] = "yes"
	if got, err := r.UpdateFake(changed, metav1.UpdateOptions{}); err != nil || got.Labels["changed"] != "yes" {
		t.Errorf("update: %v, %v", got, err)
	}
	if got, err := r.Get(ctx, "a", metav1.GetOptions{}); err != nil || !reflect.DeepEqual(got, pod("a")) {
		t.Errorf("get: %v, %v", got, err)
	}
	if got, err := r.Patch(ctx, "a", types.MergePatchType, []byte(`{"metadata":{"labels":{"x":"y"}}}`), metav1.PatchOptions{}); err != nil || got.Labels["x"] != "y" {
		t.Errorf("patch: %v, %v", got, err)
	}
	list, err := r.List(ctx, metav1.ListOptions{LabelSelector: "changed=yes"})
	if err != nil || len(list.Items) != 1 || list.Items[0].Name != "b" {
		t.Errorf("list: %v, %v", list, err)
	}
	if err := r.Delete(ctx, "b", metav1.DeleteOptions{}); err != nil {
		t.Error(err)
	}
	if got, err := r.Get(ctx, "b", metav1.GetOptions{}); got != nil || !apierrors.IsNotFound(err) {
		t.Errorf("get after delete: %v, %v", got, err)
	}
	if err := r.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
		t.Error(err)
	}
	if _, err := r.CreateFake(pod(""), metav1.CreateOptions{}, "status"); err == nil {
		t.Error("a subresource of nothing was created")
	}
}

func TestWatchDeliversChanges(t *testing.T) {
	c := newClient(t)
	r := c.Resource(pods).Namespace("ns").(MetadataClient)
	w, err := r.Watch(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	if _, err := r.CreateFake(pod("a"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if e := <-w.ResultChan(); e.Type != watch.Added || e.Object.(*metav1.PartialObjectMetadata).Name != "a" {
		t.Errorf("got %v", e)
	}
	if !c.IsWatchListSemanticsUnSupported() {
		t.Error("informers would wait for the present objects")
	}
	if got, err := c.Tracker().Get(pods, "ns", "a"); err != nil || got == nil {
		t.Errorf("tracker: %v, %v", got, err)
	}
}

func TestActionsNameTheSubresource(t *testing.T) {
	c := newClient(t)
	c.PrependReactor("*", "*", func(clienttesting.Action) (bool, runtime.Object, error) { return true, pod("a"), nil })
	r := c.Resource(pods).Namespace("ns").(MetadataClient)
	for _, call := range []func() error{
		func() error { _, err := r.Get(t.Context(), "a", metav1.GetOptions{}, "x", "y"); return err },
		func() error { _, err := r.CreateFake(pod("a"), metav1.CreateOptions{}, "x", "y"); return err },
		func() error { _, err := r.UpdateFake(pod("a"), metav1.UpdateOptions{}, "x", "y"); return err },
		func() error {
			_, err := r.Patch(t.Context(), "a", types.MergePatchType, nil, metav1.PatchOptions{}, "x", "y")
			return err
		},
		func() error { return r.Delete(t.Context(), "a", metav1.DeleteOptions{}, "x", "y") },
	} {
		if err := call(); err != nil {
			t.Error(err)
		}
	}
	for i, verb := range []string{"get", "create", "update", "patch", "delete"} {
		if a := c.Actions()[i]; a.GetVerb() != verb || a.GetSubresource() != "x/y" || a.GetNamespace() != "ns" || a.GetResource() != pods {
			t.Errorf("got %#v, want %s of x/y", a, verb)
		}
	}
}

func TestReactorsAnswer(t *testing.T) {
	c := newClient(t)
	r := c.Resource(pods)
	var answer runtime.Object
	var failure error
	c.PrependReactor("*", "*", func(clienttesting.Action) (bool, runtime.Object, error) { return true, answer, failure })

	for _, answer = range []runtime.Object{nil, (*metav1.PartialObjectMetadata)(nil), (*metav1.PartialObjectMetadataList)(nil), (*metav1.List)(nil)} {
		if got, err := r.Get(t.Context(), "a", metav1.GetOptions{}); got != nil || err != nil {
			t.Errorf("get of nothing, as a %T: %v, %v", answer, got, err)
		}
		if got, err := r.List(t.Context(), metav1.ListOptions{}); got != nil || err != nil {
			t.Errorf("list of nothing, as a %T: %v, %v", answer, got, err)
		}
	}
	for _, answer = range []runtime.Object{
		&metav1.PartialObjectMetadataList{Items: []metav1.PartialObjectMetadata{*pod("a")}},
		&metav1.List{Items: []runtime.RawExtension{{Object: pod("a")}}},
	} {
		if got, err := r.List(t.Context(), metav1.ListOptions{}); err != nil || len(got.Items) != 1 || got.Items[0].Name != "a" {
			t.Errorf("list of a %T: %v, %v", answer, got, err)
		}
		if got, err := r.Get(t.Context(), "a", metav1.GetOptions{}); err == nil {
			t.Errorf("a %T passes for an object: %v", answer, got)
		}
	}
	for _, answer = range []runtime.Object{new(metav1.Status), &metav1.List{Items: []runtime.RawExtension{{Object: new(metav1.Status)}}}} {
		if got, err := r.List(t.Context(), metav1.ListOptions{}); err == nil {
			t.Errorf("a %T passes for a list: %v", answer, got)
		}
	}
	failure = errors.New("boom")
	if got, err := r.List(t.Context(), metav1.ListOptions{}); got != nil || !errors.Is(err, failure) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestAnObjectThatCannotBeKeptPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	NewSimpleMetadataClient(NewTestScheme(), new(metav1.PartialObjectMetadata))
}
