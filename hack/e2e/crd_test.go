package e2e

import (
	"context"
	"fmt"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"
)

var crds = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}

// Two versions, a status and a scale; the group is each test's own.
const crdManifest = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.%[1]s}
spec:
  group: %[1]s
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget, listKind: WidgetList, shortNames: [wd%[2]d], categories: [e2e%[2]d]}
  versions:
  - name: v1beta1
    served: true
    storage: false
    schema: &schema
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              replicas: {type: integer, format: int32, minimum: 0}
              colour: {type: string, description: what it looks like}
              big: {type: integer, format: int64}
              ratio: {type: number}
              parts: {type: array, items: {type: object, properties: {name: {type: string}, count: {type: integer}}}}
          status:
            type: object
            properties:
              replicas: {type: integer, format: int32}
              selector: {type: string}
    subresources: &subresources
      status: {}
      scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas, labelSelectorPath: .status.selector}
  - name: v1
    served: true
    storage: true
    schema: *schema
    subresources: *subresources
`

func dynamicClient(t *testing.T) *dynamic.DynamicClient {
	t.Helper()
	client, err := dynamic.NewForConfig(adminConfig(t))
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// newCRD makes a custom resource, widgets, and returns when the server serves it.
func newCRD(t *testing.T) schema.GroupVersionResource {
	t.Helper()
	n := number()
	group := fmt.Sprintf("e2e-%d.example.com", n)
	crd := &unstructured.Unstructured{}
	if err := yaml.Unmarshal(fmt.Appendf(nil, crdManifest, group, n), &crd.Object); err != nil {
		t.Fatal(err)
	}
	client := dynamicClient(t)
	if _, err := client.Resource(crds).Create(deadline(t), crd, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Resource(crds).Delete(context.Background(), crd.GetName(), metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	gvr := schema.GroupVersionResource{Group: group, Version: "v1", Resource: "widgets"}
	for _, version := range []string{"v1", "v1beta1"} {
		versioned := client.Resource(gvr.GroupResource().WithVersion(version))
		eventually(t, "list of a new custom resource", func(ctx context.Context) error {
			_, err := versioned.List(ctx, metav1.ListOptions{})
			return err
		})
	}
	return gvr
}

// newWidget is a widget with values of all types.
func newWidget(gvr schema.GroupVersionResource, name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": gvr.GroupVersion().String(),
		"kind":       "Widget",
		"metadata":   map[string]any{"name": name, "labels": map[string]any{"colour": "red"}},
		"spec": map[string]any{
			"replicas": int64(3),
			"colour":   "röd",
			"big":      int64(9007199254740993), // more than a float64 can tell apart
			"ratio":    0.25,
			"parts":    []any{map[string]any{"name": "wheel", "count": int64(4)}},
		},
	}}
}

func TestInvalidCustomResourceIsRefusedWithItsCauses(t *testing.T) {
	t.Parallel()
	gvr := newCRD(t)
	widget := newWidget(gvr, "one")
	if err := unstructured.SetNestedField(widget.Object, int64(-1), "spec", "replicas"); err != nil {
		t.Fatal(err)
	}
	_, err := dynamicClient(t).Resource(gvr).Namespace(namespace(t)).Create(deadline(t), widget, metav1.CreateOptions{})
	if !apierrors.IsInvalid(err) {
		t.Fatalf("%v, want an Invalid error", err)
	}
	causes := err.(apierrors.APIStatus).Status().Details.Causes
	if len(causes) == 0 || causes[0].Field != "spec.replicas" {
		t.Errorf("causes %v, want spec.replicas first", causes)
	}
	strict := newWidget(gvr, "two")
	if err := unstructured.SetNestedField(strict.Object, true, "spec", "unknown"); err != nil {
		t.Fatal(err)
	}
	_, err = dynamicClient(t).Resource(gvr).Namespace(namespace(t)).Create(deadline(t), strict, metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict})
	if !apierrors.IsBadRequest(err) {
		t.Errorf("an unknown field, validated strictly: %v, want a BadRequest error", err)
	}
}
