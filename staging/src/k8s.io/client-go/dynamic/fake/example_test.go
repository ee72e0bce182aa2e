package fake_test

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/fake"
)

// Testing what deletes an object.
func Example() {
	tab := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "example.com/v1", "kind": "CronTab",
		"metadata": map[string]any{"namespace": "default", "name": "nightly"},
	}}
	client := fake.NewSimpleDynamicClient(runtime.NewScheme(), tab)

	cronTabs := schema.GroupVersionResource{Group: "example.com", Version: "v1", Resource: "crontabs"}
	err := client.Resource(cronTabs).Namespace("default").Delete(context.Background(), "nightly", metav1.DeleteOptions{})
	fmt.Println(err)
	for _, action := range client.Actions() {
		fmt.Println(action.GetVerb(), action.GetResource().Resource, action.GetNamespace())
	}
	// Output:
	// <nil>
	// delete crontabs default
}
