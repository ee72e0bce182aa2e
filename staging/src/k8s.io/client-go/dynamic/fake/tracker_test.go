package fake_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic/fake"
)

func TestTypedObjectsOfTheTrackerAreListedAndPatched(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	client := fake.NewSimpleDynamicClient(scheme)
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "web"},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "a"}}},
	}
	if err := client.Tracker().Add(&corev1.PodList{Items: []corev1.Pod{*pod}}); err != nil {
		t.Fatal(err)
	}
	pods := client.Resource(corev1.SchemeGroupVersion.WithResource("pods")).Namespace("ns")
	if list, err := pods.List(t.Context(), metav1.ListOptions{}); err != nil || len(list.Items) != 1 {
		t.Fatalf("%v, %v", list, err)
	}
	patched, err := pods.Patch(t.Context(), "web", types.StrategicMergePatchType, []byte(`{"spec":{"containers":[{"name":"b"}]}}`), metav1.PatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if containers, _, _ := unstructured.NestedSlice(patched.Object, "spec", "containers"); len(containers) != 2 {
		t.Errorf("the containers are %v", containers)
	}
	if _, err := pods.Patch(t.Context(), "web", types.StrategicMergePatchType, []byte(`[]`), metav1.PatchOptions{}); err == nil {
		t.Error("a JSON patch is taken for a strategic merge patch")
	}
}
