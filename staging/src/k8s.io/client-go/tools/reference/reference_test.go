package reference_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/reference"
)

func newScheme(t testing.TB) *runtime.Scheme {
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	return scheme
}

var web = metav1.ObjectMeta{Name: "web", Namespace: "shop", UID: "1234", ResourceVersion: "5"}

// plain is an object without metadata.
type plain struct{ metav1.TypeMeta }

func (p *plain) DeepCopyObject() runtime.Object { return &plain{p.TypeMeta} }

func TestReferences(t *testing.T) {
	scheme := newScheme(t)
	toWeb := func(apiVersion, kind string) *corev1.ObjectReference {
		return &corev1.ObjectReference{
			APIVersion: apiVersion, Kind: kind,
			Namespace: "shop", Name: "web", UID: "1234", ResourceVersion: "5",
		}
	}
	typed := func(apiVersion, kind string) metav1.TypeMeta {
		return metav1.TypeMeta{APIVersion: apiVersion, Kind: kind}
	}
	for name, c := range map[string]struct {
		scheme *runtime.Scheme
		obj    runtime.Object
		want   *corev1.ObjectReference
	}{
		"kind from the scheme":           {scheme, &corev1.Pod{ObjectMeta: web}, toWeb("v1", "Pod")},
		"the object's own kind":          {scheme, &corev1.Pod{TypeMeta: typed("x/v2", "Y"), ObjectMeta: web}, toWeb("x/v2", "Y")},
		"no need for a scheme":           {nil, &corev1.Pod{TypeMeta: typed("v1", "Pod"), ObjectMeta: web}, toWeb("v1", "Pod")},
		"version from the scheme":        {scheme, &corev1.Pod{TypeMeta: typed("", "Pod"), ObjectMeta: web}, toWeb("v1", "Pod")},
		"kind alone from the scheme":     {scheme, &corev1.Pod{TypeMeta: typed("v1", ""), ObjectMeta: web}, toWeb("v1", "Pod")},
		"a kind, and nobody to ask":      {nil, &corev1.Pod{TypeMeta: typed("", "Pod"), ObjectMeta: web}, toWeb("", "Pod")},
		"a type that the scheme has not": {runtime.NewScheme(), &corev1.Pod{TypeMeta: typed("", "Pod"), ObjectMeta: web}, toWeb("", "Pod")},
		"a kind that the scheme has not": {scheme, &corev1.Pod{TypeMeta: typed("", "Y"), ObjectMeta: web}, toWeb("", "Y")},
		"a list": {scheme, &corev1.PodList{ListMeta: metav1.ListMeta{ResourceVersion: "8"}},
			&corev1.ObjectReference{APIVersion: "v1", Kind: "PodList", ResourceVersion: "8"}},
		"metadata alone": {nil, &metav1.PartialObjectMetadata{TypeMeta: typed("apps/v1", "Deployment"), ObjectMeta: web},
			toWeb("apps/v1", "Deployment")},
		"unstructured": {nil, &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "x/v1", "kind": "Y",
			"metadata": map[string]any{"name": "web", "namespace": "shop", "uid": "1234", "resourceVersion": "5"},
		}}, toWeb("x/v1", "Y")},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := reference.GetReference(c.scheme, c.obj)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("reference (-want +got):\n%s", diff)
			}

			part, err := reference.GetPartialReference(c.scheme, c.obj, "spec.containers{web}")
			if err != nil {
				t.Fatal(err)
			}
			got.FieldPath = "spec.containers{web}"
			if diff := cmp.Diff(got, part); diff != "" {
				t.Errorf("partial reference (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNilObjectsAreRecognisedInEveryGuise(t *testing.T) {
	for name, obj := range map[string]runtime.Object{
		"nothing":         nil,
		"a nil pod":       (*corev1.Pod)(nil),
		"a nil reference": (*corev1.ObjectReference)(nil),
	} {
		if _, err := reference.GetReference(newScheme(t), obj); !errors.Is(err, reference.ErrNilObject) {
			t.Errorf("%s: got %v", name, err)
		}
		if _, err := reference.GetPartialReference(newScheme(t), obj, "spec"); !errors.Is(err, reference.ErrNilObject) {
			t.Errorf("%s in part: got %v", name, err)
		}
	}
}

func TestWhatCannotBeReferredToIsAnError(t *testing.T) {
	if _, err := reference.GetReference(runtime.NewScheme(), &corev1.Pod{}); !runtime.IsNotRegisteredError(err) {
		t.Errorf("of an unregistered kind: got %v", err)
	}
	if _, err := reference.GetReference(nil, &corev1.Pod{}); err == nil {
		t.Error("without kind and scheme: no error")
	}
	if _, err := reference.GetReference(nil, &plain{metav1.TypeMeta{APIVersion: "v1", Kind: "Plain"}}); err == nil {
		t.Error("without metadata: no error")
	}
	if _, err := reference.GetPartialReference(nil, &plain{}, "spec"); err == nil {
		t.Error("in part, without metadata: no error")
	}
}

func TestReferenceToAReferenceIsThatReference(t *testing.T) {
	ref := &corev1.ObjectReference{Kind: "Pod", Name: "web"}
	if got, err := reference.GetReference(nil, ref); got != ref || err != nil {
		t.Errorf("got %v and error %v", got, err)
	}
	got, err := reference.GetPartialReference(nil, ref, "spec")
	if err != nil || got.FieldPath != "spec" || got.Name != "web" {
		t.Errorf("got %v and error %v", got, err)
	}
	if ref.FieldPath != "" {
		t.Error("the caller's reference was changed")
	}
}

func BenchmarkGetReference(b *testing.B) {
	scheme, pod := newScheme(b), &corev1.Pod{ObjectMeta: web}
	pod.SetGroupVersionKind(schema.GroupVersionKind{Version: "v1", Kind: "Pod"})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := reference.GetReference(scheme, pod); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleGetReference() {
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		panic(err)
	}
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"}}

	ref, err := reference.GetReference(scheme, pod)
	if err != nil {
		panic(err)
	}
	fmt.Println(ref.APIVersion, ref.Kind, ref.Namespace, ref.Name)
	// Output: v1 Pod shop web
}
